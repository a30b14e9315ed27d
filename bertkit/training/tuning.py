"""The knobs that seldom change, each with its source: one frozen value, set by `--set name=value`."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from bertkit.errors import Error


@dataclass(frozen=True)
class Tuning:
    """How a model is fine-tuned, beyond a recipe's own knobs.

    weight_decay    λ of AdamW on matrices and tables (Devlin et al. 2018, appendix A.2: 0.01)
    warmup          share of the steps in which the rate rises (same: 10 %)
    clip_norm       global norm that gradients are cut to; 0 never cuts (google-research/bert: 1.0)
    patience        epochs without a better dev score before stopping; none = all epochs
    precision       "float32", or "bfloat16": products in bfloat16, sums and weights in float32
    separator       what parts the labels in a cell, such as "|", for multi-label data in TSV or CSV
    skip_bad_rows   go on without rows that cannot be used, and say how many
    calibration     training rows (their ids) the bundle keeps for int8 export, at most 500; 0 keeps none
    log_every       steps between two points in TensorBoard

    >>> Tuning().but({"patience": "2"}).patience
    2
    """

    weight_decay: float = 0.01
    warmup: float = 0.1
    clip_norm: float = 1.0
    patience: int | None = None
    precision: str = "float32"
    separator: str | None = None
    skip_bad_rows: bool = False
    calibration: int = 500
    log_every: int = 20

    def __post_init__(self):
        for name, low, high in (("weight_decay", 0, 1), ("warmup", 0, 1), ("clip_norm", 0, 1e6),
                                ("calibration", 0, 500), ("log_every", 1, 1e6)):
            if not low <= getattr(self, name) <= high:
                raise Error(f"{name}={getattr(self, name)} lies outside {low} to {high:g}.")
        if self.patience is not None and self.patience < 1:
            raise Error(f"patience={self.patience} stops before anything is tried; give 1 or more, or none.")
        if self.separator == "":
            raise Error("separator is empty; give what parts the labels, such as \"|\", or none.")
        if self.precision not in ("float32", "bfloat16"):
            raise Error(f"precision={self.precision!r} is unknown; give float32 or bfloat16.")

    def but(self, settings):
        """Return a copy with `settings`, {name: text or value}; raises `Error` on what does not fit."""
        fields = {field.name: field.type for field in dataclasses.fields(self)}
        changes = {}
        for name, value in settings.items():
            if name not in fields:
                raise Error(f"There is no tuning knob {name!r}; there are {', '.join(fields)}.")
            changes[name] = _parsed(name, value, fields[name])
        return dataclasses.replace(self, **changes)

    @property
    def reading(self):
        """The knobs of `read_examples` among them."""
        return {"separator": self.separator, "skip_bad_rows": self.skip_bad_rows}

    @classmethod
    def read(cls, path):
        """Return the Tuning that a JSON file of {name: value} describes."""
        try:
            return cls().but(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError, AttributeError) as error:
            raise Error(f"{path} is not a JSON object of tuning knobs ({error}).") from None


def _parsed(name, value, kind):
    if value is None or isinstance(value, str) and value.lower() == "none":
        if type(None) not in getattr(kind, "__args__", ()):
            raise Error(f"{name} cannot be none.")
        return None
    kind = next(part for part in getattr(kind, "__args__", (kind,)) if part is not type(None))
    if kind is bool:
        if str(value).lower() not in ("true", "false"):
            raise Error(f"{name}={value!r} is neither true nor false.")
        return str(value).lower() == "true"
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise Error(f"{name}={value!r} is no {kind.__name__}.") from None
