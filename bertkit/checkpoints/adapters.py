"""Adapters of PEFT: adapter_config.json and the matrices of LoRA, which are added to those of a base model.

    W + s·B A                       LoRA (Hu et al. 2021, arXiv 2106.09685), s = alpha / r
    s = alpha / √r                  rank-stabilised (Kalajdzievski 2023, arXiv 2312.03732)
    m (W + s·B A) / ‖W + s·B A‖     DoRA, by rows (Liu et al. 2024, arXiv 2402.09353)

What an adapter holds besides, such as a new classifier, takes the place of the base model's tensor.
"""

import logging
import re
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import addresses, family
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.tensors import Tensors, floats, read_safetensors
from bertkit.checkpoints.torch_file import read_torch
from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import SETTINGS, read_json

log = logging.getLogger("bertkit")

CONFIG = "adapter_config.json"
FILES = {"adapter_model.safetensors": lambda path: read_safetensors([path], path), "adapter_model.bin": read_torch}
PREFIX = "base_model.model."
# PEFT's task_type -> how the name of transformers' class ends.
TASKS = {"SEQ_CLS": "ForSequenceClassification", "TOKEN_CLS": "ForTokenClassification",
         "QUESTION_ANS": "ForQuestionAnswering", "FEATURE_EXTRACTION": "Model"}
# Values of init_lora_weights that leave the base model's weights as they are.
PLAIN_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
# Settings of kinds of LoRA that bertkit does not merge.
OTHERS = ("alora_invocation_tokens", "trainable_token_indices", "target_parameters", "layer_replication", "lora_bias",
          "use_qalora", "use_bdlora", "kasa_config", "monteclora_config", "velora_config", "arrow_config",
          "lora_ga_config")
_NUMBER = schema.Number(-1e6, 1e6)
_SHAPE = {"peft_type": str, "base_model_name_or_path": schema.Maybe((str, None)), "lora_alpha": schema.Maybe(_NUMBER),
          "use_rslora": schema.Maybe((bool, None)), "use_dora": schema.Maybe((bool, None)),
          "alpha_pattern": schema.Maybe((schema.Each(_NUMBER), None)), "task_type": schema.Maybe((str, None)),
          "auto_mapping": schema.Maybe(({"base_model_class": schema.Maybe(str)}, None))}
_LORA = re.compile(r"(.+)\.(lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\.weight)?")


def load(folder: str | Path, part: str | None = None, activation: str | None = None,
         base: str | Path | None = None) -> Any:
    """Return the model of an adapter, merged with its base model.

    Args:
        folder: The folder of the adapter.
        part: "encoder" for the `Encoder` alone, or None.
        activation: The activation in place of the config's, or None.
        base: The base model, a Hugging Face directory; None takes the folder itself where it holds one, else the
            adapter's base_model_name_or_path where that is a folder.

    Returns:
        The model.

    Raises:
        Error: When the adapter is of another kind than LoRA, or its base model is not there or does not fit it.
    """
    folder = Path(folder)
    settings = read_json(folder / CONFIG, _SHAPE, SETTINGS)
    _check_kind(folder / CONFIG, settings)
    place = base_folder(folder, base)
    path, values = huggingface.read_config(place)
    page = family.of_huggingface(values)
    adapter = _adapter(folder)
    merged = _merged(huggingface.canonical_names(huggingface.weights(place), page.HUGGINGFACE), adapter, settings,
                     page.HUGGINGFACE)
    return huggingface.assemble(path, _with_head(values, settings, merged, page.HUGGINGFACE), merged, part, activation)


def is_adapter(folder: Path) -> bool:
    """Return whether a folder holds an adapter of PEFT.

    Args:
        folder: The folder.

    Returns:
        True or False.
    """
    return (folder / CONFIG).exists()


def base_folder(folder: Path, base: str | Path | None = None) -> Path:
    """Return the folder of an adapter's base model.

    Args:
        folder: The folder of the adapter.
        base: The base model as it was given, or None.

    Returns:
        The folder.

    Raises:
        Error: When no base model was given and none is there.
    """
    if base is not None:
        return addresses.local_folder(base, ())
    if (folder / huggingface.CONFIG).exists() and huggingface.holds_weights(folder):
        return folder
    settings = read_json(folder / CONFIG, _SHAPE, SETTINGS)
    name = settings.get("base_model_name_or_path")
    if name and Path(name).is_dir():
        return Path(name)
    raise Error(f"{folder} holds an adapter of PEFT ({settings['peft_type']}), which is no model without its base "
                f"model ({name or 'not named'}); give that too: bertkit convert {folder} BUNDLE --base FOLDER.")


def _check_kind(path, settings):
    kind = settings["peft_type"]
    if kind.upper() != "LORA":
        raise Error(f"{path} is an adapter of PEFT of the type {kind}; bertkit merges LORA alone, so merge this one "
                    "with PEFT (merge_and_unload) and convert what it saves.")
    strange = [name for name in OTHERS if settings.get(name)]
    if settings.get("init_lora_weights") not in PLAIN_STARTS:
        strange.append("init_lora_weights")
    if strange:
        raise Error(f"{path} has {strange[0]}={settings[strange[0]]!r:.60}, which bertkit does not merge; merge it "
                    "with PEFT (merge_and_unload) and convert what it saves.")


def _adapter(folder):
    """Return the `Tensors` of an adapter."""
    for name, read in FILES.items():
        if (folder / name).exists():
            return read(folder / name)
    raise Error(f"{folder} holds {CONFIG} and no {' nor '.join(FILES)}; copy the adapter's weights too.")


def _merged(base, adapter, settings, form):
    """Return the base model's `Tensors` with those of the adapter added, or in place of them."""
    parts, replaced = {}, {}
    for name in adapter.shapes:
        plain = name.removeprefix(PREFIX).replace(".modules_to_save.", ".").replace(".base_layer.", ".")
        plain = plain.removeprefix(form.prefix)
        if found := _LORA.fullmatch(plain):
            parts.setdefault(found[1] + ".weight", {})[found[2]] = name
        else:
            replaced[plain] = name
    if not parts:
        raise Error(f"{adapter.path} holds no matrices of LoRA (lora_A, lora_B); copy the adapter again.")
    strange = [name for name, pair in parts.items() if name not in base.shapes or not (
        {"lora_A", "lora_B"} <= set(pair) or {"lora_embedding_A", "lora_embedding_B"} <= set(pair))]
    strange += [name for name in replaced if "lora_" in name]
    if strange:
        raise Error(f"{adapter.path} holds {', '.join(strange[:4])}, which fit nothing in {base.path}; is that the "
                    "base model of this adapter?")
    shapes = {**base.shapes, **{name: adapter.shapes[key] for name, key in replaced.items()}}

    def read(name):
        if name in replaced:
            return adapter.read(replaced[name])
        values = base.read(name)
        return values if name not in parts else _added(values, parts[name], adapter, name, settings)

    return Tensors(adapter.path, shapes, read)


def _added(values, part, adapter, name, settings):
    """Return W + s·B A of a matrix, float32."""
    weight = floats(values, name, adapter.path).astype("float32")
    inside = "lora_" if "lora_A" in part else "lora_embedding_"
    a, b = (_numbers(adapter, part[inside + side]) for side in "AB")
    delta = b @ a if "lora_A" in part else (b @ a).T
    if delta.shape != weight.shape:
        raise Error(f"{adapter.path}: the matrices of {name} give {list(delta.shape)}, and the base model has "
                    f"{list(weight.shape)}; is that the base model of this adapter?")
    module, rank = name.removesuffix(".weight"), len(a)
    weight = weight + _alpha(settings, module) / (rank ** 0.5 if settings.get("use_rslora") else rank) * delta
    if "lora_magnitude_vector" not in part:
        return weight
    magnitude = _numbers(adapter, part["lora_magnitude_vector"])
    return weight * (magnitude.reshape(-1) / np.linalg.norm(weight, axis=1))[:, None]


def _numbers(adapter, name):
    return floats(adapter.read(name), name, adapter.path).astype("float32")


def _alpha(settings, module):
    """Return alpha of a module: that of the pattern which is the end of its name, else the adapter's."""
    for pattern, alpha in (settings.get("alpha_pattern") or {}).items():
        end = pattern.removeprefix("^")
        if re.search(r"[^\w.]", end):
            raise Error(f"{CONFIG}: alpha_pattern has {pattern!r:.60}, and bertkit reads names of modules there; merge "
                        "the adapter with PEFT (merge_and_unload) and convert what it saves.")
        if f".{module}".endswith(f".{end}"):
            return alpha
    return settings.get("lora_alpha", 8)


def _with_head(values, settings, tensors, form):
    """Return config.json with the head that the adapter was trained with, and as many labels as it has rows."""
    task, adapted = settings.get("task_type"), (settings.get("auto_mapping") or {}).get("base_model_class")
    if task is None:                                # then PEFT names the class that was adapted
        return {**values, "architectures": [adapted]} if adapted else values
    if task not in TASKS:
        raise Error(f"{CONFIG} has task_type={task!r:.40}; bertkit reads {', '.join(TASKS)}.")
    values = {**values, "architectures": [form.class_name + TASKS[task]]}
    head = {"SEQ_CLS": "classify", "TOKEN_CLS": "tag"}.get(task)
    rows = tensors.shapes.get(form.names.get(f"{head}/logits", "") + ".weight", (None,))[0]
    if rows is not None and len(values.get("id2label") or {}) != rows:
        log.warning("An adapter does not name its %d classes, and neither does its base model; they are numbered. "
                    "Write id2label into the base model's config.json to name them.", rows)
        values |= {"num_labels": rows, "id2label": None, "label2id": None}
    return values
