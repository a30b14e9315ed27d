"""The proof of an export: the file as shipped against the model as trained, on the same inputs."""

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.checkpoints.tensors import variables
from bertkit.data.features import NAMES
from bertkit.data.inputs import Labelled
from bertkit.errors import Error
from bertkit.export import parity, source
from bertkit.kinds import Absolute
from bertkit.predictor import Predictor

STEP, SHARE = 8, 99     # a length that follows dev: a multiple of 8 that takes 99 of 100 rows whole


def costs_of_lengths(bundle: Predictor, inputs: list[Any], counts: Sequence[int] = (1, 3, 6)) -> dict[str, Any]:
    """Return what inputs would cost in files of one, three and six lengths: the tokens computed for a row, padding too.

    The lengths are multiples of 8, at most the trained length, and of all such sets the one with the fewest tokens.

    Args:
        bundle: The `Predictor` of the bundle.
        inputs: The inputs of labelled rows.
        counts: How many lengths.

    Returns:
        {count: {"lengths", "tokens"}}: "tokens" is the mean over the rows.
    """
    packed = bundle.task.pack(bundle.tokenizer, inputs, bundle.length).rows
    wanted = np.array([min(bundle.length, STEP * math.ceil(len(ids) / STEP)) for ids, _ in packed])
    steps, rows = np.unique(wanted, return_counts=True)
    best = {count: _best_lengths(steps, rows, count) for count in counts}
    return {str(count): {"lengths": lengths, "tokens": round(tokens / len(wanted), 2)}
            for count, (tokens, lengths) in best.items()}


def _best_lengths(steps, rows, count):
    """Return (tokens, lengths) of the cheapest at most `count` lengths; a row takes the smallest that holds it."""
    best: dict[tuple[int, int], tuple[int, list[int]]] = {(0, 0): (0, [])}      # steps held, lengths used -> cheapest
    for end in range(1, len(steps) + 1):
        for used in range(1, min(count, end) + 1):
            best[end, used] = min((best[begin, used - 1][0] + int(steps[end - 1] * rows[begin:end].sum()),
                                   [*best[begin, used - 1][1], int(steps[end - 1])])
                                  for begin in range(end) if (begin, used - 1) in best)
    return min(best[len(steps), used] for used in range(1, min(count, len(steps)) + 1))


def length_for(bundle: Predictor, inputs: list[Any]) -> int:
    """Return the length of a file that takes 99 of 100 rows whole, and never more tokens than the model was trained on.

    Args:
        bundle: The `Predictor` of the bundle.
        inputs: The inputs of labelled rows.

    Returns:
        Tokens of a row: the 99th percentile of the rows' lengths, rounded up to a multiple of 8.
    """
    sizes = [len(ids) for ids, _ in bundle.task.pack(bundle.tokenizer, inputs, bundle.length).rows]
    wanted = int(np.percentile(sizes, SHARE, method="higher"))
    return min(bundle.length, STEP * math.ceil(wanted / STEP))


class Proof:
    """Compares files with the model as trained, on rows of ids and on labelled inputs; the model answers once.

    Args:
        bundle: The `Predictor` of the bundle.
        rows: Rows of ids as long as the files take, {name: int32 [rows,T]}.
        whole: The same rows as long as those that the model was trained on, {name: int32 [rows,T]}.
        labelled: Labelled inputs, or None.
    """

    def __init__(self, bundle: Predictor, rows: dict[str, np.ndarray], whole: dict[str, np.ndarray],
                 labelled: Labelled | None) -> None:
        self.bundle, self._labelled = bundle, labelled
        self._rows, self._whole = _unpadded(rows), _unpadded(whole)

    @functools.cached_property
    def _model(self):
        """The model's side of the labelled inputs."""
        return self._side(self.bundle)

    @functools.cached_property
    def _outputs(self):
        """What the model computes of the rows of ids, as long as the files take and as long as it was trained on."""
        return self.bundle.outputs(self._rows), self.bundle.outputs(self._whole)

    def of(self, device: Any, precision: str, max_drop: float) -> dict[str, Any]:
        """Compare a file with the model.

        Args:
            device: The file: a `DeviceModel`, or what has its `path`, `tokenizer`, `length` and `outputs`.
            precision: One of `parity.LADDER`.
            max_drop: Points of the main metric that the file may lose.

        Returns:
            JSON values: "calibration" what `parity.compare` returns of the rows of ids, "dev" what `parity.score`
            returns and the name of the file of labelled inputs, "cut" how many rows the file cuts (see
            `parity.cut_rows`), and the "verdict"; "refusal" in its place where the file surely loses more than
            `max_drop`.

        Raises:
            Error: When the file does not compute the model.
        """
        compared = self._on_ids(device, precision)
        if self._labelled is None:
            cut = self._cut(device, np.array([len(ids) for ids, _ in self._whole]) > device.length)
            return {"calibration": compared, "cut": cut, "verdict": parity.verdict(None, precision, max_drop)}
        scored = parity.score(self.bundle.task, self._labelled.targets, self._model, self._side(device))
        cut = self._cut(device, self.bundle.task.cut(self.bundle.tokenizer, self._labelled.inputs, device.length))
        found = {"calibration": compared, "dev": {"file": Path(self._labelled.path).name, **scored}, "cut": cut}
        try:
            return {**found, "verdict": parity.verdict(scored, precision, max_drop, cut)}
        except Error as refusal:
            return {**found, "refusal": str(refusal)}

    def _side(self, answering):
        """Return what the bundle or the file computes of the labelled inputs, packed at its own length."""
        assert self._labelled is not None
        packed = self.bundle.task.pack(answering.tokenizer, self._labelled.inputs, answering.length)
        return parity.Side(answering.outputs(packed.rows), packed)

    def _on_ids(self, device, precision):
        """Return how far the file agrees with the model on rows of ids, of which the file reads what fits."""
        task, found, (model, uncut) = self.bundle.task, device.outputs(self._rows), self._outputs
        size, weights = device.path.stat().st_size, _weights(self.bundle.model, device.length)
        parity.check_file(size, weights, precision, parity.compare(task, model, found))
        if any(len(ids) > device.length for ids, _ in self._whole):
            model = uncut
            if task.each_token:
                model = [output[source.kept_places(self.bundle.tokenizer, len(output), device.length)]
                         for output in model]
        return parity.compare(task, model, found)

    def _cut(self, device, cut):
        return {"rows": int(np.sum(cut)), "of": len(cut), "length": device.length, "trained_length": self.bundle.length}


def _unpadded(rows):
    """Return (token ids, segment ids) of each row of a batch."""
    parts = (rows[name] if name in rows else np.zeros_like(rows["token_ids"]) for name in NAMES)
    return [(ids[mask == 1].tolist(), segments[mask == 1].tolist()) for ids, segments, mask in zip(*parts, strict=True)]


def _weights(model, length):
    """Return how many weights a file of this length must hold: positions beyond it are left out."""
    sizes = {name: math.prod(variable.shape) for name, variable in variables(model).items()}
    config = model.encoder.config
    if not isinstance(config.positions, Absolute) or config.positions.pad_id is not None:
        return sum(sizes.values())
    return sum(sizes.values()) - (config.max_length - length) * (config.embedding_dim or config.hidden_dim)
