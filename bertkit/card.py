"""The card: what a bundle or an export is and how good it is, in one JSON file beside it."""

import datetime
import math
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import read_json
from bertkit.version import VERSION

PACKAGES = ("tensorflow", "keras", "tensorflow-text", "numpy")
_SCORE = {name: schema.Maybe((schema.Number(), None)) for name in ("score", "low", "high")}
_SHOWN = {"scores": schema.Maybe(schema.Each((schema.Each((_SCORE, *schema.ANY[1:])), *schema.ANY[1:]))),
          "data": schema.Maybe(schema.Each(({name: schema.Maybe(schema.Whole()) for name in ("rows", "skipped")},
                                            *schema.ANY[1:]))),
          "bytes": schema.Maybe(schema.Each(schema.Whole()))}


def _today():
    return datetime.date.today().isoformat()


def json_value(value: Any) -> Any:
    """Return a value as JSON holds it.

    Args:
        value: a value, or a dict or list of values.

    Returns:
        The value with paths as text, tuples as lists, and nan and infinity as None.

    Example:
        >>> json_value({"path": Path("films"), "score": float("nan"), "labels": ("no", "yes")})
        {'path': 'films', 'score': None, 'labels': ['no', 'yes']}
    """
    if isinstance(value, dict):
        return {name: json_value(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _scored(metric, value):
    """Return a metric's score with its interval, as a line for a person."""
    score, low, high = (value.get(name) for name in ("score", "low", "high"))
    metric = f"{metric} of {value['positive']}" if value.get("positive") else metric
    if score is None or not math.isfinite(score):
        return f"{metric:<20} undefined"
    known = all(end is not None and math.isfinite(end) for end in (low, high))
    return f"{metric:<20} {score:.4f}" + (f"   (95 % interval {low:.4f} to {high:.4f})" if known else "")


def _versions():
    """Return the versions of Python and of packages; a package that is not installed is left out."""
    versions = {"bertkit": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True)
class Card:
    """The card says what a model is, how it was made and how good it is; every number in it was measured.

    Args:
        name: name of the model.
        task: name of the task.
        model: dict that says what the model is.
        recipe: name of the recipe that made it.
        knobs: settings of the recipe.
        data: what the rows of each split were.
        inputs: what the model takes.
        scores: dict {split: {metric: {"score", "low", "high"}, "rows": number}}, with 95 % bootstrap intervals.
        training: what the recipe measured in training.
        parity: of an export: the score of the file, its drop, agreement and drift.
        bytes: of an export: the size of each file, in bytes.
        latency: of an export: milliseconds for one text.
        operations: of a SavedModel: {library: operations of it that a server must have}.
        ladder: of an export: what each precision that was made costs and keeps (see `export.ladder.entry`).
        notes: remarks.
        made: date, as in "2025-01-31".
        versions: dict {package: version}.

    Example:
        >>> card = Card("films", "classify", model={}, scores={"dev": {"accuracy": {"score": 0.9}, "rows": 200}})
        >>> card.scores["dev"]["accuracy"]["score"], sorted(card.to_json())
        (0.9, ['made', 'model', 'name', 'scores', 'task', 'versions'])
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
    operations: dict = field(default_factory=dict)
    ladder: tuple = ()
    notes: tuple = ()
    made: str = field(default_factory=_today)
    versions: dict = field(default_factory=_versions)

    def to_json(self) -> dict[str, Any]:
        """Return the card as a JSON object.

        Returns:
            {field: value}, without the empty fields.
        """
        return {name: json_value(value) for name, value in asdict(self).items()
                if value not in ({}, (), [], "") or name in ("name", "task", "model")}

    def text(self) -> str:
        """Return the most important entries for a person to read.

        Returns:
            Lines, without a line end after the last.
        """
        lines = [f"{self.name} ({self.task})"]
        for split, part in self.data.items():
            if isinstance(part, dict) and "rows" in part:
                left_out = f", {part['skipped']:,} left out" if part.get("skipped") else ""
                lines.append(f"{split:<8} {part['rows']:,} rows of {part.get('file')}{left_out}")
        owner = "the model, " if self.parity else ""
        for split, metrics in self.scores.items():
            if not isinstance(metrics, dict):
                continue
            lines += [f"{owner + split:<8} {_scored(metric, value)}" for metric, value in metrics.items()
                      if isinstance(value, dict) and "score" in value]
        lines += self._of_file()
        lines += [f"{name:<8} {size:,} bytes" for name, size in self.bytes.items()]
        return "\n".join([*lines, "Its card.json says how it was made and all that was measured."])

    def _of_file(self):
        """Return the lines of an exported file: its own score, and how many rows it cuts."""
        dev, cut = self.parity.get("dev"), self.parity.get("cut")
        lines = [f"the file, {dev['file']} {_scored(dev['metric'], dev)}"] if dev else []
        return lines + ([f"cut      {cut['rows']:,} of {cut['of']:,} rows, at {cut['length']} tokens"] if cut else [])

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read the card in a file.

        Args:
            path: the card.json.

        Returns:
            A `Card`.

        Raises:
            Error: when the file is missing or is no card.
        """
        if not Path(path).exists():
            raise Error(f"{path} is missing; is this a bundle that bertkit wrote?")
        values = read_json(path, schema.arguments(cls))
        schema.check(values, _SHOWN, path)
        return cls(**{**values, **{name: tuple(values.get(name, ())) for name in ("notes", "ladder")}})
