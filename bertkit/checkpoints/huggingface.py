"""Hugging Face directories: config.json beside model.safetensors, in one file or in shards."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as safetensors_bytes

from bertkit import family
from bertkit.checkpoints import architectures
from bertkit.checkpoints.scales import with_scales
from bertkit.checkpoints.tensors import (
           Tensors,
           assign,
           encoder_for,
           floats,
           read_safetensors,
           variables,
           weight_mapping,
)
from bertkit.checkpoints.ties import settle_ties
from bertkit.checkpoints.torch_file import read_torch
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import entries
from bertkit.files.atomic import read_json, write_bytes, write_json
from bertkit.kinds import Tanh
from bertkit.text.formats import huggingface as tokenizer_files

log = logging.getLogger("bertkit")

CONFIG, OLD_CONFIG = "config.json", "bert_config.json"
LEAVES = {"kernel": ".weight", "bias": ".bias", "gamma": ".weight", "beta": ".bias",
          "embeddings": ".weight"}
# The files that weights come in, the safest first, and what reads one of them.
FILES = {"model.safetensors": lambda path: read_safetensors([path], path), "pytorch_model.bin": read_torch}


def load(folder: str | Path, part: str | None = None, activation: str | None = None) -> Any:
    """Return the model that a Hugging Face directory holds: an `Encoder`, or one of `bertkit.heads` with its head.

    Args:
        folder: The directory.
        part: "encoder" for the `Encoder` alone, or None.
        activation: The activation in place of the config's, or None.

    Returns:
        The model.

    Raises:
        Error: When a file is missing or damaged, or the weights are not those of the model that the config describes.
    """
    path, values = read_config(Path(folder))
    try:
        return assemble(path, values, weights(Path(folder)), part, activation)
    except Error as error:
        if path.name == CONFIG:
            raise
        raise Error(f"{path} is read as pytorch-pretrained-BERT wrote it before 2019: {error}") from None


def read_config(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the config of a directory: config.json, or the bert_config.json of the years before it.

    pytorch-pretrained-BERT, the library of 2018 and 2019, wrote bert_config.json beside pytorch_model.bin, for BERT
    alone.

    Args:
        folder: The directory.

    Returns:
        (the file, its content).

    Raises:
        Error: When there is no such file, or it is damaged.
    """
    path = folder / CONFIG
    if path.exists() or not (folder / OLD_CONFIG).exists():
        return path, read_json(path)
    log.info("%s holds %s and pytorch_model.bin, as pytorch-pretrained-BERT wrote them before 2019; read as BERT.",
             folder, OLD_CONFIG)
    return folder / OLD_CONFIG, {"model_type": "bert", **read_json(folder / OLD_CONFIG)}


def assemble(path: Path, values: dict[str, Any], found: Tensors, part: str | None = None,
             activation: str | None = None) -> Any:
    """Return the model that a config and tensors describe.

    Args:
        path: The file of the config, for error messages.
        values: The content of config.json.
        found: The `Tensors` under the names that transformers gives them.
        part: "encoder" for the `Encoder` alone, or None.
        activation: The activation in place of the config's, or None.

    Returns:
        The model.

    Raises:
        Error: When the tensors are not those of the model that the config describes.
    """
    page = family.of_huggingface(values)
    form = page.HUGGINGFACE
    if values.get("auto_map"):
        log.warning("%s names code of its own (auto_map); bertkit runs none, and reads the checkpoint as transformers' "
                    "%s.", path, form.class_name)
    tensors = _with_first_rows(with_scales(canonical_names(found, form), values), values, form)
    kind = None if part == "encoder" else architectures.model_class(values, tensors, page)
    if kind is not None and "mlm" in architectures.head_names(kind):
        tensors, values = settle_ties(tensors, values, form)
    config = architectures.encoder_config(values, page, path, activation)
    if kind is not None and not architectures.reads_pooler(kind, values, page) and _lacks_pooler(config, tensors, form):
        config = config.but(pooler=None)
    encoder = encoder_for(config, tensors)
    model = encoder if kind is None else architectures.build_model(kind, encoder, values, page,
                                                                        _outputs(kind, tensors, form))
    fresh = ("encoder/pooler", *(f"{name}/" for name in getattr(model, "kinds", ())))
    assign(model, tensors, weight_mapping(variables(model), form.names, LEAVES, transposed=True), unused=form.unused,
           ignored=form.ignored, new=fresh)
    return model


def _with_first_rows(tensors, values, form):
    """Return tensors with the first row of another added to all rows, as the family's page says."""
    used = {name: other for name, (other, key) in form.first_rows.items() if entries.flag(values, key, False)}
    if not used:
        return tensors
    if missing := [other for other in used.values() if other not in tensors.shapes]:
        raise Error(f"{tensors.path} holds no {missing[0]}, which its config.json describes; is the file whole?")
    for name, other in used.items():
        log.info("%s: the first row of %s is added to %s, its other rows are set aside.", tensors.path, other, name)
    shapes = {name: shape for name, shape in tensors.shapes.items() if name not in used.values()}

    def read(name):
        if name not in used:
            return tensors.read(name)
        rows, other = (floats(tensors.read(each), each, tensors.path).astype("float32") for each in (name, used[name]))
        return rows + other[:1]

    return Tensors(tensors.path, shapes, read)


def _outputs(kind, tensors, form):
    """Return the outputs of a model's head in the file; None where the file holds no such tensor."""
    layer = form.names.get(f"{architectures.head_names(kind)[0]}/logits", "")
    return tensors.shapes.get(f"{layer}.weight", (None,))[0]


def _lacks_pooler(config, tensors, form):
    """Return whether the config's pooler has tensors, and the file none of them."""
    return isinstance(config.pooler, Tanh) and f"{form.names['encoder/pooler']}.weight" not in tensors.shapes


def weights(folder: Path) -> Tensors:
    """Return the tensors of a directory: one file of weights, or the shards that its index names.

    Args:
        folder: The directory.

    Returns:
        One `Tensors` over all files.

    Raises:
        Error: When there are no weights that bertkit reads, or a shard is missing or damaged.
    """
    for name, read in FILES.items():
        if (folder / name).exists():
            return read(folder / name)
        if (folder / f"{name}.index.json").exists():
            return _shards(folder / f"{name}.index.json", read)
    raise Error(f"{folder} holds no {' nor '.join(FILES)} (nor an index of shards); bertkit reads no other "
                "kind of weights there.")


def holds_weights(folder: Path) -> bool:
    """Return whether a directory has weights that `weights` reads.

    Args:
        folder: The directory.

    Returns:
        True or False.
    """
    return any((folder / name).exists() or (folder / f"{name}.index.json").exists() for name in FILES)


def _shards(index, read):
    table, folder = read_json(index).get("weight_map"), index.parent
    if not isinstance(table, dict):
        raise Error(f"{index} has no weight_map; copy the file again.")
    shards = sorted(set(map(str, table.values())))
    for name in shards:
        if Path(name).name != name or name == "..":
            raise Error(f"{index} names the shard {name!r}, which lies outside the folder; refused.")
        if not (folder / name).exists():
            raise Error(f"{folder / name} is missing, and {index.name} names it; copy it too.")
    tensors = _joined([read(folder / name) for name in shards], index)
    if absent := sorted(set(table) - set(tensors.shapes)):
        raise Error(f"{index} names tensors that no shard holds: {', '.join(absent[:8])}.")
    return tensors


def _joined(parts, index):
    """Return one `Tensors` of several files."""
    homes, shapes = {}, {}
    for part in parts:
        for name, shape in part.shapes.items():
            if name in homes:
                raise Error(f"{part.path} holds {name}, which another shard of {index} holds too.")
            homes[name], shapes[name] = part, shape
    return Tensors(index, shapes, lambda name: homes[name].read(name))


def canonical_names(tensors: Tensors, form: Any) -> Tensors:
    """Return the same tensors without the architecture's prefix and with today's names of LayerNorm's weights.

    Args:
        tensors: The `Tensors` of the files.
        form: The `HUGGINGFACE` of the family's page.

    Returns:
        The `Tensors` under their new names.

    Raises:
        Error: When two tensors get the same name.
    """
    actual = {}
    for name in tensors.shapes:
        plain = form.canonical(name.removeprefix(form.prefix))
        if plain in actual:
            raise Error(f"{tensors.path} holds both {actual[plain]} and {name}; keep one.")
        actual[plain] = name
    return _with_joined(Tensors(tensors.path, {plain: tensors.shapes[name] for plain, name in actual.items()},
                                lambda plain: tensors.read(actual[plain])), form)


def _with_joined(tensors, form):
    """Return tensors in which those that the family's page has as one are one, each below the one before."""
    sources = {name: [name] for name in tensors.shapes}
    for whole, parts in form.joined.items():
        for name in [name for name in sources if parts[0] in name]:
            names, joined = [name.replace(parts[0], part) for part in parts], name.replace(parts[0], whole)
            widths = {tensors.shapes.get(each, (0,))[1:] for each in names}
            if set(names) <= set(sources) and len(widths) == 1 and joined not in sources:
                sources = {key: value for key, value in sources.items() if key not in names} | {joined: names}

    def shape(names):
        rows = sum(tensors.shapes[name][0] for name in names[1:]) if len(names) > 1 else 0
        first = tensors.shapes[names[0]]
        return (first[0] + rows, *first[1:]) if rows else first

    def read(name):
        arrays = [tensors.read(part) for part in sources[name]]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return Tensors(tensors.path, {name: shape(names) for name, names in sources.items()}, read)


def save(folder: Path, model: Any, tokenizer: Any = None) -> None:
    """Write config.json, model.safetensors and the tokenizer's files, so that transformers loads them as they are.

    Args:
        folder: The folder, which exists.
        model: An `Encoder`, or a head of bertkit's on one.
        tokenizer: The `Tokenizer` of the encoder, or None.

    Raises:
        Error: When Hugging Face's model of the family has no place for a weight or a head.
    """
    encoder = model if isinstance(model, Encoder) else model.encoder
    page = family.page(encoder.config.family)
    write_bytes(folder / "model.safetensors", safetensors_bytes(tensors(model), metadata={"format": "pt"}))
    write_json(folder / "config.json", architectures.config_json(model, encoder.config, tokenizer, page))
    if tokenizer is not None:
        tokenizer_files.write(folder, tokenizer)


def tensors(model: Any, further: Mapping[str, str] | None = None) -> dict[str, np.ndarray]:
    """Return the weights of a model under the names and in the layout of transformers.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        further: {our layer: a name} of layers for which Hugging Face's model of the family has no place, or None.

    Returns:
        {name: array of the tensor's shape and the weight's dtype}.

    Raises:
        Error: When Hugging Face's model of the family has no place for a weight.
    """
    encoder = model if isinstance(model, Encoder) else model.encoder
    form, ours, found = family.page(encoder.config.family).HUGGINGFACE, variables(model), {}
    names = {**(further or {}), **form.names}
    idle = "encoder/pooler/" if model is not encoder and not model.reads_pooler and not form.keeps_pooler else None
    for path, mapping in weight_mapping(ours, names, LEAVES, transposed=True).items():
        if idle and path.startswith(idle):
            continue
        values = np.asarray(ours[path])
        prefix = form.prefix if path.startswith("encoder/") and model is not encoder else ""
        found[prefix + mapping.name] = np.ascontiguousarray(values.T if mapping.transposed else values)
    if lost := sorted(set(ours) - set(weight_mapping(ours, names, LEAVES))):
        raise Error(f"Hugging Face's {form.class_name} has no place for {', '.join(lost[:4])}; save a bundle instead.")
    return found | _idle_bias(found, form)


def _idle_bias(tensors, form):
    """Return the head's own bias, which transformers wants beside that of an untied decoder and never reads."""
    own, decoder = (form.names.get(name, "") for name in ("mlm", "mlm/decoder"))
    if own == decoder or f"{decoder}.weight" not in tensors:
        return {}
    rows = len(tensors[f"{decoder}.weight"])
    return {f"{own}.bias": tensors.get(f"{decoder}.bias", np.zeros(rows, "float32"))}
