"""A small encoder in plain numpy, written from BERT's paper, which can be made sick in one place.

It shares nothing with the doctor's reference: one function, loops over heads, float32.
"""

import math

import numpy as np

SMALL = {"model_type": "bert", "vocab_size": 60, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3,
         "intermediate_size": 40, "max_position_embeddings": 20, "type_vocab_size": 2, "hidden_act": "gelu",
         "layer_norm_eps": 1e-12, "pad_token_id": 0}
EMBEDDINGS = "embeddings.{}_embeddings.weight"


def weights_of(config, seed=0):
    """Return weights under Hugging Face names that look trained: no bias is 0, no gamma is 1."""
    draw, wide = np.random.default_rng(seed), config["hidden_size"]

    def linear(name, outputs, inputs):
        return {f"{name}.weight": draw.normal(0, inputs ** -0.5, (outputs, inputs)),
                f"{name}.bias": draw.normal(0, 0.1, outputs)}

    def norm(name):
        return {f"{name}.weight": draw.normal(1, 0.2, wide), f"{name}.bias": draw.normal(0, 0.1, wide)}

    found = {EMBEDDINGS.format(name): draw.normal(0, 0.05, (config[rows], wide)) for name, rows in (
        ("word", "vocab_size"), ("position", "max_position_embeddings"), ("token_type", "type_vocab_size"))}
    found |= norm("embeddings.LayerNorm") | linear("pooler.dense", wide, wide)
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            found |= linear(f"{layer}.attention.{part}", wide, wide)
        found |= linear(f"{layer}.intermediate.dense", config["intermediate_size"], wide)
        found |= linear(f"{layer}.output.dense", wide, config["intermediate_size"])
        found |= norm(f"{layer}.attention.output.LayerNorm") | norm(f"{layer}.output.LayerNorm")
    return {name: value.astype(np.float32) for name, value in found.items()}


def gelu(x):
    return x * (0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))).astype(np.float32)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x ** 3)))


def encoder(config, weights, **sick):
    """Return `subject(batch)`; `sick` replaces parts: an activation, a factor, a function of what is right."""
    part = {"activation": gelu, "factor": 1.0, "epsilon": config["layer_norm_eps"], "positions": lambda ids, mask: None,
            "mask": lambda ids, mask: mask, "masked": lambda scores, mask: np.where(mask, scores, np.float32(-1e9)),
            "softmax": softmax, "order": lambda layers: layers, "pooled": np.tanh, "segments": lambda ids: ids,
            "merge": np.concatenate, "weight": lambda name, value: value,
            "variance": lambda x: x.var(-1, keepdims=True),
            "residual": 1.0, "embedded": lambda x, norm: norm(x), "end": lambda outputs, batch: outputs} | sick

    def linear(x, name):
        return x @ part["weight"](name, weights[f"{name}.weight"]).T + weights[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(part["variance"](x) + np.float32(part["epsilon"]))
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attend(x, mask, layer):
        query, key, value = (linear(x, f"{layer}.attention.self.{name}") for name in ("query", "key", "value"))
        size, heads = x.shape[-1] // config["num_attention_heads"], []
        for n in range(config["num_attention_heads"]):
            q, k, v = (each[..., n * size:(n + 1) * size] for each in (query, key, value))
            scores = np.einsum("bqh,bkh->bqk", q, k) * np.float32(part["factor"] / math.sqrt(size))
            heads.append(part["softmax"](part["masked"](scores, mask[:, None, :] > 0)) @ v)
        return linear(part["merge"](heads, -1), f"{layer}.attention.output.dense")

    def call(batch):
        ids, mask = batch["token_ids"], part["mask"](batch["token_ids"], batch["padding_mask"])
        places = part["positions"](ids, mask)
        places = np.arange(ids.shape[1])[None] if places is None else places
        table = {name: weights[EMBEDDINGS.format(name)] for name in ("word", "position", "token_type")}
        x = table["word"][ids] + table["position"][places] + table["token_type"][part["segments"](batch["segment_ids"])]
        x = part["embedded"](x, lambda x: norm(x, "embeddings.LayerNorm"))
        for i in part["order"](list(range(config["num_hidden_layers"]))):
            layer = f"encoder.layer.{i}"
            x = norm(np.float32(part["residual"]) * x + attend(x, mask, layer), f"{layer}.attention.output.LayerNorm")
            inner = part["activation"](linear(x, f"{layer}.intermediate.dense"))
            x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return part["end"]({"sequence": x, "pooled": part["pooled"](linear(x[:, 0], "pooler.dense"))}, batch)
    return call


def softmax(scores):
    grown = np.exp(scores - scores.max(-1, keepdims=True))
    return grown / grown.sum(-1, keepdims=True)
