"""How a checkpoint makes vectors of texts: what a sentence-transformers folder, or an embedder's bundle, says of it.

    modules.json                       the modules in order: Transformer, Pooling, Dense, Normalize
    1_Pooling/config.json              one pooling or several, whose vectors stand side by side
    2_Dense/config.json, weights       a dense layer after it
    sentence_bert_config.json          beside the encoder: max_seq_length; do_lower_case is the tokenizer's
    config_sentence_transformers.json  prompts, which stand in front of texts
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import SETTINGS, read_json
from bertkit.files.modules import FILE, encoder_folder, read_modules

log = logging.getLogger("bertkit")

PROMPTS = "config_sentence_transformers.json"
# Their name of a pooling -> ours; several are side by side in this order where each has a key of its own.
MODES = {"cls": "cls", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "mean_sqrt_len",
          "weightedmean": "weightedmean", "lasttoken": "lasttoken"}
KEYS = {"pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max", "pooling_mode_mean_tokens": "mean",
         "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
         "pooling_mode_weightedmean_tokens": "weightedmean", "pooling_mode_lasttoken": "lasttoken"}
# torch's classes of activations -> ours.
ACTIVATIONS = {"Tanh": "tanh", "Identity": "linear", "ReLU": "relu", "GELU": "gelu_erf", "SiLU": "silu",
                "Mish": "mish"}
# What says the vector of a document, of several prompts the first.
VECTOR = "sentence_embedding"           # their name of the vector of a text
_DOCUMENTS = ("document", "passage", "corpus")
_BUNDLE = {"model": {"kind": str, "pooling": schema.Maybe(str), "normalize": schema.Maybe(bool)},
           "length": schema.Maybe(schema.Whole(1)), "task": schema.Maybe((dict, None))}
_DENSE = {"in_features": schema.Whole(1, 2**20), "out_features": schema.Whole(1, 2**20), "bias": schema.Maybe(bool),
          "activation_function": schema.Maybe((str, None))}


@dataclass(frozen=True)
class Pooling:
    """How the vectors of tokens become the vector of a text.

    Args:
        pooling: The argument of `SentenceEmbedder`; None where the checkpoint says nothing of it.
        normalize: Whether vectors are scaled to length 1.
        projections: The dense layers after the pooling, arguments of `SentenceEmbedder`.
        places: The folders of their weights.
        length: Tokens that texts are cut to; None where the checkpoint does not say.
        prompts: {"prompt", "query", "document"}, arguments of the task `Embedding`, those that there are.
    """

    pooling: str | None = None
    normalize: bool = True
    projections: tuple[dict[str, Any], ...] = ()
    places: tuple[Path, ...] = ()
    length: int | None = None
    prompts: Any = ()

    def options(self) -> dict[str, Any]:
        """Return the arguments of `SentenceEmbedder`.

        Returns:
            {"pooling", "normalize", "projections"}, the last where there are any; {} where nothing is said.
        """
        if self.pooling is None:
            return {}
        more = {"projections": self.projections} if self.projections else {}
        return {"pooling": self.pooling, "normalize": self.normalize, **more}


def pooling(folder: str | Path) -> dict[str, Any]:
    """Return how a checkpoint makes vectors of texts, without what has weights of its own.

    Args:
        folder: The folder of the checkpoint.

    Returns:
        {"pooling", "normalize"} for a `SentenceEmbedder`; {} where the checkpoint says nothing of it.

    Raises:
        Error: When the checkpoint has a module that bertkit does not have, or one with weights.
    """
    found = read_pooling(folder)
    if found.projections:
        raise Error(f"{Path(folder) / FILE} names a module Dense, which has weights; make a bundle with both: "
                    f"bertkit convert {folder} BUNDLE.")
    return found.options()


def read_pooling(folder: str | Path) -> Pooling:
    """Return all that a checkpoint says of the vectors of texts.

    A sentence-transformers folder says it in modules.json and what that names (Reimers & Gurevych 2019, in their
    library, version 6.2).

    Args:
        folder: The folder of the checkpoint.

    Returns:
        A `Pooling`.

    Raises:
        Error: When a module, a pooling, an activation or another setting is one that bertkit does not have.
    """
    folder = Path(folder)
    if (folder / "bundle.json").exists():
        return _of_bundle(folder)
    modules = read_modules(folder)
    kinds = [module.kind for module in modules if module.kind != "Dropout"]        # which does nothing after training
    if "Pooling" not in kinds:
        if not modules and (folder / "1_Pooling").exists():
            log.warning("%s holds 1_Pooling and no %s that names it; it is not read.", folder, FILE)
        return Pooling()
    dense = kinds.count("Dense")
    normalized = kinds[2 + dense:]
    if kinds[:2 + dense] != ["Transformer", "Pooling", *["Dense"] * dense] or set(normalized) - {"Normalize"}:
        known = ("Transformer", "Pooling", "Dense", "Normalize")
        strange = next((kind for kind in kinds if kind not in known), None)
        raise Error(f"{folder / FILE} names a module {strange}, which bertkit has not; remove the file to load the "
                    "encoder alone." if strange else f"{folder / FILE} has the modules {', '.join(kinds)}; bertkit "
                    f"reads {', '.join(known)} in this order, Dense any number of times.")
    places = tuple(folder / module.place for module in modules if module.kind == "Dense")
    pooled = folder / next(module.place for module in modules if module.kind == "Pooling") / "config.json"
    prompts = _prompts(folder)
    _say_similarity(folder, bool(normalized))
    return Pooling(_mode(pooled, prompts), bool(normalized), tuple(map(_projection, places)), places,
                   _length(encoder_folder(folder)), prompts)


def _of_bundle(folder):
    values = read_json(folder / "bundle.json", _BUNDLE, signed=True)
    model, task = values["model"], values.get("task") or {}
    if model["kind"] != "SentenceEmbedder":
        return Pooling()
    schema.check(model, {"pooling": str, "normalize": bool}, folder / "bundle.json", "copy the bundle again")
    prompts = {name: task[name] for name in ("prompt", "query", "document") if isinstance(task.get(name), str)}
    return Pooling(model["pooling"], model["normalize"], tuple(model.get("projections", ())), (), values.get("length"),
                   prompts)


def _mode(path, prompts):
    """Return the pooling of a config: {"pooling_mode": "mean"}, or {"pooling_mode_mean_tokens": true, ...}."""
    values = read_json(path, {"pooling_mode": schema.Maybe((str, [str], None)),
                              "include_prompt": schema.Maybe(bool)}, SETTINGS)
    said = values.get("pooling_mode")
    modes = [said] if isinstance(said, str) else said or [
        mode for key, mode in KEYS.items() if values.get(key) is True]
    unknown = [mode for mode in modes if mode not in MODES] + [
        key for key, on in values.items() if key.startswith("pooling_mode_") and on is True and key not in KEYS]
    if unknown:
        raise Error(f"{path} pools by {' and '.join(unknown)}; bertkit has {', '.join(MODES)}.")
    if values.get("include_prompt") is False and any(prompts.values()):
        raise Error(f"{path} leaves the tokens of a prompt out of the pooling (include_prompt: false), and {PROMPTS} "
                    "has prompts, which bertkit pools like any text; remove the prompts there, and add none.")
    return "+".join(MODES[mode] for mode in modes) or "mean"


def _projection(place):
    """Return the argument of `SentenceEmbedder` for a Dense module."""
    path = place / "config.json"
    values = read_json(path, _DENSE, SETTINGS)
    name = (values.get("activation_function") or "torch.nn.modules.activation.Tanh").rpartition(".")[2]
    if name not in ACTIVATIONS:
        raise Error(f"{path} has the activation {name}; bertkit reads {', '.join(ACTIVATIONS)} there.")
    between = {values.get(key) or VECTOR for key in ("module_input_name", "module_output_name")}
    if values.get("use_residual") or between != {VECTOR}:
        raise Error(f"{path} has use_residual or module_input_name; bertkit reads a plain layer on the vector of a "
                    "text.")
    return {"width": values["out_features"], "activation": ACTIVATIONS[name], "bias": values.get("bias", True)}


def _length(folder):
    """Return to how many tokens texts are cut: max_seq_length, else the tokenizer's model_max_length."""
    settings = next(iter(sorted(folder.glob("sentence_*_config.json"))), None)
    said = read_json(settings, {"max_seq_length": schema.Maybe((schema.Whole(1), None))}, SETTINGS).get(
        "max_seq_length") if settings is not None else None
    other = folder / "tokenizer_config.json"
    if said is None and other.exists():
        most = read_json(other, most=SETTINGS).get("model_max_length")
        said = most if isinstance(most, int) and 0 < most < 2**31 else None
    return said


def _say_similarity(folder, normalized):
    """Say by what vectors are meant to be compared, where it is not bertkit's cosine; of length 1 all agree."""
    path = folder / PROMPTS
    said = read_json(path, {"similarity_fn_name": schema.Maybe((str, None))}, SETTINGS).get(
        "similarity_fn_name") if path.exists() else None
    if said not in (None, "cosine") and not normalized:
        log.warning("%s says that vectors are compared by %s (similarity_fn_name); bertkit compares them by their "
                    "cosine%s.", path, said, ', unless ExactIndex(similarity="dot") is asked' if said == "dot" else "")


def _prompts(folder):
    """Return {"prompt", "query", "document"} of the prompts of a folder, those that there are."""
    path = folder / PROMPTS
    if not path.exists():
        return {}
    values = read_json(path, {"prompts": schema.Maybe((schema.Each((str, None)), None)),
                              "default_prompt_name": schema.Maybe((str, None))}, SETTINGS)
    prompts, default = values.get("prompts") or {}, values.get("default_prompt_name")
    if default is not None and default not in prompts:
        raise Error(f"{path}: default_prompt_name={default!r:.40} is none of its prompts ({', '.join(prompts)}); name "
                    "one of them, or null.")
    if values.get("model_type") not in (None, "SentenceTransformer") or values.get("truncate_dim"):
        raise Error(f"{path} has model_type={values.get('model_type')!r:.40}, truncate_dim="
                    f"{values.get('truncate_dim')!r:.20}; bertkit reads a SentenceTransformer with whole vectors.")
    document = next((prompts[name] for name in _DOCUMENTS if prompts.get(name)), None)
    found = {"prompt": prompts.get(default), "query": prompts.get("query"), "document": document}
    if others := sorted(set(prompts) - {default, "query", *_DOCUMENTS}):
        log.warning("%s has the prompts %s; none is the default, so put them in front of your texts yourself.", path,
                    ", ".join(others))
    return {name: prompt for name, prompt in found.items() if prompt}
