"""What sentence-transformers reads beside an encoder: its modules, their settings, and prompts."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as safetensors_bytes

from bertkit.checkpoints.pooling import ACTIVATIONS, KEYS, MODES, PROMPTS
from bertkit.files.atomic import write_bytes, write_json
from bertkit.files.modules import FILE

_PACKAGE = "sentence_transformers.models"


def write(place: Path, bundle: Any) -> tuple[str, ...]:
    """Write modules.json and what it names.

    Args:
        place: The folder.
        bundle: The `Predictor` of an embedder's bundle.

    Returns:
        Remarks: what the user of the vectors must do himself.
    """
    model, task = bundle.model, bundle.task
    prompts = {"prompt": task.prompt, "query": task.query, "document": task.document}
    write_json(place / PROMPTS, {
        "prompts": {name: text for name, text in prompts.items() if text},
        "default_prompt_name": "prompt" if task.prompt else None, "similarity_fn_name": "cosine"})
    notes = (f"Texts stand behind the prompt {task.prompt!r}; without sentence-transformers put it in front of them "
             "yourself.",) if task.prompt else ()
    pooled = {key: MODES[mode] for key, mode in KEYS.items()}
    wanted = model.pooling.split("+")
    names = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    if [mode for mode in pooled.values() if mode in wanted] != wanted or any(
            kind["activation"] not in names for kind in model.projections):
        return *notes, ("sentence-transformers has no modules for this pooling and these layers; read the output "
                        "sentence_embedding.")
    kinds = ["Transformer", "Pooling", *["Dense"] * len(model.projections), *["Normalize"] * model.normalize]
    places = ["", *(f"{number}_{kind}" for number, kind in enumerate(kinds[1:], start=1))]
    for folder in places[1:]:
        (place / folder).mkdir()
    write_json(place / FILE, [{"idx": number, "name": str(number), "path": folder, "type": f"{_PACKAGE}.{kind}"}
                              for number, (kind, folder) in enumerate(zip(kinds, places, strict=True))])
    write_json(place / "sentence_bert_config.json", {"max_seq_length": bundle.length, "do_lower_case": False})
    write_json(place / places[1] / "config.json", {
        "word_embedding_dimension": model.encoder.config.output_dim,
        **{key: mode in wanted for key, mode in pooled.items()}})
    for folder, kind, layer in zip(places[2:], model.projections, model.dense, strict=False):
        _write_dense(place / folder, kind, layer, names[kind["activation"]])
    return notes


def _write_dense(folder, kind, layer, name):
    kernel = np.asarray(layer.kernel)
    tensors = {"linear.weight": np.ascontiguousarray(kernel.T)}
    if kind["bias"]:
        tensors["linear.bias"] = np.asarray(layer.bias)
    home = "linear" if name == "Identity" else "activation"
    write_json(folder / "config.json", {"in_features": len(kernel), "out_features": kind["width"], "bias": kind["bias"],
                                        "activation_function": f"torch.nn.modules.{home}.{name}"})
    write_bytes(folder / "model.safetensors", safetensors_bytes(tensors, metadata={"format": "pt"}))
