"""The configuration of an encoder: one frozen value for each paper, whose hard axes are kinds (see `bertkit.kinds`)."""

import dataclasses
import json
import math
from dataclasses import dataclass, fields
from typing import Any

from bertkit import kinds
from bertkit.errors import Error
from bertkit.kinds.values import check, from_json, to_json

ACTIVATIONS = ("gelu_erf", "gelu_tanh", "quick_gelu", "relu", "silu", "tanh", "mish", "linear")

# bertkit works on a config block by block, so a damaged file must not name a number of blocks that never ends.
MOST_LAYERS = 10_000

# The kinds that each axis can hold; `type(None)` where a paper has nothing there.
AXES: dict[str, tuple[type, ...]] = {
    "attention": (kinds.Full, kinds.Window, kinds.Sparse, kinds.Relative, kinds.Rotary, kinds.Grouped,
                  kinds.Bucketed, kinds.Disentangled, kinds.Local, kinds.Hash),
    "positions": (kinds.Absolute, kinds.Axial, type(None)),
    "inputs": (kinds.Summed, kinds.Trigram, kinds.Bare),
    "block": (kinds.PostNorm, kinds.GatedPost, kinds.PreNorm, kinds.RootPreNorm, kinds.Bottleneck, kinds.Reversible,
              kinds.TwoStream),
    "shared": (kinds.Shared, type(None)),
    "pooler": (kinds.Tanh, kinds.First, type(None)),
}


def register_kind(kind: type, axis: str = "attention") -> type:
    """Let an axis of `EncoderConfig` hold a kind of your own.

    Args:
        kind: A frozen dataclass; its name is what `to_json` writes.
        axis: "attention", "positions", "inputs", "block", "shared" or "pooler".

    Returns:
        The kind.

    Raises:
        Error: If there is no such axis, or another kind has this name.
    """
    if axis not in AXES:
        raise Error(f"An EncoderConfig has no axis {axis!r}; it has {', '.join(AXES)}.")
    name = kind.__name__
    if kinds.KINDS.setdefault(name, kind) is not kind:
        raise Error(f"There is a kind {name} already, {kinds.KINDS[name].__module__}.{name}; give yours another name.")
    AXES[axis] = tuple(dict.fromkeys((*AXES[axis], kind)))
    return kind


@dataclass(frozen=True)
class EncoderConfig:
    """An encoder configuration determines everything in the mathematics of an encoder.

    The names are those of keras-nlp.

    Args:
        vocabulary_size: number of tokens in the vocabulary.
        num_layers: number of blocks that a token passes.
        num_heads: number N of attention heads.
        hidden_dim: number D of features of a token.
        intermediate_dim: number of features inside the feed-forward network.
        max_sequence_length: number of rows of the table of positions.
        num_segments: number of segments; 0 for an encoder without them.
        embedding_dim: width E of the token table where it is projected to D; None where it is D.
        head_size: width H of a head; None where it is D / N.
        activation: name of the activation of the feed-forward network, one of `ACTIVATIONS`.
        dropout: rate of dropout, a probability in [0, 1).
        attention_dropout: rate of dropout of the attention probabilities, in [0, 1).
        layer_norm_epsilon: ε of LayerNorm, above 0.
        initializer_range: standard deviation of the initial weights, above 0.
        qkv_bias: whether query, key and value have biases.
        family: name of the page of `bertkit.family` that has the names of its checkpoints.
        attention: kind of the attention of all blocks, or a tuple of kinds that repeats over depth.
        positions: kind of the positions, or None.
        inputs: kind of what enters the first block.
        block: kind of a block.
        shared: kind that says which blocks share their weights, or None.
        pooler: kind of the vector of a whole text, or None.

    Raises:
        Error: when the values do not fit together.

    Example:
        >>> small = EncoderConfig(vocabulary_size=100, num_layers=2, num_heads=2, hidden_dim=8,
        ...                       intermediate_dim=32)
        >>> small.but(num_layers=4).num_layers
        4
    """

    vocabulary_size: int
    num_layers: int
    num_heads: int
    hidden_dim: int
    intermediate_dim: int
    max_sequence_length: int = 512
    num_segments: int = 2
    embedding_dim: int | None = None
    head_size: int | None = None
    activation: str = "gelu_erf"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-12
    initializer_range: float = 0.02
    qkv_bias: bool = True
    family: str = "bert"
    attention: Any = kinds.Full()
    positions: Any = kinds.Absolute()
    inputs: Any = kinds.Summed()
    block: Any = kinds.PostNorm()
    shared: Any = None
    pooler: Any = kinds.Tanh()

    def __post_init__(self) -> None:
        _check_sizes(self)
        _check_rates(self)
        _check_kinds(self)
        if self.activation not in ACTIVATIONS:
            raise Error(f"activation={self.activation!r} is unknown; bertkit has "
                        f"{', '.join(ACTIVATIONS)}.")
        if self.head_size is None and self.block_dim % self.num_heads:
            name = "hidden_dim" if self.block_dim == self.hidden_dim else "block.width"
            raise Error(f"{name}={self.block_dim} is not "
                        f"a multiple of num_heads={self.num_heads}; {_multiples(self.block_dim, self.num_heads)} are.")

    @property
    def head_dim(self) -> int:
        """The features of one head: H = D / N (of a bottleneck, its width / N) unless `head_size` says otherwise."""
        return self.head_size or self.block_dim // self.num_heads

    @property
    def block_dim(self) -> int:
        """The features of a token inside a block: D, or the width of a bottleneck."""
        return getattr(self.block, "width", None) or self.hidden_dim

    @property
    def output_dim(self) -> int:
        """The features of a token after the last block: D, or 2D where two streams are joined."""
        return self.hidden_dim * (2 if isinstance(self.block, kinds.Reversible) else 1)

    @property
    def norm_bias(self) -> bool:
        """Whether LayerNorms shift as well as scale."""
        return getattr(self.block, "norm_bias", True)

    @property
    def max_length(self) -> int | None:
        """The largest number of tokens of a row that have positions; None where any number has."""
        if self.positions is None:
            return None
        if isinstance(self.positions, kinds.Axial):
            return math.prod(self.positions.shape)
        first = 0 if self.positions.pad_id is None else self.positions.pad_id + 1
        return self.max_sequence_length - first

    @property
    def reads_segments(self) -> bool:
        """Whether "segment_ids" change the result: there is a table of segments, or attention compares them."""
        return self.num_segments > 0 or isinstance(self.block, kinds.TwoStream)

    def attention_of(self, layer: int) -> Any:
        """Return the attention kind of a block.

        Args:
            layer: number of the block, from 0.

        Returns:
            A kind, such as `Full()`.
        """
        cycle = self.attention if isinstance(self.attention, tuple) else (self.attention,)
        return cycle[layer % len(cycle)]

    def but(self, **changes: Any) -> "EncoderConfig":
        """Return a copy that differs only in some fields.

        Args:
            **changes: fields with their new values.

        Returns:
            An `EncoderConfig`.

        Raises:
            Error: when there is no such field, or the new values do not fit together.
        """
        if unknown := sorted(set(changes) - {field.name for field in fields(self)}):
            raise Error(f"An EncoderConfig has no field {', '.join(unknown)}; it has "
                        f"{', '.join(field.name for field in fields(self))}.")
        return dataclasses.replace(self, **changes)

    @classmethod
    def of(cls, config: "EncoderConfig | dict[str, Any]") -> "EncoderConfig":
        """Return a configuration as it is, or make it from the values of `to_json`.

        Args:
            config: an `EncoderConfig`, or a dict of its fields as JSON values.

        Returns:
            An `EncoderConfig`.

        Raises:
            Error: when `config` is something else, or a field of the dict is unknown, missing or wrong.
        """
        return config if isinstance(config, cls) else cls.from_json(config)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, which `from_json` reads.

        Returns:
            {field: value}; a kind becomes {"kind": its name, and its own fields}.
        """
        return {field.name: to_json(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, values: Any) -> "EncoderConfig":
        """Make a configuration from the values of `to_json`.

        Args:
            values: dict of the fields as JSON values.

        Returns:
            An `EncoderConfig`.

        Raises:
            Error: when a field is unknown, missing or wrong.
        """
        if not isinstance(values, dict):
            raise Error(f"The config is a {type(values).__name__}; wanted the object that to_json gives.")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise Error(f"The config holds {', '.join(unknown)}, which this version of bertkit does "
                        "not know; it was written by another version.")
        try:
            return cls(**{name: from_json(value) for name, value in values.items()})
        except TypeError as error:
            raise Error(f"The config is not complete: {error}.") from error


def _check_sizes(config):
    for name in ("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim", "max_sequence_length",
                 "embedding_dim", "head_size", "num_segments"):
        value = getattr(config, name)
        least = 0 if name == "num_segments" else 1
        if value is None and name in ("embedding_dim", "head_size"):
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise Error(f"{name}={json.dumps(value, default=str)} is no size; give a whole number of {least} or more.")
    if config.num_layers > MOST_LAYERS:
        raise Error(f"num_layers={config.num_layers} is more than any encoder has; give {MOST_LAYERS} or less.")


def _check_rates(config):
    for name in ("dropout", "attention_dropout"):
        value = getattr(config, name)
        if not (_is_number(value) and 0 <= value < 1):
            raise Error(f"{name}={value!r} is no probability below 1; BERT uses 0.1.")
    for name in ("layer_norm_epsilon", "initializer_range"):
        value = getattr(config, name)
        if not (_is_number(value) and value > 0):
            raise Error(f"{name}={value!r} must be a number above 0.")


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_kinds(config):
    for axis, allowed in AXES.items():
        value = getattr(config, axis)
        parts = value if axis == "attention" and isinstance(value, tuple) and value else (value,)
        for part in parts:
            if not isinstance(part, allowed):
                raise Error(f"{axis}={part!r} is not a kind of {axis}; give one such as {allowed[0]()}.")
            if part is not None:
                check(part)
    if config.shared and config.shared.groups * config.shared.inner > MOST_LAYERS:
        raise Error(f"shared={config.shared} has more blocks than any encoder; give {MOST_LAYERS} or less.")
    if not isinstance(config.qkv_bias, bool) or not isinstance(config.family, str):
        raise Error(f"qkv_bias={config.qkv_bias!r}, family={config.family!r}; wanted true or false, and a name.")


def _multiples(size, divisor):
    below = size // divisor * divisor
    near = [value for value in (below, below + divisor) if value > 0]
    return " and ".join(map(str, near))
