"""A bundle as a folder for the phone: model.tflite and what answers need, with the proof in its card."""

import dataclasses
import math
from pathlib import Path

import numpy as np

from bertkit.card import Card
from bertkit.checkpoints.tensors import variables
from bertkit.data.columns import Columns
from bertkit.data.features import NAMES, check_fit
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.export import mask, parity, source
from bertkit.export.convert import convert
from bertkit.files.atomic import write_json
from bertkit.files.folders import new_folder
from bertkit.kinds import Absolute
from bertkit.ondevice.latency import latency
from bertkit.ondevice.runner import MODEL, load, write_facts
from bertkit.terminal import say

TIMED_TEXTS = 50
EXPERIMENTAL = "int8-full is experimental: every operation in integers, for chips without floating point."


def export_tflite(folder: str | Path, out: str | Path, precision: str = "int8", length: int | None = None,
                  dev: str | Path | None = None, max_drop: float = 1.0, columns: Columns = Columns(),
                  separator: str = "|", skip_bad_rows: bool = False) -> Card:
    """Write a fine-tuned bundle as a folder for a phone: a .tflite of a fixed length, and what answers need.

    The file takes token_ids, padding_mask and segment_ids, int32 [1, length], and gives what the task says (see
    `export.graph.answer`), for classes probabilities [1, C].

    Args:
        folder: The folder of the bundle.
        out: The folder to write; nothing is left there after an error.
        precision: float32, float16, dynamic (int8 weights, as the converter does it), int8 (by `quantize.RULES`) or
            int8-full (integers throughout, experimental; needs calibration rows).
        length: Tokens of a row, by default what the bundle was trained with.
        dev: A file of labelled rows: the .tflite itself is scored on it.
        max_drop: Points of the main metric that it may lose there.
        columns: Names of columns of `dev`.
        separator: What stands between the labels in a cell of `dev`, for several labels a row.
        skip_bad_rows: Leave rows of `dev` out that cannot be used.

    Returns:
        The `Card` of what was written; its `parity` says how near the file is to the model.

    Raises:
        Error: When an option does not fit the bundle, the conversion fails, the file does not compute the model, or it
            surely loses more than `max_drop` (see `parity.verdict`).
    """
    if precision not in parity.LADDER:
        raise Error(f"precision={precision!r} is unknown; bertkit has {', '.join(parity.LADDER)}.")
    if not (math.isfinite(max_drop) and max_drop >= 0):
        raise Error(f"max_drop={max_drop} is no number of points; give 0 or more.")
    with new_folder(out, "phone") as place:
        bundle = source.open_predictor(folder)
        length = bundle.length if length is None else length
        check_fit(bundle.tokenizer, bundle.model.encoder.config, length)
        labelled = dev and read_labelled(bundle.task, dev, columns, separator, skip_bad_rows=skip_bad_rows)
        rows, masking = _masking(folder, bundle, precision, length)
        say(f"Converting to {precision} at {length} tokens, in a process of its own.")
        convert(folder, place / MODEL, precision, masking["masked_score"], rows)
        write_facts(place, bundle.tokenizer, bundle.task, length)
        proof = _proof(bundle, place, precision, rows, labelled, max_drop)
        card = _card(folder, out, place, bundle, length, labelled,
                     {"precision": precision, "length": length, "mask": masking, "tensors": list(rows), **proof})
        write_json(place / "card.json", card.to_json())
    say(card.parity["verdict"])
    return card


def _masking(folder, bundle, precision, length):
    """Return rows to calibrate and compare on, and the masked score with what it was seen to do there."""
    rows = source.calibration_rows(folder, bundle.tokenizer, length)
    if rows is None and precision == "int8-full":
        raise Error("int8-full needs calibration rows, and the bundle keeps none; train it without "
                    "--set calibration=0, or take --precision int8.")
    if rows is None:
        rows = source.random_rows(bundle.tokenizer, length)
        return _inputs(bundle, rows), {"masked_score": mask.FLOAT, "rows": 0}
    say("Looking at the attention scores of the calibration rows.")
    constant = mask.integer_masked_score(bundle.model, rows) if precision == "int8-full" else mask.FLOAT
    return _inputs(bundle, rows), mask.measure_masking(bundle.model, rows, constant)


def _inputs(bundle, rows):
    """Return the entries that the file will take: a family without segments has no segment_ids."""
    return {name: values for name, values in rows.items()
            if name != "segment_ids" or bundle.model.encoder.config.reads_segments}


def _proof(bundle, place, precision, rows, labelled, max_drop):
    """Return the parity part of the card: the file against the model, on ids and on labelled inputs."""
    device = load(place)
    packed = [(ids[mask == 1].tolist(), segments[mask == 1].tolist()) for ids, segments, mask in zip(
        *(rows[name] if name in rows else np.zeros_like(rows["token_ids"]) for name in NAMES), strict=True)]
    compared = parity.compare(bundle.task, bundle.outputs(packed), device.outputs(packed))
    parity.check_file(device.path.stat().st_size, _weights(bundle.model, device.length), precision, compared)
    if not labelled:
        return {"calibration": compared, "verdict": parity.verdict(None, precision, max_drop)}
    name = Path(labelled.path).name
    say(f"Scoring the file on the {len(labelled)} rows of {name}.")
    packed = bundle.task.pack(bundle.tokenizer, labelled.inputs, device.length)
    outputs = (side.outputs(packed.rows) for side in (bundle, device))
    scored = parity.score(bundle.task, packed, labelled.targets, *outputs)
    return {"calibration": compared, "dev": {"file": name, **scored},
            "verdict": parity.verdict(scored, precision, max_drop)}


def _weights(model, length):
    """Return how many weights a file of this length must hold: positions beyond it are left out."""
    sizes = {name: math.prod(variable.shape) for name, variable in variables(model).items()}
    config = model.encoder.config
    if not isinstance(config.positions, Absolute) or config.positions.pad_id is not None:
        return sum(sizes.values())
    return sum(sizes.values()) - (config.max_length - length) * (config.embedding_dim or config.hidden_dim)


def _card(folder, out, place, bundle, length, labelled, proof):
    """Return the bundle's card with what was measured on the file."""
    inputs = labelled.inputs if labelled else source.probes(bundle.task)
    taken = latency(place, inputs[:TIMED_TEXTS])
    tensors = dict.fromkeys(proof.pop("tensors"), f"int32 [1, {length}]")
    card = Card.read(Path(folder) / "card.json")
    notes = (EXPERIMENTAL,) if proof["precision"] == "int8-full" else ()
    return dataclasses.replace(
        card, name=Path(out).name, parity=proof, latency={"unit": "ms, median", **taken},
        inputs={"reads": list(bundle.task.reads), **tensors},
        bytes={path.name: path.stat().st_size for path in sorted(place.iterdir())}, notes=card.notes + notes)
