"""One side of the inference rows of `run.py`: python inference.py NAME MODEL ROWS; answers "one" or "batches" per line.

It loads its model, then for each line of standard input computes all rows once and prints {"cpu_s", "rows", "logits"}.
Rows are token ids and texts, made beforehand by bertkit; every side computes in float32 with one thread. It imports no
more than what its own side needs, so that each environment holds its own packages alone.
"""

import json
import os
import sys
import time

for threads in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[threads] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np  # noqa: E402

BATCH = 32


def padded(rows):
    """Return ids, mask and segments int64 [B,T] of rows of one segment."""
    ids = np.zeros((len(rows), max(map(len, rows))), "int64")
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, :len(row)], mask[number, :len(row)] = row, 1
    return ids, mask, np.zeros_like(ids)


def onnxruntime(folder, file="model.onnx"):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(f"{folder}/{file}", options, providers=["CPUExecutionProvider"])
    names = ("input_ids", "attention_mask", "token_type_ids")
    return lambda rows: session.run(None, dict(zip(names, padded(rows), strict=True)))[0]


def openvino(folder):
    import openvino as ov
    core = ov.Core()
    compiled = core.compile_model(core.read_model(f"{folder}/model.onnx"), "CPU", {
        "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request, names = compiled.create_infer_request(), ("input_ids", "attention_mask", "token_type_ids")
    return lambda rows: next(iter(request.infer(dict(zip(names, padded(rows), strict=True))).values())).copy()


def torch(folder):
    import torch as pt
    import transformers
    pt.set_num_threads(1)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(f"{folder}/huggingface").eval()

    def run(rows):
        ids, mask, segments = map(pt.from_numpy, padded(rows))
        with pt.inference_mode():
            return model(ids, attention_mask=mask, token_type_ids=segments).logits.numpy()

    return run


def predictor(folder, **options):
    import bertkit
    model = bertkit.Predictor(f"{folder}/bundle", **options)
    return lambda rows: np.log(np.array(model.outputs([(row, [0] * len(row)) for row in rows])))


def bfloat16(folder):
    return predictor(folder, precision="bfloat16")


def frozen(folder):
    return predictor(folder, frozen=True)


def saved_model(folder):
    import tensorflow as tf
    import tensorflow_text  # noqa: F401
    tokens = tf.saved_model.load(f"{folder}/saved_model").signatures["tokens"]

    def run(rows):
        batch = zip(("token_ids", "padding_mask", "segment_ids"), padded(rows), strict=True)
        return tokens(**{name: tf.constant(values.astype("int32")) for name, values in batch})["logits"].numpy()

    return run


def litert(folder):
    return _device(f"{folder}/float32")


def litert_int8(folder):
    return _device(f"{folder}/int8")


def litert_int8_one_length(folder):
    return _device(f"{folder}/int8-64")


def _device(folder):
    from bertkit import ondevice
    device = ondevice.load(folder)
    return lambda rows: np.log(np.array(device.outputs([(row, [0] * len(row)) for row in rows])))


def onnxruntime_int8(folder):
    return onnxruntime(folder, "model-int8.onnx")


def peak(_):
    """A product of float32 matrices by TensorFlow, for each batch: what this core can do at most."""
    import tensorflow as tf
    x = tf.random.stateless_normal((1024, 1024), (1, 2))

    def run(rows):
        tf.matmul(x, x).numpy()
        return np.zeros((len(rows), 2))

    return run


def main():
    """Load, warm up, and answer one line after the other."""
    name, folder, file = sys.argv[1:]
    run = globals()[name](folder)
    rows = sorted(json.load(open(file, encoding="utf-8")), key=len)
    single = [[row] for row in rows]
    whole = [rows[start:start + BATCH] for start in range(0, len(rows), BATCH)]
    print(json.dumps({"ready": name}), flush=True)
    for line in sys.stdin:
        batches = single if line.strip() == "one" else whole
        begin = time.process_time()
        logits = np.concatenate([run(batch) for batch in batches])
        taken = time.process_time() - begin
        centred = logits - logits.mean(-1, keepdims=True)
        print(json.dumps({"cpu_s": taken, "rows": len(rows), "logits": centred.tolist()}), flush=True)


if __name__ == "__main__":
    main()
