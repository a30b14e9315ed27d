"""Hugging Face directories: config.json beside model.safetensors, in one file or in shards."""

from pathlib import Path

from bertkit import family
from bertkit.checkpoints.files import read_json, read_safetensors
from bertkit.checkpoints.tensors import Tensors, assign, slots, variables
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier

LEAVES = {"kernel": ".weight", "bias": ".bias", "gamma": ".weight", "beta": ".bias",
          "embeddings": ".weight"}

# transformers' names of activations (family-spec 1.1); "gelu" is the exact form there.
ACTIVATIONS = {"gelu": "gelu_erf", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh",
               "gelu_fast": "gelu_tanh", "gelu_python_tanh": "gelu_tanh", "gelu_accurate": "gelu_tanh",
               "quick_gelu": "quick_gelu", "relu": "relu", "silu": "silu", "swish": "silu", "tanh": "tanh",
               "mish": "mish", "linear": "linear"}


def load(folder, part=None, activation=None):
    """Return the model a Hugging Face directory holds: an `Encoder`, or a `Classifier` with its head."""
    folder = Path(folder)
    values = read_json(folder / "config.json")
    page = family.page(values.get("model_type"))
    config = encoder_config(values, page, folder / "config.json", activation)
    tensors = canonical(weights(folder), page)
    encoder = Encoder(config)
    model = encoder if part == "encoder" else with_head(encoder, values, tensors, page)
    places = slots(variables(model), page.HUGGINGFACE, LEAVES, transposed=True)
    assign(model, tensors, places, aside=page.HUGGINGFACE_HEADS, ignored=page.HUGGINGFACE_IGNORED,
           new=("encoder/pooler",))
    return model


def encoder_config(values, page, path, activation=None):
    """Return the EncoderConfig that a config.json describes; names the key that is wrong."""
    ours = {}
    for name, key in page.HUGGINGFACE_CONFIG.items():
        if key in values:
            ours[name] = values[key]
    if "activation" in ours:
        if ours["activation"] not in ACTIVATIONS:
            raise Error(f"{path}: hidden_act={ours['activation']!r} is unknown; bertkit has "
                        f"{', '.join(ACTIVATIONS)}.")
        ours["activation"] = ACTIVATIONS[ours["activation"]]
    if activation:
        ours["activation"] = activation
    if values.get("is_decoder"):
        raise Error(f"{path}: is_decoder is true, and bertkit has no decoder yet; only encoders load.")
    try:
        return page.CONFIG.but(**ours)
    except (Error, TypeError) as error:
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
    shards = sorted(set(table.values()))
    for name in shards:
        if Path(name).name != name:
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
        plain = plain.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
        if plain in actual:
            raise Error(f"{tensors.path} holds both {actual[plain]} and {name}; keep one.")
        actual[plain] = name
    return Tensors(tensors.path, {plain: tensors.shapes[name] for plain, name in actual.items()},
                   lambda plain: tensors.read(actual[plain]))


def with_head(encoder, values, tensors, page):
    """Return the model with the head that `architectures` names, or, without it, the tensors do."""
    names = values.get("architectures") or [_guess(tensors, page)]
    kind = str(names[0])
    if kind.endswith("Model"):
        return encoder
    if kind.endswith("ForSequenceClassification"):
        dropout = values.get("classifier_dropout")
        return Classifier(encoder, label_names(values), dropout=dropout,
                          multi_label=values.get("problem_type") == "multi_label_classification")
    raise Error(f"{tensors.path} holds {kind}, a head that bertkit does not load yet; "
                "part=\"encoder\" gives the encoder alone.")


def _guess(tensors, page):
    heads = {name.split(".")[0] for name in tensors.shapes if name.startswith(page.HUGGINGFACE_HEADS)}
    if not heads:
        return "Model"
    raise Error(f"{tensors.path} holds {', '.join(sorted(heads))}, and its config.json names no architectures: "
                "which head is it? Write \"architectures\" there, or ask for part=\"encoder\".")


def label_names(values):
    """Return the class names in order: `id2label`'s, or 0 … num_labels − 1 (2 by default)."""
    table = values.get("id2label") or {}
    count = int(values.get("num_labels") or len(table) or 2)
    return [str(table.get(str(i), i)) for i in range(count)]
