"""config.json of a Hugging Face directory: which encoder and which head it describes, and how ours are described."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertkit.checkpoints.labels import label_names
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import entries
from bertkit.heads import MODELS, Classifier, PretrainingModel, TokenClassifier
from bertkit.kinds import Absolute, HeadConfig, Language

# How a class's name ends -> our model. The last two are encoders alone and, of Pretrained, the sentence head alone.
CLASSES = {"ForSequenceClassification": "Classifier", "ForTokenClassification": "TokenClassifier",
           "ForQuestionAnswering": "QuestionAnswering", "ForMultipleChoice": "MultipleChoice",
           "ForMaskedLM": "LanguageModel", "LMHeadModel": "LanguageModel", "ForCausalLM": "LanguageModel",
           "ForPreTraining": "PretrainingModel", "ForNextSentencePrediction": "PretrainingModel", "Model": None}
# The heads of each model, by which a file without `architectures` is told.
HEADS = {"Classifier": ("classify",), "TokenClassifier": ("tag",), "QuestionAnswering": ("answer",),
         "BeamQuestionAnswering": ("beam",), "MultipleChoice": ("choose",), "LanguageModel": ("mlm",)}


def encoder_config(values: dict[str, Any], page: Any, path: str | Path, activation: str | None = None,
                   form: Any = None) -> Any:
    """Return the encoder's config that a config.json describes.

    Args:
        values: The content of config.json.
        page: The family's page.
        path: The file, for error messages.
        activation: The activation in place of the file's, or None.
        form: How the file names its fields, by default the page's `HUGGINGFACE`.

    Returns:
        The `EncoderConfig`.

    Raises:
        Error: When a field is missing or wrong; it names the key in the file.
    """
    form = form or page.HUGGINGFACE
    _check_positions(values, page, path)
    values = {**form.defaults, **values}
    try:
        ours = {name: values[key] for name, key in form.config.items() if key in values}
        if "activation" in ours:
            ours["activation"] = entries.activation(values, form.config["activation"], default=None)
        ours |= form.read(values)
        return page.CONFIG.but(**ours | ({"activation": activation} if activation else {}))
    except Error as error:
        raise Error(f"{path}: {_in_words_of(form, error)}") from None
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        raise Error(f"{path} describes no {form.class_name} ({type(error).__name__}: {error}); copy the file "
                    "again.") from None


def _check_positions(values, page, path):
    """Raise `Error` for positions of another kind, which a config.json names and its tensors may not show."""
    kind = values.get("position_embedding_type")
    if isinstance(page.CONFIG.positions, Absolute) and kind not in (None, "absolute"):
        raise Error(f"{path}: position_embedding_type={kind!r:.40}; bertkit's {page.CONFIG.family} has absolute "
                    "positions alone.")


def _in_words_of(form, error):
    """Return what an error says of our fields, with the keys that they have in the file."""
    return re.sub(r"\b(\w+)(?==)", lambda match: form.config.get(match[1], match[1]), str(error))


def model_class(values: dict[str, Any], tensors: Any, page: Any) -> tuple[str, tuple[str, ...]] | None:
    """Return which model a directory holds, by `architectures` in its config or by its tensors.

    Args:
        values: The content of config.json.
        tensors: The `Tensors` of the directory, under their canonical names.
        page: The family's page.

    Returns:
        The name of bertkit's class and its pre-training heads; None for an encoder alone.

    Raises:
        Error: When bertkit has no such head, or the tensors leave a doubt.
    """
    names = values.get("architectures") or [_guess(values, tensors, page)]
    name = str(names[0] if isinstance(names, list) else names)
    classes = _classes(page)
    for end in sorted(classes, key=len, reverse=True):
        if name.endswith(end):
            if classes[end] is None:
                return None
            if set(_groups(end, classes[end], page)) <= set(page.HEADS):
                return classes[end], ("nsp",) if end == "ForNextSentencePrediction" else page.PRETRAINING
    raise Error(f"{tensors.path} holds {name}, a head that bertkit does not load; "
                "part=\"encoder\" gives the encoder alone.")


def _classes(page):
    """Return {how the name of a class ends: our model} of a page."""
    return {**CLASSES, page.HUGGINGFACE.causal: "LanguageModel", **page.HUGGINGFACE.classes}


def _guess(values, tensors, page):
    """Return the end of the class's name that the tensors leave no doubt about.

    Where a head over tokens and one over the pooler have the same names, the pooler tells (token heads are saved
    without); one output over it may be a regression or a multiple choice, unless `problem_type` stands in the config.
    """
    form, kinds = page.HUGGINGFACE, _kinds(values, page)
    held = [name for name in tensors.shapes if name.startswith(form.unused) and not name.startswith(form.ignored)]
    if not held:
        return "Model"
    classes = {}
    for end, model in _classes(page).items():
        heads = _groups(end, model, page)
        if model and _fit(held, heads, kinds, form) and _has_outputs(heads[0], values, tensors, form):
            classes.setdefault(heads, end)
    if len(classes) > 1:
        classes = {heads: end for heads, end in classes.items()
                 if _suits_pooler(kinds.get(heads[0]), heads[0], tensors, form)}
    if len(classes) == 1:
        return next(iter(classes.values()))
    heads = sorted({name.split(".")[0] for name in held})
    raise Error(f"{tensors.path} holds {', '.join(heads)}, and its config.json names no "
                "architectures: which head is it? Write them there, or ask for part=\"encoder\".")


def _groups(end, model, page):
    return ("nsp",) if end == "ForNextSentencePrediction" else HEADS.get(model, page.PRETRAINING)


def _fit(held, heads, kinds, form):
    """Return whether the held tensors are those of these heads: each has some, readouts all, and none is left over."""
    places = {key: theirs for key, theirs in form.names.items() if key.split("/")[0] in heads}
    layers = {name if name in places.values() else name.rsplit(".", 1)[0] for name in held}
    head_configs = {theirs for key, theirs in places.items() if _has(kinds.get(key.split("/")[0]), key.split("/")[-1])}
    return head_configs <= layers <= set(places.values()) and all(
        any(key.split("/")[0] == head and theirs in layers for key, theirs in places.items()) for head in heads)


def _has(kind, layer):
    """Return whether a kind is a readout with this layer; what other kinds have, their tensors tell."""
    return isinstance(kind, HeadConfig) and (layer != "dense" or kind.dense and kind.activation is not None)


def _has_outputs(head, values, tensors, form):
    """Return whether a head can have as many outputs as the file holds: a choice has one, and is no problem's type."""
    outputs = tensors.shapes.get(form.names.get(f"{head}/logits", "") + ".weight", (0,))[0]
    return head != "choose" or outputs == 1 and not values.get("problem_type")


def _suits_pooler(kind, head, tensors, form):
    """Return whether the pooler stands there if a head reads it, and does not if it is one over tokens."""
    pooled = form.names.get("encoder/pooler", "") + ".weight" in tensors.shapes
    if isinstance(kind, HeadConfig) and kind.reduce == "pooled":
        return pooled
    return not pooled or head != "tag"


def _kinds(values, page):
    """Return {head: kind} of the page as this config.json changes them."""
    kinds = {**page.HEADS, **page.HUGGINGFACE.read_heads(values)}
    tied = entries.flag(values, "tie_word_embeddings", page.HUGGINGFACE.tied)
    return {name: replace(kind, tied=tied) if isinstance(kind, Language) else kind
            for name, kind in kinds.items()}


def reads_pooler(chosen: tuple[str, tuple[str, ...]], values: dict[str, Any], page: Any) -> bool:
    """Return whether a model reads the pooled vector.

    Args:
        chosen: What `model_class` returned.
        values: The content of config.json.
        page: The family's page.

    Returns:
        Whether one of its heads reads it.
    """
    kinds = _kinds(values, page)
    return any(isinstance(kinds.get(head), HeadConfig) and kinds[head].reduce == "pooled"
               for head in head_names(chosen))


def head_names(chosen: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names of the heads of a model.

    Args:
        chosen: What `model_class` returned.

    Returns:
        Names that the family's page has, such as "classify".
    """
    model, heads = chosen
    return HEADS.get(model, heads)


def build_model(chosen: tuple[str, tuple[str, ...]], encoder: Encoder, values: dict[str, Any], page: Any,
                rows: int | None = None) -> Any:
    """Return the model that a config.json describes, its head with random weights.

    Args:
        chosen: What `model_class` returned.
        encoder: The encoder, which becomes part of the model.
        values: The content of config.json.
        page: The family's page.
        rows: The outputs of the head in the file of weights; None where that is not known.

    Returns:
        The model.

    Raises:
        Error: When a field of the head is wrong.
    """
    (model, heads), kinds = chosen, _kinds(values, page)
    if model == "PretrainingModel":
        return PretrainingModel(encoder, heads, {name: kinds[name] for name in heads})
    options: dict[str, Any] = {"head_config": kinds.get(HEADS[model][0]) if model in HEADS else None}
    dropout = values.get(page.HUGGINGFACE.dropouts.get(HEADS[model][0]))
    if dropout is not None:
        encoder.config.but(dropout=dropout)         # raises unless it is a rate
        options["dropout"] = dropout
    if model in ("Classifier", "TokenClassifier"):
        options["labels"] = label_names(values, rows)
    if model == "Classifier":
        if values.get("problem_type") == "regression" and len(options["labels"]) > 1:
            raise Error(f"config.json: problem_type=\"regression\" with {len(options['labels'])} outputs; bertkit has "
                        "scores of one number. Ask for part=\"encoder\", or write another problem_type.")
        options["multi_label"] = values.get("problem_type") == "multi_label_classification"
    return MODELS[model](encoder, **options)


def config_json(model: Any, config: Any, tokenizer: Any, page: Any) -> dict[str, Any]:
    """Return the config.json that describes a model in transformers' words.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.
        config: The `EncoderConfig` of the encoder.
        tokenizer: The `Tokenizer` of the encoder, or None.
        page: The family's page.

    Returns:
        The content of config.json.

    Raises:
        Error: When transformers has no such head.
    """
    form = page.HUGGINGFACE
    _refuse_head_size(config, form)
    values = {key: getattr(config, name) for name, key in form.config.items()}
    values |= {"model_type": form.type, form.config["activation"]: entries.NAMES[config.activation],
               "architectures": [form.class_name + _end(model, config, form)], **form.write(config)}
    if tokenizer is not None and values.get("pad_token_id") is None:
        values["pad_token_id"] = tokenizer.pad_id
    kinds = {} if isinstance(model, Encoder) else model.kinds
    values |= form.write_heads(kinds)
    languages = [kind for kind in kinds.values() if isinstance(kind, Language)]
    values["tie_word_embeddings"] = all(kind.tied for kind in languages) if languages else form.tied
    _refuse_others(kinds, _kinds(values, page), form)
    values |= {form.dropouts[name]: model.dropout for name in kinds if name in form.dropouts}
    if isinstance(model, Classifier | TokenClassifier):
        values |= {"id2label": {str(i): label for i, label in enumerate(model.labels)},
                   "label2id": {label: i for i, label in enumerate(model.labels)}}
    if isinstance(model, Classifier):
        values["problem_type"] = problem_type(model)
    return values


def _refuse_head_size(config, form):
    """Raise `Error` where heads have a width that config.json cannot say, because other heads were removed."""
    if "head_size" not in form.config and config.num_heads * config.head_dim != config.block_dim:
        raise Error(f"head_size={config.head_dim}: Hugging Face's {form.class_name} has {config.num_heads} heads of "
                    f"{config.block_dim} / {config.num_heads} features; save a bundle instead.")


def _refuse_others(kinds, described, form):
    """Raise `Error` where a head is not the one that the written config.json describes; rates are written apart."""
    for name, kind in kinds.items():
        theirs = described.get(name)
        if hasattr(kind, "dropout") and hasattr(theirs, "dropout"):
            theirs = replace(theirs, dropout=kind.dropout)
        if kind != theirs:
            raise Error(f"Hugging Face's {form.class_name} has no head like {kind}, but {theirs}; save a bundle.")


def _end(model, config, form):
    """Return how the name of a model's class ends in transformers."""
    if isinstance(model, Encoder):
        return "Model"
    if isinstance(model, PretrainingModel) and list(model.kinds) == ["nsp"]:
        return "ForNextSentencePrediction"
    name = type(model).__name__
    own = [end for end, ours in form.classes.items() if ours == name]
    if name == "LanguageModel" and not own and getattr(config.attention_of(0), "causal", False):
        return form.causal
    found = own + [end for end, ours in CLASSES.items() if ours == name]
    if not found:
        raise Error(f"transformers has no class of {form.class_name} for a {name}, so its head would be lost; save a "
                    "bundle, or export it to onnx, whose folder sentence-transformers reads.")
    return found[0]


def problem_type(model: Any) -> str:
    """Return the name that transformers has for the task of a classifier; one output is a regression there.

    Args:
        model: The `Classifier`.

    Returns:
        "single_label_classification", "multi_label_classification" or "regression".
    """
    if model.multi_label:
        return "multi_label_classification"
    return "single_label_classification" if len(model.labels) > 1 else "regression"
