"""Make prediction_logs.json: requests as TensorFlow Serving's own Python package writes them.

    pip install tensorflow-serving-api==2.21.0
    python tests/golden/make_prediction_logs.py
"""

import json
from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

REQUESTS = [{"text": ["a warm, funny film"]}, {"text": ["", "Ça coûte 5 €"], "second": ["中文", "word " * 600]},
            {"text": ["one"], "endings": [["an ending", "another"]]}]


def main():
    found = []
    for request in REQUESTS:
        log = PredictionLog()
        asked = log.predict_log.request
        asked.model_spec.name, asked.model_spec.signature_name = "films", "serving_default"
        for name, values in request.items():
            asked.inputs[name].CopyFrom(tf.make_tensor_proto(values, tf.string))
        found.append({"request": request, "message": log.SerializeToString(deterministic=True).hex()})
    Path(__file__).with_name("prediction_logs.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
