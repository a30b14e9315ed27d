"""A bundle as a folder for the phone: model.tflite and what answers need, with the proof in its card."""

from collections.abc import Sequence
from pathlib import Path

from bertkit.card import Card
from bertkit.data.columns import Columns
from bertkit.data.features import check_fit
from bertkit.data.frames import Data, optional_path
from bertkit.data.labelled import read_labelled
from bertkit.errors import Error
from bertkit.export import ladder, parity, source
from bertkit.export.candidates import AUTO, Export
from bertkit.export.proof import length_for
from bertkit.files.atomic import write_json
from bertkit.files.folders import new_folder
from bertkit.files.schema import Number, Whole, check_argument
from bertkit.terminal import say


def export_tflite(folder: str | Path, out: str | Path, precision: str = "int8", length: int | None = None,
                  dev: Data | None = None, max_drop: float = 1.0, columns: Columns = Columns(),
                  separator: str = "|", skip_bad_rows: bool = False, lengths: str | Sequence[int] | None = None,
                  prefer: str = "size") -> Card:
    """Write a fine-tuned bundle as a folder for a phone: a .tflite, and what answers need.

    The file takes token_ids, padding_mask and segment_ids, int32 [1, length], and gives what the task says (see
    `export.graph.answer`), for classes probabilities [1, C]. With several lengths it has a signature for each,
    "length_32", which share the weights.

    Args:
        folder: The folder of the bundle.
        out: The folder to write; nothing is left there after an error.
        precision: One of `parity.LADDER`: float32, float16, dynamic (int8 weights, as the converter does it), int8,
            int4, int4-small, int8-static (by `quantize.RULES`) or int8-full (integers throughout, experimental; the
            last two need calibration rows); or "auto": each but int8-full is made, and the best that keeps the answers
            is taken.
        length: Tokens of a row; by default as many as 99 of 100 rows of `dev` need (see `proof.length_for`), or what
            the bundle was trained with.
        dev: A file of labelled rows, or rows in memory: the .tflite itself is scored on it, beside the bundle at the
            length that it was trained with.
        max_drop: Points of the main metric that it may lose there.
        columns: Names of the columns of `dev`.
        separator: What stands between the labels in a cell of `dev` where a text has several.
        skip_bad_rows: Whether to go on without rows of `dev` that cannot be used.
        lengths: Several lengths in one file, such as "32,64,128" or (32, 64, 128), in place of `length`.
        prefer: What "auto" takes among the precisions that keep the answers: "size", the smallest file, or "speed".

    Returns:
        The `Card` of what was written; its `parity` says how near the file is to the model, its `ladder` what each
        precision that was made costs and keeps.

    Raises:
        Error: When an option does not fit the bundle, the conversion fails, the file does not compute the model, or it
            surely loses more than `max_drop` (see `parity.verdict`).
    """
    if precision not in (*parity.LADDER, AUTO):
        raise Error(f"precision={precision!r:.40} is unknown; bertkit has {', '.join((*parity.LADDER, AUTO))}.")
    if prefer not in ladder.PREFER:
        raise Error(f"prefer={prefer!r:.40} is unknown; give size or speed.")
    if Number(0).fault(max_drop):
        raise Error(f"max_drop={max_drop!r:.40} is no number of points; give 0 or more.")
    wanted = _wanted_lengths(length, lengths)
    with new_folder(out, "phone") as place:
        bundle = source.open_predictor(folder)
        if bundle.familiarity is not None:
            say("The file gives no `familiarity`, which `bertkit predict` of the bundle and a SavedModel of it give.")
        path = optional_path(dev)
        labelled = None if path is None else read_labelled(bundle.task, path, columns, separator,
                                                           skip_bad_rows=skip_bad_rows)
        wanted = wanted or [_length(bundle, labelled)]
        for one in wanted:
            check_fit(bundle.tokenizer, bundle.model.encoder.config, one)
        card = Export(folder, place, bundle, labelled, wanted).run(Path(out).name, precision, max_drop, prefer)
        write_json(place / "card.json", card.to_json())
    say(card.parity["verdict"])
    return card


def _wanted_lengths(length, lengths):
    """Return the lengths that were asked for, in order, or an empty list."""
    if lengths is None:
        if length is not None:
            check_argument("length", length, Whole(1))
        return [] if length is None else [length]
    if length is not None:
        raise Error("length and lengths say the same thing twice; give one of them.")
    parts = lengths.split(",") if isinstance(lengths, str) else list(lengths)
    try:
        return sorted({int(part) for part in parts})
    except (TypeError, ValueError):
        raise Error(f"lengths={lengths!r} are no numbers of tokens; give them as 32,64,128.") from None


def _length(bundle, labelled):
    """Return the length that nobody gave: as the labelled rows ask, and said; without them the training length."""
    if not labelled:
        return bundle.length
    length = length_for(bundle, labelled.inputs)
    say(f"The file takes {length} tokens, as 99 of 100 rows of {Path(labelled.path).name} ask (the model was trained "
        f"at {bundle.length}); --length changes it.")
    return length
