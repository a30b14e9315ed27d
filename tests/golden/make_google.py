"""Make the golden BERT in Google's TensorFlow 1 form; needs TensorFlow, safetensors, not bertkit.

    python tests/golden/make_google.py

Writes the weights of bert_tiny_pretraining/ into bert_tiny_google/ as the original release does:
bert_model.ckpt.{index,data-00000-of-00001} (with global_step, and Adam slots of some variables),
bert_config.json, vocab.txt.  Its `gelu` is the tanh form; ref.npz beside it is transformers'
(make_transformers.py) on the same weights with that form.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

HERE = Path(__file__).parent
SOURCE, TARGET = HERE / "bert_tiny_pretraining", HERE / "bert_tiny_google"
CONFIG_KEYS = (
    "attention_probs_dropout_prob", "hidden_act", "hidden_dropout_prob", "hidden_size",
    "initializer_range", "intermediate_size", "max_position_embeddings", "num_attention_heads",
    "num_hidden_layers", "type_vocab_size", "vocab_size",
)
ENDINGS = (                                            # the first that matches
    (r"LayerNorm\.weight$", "LayerNorm/gamma"),
    (r"LayerNorm\.bias$", "LayerNorm/beta"),
    (r"_embeddings\.weight$", "_embeddings"),
    (r"cls\.predictions\.bias$", "cls/predictions/output_bias"),
    (r"seq_relationship\.(weight|bias)$", r"seq_relationship/output_\1"),
    (r"\.weight$", "/kernel"),
    (r"\.bias$", "/bias"),
)


def google_name(name):
    """Return the variable that holds transformers' tensor `name`.

    >>> google_name("bert.encoder.layer.0.output.dense.weight")
    'bert/encoder/layer_0/output/dense/kernel'
    """
    for pattern, ending in ENDINGS:
        if re.search(pattern, name):
            name = re.sub(pattern, ending, name)
            break
    name = name.replace("output_weight", "output_weights")
    return re.sub(r"layer\.(\d+)", r"layer_\1", name).replace(".", "/")


def variables():
    """Return variable name -> array: weights (kernels [in, out]), global_step, some Adam slots."""
    found = {}
    for name, tensor in load_file(SOURCE / "model.safetensors").items():
        renamed = google_name(name)
        found[renamed] = tensor.T if renamed.endswith("/kernel") else tensor
    slotted = [name for name in found if "pooler" in name or "layer_1/output" in name]
    for name in slotted:
        found[name + "/adam_m"] = np.full_like(found[name], 1e-3)
        found[name + "/adam_v"] = np.full_like(found[name], 1e-6)
    return found | {"global_step": np.int64(1000)}


def write_checkpoint(path, arrays):
    """Write `arrays` as a TensorFlow 1 checkpoint (V2 format)."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, array in arrays.items():
            tf.compat.v1.get_variable(name, initializer=tf.constant(array), use_resource=False)
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver()
        saver.save(session, str(path), write_meta_graph=False, write_state=False)


def main():
    """Write the checkpoint, its configuration and its vocabulary."""
    TARGET.mkdir(exist_ok=True)
    write_checkpoint(TARGET / "bert_model.ckpt", variables())
    config = json.loads((SOURCE / "config.json").read_text(encoding="utf-8"))
    config = json.dumps({key: config[key] for key in CONFIG_KEYS}, indent=2)
    (TARGET / "bert_config.json").write_text(config + "\n", encoding="utf-8")
    shutil.copy(SOURCE / "vocab.txt", TARGET)


if __name__ == "__main__":
    main()
