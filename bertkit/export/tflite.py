"""A bundle as a folder for the phone: model.tflite and what answers need, with the proof in its card."""

import dataclasses
from pathlib import Path

from bertkit.card import Card
from bertkit.data.columns import Columns
from bertkit.data.features import check_fit
from bertkit.data.frames import Data, optional_path
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.export import mask, parity, source
from bertkit.export.convert import convert
from bertkit.export.proof import length_for, proof
from bertkit.files.atomic import write_json
from bertkit.files.folders import new_folder
from bertkit.files.schema import Number, Whole, check_argument
from bertkit.ondevice.latency import latency
from bertkit.ondevice.runner import MODEL, load, write_facts
from bertkit.terminal import say

TIMED_TEXTS = 50
EXPERIMENTAL = "int8-full is experimental: every operation in integers, for chips without floating point."


def export_tflite(folder: str | Path, out: str | Path, precision: str = "int8", length: int | None = None,
                  dev: Data | None = None, max_drop: float = 1.0, columns: Columns = Columns(),
                  separator: str = "|", skip_bad_rows: bool = False) -> Card:
    """Write a fine-tuned bundle as a folder for a phone: a .tflite of a fixed length, and what answers need.

    The file takes token_ids, padding_mask and segment_ids, int32 [1, length], and gives what the task says (see
    `export.graph.answer`), for classes probabilities [1, C].

    Args:
        folder: The folder of the bundle.
        out: The folder to write; nothing is left there after an error.
        precision: float32, float16, dynamic (int8 weights, as the converter does it), int8 (by `quantize.RULES`) or
            int8-full (integers throughout, experimental; needs calibration rows).
        length: Tokens of a row; by default as many as 99 of 100 rows of `dev` need (see `proof.length_for`), or what
            the bundle was trained with.
        dev: A file of labelled rows, or rows in memory: the .tflite itself is scored on it, beside the bundle at the
            length that it was trained with.
        max_drop: Points of the main metric that it may lose there.
        columns: Names of the columns of `dev`.
        separator: What stands between the labels in a cell of `dev` where a text has several.
        skip_bad_rows: Whether to go on without rows of `dev` that cannot be used.

    Returns:
        The `Card` of what was written; its `parity` says how near the file is to the model.

    Raises:
        Error: When an option does not fit the bundle, the conversion fails, the file does not compute the model, or it
            surely loses more than `max_drop` (see `parity.verdict`).
    """
    if precision not in parity.LADDER:
        raise Error(f"precision={precision!r} is unknown; bertkit has {', '.join(parity.LADDER)}.")
    if Number(0).fault(max_drop):
        raise Error(f"max_drop={max_drop!r:.40} is no number of points; give 0 or more.")
    if length is not None:
        check_argument("length", length, Whole(1))
    with new_folder(out, "phone") as place:
        bundle = source.open_predictor(folder)
        path = optional_path(dev)
        labelled = None if path is None else read_labelled(bundle.task, path, columns, separator,
                                                           skip_bad_rows=skip_bad_rows)
        length = _length(bundle, labelled) if length is None else length
        check_fit(bundle.tokenizer, bundle.model.encoder.config, length)
        rows, masking = _masking(folder, bundle, precision, length)
        say(f"Converting to {precision} at {length} tokens, in a process of its own.")
        convert(folder, place / MODEL, precision, masking["masked_score"], rows)
        write_facts(place, bundle.tokenizer, bundle.task, length)
        whole = source.calibration_rows(folder, bundle.tokenizer, bundle.length) or rows
        found = proof(bundle, load(place), precision, rows, whole, labelled, max_drop)
        card = _card(folder, out, place, bundle, length, labelled,
                     {"precision": precision, "length": length, "mask": masking, "tensors": list(rows), **found})
        write_json(place / "card.json", card.to_json())
    say(card.parity["verdict"])
    return card


def _length(bundle, labelled):
    """Return the length that nobody gave: as the labelled rows ask, and said; without them the training length."""
    if not labelled:
        return bundle.length
    length = length_for(bundle, labelled.inputs)
    say(f"The file takes {length} tokens, as 99 of 100 rows of {Path(labelled.path).name} ask (the model was trained "
        f"at {bundle.length}); --length changes it.")
    return length


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
