"""Answers of an .onnx file, by ONNX Runtime: for the proof of an export."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.requirements import missing

_OURS = {"input_ids": "token_ids", "attention_mask": "padding_mask", "token_type_ids": "segment_ids"}


def is_installed() -> bool:
    """Return whether ONNX Runtime is there to run a file.

    Returns:
        True or False.
    """
    return find_spec("onnxruntime") is not None


class OnnxModel:
    """An .onnx file of a bundle, as `export.proof.Proof` compares it with the model: one row at a time, one thread.

    Args:
        path: The file.
        bundle: The `Predictor` of the bundle.

    Raises:
        Error: When onnxruntime is not installed, or does not load the file.
    """

    def __init__(self, path: Path, bundle: Any) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise missing("onnxruntime", "Running an .onnx file") from None
        self.path, self.task, self.grouped = path, bundle.task, bundle.model.grouped
        self.tokenizer, self.length = bundle.tokenizer, bundle.length
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:              # its errors have no class in common
            raise Error(f"{path.name} does not load in ONNX Runtime ({str(error).splitlines()[0]:.300}); report it.") \
                from error
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._outputs = [each.name for each in self._session.get_outputs()]

    def outputs(self, rows: Sequence[tuple[list[int], list[int]]]) -> list[np.ndarray]:
        """Compute the file's output for rows, without padding.

        Args:
            rows: (token ids, segment ids) of each.

        Returns:
            An array for each row, as `Predictor.outputs` gives them.
        """
        return [self._output(ids, segments) for ids, segments in rows]

    def _output(self, ids, segments):
        batch = self.tokenizer.batch([(ids, segments)], len(ids))
        given = {name: batch[_OURS[name]].astype("int64") for name in self._inputs}
        if self.grouped:
            given = {name: values[:, None] for name, values in given.items()}
        found = dict(zip(self._outputs, self._session.run(None, given), strict=True))
        if "start_logits" in found:
            return np.stack([found["start_logits"][0], found["end_logits"][0]], axis=-1)
        if "sentence_embedding" in found:
            return found["sentence_embedding"][0]
        logits = found["logits"][0]
        # The file of a score gives it in the units of the training file already.
        return logits if self.task.name == "score" else self.task.outputs(logits)
