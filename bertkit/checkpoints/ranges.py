"""The ranges that a bundle trained for integers keeps: which numbers its int8 file holds, without calibration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import read_json, write_json

FILE = "ranges.json"
PRECISIONS = ("int8-full", "int4-small")
ADVICE = "copy the bundle again, or make it again with `bertkit quantize`"
SHAPE = {"precision": schema.Choice(*PRECISIONS), "ranges": schema.Each(schema.Several(schema.Number(), 2))}


class Ranges(NamedTuple):
    """What a bundle was trained for.

    Args:
        precision: One of `PRECISIONS`.
        ends: {name of a place inside the encoder: (low, high)}, low ≤ 0 ≤ high; empty where the precision needs none.
    """

    precision: str
    ends: dict[str, tuple[float, float]]


def write_ranges(folder: str | Path, ranges: Ranges) -> None:
    """Write the ranges of a bundle.

    Args:
        folder: The folder of the bundle.
        ranges: The `Ranges`.
    """
    write_json(Path(folder) / FILE, {"precision": ranges.precision,
                                     "ranges": {name: list(ends) for name, ends in ranges.ends.items()}}, signed=True)


def read_ranges(folder: str | Path) -> Ranges | None:
    """Return the ranges of a bundle.

    Args:
        folder: The folder of the bundle.

    Returns:
        The `Ranges`; None where the bundle was not trained for integers.

    Raises:
        Error: When the file is damaged, or a range does not hold 0.
    """
    path = Path(folder) / FILE
    if not path.exists():
        return None
    values = read_json(path, SHAPE, signed=True, advice=ADVICE)
    for name, ends in values["ranges"].items():
        if len(ends) != 2 or not ends[0] <= 0 <= ends[1] or ends[0] == ends[1]:
            raise Error(f"{path}: the range of {name:.60} is {ends!r:.40}; wanted [low, high] with 0 between: "
                        f"{ADVICE}.")
    return Ranges(values["precision"], {name: (ends[0], ends[1]) for name, ends in values["ranges"].items()})


def check_places(ranges: Mapping[str, Any], places: Any, source: str | Path) -> None:
    """Check that ranges are those of a model's own places.

    Args:
        ranges: {name of a place: its range}.
        places: The names of the model's places.
        source: The bundle, for the message.

    Raises:
        Error: When one is missing, or belongs to no place.
    """
    missing, strange = sorted(set(places) - set(ranges)), sorted(set(ranges) - set(places))
    if missing or strange:
        what = f"no range of {missing[0]}" if missing else (
            f"a range of {strange[0]:.60}, which this model does not have")
        raise Error(f"{Path(source) / FILE} holds {what}; {ADVICE}.")
