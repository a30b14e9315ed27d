"""The proof of an export: the file as shipped against the model as trained, on the same inputs."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.checkpoints.tensors import variables
from bertkit.data.features import NAMES
from bertkit.data.inputs import Labelled
from bertkit.export import parity, source
from bertkit.kinds import Absolute
from bertkit.ondevice.runner import DeviceModel
from bertkit.predictor import Predictor
from bertkit.terminal import say

STEP, SHARE = 8, 99     # a length that follows dev: a multiple of 8 that takes 99 of 100 rows whole


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


def proof(bundle: Predictor, device: DeviceModel, precision: str, rows: dict[str, np.ndarray],
          whole: dict[str, np.ndarray], labelled: Labelled | None, max_drop: float) -> dict[str, Any]:
    """Compare a file with the model as trained, on rows of ids and on labelled inputs.

    Args:
        bundle: The `Predictor` of the bundle.
        device: The file.
        precision: One of `parity.LADDER`.
        rows: Rows of ids as long as the file takes, {name: int32 [rows,T]}.
        whole: The same rows as long as those that the model was trained on, {name: int32 [rows,T]}.
        labelled: Labelled inputs, or None.
        max_drop: Points of the main metric that the file may lose.

    Returns:
        JSON values: "calibration" what `parity.compare` returns of the rows of ids, "dev" what `parity.score` returns
        and the name of the file of labelled inputs, "cut" how many rows the file cuts (see `parity.cut_rows`), and
        the "verdict".

    Raises:
        Error: When the file does not compute the model, or surely loses more than `max_drop`.
    """
    compared = _on_ids(bundle, device, precision, rows, whole)
    if not labelled:
        sizes = whole["padding_mask"].sum(axis=1)
        cut = _cut(bundle, device, sizes > device.length)
        return {"calibration": compared, "cut": cut, "verdict": parity.verdict(None, precision, max_drop)}
    name = Path(labelled.path).name
    say(f"Scoring the file and the model as trained on the {len(labelled)} rows of {name}.")
    sides = [_side(one, bundle.task, labelled.inputs) for one in (bundle, device)]
    scored = parity.score(bundle.task, labelled.targets, *sides)
    cut = _cut(bundle, device, bundle.task.cut(bundle.tokenizer, labelled.inputs, device.length))
    return {"calibration": compared, "dev": {"file": name, **scored}, "cut": cut,
            "verdict": parity.verdict(scored, precision, max_drop, cut)}


def _side(answering, task, inputs):
    """Return what the bundle or the file computes of inputs, packed at its own length."""
    packed = task.pack(answering.tokenizer, inputs, answering.length)
    return parity.Side(answering.outputs(packed.rows), packed)


def _on_ids(bundle, device, precision, rows, whole):
    """Return how far the file agrees with the model on rows of ids, of which the file reads what fits."""
    packed, uncut = _unpadded(rows), _unpadded(whole)
    found, model = device.outputs(packed), bundle.outputs(packed)
    size, weights = device.path.stat().st_size, _weights(bundle.model, device.length)
    parity.check_file(size, weights, precision, parity.compare(bundle.task, model, found))
    if any(len(ids) > device.length for ids, _ in uncut):
        model = bundle.outputs(uncut)
        if bundle.task.each_token:
            model = [output[source.kept_places(bundle.tokenizer, len(output), device.length)] for output in model]
    return parity.compare(bundle.task, model, found)


def _unpadded(rows):
    """Return (token ids, segment ids) of each row of a batch."""
    parts = (rows[name] if name in rows else np.zeros_like(rows["token_ids"]) for name in NAMES)
    return [(ids[mask == 1].tolist(), segments[mask == 1].tolist()) for ids, segments, mask in zip(*parts, strict=True)]


def _cut(bundle, device, cut):
    found = {"rows": int(np.sum(cut)), "of": len(cut), "length": device.length, "trained_length": bundle.length}
    say(parity.cut_rows(found))
    return found


def _weights(model, length):
    """Return how many weights a file of this length must hold: positions beyond it are left out."""
    sizes = {name: math.prod(variable.shape) for name, variable in variables(model).items()}
    config = model.encoder.config
    if not isinstance(config.positions, Absolute) or config.positions.pad_id is not None:
        return sum(sizes.values())
    return sum(sizes.values()) - (config.max_length - length) * (config.embedding_dim or config.hidden_dim)
