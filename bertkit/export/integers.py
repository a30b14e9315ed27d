"""The int8 file of a model: the graph of `compress.simulation`, which TensorFlow's converter makes integers of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.checkpoints.ranges import check_places, read_ranges
from bertkit.compress.simulation import MASKED, Integers, check_integers, measured_ranges, put_in
from bertkit.errors import Error


def integer_ranges(folder: str | Path, model: Any, rows: dict[str, np.ndarray], precision: str) -> dict[str, Any]:
    """Return the ranges of a bundle's int8 file: those that it learnt, else those measured on calibration rows.

    Args:
        folder: The folder of the bundle.
        model: Its model.
        rows: {name: int32 [rows,T]}.
        precision: The precision of the file.

    Returns:
        {name of a place: (low, high)}.

    Raises:
        Error: When the model cannot compute in integers, or the learnt ranges are not its own.
    """
    check_integers(model.encoder.config)
    learnt = read_ranges(folder)
    if learnt is None or learnt.precision != precision:
        return measured_ranges(model, rows)
    check_places(learnt.ends, measured_ranges(model, {name: values[:1] for name, values in rows.items()}), folder)
    return learnt.ends


class Rounded:
    """A model whose graph says where TensorFlow's converter finds integers, and of which range.

    Args:
        model: A head of bertkit's on an encoder.
        ranges: {name of a place: (low, high)}.
    """

    def __init__(self, model: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
        self.ranges = ranges
        hidden = -max(high - low for name, (low, high) in ranges.items() if name.endswith(MASKED))
        self._integers = Integers(model.encoder, self._at, rounded, None, lambda: hidden)

    def _at(self, name, x):
        if name not in self.ranges:
            raise Error(f"The model has the place {name}, and there is no range for it; report it.")
        return rounded(x, *self.ranges[name])

    def within(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that computes with the model in integers.

        Args:
            function: A function that calls the model.

        Returns:
            A function of the same arguments.
        """
        def call(*arguments):
            with put_in(self._integers.calls()):
                return function(*arguments)
        return call


def rounded(x: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Mark a tensor as int8 of a range: the operation that TensorFlow's converter reads ranges from.

    Args:
        x: float32 [...].
        low: The low end, at most 0.
        high: The high end, at least 0.

    Returns:
        float32 [...], as `fake_quantize` gives it.
    """
    return tf.quantization.fake_quant_with_min_max_vars(x, float(low), float(high), num_bits=8)
