"""A .tflite that takes rows of any length: what it computes, row by row, and what that costs."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.errors import Error


class AnyLength:
    """A .tflite file of one row of any length, with what the proof of an export asks of a file.

    Args:
        path: The file.
        tokenizer: The `Tokenizer` of the model.
        task: The task of the model, which has one output for each row.
        length: The most tokens of a row that it computes.

    Raises:
        Error: When LiteRT cannot run it.
    """

    def __init__(self, path: Path, tokenizer: Any, task: Any, length: int) -> None:
        from ai_edge_litert.interpreter import Interpreter
        self.path, self.tokenizer, self.task, self.length = path, tokenizer, task, length
        try:
            self._runner = Interpreter(model_path=str(path), num_threads=1).get_signature_runner()
        except (ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise Error(f"{path.name} is no model that LiteRT can run ({reason}); report it.") from None
        self._names, self._turn = list(self._runner.get_input_details()), threading.Lock()

    def outputs(self, rows: Sequence[tuple[list[int], list[int]]]) -> list[np.ndarray]:
        """Compute the file's output for rows, without padding.

        Args:
            rows: (token ids, segment ids) of each.

        Returns:
            float32 [width] of each.
        """
        return [self.run(self.tokenizer.batch([row], len(row[0]))) for row in rows]

    def run(self, batch: dict[str, np.ndarray]) -> np.ndarray:
        """Compute the file's output for one row.

        Args:
            batch: {name: int32 [1,T]}.

        Returns:
            float32 [width].

        Raises:
            Error: When the output holds NaN or infinity.
        """
        with self._turn:
            values = self._runner(**{name: batch[name] for name in self._names})[self.task.output][0]
        if not np.isfinite(values).all():
            raise Error(f"The converted {self.path.name} gives NaN or infinity; report it.")
        return values
