"""What a path holds, as a case: a bundle, a folder of Hugging Face or Google, a preset, a SavedModel, a .tflite.

A folder that is recognised and cannot be loaded is a case all the same: what could be read of its files is examined.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.addresses import PRESET, REMOTE
from bertkit.checkpoints import local_folder
from bertkit.checkpoints.bundle import WEIGHTS
from bertkit.checkpoints.release import release
from bertkit.checkpoints.tensors import read_safetensors
from bertkit.config import EncoderConfig
from bertkit.doctor.case import Case
from bertkit.doctor.settings import COUNTED, complete, without_prefix
from bertkit.doctor.subjects import Subject, weights_of
from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.files.bounded import as_path
from bertkit.files.modules import encoder_folder

WANTED = ("a bertkit bundle, a folder of Hugging Face (config.json) or Google (bert_config.json, *.index), a keras-hub "
          "preset, a SavedModel, a .tflite, or an address such as hf://owner/name or bertkit://english")
# What a call of a model returns, by the name of its class.
ARRAYS = {"Classifier": "logits", "TokenClassifier": "logits", "LanguageModel": "mlm_logits"}
NUMBERS = {"float16": "float16", "bfloat16": "bfloat16"}


def kind_of(path: str | Path) -> tuple[str, Path]:
    """Return what a path holds, by the names of its files alone.

    Args:
        path: A folder, a .tflite file, or an address (`bertkit.addresses.local_folder`), downloaded first.

    Returns:
        (bundle, huggingface, google, preset, saved_model or tflite; the folder or file).

    Raises:
        Error: When there is nothing, or nothing of these.
    """
    place = as_path(path, "a model")
    if str(path).startswith(REMOTE) or not place.exists() and PRESET.fullmatch(str(path)):
        place = local_folder(path)
    if place.is_dir():
        place = encoder_folder(place)
    if not place.exists():
        raise Error(f"{place} does not exist; give {WANTED}.")
    if place.is_file():
        if place.suffix == ".tflite":
            return "tflite", place
        raise Error(f"{place} is no model; give {WANTED}.")
    for name, kind in (("bundle.json", "bundle"), ("saved_model.pb", "saved_model"), ("model.weights.h5", "preset")):
        if (place / name).exists():
            return kind, place
    if release(place) is not None:
        return "google", place
    if (place / "config.json").exists():
        return "huggingface", place
    files = sorted(place.glob("*.tflite"))
    if len(files) == 1:
        return "tflite", files[0]
    raise Error(f"{place} holds no model; give {WANTED}.")


def case_of(path: str | Path, against: str | Path | None = None, seed: int = 0,
            rows: Mapping[str, Any] | None = None) -> Case:
    """Return the case of a path.

    Args:
        path: A folder or a .tflite file.
        against: Another form of the same model, or None.
        seed: All that is drawn follows from it.
        rows: {"train": rows, "dev": rows} of data files, or None.

    Returns:
        The `Case`.

    Raises:
        Error: When there is no model.
    """
    kind, place = kind_of(path)
    other = None if against is None else case_of(against, seed=seed)
    with _without_warnings():
        case = (_exported if kind in ("saved_model", "tflite") else _stored)(kind, place, other)
    found = replace(case, folder=place, kind=kind, seed=seed, rows=rows or {})
    return found if other is None else _compared(found, other)


@contextmanager
def _without_warnings():
    """Keep the warnings of loaders from the log: here what they warn of is a finding."""
    log = logging.getLogger("bertkit")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _compared(case, other):
    """Return a case with its other form; probabilities are compared as log-probabilities."""
    second = other.subject
    if second is not None and case.memory.get("probabilities"):
        first = second

        def second(batch):
            return {name: _log_softmax(value) if name == "logits" else value for name, value in first(batch).items()}
    longest = min((each for each in (case.longest, other.longest) if each is not None), default=None)
    return replace(case, against=second, longest=longest)


def _log_softmax(values):
    shifted = values - values.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


# ------------------------------------------------------------------------------------------ folders of weights


def _stored(kind, folder, _):
    """Return the case of a folder of weights."""
    memory: dict[str, Any] = {}
    model, problem = _loaded(folder, memory)
    config = _config(kind, folder, model, memory)
    weights = _weights(kind, folder, model, memory)
    tokenizer, vocabulary = _tokenizer(folder, memory)
    said = memory.get("config.json", {}).get("pad_token_id")
    if tokenizer is not None and said is None and config["model_type"] not in COUNTED:
        config["pad_token_id"] = tokenizer.pad_id
    plain = without_prefix(weights, config)
    pooled = plain is None or any(name.startswith("pooler.") for name in plain)
    subject = None if model is None else Subject(caller(model, pooled), kind)
    return Case(subject, config, weights=plain, tokenizer=tokenizer and tokenizer.pack,
                vocabulary=vocabulary, problem=problem, memory=memory)


def case_of_files(path: str | Path) -> Case:
    """Return the case of a bundle or a folder of Hugging Face as its files have it, without a model made of them.

    Args:
        path: The folder.

    Returns:
        The `Case`, which has no subject; the weights of a bundle stand under bertkit's own names.

    Raises:
        Error: When there is no model.
    """
    kind, folder = kind_of(path)
    memory: dict[str, Any] = {}
    with _without_warnings():
        config, weights = _config(kind, folder, None, memory), _weights(kind, folder, None, memory)
        tokenizer, vocabulary = _tokenizer(folder, memory)
    if kind == "bundle":
        found = read_safetensors([folder / WEIGHTS], folder / WEIGHTS)
        weights = {name: np.asarray(found.read(name)) for name in found.shapes}
    return Case(None, config, without_prefix(weights, config), tokenizer=tokenizer and tokenizer.pack, folder=folder,
                vocabulary=vocabulary, kind=kind, memory=memory)


def _loaded(folder, memory):
    """Return (the model, None), (its encoder alone, what was raised) or (None, what was raised)."""
    from bertkit.checkpoints import load
    try:
        model = load(folder)
        memory["model"] = model
        return model, None
    except Exception as error:                          # a damaged file raises whatever its library raises
        try:
            return load(folder, part="encoder"), error
        except Exception as worse:
            return None, worse


def _config(kind, folder, model, memory):
    """Return the entries of config.json, the family's defaults filled in; what is written stays in the memory."""
    if kind == "huggingface":
        try:
            memory["config.json"] = read_json(folder / "config.json")
            return complete(memory["config.json"])
        except Error as error:
            memory["config problem"] = error
            return complete({})
    if model is not None:
        return complete(getattr(model, "encoder", model).config)
    if kind == "bundle":
        try:
            return complete(EncoderConfig.from_json(read_json(folder / "bundle.json", signed=True)["config"]))
        except Exception as error:
            memory["config problem"] = error
    return complete({})


def _weights(kind, folder, model, memory):
    """Return {name: array} of a folder: as its files have them where names are Hugging Face's, else from the model."""
    from bertkit.checkpoints import huggingface
    try:
        if kind == "huggingface":
            tensors = huggingface.weights(folder)
            memory["dtypes"] = {}
            found = {name: tensors.read(name) for name in tensors.shapes}
            memory["dtypes"] = {name: np.asarray(value).dtype.name for name, value in found.items()}
            return {name: np.asarray(value, np.float32) if np.asarray(value).dtype.name in NUMBERS
                    else np.asarray(value)
                    for name, value in found.items()}
        return None if model is None else weights_of(model)
    except Exception as error:
        if kind == "huggingface":                       # others may have no names of Hugging Face's
            memory["weights problem"] = error
        return None


def _tokenizer(folder, memory):
    """Return (the tokenizer, its entries); (None, the lines of vocab.txt) where the tokenizer cannot be read."""
    from bertkit.text import Tokenizer
    from bertkit.text.formats.loading import holds_tokenizer
    from bertkit.text.formats.vocabulary import read_lines
    try:
        if not holds_tokenizer(folder):
            return None, None
        tokenizer = Tokenizer.load(folder)
        return tokenizer, list(tokenizer.vocabulary)
    except Exception as error:
        memory["tokenizer problem"] = error
        try:
            return None, list(read_lines(folder / "vocab.txt"))
        except Error:
            return None, None


def caller(model: Any, pooled: bool = True) -> Callable[[Mapping[str, np.ndarray]], dict[str, Any]]:
    """Return a model of bertkit's as a function of a batch.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        pooled: Whether the pooled vector is given; not where the pooler was drawn at random.

    Returns:
        `call(batch)` -> outputs, float32: "sequence" [B,T,D], "pooled" [B,D] and "attentions" [B,N,T,T] of the encoder,
        and those of the head where there is one.
    """
    encoder = getattr(model, "encoder", model)

    def call(batch):
        found = encoder(batch, trace=True, training=False)
        trace = found.pop("trace")
        outputs = {name: value for name, value in found.items() if name != "pooled" or pooled}
        maps = [value for name, value in trace.items() if name.startswith("attention/")]
        if maps and all(len(getattr(each, "shape", ())) == 4 for each in maps):
            outputs["attentions"] = maps
        return outputs if model is encoder else {**outputs, **_head(model, batch)}
    return call


def _head(model, batch):
    """Return the outputs of a head that reads a plain batch."""
    name = type(model).__name__
    if name in ARRAYS:
        return {ARRAYS[name]: model(batch, training=False)}
    if name == "QuestionAnswering":
        found = model(batch, training=False)
        return {"logits": np.stack([found["start_logits"], found["end_logits"]], -1)}
    if name == "PretrainingModel":
        return {key: value for key, value in model(batch, training=False).items() if key == "mlm_logits"}
    return {}


# ------------------------------------------------------------------------------------------ exports


def _opened(kind, place):
    """Return the `Export` of a file or folder."""
    if kind == "tflite":
        from bertkit.doctor import lite
        return lite.opened(place)
    from bertkit.doctor import saved_model
    return saved_model.opened(place)


def _exported(kind, place, other):
    """Return the case of a SavedModel or a .tflite; sizes that it does not tell are those of its other form."""
    memory: dict[str, Any] = {}
    try:
        form = _opened(kind, place)
    except Exception as error:                          # a damaged file raises whatever its library raises
        return Case(None, complete({}), problem=error, memory=memory)
    config = {**form.sizes, **(other.config if other is not None else {})}
    memory |= {"probabilities": form.probabilities, "export": form}
    subject: Callable[..., Any] = Subject(form.call, kind, form.takes)
    folder = place if place.is_dir() else place.parent
    tokenizer, vocabulary = _tokenizer(folder, memory)
    return Case(subject, complete(config), precision=form.precision, longest=form.longest, memory=memory,
                tokenizer=tokenizer and tokenizer.pack, vocabulary=vocabulary)
