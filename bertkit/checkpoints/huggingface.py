"""Hugging Face directories: config.json beside model.safetensors, in one file or in shards."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save as safetensors_bytes

from bertkit import family
from bertkit.checkpoints.files import read_json, read_safetensors, write_bytes, write_json
from bertkit.checkpoints.tensors import Tensors, assign, encoder_for, slots, variables
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier
from bertkit.text.huggingface import config as tokenizer_config

LEAVES = {"kernel": ".weight", "bias": ".bias", "gamma": ".weight", "beta": ".bias",
          "embeddings": ".weight"}

# transformers' names of activations (family-spec 1.1); "gelu" is the exact form there.
ACTIVATIONS = {"gelu": "gelu_erf", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh",
               "gelu_fast": "gelu_tanh", "gelu_python_tanh": "gelu_tanh", "gelu_accurate": "gelu_tanh",
               "quick_gelu": "quick_gelu", "relu": "relu", "silu": "silu", "swish": "silu", "tanh": "tanh",
               "mish": "mish", "linear": "linear"}

MOST_LABELS = 1_000_000


def load(folder, part=None, activation=None):
    """Return the model a Hugging Face directory holds: an `Encoder`, or a `Classifier` with its head."""
    folder = Path(folder)
    values = read_json(folder / "config.json")
    page = family.page(values.get("model_type"))
    config = encoder_config(values, page, folder / "config.json", activation)
    tensors = canonical(weights(folder), page)
    encoder = encoder_for(config, tensors)
    model = encoder if part == "encoder" else with_head(encoder, values, tensors, page)
    places = slots(variables(model), page.HUGGINGFACE, LEAVES, transposed=True)
    assign(model, tensors, places, aside=page.HUGGINGFACE_HEADS, ignored=page.HUGGINGFACE_IGNORED,
           new=("encoder/pooler", "head/"))
    return model


def encoder_config(values, page, path, activation=None):
    """Return the EncoderConfig that a config.json describes; names the key that is wrong."""
    ours = {}
    for name, key in page.HUGGINGFACE_CONFIG.items():
        if key in values:
            ours[name] = values[key]
    if "activation" in ours:
        if str(ours["activation"]) not in ACTIVATIONS:
            raise Error(f"{path}: hidden_act={ours['activation']!r} is unknown; bertkit has "
                        f"{', '.join(ACTIVATIONS)}.")
        ours["activation"] = ACTIVATIONS[ours["activation"]]
    if activation:
        ours["activation"] = activation
    if values.get("is_decoder"):
        raise Error(f"{path}: is_decoder is true, and bertkit has no decoder yet; only encoders load.")
    try:
        return page.CONFIG.but(**ours)
    except Error as error:
        raise Error(f"{path}: {error}") from None


def weights(folder):
    """Return the `Tensors` of a directory: model.safetensors, or the shards its index names."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.exists():
        return read_safetensors([single], single)
    if not index.exists():
        raise Error(f"{folder} holds no model.safetensors (nor an index of shards); bertkit reads no other "
                    "kind of weights there.")
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict):
        raise Error(f"{index} has no weight_map; copy the file again.")
    shards = sorted(set(map(str, table.values())))
    for name in shards:
        if Path(name).name != name or name == "..":
            raise Error(f"{index} names the shard {name!r}, which lies outside the folder; refused.")
        if not (folder / name).exists():
            raise Error(f"{folder / name} is missing, and {index.name} names it; copy it too.")
    tensors = read_safetensors([folder / name for name in shards], index)
    if absent := sorted(set(table) - set(tensors.shapes)):
        raise Error(f"{index} names tensors that no shard holds: {', '.join(absent[:8])}.")
    return tensors


def canonical(tensors, page):
    """Return the same tensors without the architecture's prefix and with today's LayerNorm names."""
    actual = {}
    for name in tensors.shapes:
        plain = name.removeprefix(page.HUGGINGFACE_PREFIX)
        plain = plain.replace("Norm.gamma", "Norm.weight").replace("Norm.beta", "Norm.bias")
        if plain in actual:
            raise Error(f"{tensors.path} holds both {actual[plain]} and {name}; keep one.")
        actual[plain] = name
    return Tensors(tensors.path, {plain: tensors.shapes[name] for plain, name in actual.items()},
                   lambda plain: tensors.read(actual[plain]))


def with_head(encoder, values, tensors, page):
    """Return the model with the head that `architectures` names, or, without it, the tensors do."""
    names = values.get("architectures") or [_guess(tensors, page, values)]
    kind = str(names[0] if isinstance(names, list) else names)
    if kind.endswith("Model") and not kind.endswith("LMHeadModel"):
        return encoder
    if kind.endswith("ForSequenceClassification"):
        dropout = values.get("classifier_dropout")
        if dropout is not None:
            encoder.config.but(dropout=dropout)         # raises unless it is a rate
        return Classifier(encoder, label_names(values), dropout=dropout,
                          multi_label=values.get("problem_type") == "multi_label_classification")
    raise Error(f"{tensors.path} holds {kind}, a head that bertkit does not load yet; "
                "part=\"encoder\" gives the encoder alone.")


def _guess(tensors, page, values):
    """Return the kind of model that the tensors' names leave no doubt about.

    A head over tokens is saved without the pooler; one output over it may be a regression or a multiple choice,
    unless `problem_type` stands in the config.
    """
    heads = {name.split(".")[0] for name in tensors.shapes if name.startswith(page.HUGGINGFACE_HEADS)}
    if not heads:
        return "Model"
    outputs = (*tensors.shapes.get("classifier.weight", ()), 0)[0]
    if heads == {"classifier"} and "pooler.dense.weight" in tensors.shapes and (
            outputs > 1 or values.get("problem_type")):
        return "ForSequenceClassification"
    raise Error(f"{tensors.path} holds {', '.join(sorted(heads))}, and its config.json names no "
                "architectures: which head is it? Write them there, or ask for part=\"encoder\".")


def label_names(values):
    """Return the class names in order: `id2label`'s, or 0 … num_labels − 1 (2 by default)."""
    table = values.get("id2label") or {}
    count = values.get("num_labels") or len(table) or 2
    if not isinstance(table, dict) or not isinstance(count, int) or not 1 <= count <= MOST_LABELS:
        raise Error(f"config.json: num_labels={count!r} and id2label={str(table)[:80]} do not name classes; "
                    f"wanted a number up to {MOST_LABELS} and an object of names.")
    return [str(table.get(str(i), i)) for i in range(count)]


def save(folder, model, tokenizer, page):
    """Write config.json, model.safetensors and the vocabulary so that transformers loads them as they are."""
    encoder = model if isinstance(model, Encoder) else model.encoder
    ours = variables(model)
    prefix = "" if model is encoder else page.HUGGINGFACE_PREFIX
    tensors = {}
    for path, slot in slots(ours, page.HUGGINGFACE, LEAVES, transposed=True).items():
        values = np.asarray(ours[path])
        name = prefix + slot.name if path.startswith("encoder/") else slot.name
        tensors[name] = np.ascontiguousarray(values.T if slot.transposed else values)
    write_bytes(folder / "model.safetensors", safetensors_bytes(tensors, metadata={"format": "pt"}))
    write_json(folder / "config.json", config_json(model, encoder.config, tokenizer, page))
    tokenizer.save(folder)
    write_json(folder / "tokenizer_config.json", tokenizer_config(tokenizer))


def problem_type(model):
    """Return what transformers calls a classifier's task; one output is a regression there."""
    if model.multi_label:
        return "multi_label_classification"
    return "single_label_classification" if len(model.labels) > 1 else "regression"


def config_json(model, config, tokenizer, page):
    """Return the config.json that describes a model in transformers' words."""
    names = {ours: theirs for theirs, ours in reversed(ACTIVATIONS.items())}
    values = {key: getattr(config, name) for name, key in page.HUGGINGFACE_CONFIG.items()}
    values |= {"model_type": page.HUGGINGFACE_TYPE, "hidden_act": names[config.activation],
               "pad_token_id": tokenizer.pad_id, "architectures": [page.HUGGINGFACE_CLASS + "Model"]}
    if isinstance(model, Classifier):
        values |= {"architectures": [page.HUGGINGFACE_CLASS + "ForSequenceClassification"],
                   "classifier_dropout": model.dropout, "problem_type": problem_type(model),
                   "id2label": {str(i): label for i, label in enumerate(model.labels)},
                   "label2id": {label: i for i, label in enumerate(model.labels)}}
    return values
