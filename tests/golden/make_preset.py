"""Make the golden BERT as a keras-nlp preset; needs keras_hub and safetensors, not bertkit.

    KERAS_BACKEND=tensorflow python tests/golden/make_preset.py

Writes the weights of bert_tiny_tanh/ into bert_tiny_preset/ with `save_to_preset` (backbone and
tokenizer).  ref.npz there is keras_hub's own forward pass, <call>/in/<batch entry> and
<call>/out/{sequence_output, pooled_output}, for the calls that it can make: it takes no position
ids.  (keras_hub always computes GELU by tanh, so bert_tiny_tanh/ is its second witness.)
"""

import re
from pathlib import Path

import keras_hub
import numpy as np
from safetensors.numpy import load_file

HERE = Path(__file__).parent
SOURCE, TARGET = HERE / "bert_tiny_tanh", HERE / "bert_tiny_preset"
SIZES = {
    "vocabulary_size": 60, "num_layers": 2, "num_heads": 4, "hidden_dim": 32,
    "intermediate_dim": 64, "max_sequence_length": 24, "num_segments": 2,
}
EMBEDDINGS = {"word": "token", "position": "position", "token_type": "segment"}
NORMS = {"weight": "gamma", "bias": "beta"}
OUTSIDE_LAYERS = {"embeddings.LayerNorm": "embeddings_layer_norm", "pooler.dense": "pooled_dense"}
LAYER = {
    "attention.self.query": "self_attention_layer/query",
    "attention.self.key": "self_attention_layer/key",
    "attention.self.value": "self_attention_layer/value",
    "attention.output.dense": "self_attention_layer/attention_output",
    "attention.output.LayerNorm": "self_attention_layer_norm",
    "intermediate.dense": "feedforward_intermediate_dense",
    "output.dense": "feedforward_output_dense",
    "output.LayerNorm": "feedforward_layer_norm",
}


def preset_path(name):
    """Return the keras_hub variable path of transformers' tensor `name`."""
    stem, kind = name.rsplit(".", 1)
    table = re.fullmatch(r"embeddings\.(\w+)_embeddings", stem)
    if table:
        return f"{EMBEDDINGS[table[1]]}_embedding/embeddings"
    if stem.endswith("LayerNorm"):
        kind = NORMS[kind]
    kind = {"weight": "kernel"}.get(kind, kind)
    layer = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)", stem)
    if layer:
        return f"transformer_layer_{layer[1]}/{LAYER[layer[2]]}/{kind}"
    return f"{OUTSIDE_LAYERS[stem]}/{kind}"


def backbone():
    """Return keras_hub's encoder with every weight of the source, and none left over."""
    model = keras_hub.models.BertBackbone(**SIZES)
    tensors = load_file(SOURCE / "model.safetensors")
    tensors = {preset_path(name): tensor for name, tensor in tensors.items()}
    for weight in model.weights:
        if weight.dtype != "float32":                  # states of the dropout generators
            continue
        tensor = tensors.pop(weight.path)
        tensor = tensor.T if weight.path.endswith("/kernel") else tensor
        weight.assign(tensor.reshape(weight.shape))
    assert not tensors, f"without a place: {sorted(tensors)}"
    return model


def references(model):
    """Return the calls `padded` and `bare`, computed by keras_hub."""
    recorded = np.load(SOURCE / "ref.npz")
    entries = {}
    for call in ("padded", "bare"):
        token_ids = recorded[f"{call}/in/token_ids"]
        batch = {"token_ids": token_ids, "segment_ids": np.zeros_like(token_ids),
                 "padding_mask": np.ones_like(token_ids)}
        batch |= {name: recorded[f"{call}/in/{name}"] for name in batch
                  if f"{call}/in/{name}" in recorded}
        outputs = model(batch)
        entries |= {f"{call}/in/{name}": array for name, array in batch.items()}
        entries |= {f"{call}/out/{name}": np.asarray(array) for name, array in outputs.items()}
    return entries


def main():
    """Write the preset and its outputs."""
    model = backbone()
    model.save_to_preset(str(TARGET))
    vocabulary = (SOURCE / "vocab.txt").read_text(encoding="utf-8").split()
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    tokenizer.save_to_preset(str(TARGET))
    np.savez_compressed(TARGET / "ref.npz", **references(model))


if __name__ == "__main__":
    main()
