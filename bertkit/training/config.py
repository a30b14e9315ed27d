"""The knobs that seldom change, each with its source: one frozen value, set by `--set name=value`."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import SETTINGS, read_json
from bertkit.files.schema import Each, Number

# What each number may be, where it is given.
RANGES = {"weight_decay": (0, 1), "warmup": (0, 1), "clip_norm": (0, 1e6), "calibration": (0, 500),
          "log_every": (1, 1e6), "accumulate": (1, 1e4), "layer_decay": (1e-3, 1), "frozen_layers": (0, 1e3),
          "unfreeze": (0, 1e3), "l2_sp": (0, 1e3), "r_drop": (0, 1e3), "label_smoothing": (0, 0.99), "lora": (0, 1e3),
          "lora_alpha": (1e-3, 1e4), "risk": (0, 0.99), "coverage": (0.01, 0.999), "profile": (0, 1e4)}


@dataclass(frozen=True)
class TrainConfig:
    """How a model is fine-tuned, beyond a recipe's own knobs.

    weight_decay    λ of AdamW on matrices and tables (Devlin et al. 2018, appendix A.2: 0.01)
    warmup          share of the steps in which the rate rises (same: 10 %)
    clip_norm       global norm that gradients are cut to; 0 never cuts (google-research/bert: 1.0)
    accumulate      batches that make one update, as one large batch would; warm-up and decay count updates
    layer_decay     factor on the rate for each layer below the head, such as 0.8; 1 = none (Clark et al. 2020)
    frozen_layers   lowest blocks that stay as they are, with the embeddings; 0 = embeddings alone; none = nothing
    unfreeze        blocks that join in after each epoch, from the top; 0 = all at once (Howard and Ruder 2018: 1)
    l2_sp           α of L2-SP, which draws weights to where they began, in place of decay (Li et al. 2018: 0.001 to 1)
    r_drop          α of the distance between two passes of a row, at twice the work (Liang et al. 2021: 0.1 to 5)
    label_smoothing share of each label that all classes get, such as 0.1 (Szegedy et al. 2016, section 7)
    class_weights   "balanced": rare classes count more, n / (C · n_c) (King and Zeng 2001); none = all alike
    lora            rank of the matrices that are trained in place of queries and values; 0 = none (Hu et al. 2021: 8)
    lora_alpha      α of LoRA: its product counts α / rank (Hu et al. 2021, appendix D: 8)
    metric          which of the task's metrics chooses the epoch on dev, such as matthews; none = its first
    threshold       metric by which a threshold of two classes or several labels is chosen on dev; none = 0.5
    temperature     of a classifier: divide logits by the number with the least log loss on dev (Guo et al. 2017)
    risk            of a classifier: answers say `abstain` where more than this share of the others would be wrong
    coverage        of a classifier: answers hold a `set` of classes, the right one in this share (Sadinle et al. 2019)
    familiarity     of a classifier: answers say how like the training texts a text is (Lee et al. 2018)
    patience        epochs without a better dev score before stopping; none = all epochs
    precision       "float32", or "bfloat16": products in bfloat16, sums and weights in float32
    separator       what parts the labels in a cell, such as "|", for multi-label data in TSV or CSV
    skip_bad_rows   go on without rows that cannot be used, and say how many
    calibration     training rows (their ids) the bundle keeps for int8 export, at most 500; 0 keeps none
    log_every       steps between two points in TensorBoard
    profile         steps that TensorFlow's profiler traces, from the sixth, for TensorBoard; 0 = none
    texts           false keeps the texts of the data out of report, card and TensorBoard, as --no-texts does

    >>> TrainConfig().but({"patience": "2"}).patience
    2
    """

    weight_decay: float = 0.01
    warmup: float = 0.1
    clip_norm: float = 1.0
    accumulate: int = 1
    layer_decay: float = 1.0
    frozen_layers: int | None = None
    unfreeze: int = 0
    l2_sp: float = 0.0
    r_drop: float = 0.0
    label_smoothing: float = 0.0
    class_weights: str | None = None
    lora: int = 0
    lora_alpha: float = 8.0
    metric: str | None = None
    threshold: str | None = None
    temperature: bool = False
    risk: float | None = None
    coverage: float | None = None
    familiarity: bool = False
    patience: int | None = None
    precision: str = "float32"
    separator: str | None = None
    skip_bad_rows: bool = False
    calibration: int = 500
    log_every: int = 20
    profile: int = 0
    texts: bool = True

    def __post_init__(self):
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise Error(f"{name}={value} lies outside {low:g} to {high:g}.")
        if self.class_weights not in (None, "balanced"):
            raise Error(f"class_weights={self.class_weights!r} is unknown; give balanced or none.")
        if self.lora and (self.frozen_layers is not None or self.l2_sp):
            raise Error("lora leaves all weights of the encoder as they are, so frozen_layers and l2_sp have nothing "
                        "to do beside it; give the one or the other.")
        if self.patience is not None and self.patience < 1:
            raise Error(f"patience={self.patience} stops before anything is tried; give 1 or more, or none.")
        if self.separator == "":
            raise Error("separator is empty; give what parts the labels, such as \"|\", or none.")
        if self.precision not in ("float32", "bfloat16"):
            raise Error(f"precision={self.precision!r} is unknown; give float32 or bfloat16.")

    def but(self, settings: dict[str, Any]) -> "TrainConfig":
        """Return a copy with other values.

        Args:
            settings: {name of a knob: its value, or the text of it}.

        Returns:
            The copy.

        Raises:
            Error: When there is no such knob, or a value does not fit it.
        """
        fields = {field.name: field.type for field in dataclasses.fields(self)}
        changes = {}
        for name, value in settings.items():
            if name not in fields:
                raise Error(f"There is no tuning knob {name!r}; there are {', '.join(fields)}.")
            changes[name] = _parsed(name, value, fields[name])
        return dataclasses.replace(self, **changes)

    @property
    def copies(self) -> int:
        """How often a batch holds each of its rows: twice where R-Drop compares two passes of it."""
        return 2 if self.r_drop else 1

    @property
    def reading_options(self) -> dict[str, Any]:
        """The knobs that `read_labelled` takes: how labelled rows are read."""
        return {"separator": self.separator, "skip_bad_rows": self.skip_bad_rows, "texts": self.texts}

    @classmethod
    def read(cls, path: str | Path) -> "TrainConfig":
        """Return the `TrainConfig` that a JSON file describes.

        Args:
            path: A file that holds an object {name of a knob: its value}.

        Returns:
            The `TrainConfig`; knobs that the file does not name have their defaults.

        Raises:
            Error: When the file is no such object, or a value does not fit its knob.
        """
        shape = Each((str, bool, Number(), None))
        values = read_json(path, shape, SETTINGS, advice="give a JSON object of tuning knobs")
        try:
            return cls().but(values)
        except Error as error:
            raise Error(f"{path}: {error}") from None


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
        return kind(value if kind is not int else str(value))          # int(2.7) is 2
    except (TypeError, ValueError):
        raise Error(f"{name}={value!r} is no {kind.__name__}.") from None
