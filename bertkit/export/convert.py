"""From a Keras model to .tflite files, in a process of its own: the converter leaks memory."""

import functools
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import child as child_process
from bertkit.errors import Error
from bertkit.export.quantize import RULES, SIGNATURE, quantize
from bertkit.ondevice.runner import signature
from bertkit.tasks.registry import are_all_own

_CODE = "from bertkit.export.convert import run_child; run_child()"         # what the child process runs


def convert(folder: str | Path, files: Mapping[str, str | Path], masked_score: float, rows: dict[str, np.ndarray],
            lengths: Sequence[int] = (), most: int | None = None) -> dict[str, dict[str, float]]:
    """Write .tflite files of a bundle, through a child process.

    Where tasks from outside bertkit are registered, this process converts, because a child would not know them.

    Args:
        folder: The folder of the bundle.
        files: {one of `parity.LADDER`, such as "int8": the .tflite file to write}.
        masked_score: The constant that hides padded keys.
        rows: {name: int32 [rows, length]}, which give the inputs' names and their length, calibrate where a precision
            needs it, and show how far each layer drifts.
        lengths: Tokens of a row, one signature for each; by default that of the rows alone.
        most: In place of lengths: the file takes rows of any length, and cuts them to so many tokens.

    Returns:
        {precision: {layer: its drift}}, see `drift.layer_drift`.

    Raises:
        Error: When the conversion fails, whatever the child process died of.
    """
    job = {"folder": str(folder), "files": {name: str(file) for name, file in files.items()},
           "masked_score": masked_score, "lengths": list(lengths), "most": most}
    with tempfile.TemporaryDirectory(dir=Path(next(iter(files.values()))).parent) as work:
        if not are_all_own():                   # a child process would not know the others
            return write_files(job, rows, Path(work))
        arrays: dict[str, Any] = {**rows}
        np.savez(Path(work) / "rows.npz", **arrays)
        done = child_process.run(_CODE, [json.dumps({**job, "work": work})], capture_output=True, text=True,
                                 env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"})
        _check_child(done, Path(work) / "error.txt", job["files"])
        return json.loads((Path(work) / "drift.json").read_text(encoding="utf-8"))


def _check_child(done, refusal, files):
    """Say in one sentence what a child process died of."""
    if refusal.exists():
        raise Error(refusal.read_text(encoding="utf-8"))
    if done.returncode < 0:
        raise Error(f"The conversion was ended by signal {-done.returncode}; is there memory for three "
                    "times the model?")
    if absent := sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", done.stderr))):
        raise Error(f"The .tflite format has no {', '.join(absent)}, which this model computes with; export it as a "
                    "saved_model.")
    if done.returncode or not all(Path(file).exists() for file in files.values()):
        reason = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise Error(f"The conversion to {', '.join(files)} failed ({reason:.300}); try another --precision, "
                    "and report it.")


def run_child() -> None:
    """Do the job that the first argument of this process describes; the text of an `Error` goes into a file."""
    job = json.loads(sys.argv[1])
    work = Path(job["work"])
    try:
        drift = write_files(job, dict(np.load(work / "rows.npz")), work)
        (work / "drift.json").write_text(json.dumps(drift), encoding="utf-8")
    except Error as error:
        (work / "error.txt").write_text(str(error), encoding="utf-8")


def write_files(job: dict[str, Any], rows: dict[str, np.ndarray], work: Path) -> dict[str, dict[str, float]]:
    """Write the .tflite files of a job.

    Args:
        job: {"folder", "files", "masked_score", "lengths", "most"}, as in `convert`.
        rows: {name: int32 [rows, length]}, as in `convert`.
        work: A folder; a SavedModel is written there on the way.

    Returns:
        {precision: {layer: its drift}}.
    """
    from bertkit.export.drift import layer_drift
    converted = Converted(job["folder"], job["masked_score"], rows, job["lengths"], work / "graph", job["most"])
    drift = {}
    for precision, file in job["files"].items():
        content = converted.content(precision)
        Path(file).write_bytes(content)
        drift[precision] = layer_drift(converted.float32, content, converted.signature, rows)
    return drift


class Converted:
    """The .tflite files of one bundle: its graph is written once, and each precision made of it.

    Args:
        folder: The folder of the bundle.
        masked_score: The constant that hides padded keys.
        rows: {name: int32 [rows, length]}, as in `convert`.
        lengths: Tokens of a row, one signature for each; empty: that of the rows alone.
        graph: A folder that does not exist; a SavedModel is written there.
        most: In place of lengths: rows of any length are taken, and cut to so many tokens.
    """

    def __init__(self, folder: str | Path, masked_score: float, rows: dict[str, np.ndarray], lengths: Sequence[int],
                 graph: str | Path, most: int | None = None) -> None:
        from bertkit.checkpoints import bundle
        longest = rows["token_ids"].shape[1]
        model, task = bundle.load(folder), bundle.task(bundle.read_metadata(folder))
        self._folder, self._model, self._task, self._lengths = folder, model, task, {longest: SIGNATURE}
        model.encoder.masked_score = masked_score
        signatures = {length: signature(length) for length in lengths} if len(lengths) > 1 else {longest: SIGNATURE}
        self.signature, self.rows, self._graph = signatures[longest], rows, str(graph)
        self._signatures = list(signatures.values())
        if most is not None:
            signatures = {None: SIGNATURE}
        _write_graph(model, task, list(rows), signatures, graph, most=most)

    @functools.cached_property
    def float32(self) -> bytes:
        """The float32 file."""
        return self._converted()

    def content(self, precision: str) -> bytes:
        """Return the .tflite of one precision.

        Args:
            precision: One of `parity.LADDER`, such as "int8".

        Returns:
            The content of the file.
        """
        from bertkit.export.static import rewritten, static_ranges
        if precision in ("dynamic", "float16"):
            return self._converted(precision)
        if precision == "int8-full":
            return self._integers()
        if precision == "int8-static":
            scaled, ranges = rewritten(self.float32, *static_ranges(self.float32, self.signature, self.rows))
            return quantize(scaled, RULES[precision], ranges)
        return quantize(self.float32, RULES[precision]) if precision in RULES else self.float32

    def _integers(self):
        """Return the file whose ranges the bundle learnt, or calibration rows give."""
        from bertkit.export.integers import Rounded, integer_ranges
        model = Rounded(self._model, integer_ranges(self._folder, self._model, self.rows, "int8-full"))
        graph = f"{self._graph}-integers"
        _write_graph(self._model, self._task, list(self.rows), self._lengths, graph, model.within)
        return self._converted("int8-full", graph, [SIGNATURE])

    def _converted(self, precision="float32", graph=None, signatures=None):
        """Return what TensorFlow's own converter makes."""
        import tensorflow as tf
        converter = tf.lite.TFLiteConverter.from_saved_model(graph or self._graph,
                                                             signature_keys=signatures or self._signatures)
        if precision in ("dynamic", "float16", "int8-full"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _write_graph(model, task, names, signatures, graph, within=None, most=None):
    """Write the SavedModel of one row: int32 [1,T] by name -> what the task gives, under its name, for each length T.

    A length of None takes rows of any length, and cuts them to `most` tokens.

    Through `ExportArchive`, which finds the weights that an endpoint uses; a plain tf.Module, or a concrete
    function alone, loses them silently.
    """
    import keras
    import tensorflow as tf

    from bertkit.export.graph import answer, cut

    def given(token_ids, padding_mask, segment_ids=None):
        batch = {"token_ids": token_ids, "padding_mask": padding_mask, "segment_ids": segment_ids}
        if most is not None:
            batch = {name: None if values is None else cut(values, most) for name, values in batch.items()}
        return {task.output: (within(answer) if within else answer)(model, task, batch)}
    archive = keras.export.ExportArchive()
    for length, name in signatures.items():
        archive.add_endpoint(name, given, input_signature=[
            tf.TensorSpec((1, length), tf.int32, name=one)
            for one in ("token_ids", "padding_mask", "segment_ids") if one in names])
    archive.write_out(str(graph), verbose=False)
