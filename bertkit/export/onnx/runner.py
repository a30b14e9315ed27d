"""Answers of an .onnx file, by ONNX Runtime: for the proof of an export."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.data.features import Padding, pack
from bertkit.errors import Error
from bertkit.requirements import missing
from bertkit.training.scoring import outputs

SILENT = 4          # ONNX Runtime's level of messages: fatal ones alone
_OURS = {"input_ids": "token_ids", "attention_mask": "padding_mask", "token_type_ids": "segment_ids"}


def is_installed() -> bool:
    """Return whether ONNX Runtime is there to run a file.

    Returns:
        True or False.
    """
    return find_spec("onnxruntime") is not None


class OnnxModel:
    """An .onnx file of a bundle, as `export.proof.Proof` compares it with the model: in its batches, on one thread.

    Args:
        path: The file.
        bundle: The `Predictor` of the bundle.

    Raises:
        Error: When onnxruntime is not installed, or does not load the file.
    """

    together = False

    def __init__(self, path: Path, bundle: Any) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise missing("onnxruntime", "Running an .onnx file") from None
        self.path, self.task, self.tokenizer, self.length = path, bundle.task, bundle.tokenizer, bundle.length
        self.grouped, self.each_token = bundle.model.grouped, bundle.model.each_token
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = SILENT
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:              # its errors have no class in common
            raise self._fault("load", error) from error
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._outputs = [each.name for each in self._session.get_outputs()]

    def outputs(self, rows: list[tuple[list[int], list[int]]]) -> list[np.ndarray]:
        """Compute the file's output for rows.

        Args:
            rows: (token ids, segment ids) of each.

        Returns:
            An array for each row, as `Predictor.outputs` gives them: float32 [width], or [tokens, width] where the task
            has an output for each token.
        """
        found = outputs(self, pack(rows, Padding.of(self.tokenizer)))
        # The file of a score gives it in the units of the training file already.
        return found if self.task.name == "score" else [self.task.outputs(raw) for raw in found]

    def predict_on_batch(self, batch: dict[str, np.ndarray]) -> Any:
        """Compute the file's output for a batch, as a model of Keras does.

        Args:
            batch: {name: int32 [B,T], or [B,choices,T] of a multiple choice}.

        Returns:
            What the model in the file gives: float32 [B,...], or a dict of them.

        Raises:
            Error: When ONNX Runtime does not compute it.
        """
        given = {name: np.asarray(batch[_OURS[name]], "int64") for name in self._inputs}
        try:
            found = dict(zip(self._outputs, self._session.run(None, given), strict=True))
        except Exception as error:
            raise self._fault("compute a batch", error) from error
        found.pop("last_hidden_state", None)
        return next(iter(found.values())) if len(found) == 1 else found

    def _fault(self, what, error):
        return Error(f"{self.path.name} does not {what} in ONNX Runtime ({str(error).splitlines()[0]:.300}); export "
                     "the model as a saved_model, and report it.")
