"""From a Keras model to the bytes of a .tflite, in a process of its own: the converter leaks memory."""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import child as child_process
from bertkit.errors import Error
from bertkit.tasks.registry import are_all_own

_CODE = "from bertkit.export.convert import run_child; run_child()"         # what the child process runs


def convert(folder: str | Path, out: str | Path, precision: str, masked_score: float,
            rows: dict[str, np.ndarray]) -> None:
    """Write the .tflite of a bundle, through a child process.

    Where tasks from outside bertkit are registered, this process converts, because a child would not know them.

    Args:
        folder: The folder of the bundle.
        out: The .tflite file to write.
        precision: One of `parity.LADDER`, such as "int8".
        masked_score: The constant that hides padded keys.
        rows: {name: int32 [rows, length]}, which give the inputs' names and their length, and calibrate where
            `precision` needs it.

    Raises:
        Error: When the conversion fails, whatever the child process died of.
    """
    if not are_all_own():                   # a child process would not know the others
        with tempfile.TemporaryDirectory(dir=Path(out).parent) as work:
            Path(out).write_bytes(convert_bundle(folder, precision, masked_score, rows, Path(work) / "graph"))
        return
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as work:
        arrays: dict[str, Any] = {**rows}
        np.savez(Path(work) / "rows.npz", **arrays)
        job = {"folder": str(folder), "out": str(out), "precision": precision, "masked_score": masked_score,
               "work": work}
        done = child_process.run(_CODE, [json.dumps(job)],
                                 capture_output=True, text=True,
                                 env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"})
        refusal = Path(work) / "error.txt"
        if refusal.exists():
            raise Error(refusal.read_text(encoding="utf-8"))
    if done.returncode < 0:
        raise Error(f"The conversion was ended by signal {-done.returncode}; is there memory for three "
                    "times the model?")
    if absent := sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", done.stderr))):
        raise Error(f"The .tflite format has no {', '.join(absent)}, which this model computes with; export it as a "
                    "saved_model.")
    if done.returncode or not Path(out).exists():
        reason = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise Error(f"The conversion to {precision} failed ({reason:.300}); try another --precision, "
                    "and report it.")


def run_child() -> None:
    """Do the job that the first argument of this process describes; the text of an `Error` goes into a file."""
    job = json.loads(sys.argv[1])
    work = Path(job["work"])
    try:
        rows = dict(np.load(work / "rows.npz"))
        content = convert_bundle(job["folder"], job["precision"], job["masked_score"], rows, work / "graph")
        Path(job["out"]).write_bytes(content)
    except Error as error:
        (work / "error.txt").write_text(str(error), encoding="utf-8")


def convert_bundle(folder: str | Path, precision: str, masked_score: float, rows: dict[str, np.ndarray],
                   graph: str | Path) -> bytes:
    """Return the .tflite of a bundle.

    Args:
        folder: The folder of the bundle.
        precision: One of `parity.LADDER`, such as "int8".
        masked_score: The constant that hides padded keys.
        rows: {name: int32 [rows, length]}, as in `convert`.
        graph: A folder that does not exist; a SavedModel is written there on the way.

    Returns:
        The content of the file.
    """
    import tensorflow as tf

    from bertkit.checkpoints import bundle
    from bertkit.export.quantize import RULES, quantize
    model, task = bundle.load(folder), bundle.task(bundle.read_metadata(folder))
    model.encoder.masked_score = masked_score
    _write_graph(model, task, {name: values.shape[1] for name, values in rows.items()}, graph)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(graph))
    if precision in ("dynamic", "float16"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    content = converter.convert()
    return quantize(content, RULES[precision], rows) if precision in RULES else content


def _write_graph(model, task, lengths, graph):
    """Write the SavedModel of one row: int32 [1,T] by name -> what the task gives, under its name.

    Through `ExportArchive`, which finds the weights that an endpoint uses; a plain tf.Module, or a concrete
    function alone, loses them silently.
    """
    import keras
    import tensorflow as tf

    from bertkit.export.graph import answer

    def given(token_ids, padding_mask, segment_ids=None):
        batch = {"token_ids": token_ids, "padding_mask": padding_mask, "segment_ids": segment_ids}
        return {task.output: answer(model, task, batch)}

    archive = keras.export.ExportArchive()
    archive.add_endpoint("serving_default", given, input_signature=[
        tf.TensorSpec((1, lengths[name]), tf.int32, name=name)
        for name in ("token_ids", "padding_mask", "segment_ids") if name in lengths])
    archive.write_out(str(graph), verbose=False)
