"""The card: what a bundle or an export is and how good, in one JSON file that travels with it."""

import datetime
import json
import math
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata

from bertkit.errors import Error
from bertkit.version import VERSION

PACKAGES = ("tensorflow", "keras", "tensorflow-text", "numpy")


def _today():
    return datetime.date.today().isoformat()


def plain(value):
    """Return a value as JSON holds it: paths as text, tuples as lists, numbers that are none (nan) as null."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _scored(metric, value):
    """Return a metric's score with its interval, as a line for a person."""
    score, low, high = (value.get(name) for name in ("score", "low", "high"))
    if score is None or not math.isfinite(score):
        return f"{metric:<20} undefined"
    known = all(end is not None and math.isfinite(end) for end in (low, high))
    return f"{metric:<20} {score:.4f}" + (f"   (95 % interval {low:.4f} to {high:.4f})" if known else "")


def _versions():
    """Return the versions that made it; a package that is not installed is left out."""
    found = {"bertkit": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Card:
    """What it is, how it was made, how good it is; every number in it was measured.

    `scores` is {split: {metric: {"score", "low", "high"}, "rows": n}} with 95 % bootstrap intervals; `knobs` are the
    recipe's; `training` is what it measured besides; `data` says what the rows were; `inputs` what it takes. An export
    adds `parity` (score of the file, drop, agreement, drift), `bytes` and `latency` (milliseconds a text).
    """

    name: str
    task: str
    model: dict
    recipe: str = ""
    knobs: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)
    parity: dict = field(default_factory=dict)
    bytes: dict = field(default_factory=dict)
    latency: dict = field(default_factory=dict)
    notes: tuple = ()
    made: str = field(default_factory=_today)
    versions: dict = field(default_factory=_versions)

    def to_json(self):
        """Return the card as a JSON object, empty parts left out."""
        return {name: plain(value) for name, value in asdict(self).items()
                if value not in ({}, (), "") or name in ("name", "task", "model")}

    def text(self):
        """Return what a person wants to know first, as lines."""
        lines = [f"{self.name} ({self.task})"]
        for split, part in self.data.items():
            if isinstance(part, dict) and "rows" in part:
                left_out = f", {part['skipped']:,} left out" if part.get("skipped") else ""
                lines.append(f"{split:<8} {part['rows']:,} rows of {part.get('file')}{left_out}")
        for split, found in self.scores.items():
            lines += [f"{split:<8} {_scored(metric, value)}" for metric, value in found.items()
                      if isinstance(value, dict) and "score" in value]
        lines += [f"{name:<8} {size:,} bytes" for name, size in self.bytes.items()]
        return "\n".join([*lines, "How it was made and all that was measured stands in its card.json."])

    @classmethod
    def read(cls, path):
        """Return the card in a file; raises `Error` if there is none."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**values, "notes": tuple(values.get("notes", ()))})
        except FileNotFoundError:
            raise Error(f"{path} is missing; is this a bundle that bertkit wrote?") from None
        except (ValueError, TypeError) as error:
            raise Error(f"{path} is not a card ({error}); copy it again.") from None
