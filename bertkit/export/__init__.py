"""Export a fine-tuned model: a SavedModel for servers, a .tflite for phones or a page, checked against the model."""

import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from bertkit.card import Card
from bertkit.checkpoints.save import save
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.export.mediapipe import export_mediapipe
from bertkit.export.onnx.folder import export_onnx
from bertkit.export.saved_model import export_saved_model
from bertkit.export.tflite import export_tflite
from bertkit.export.web import export_web
from bertkit.face import callable_as
from bertkit.files.bounded import as_path
from bertkit.heads.task_model import TaskModel
from bertkit.text import Tokenizer

__all__ = ["export", "export_mediapipe", "export_onnx", "export_saved_model", "export_tflite", "export_web"]

Target = Literal["saved_model", "tflite", "web", "mediapipe", "onnx"]
# By name: a function of (folder of a bundle, folder to write, **options).
TARGETS: dict[str, Callable[..., Card]] = {"saved_model": export_saved_model, "tflite": export_tflite,
                                           "web": export_web, "mediapipe": export_mediapipe, "onnx": export_onnx}


def export(source: str | Path | Encoder | TaskModel, to: Target = "tflite",
           out: str | Path | None = None, tokenizer: Tokenizer | None = None, **options: Any) -> Card:
    """Write a model as a folder for a server or for a phone, and check what was written against the model.

    Args:
        source: The folder of a bundle, or a head of bertkit's in memory.
        to: `"saved_model"`, a SavedModel that takes strings; `"tflite"`; `"web"`, a page around it; `"mediapipe"`, one
            .tflite for MediaPipe; or `"onnx"`, a folder that ONNX Runtime, transformers.js and sentence-transformers
            read.
        out: The folder to write; for MediaPipe the file.
        tokenizer: The tokenizer of a model in memory; a bundle has its own.
        **options: Those of `bertkit export`, for a .tflite: `precision`, `length`, `dev`, `max_drop` (see
            `export_tflite`), for a page also `litert` and `fetch` (see `export_web`); for ONNX
            `dev` and `max_drop` (see `export_onnx`).

    Returns:
        The `Card` of what was written; its `parity` says how near it is to the model.

    Raises:
        Error: If an option is unknown, the model cannot be exported so, or what was written does not compute the model.
            Then nothing is left at `out`.

    >>> export("sentiment", to="tflite", out="phone", precision="int8", length=64)       # doctest: +SKIP
    """
    if to not in TARGETS:
        raise Error(f"to={to!r} is unknown; bertkit exports to {', '.join(TARGETS)}.")
    known = list(inspect.signature(TARGETS[to]).parameters)[2:]
    if unknown := [name for name in options if name not in known]:
        raise Error(f"{unknown[0]}={options[unknown[0]]!r:.40} is no option of {to}, which has "
                    f"{', '.join(known) or 'none'}; leave it out.")
    if out is None:
        raise Error("Nothing says where to write; give the folder: out=FOLDER.")
    out = as_path(out, "the folder to write")
    if isinstance(source, str | Path):
        if tokenizer is not None:
            raise Error(f"{source} is a bundle, which keeps its own tokenizer; leave tokenizer= out.")
        return TARGETS[to](source, out, **options)
    if tokenizer is None:
        raise Error("A model in memory has no tokenizer of its own; give it: tokenizer=bertkit.Tokenizer.load(PATH).")
    with tempfile.TemporaryDirectory(prefix="bertkit-export-") as place:
        save(source, Path(place) / "model", tokenizer)
        return TARGETS[to](Path(place) / "model", out, **options)


callable_as(__name__, export)
