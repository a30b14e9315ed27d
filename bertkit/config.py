"""What an encoder is: frozen values, one for each paper.

A hard axis (how tokens attend, how positions are told apart) is a small typed value, a *kind*,
never a flag. Each kind maps to exactly one layer, in the dictionary beside the layers.
"""

import dataclasses
import json
import math
from dataclasses import dataclass, fields

from bertkit.errors import Error

ACTIVATIONS = ("gelu_erf", "gelu_tanh", "quick_gelu", "relu", "silu", "tanh", "mish", "linear")


@dataclass(frozen=True)
class Full:
    """Every token attends to every real token (Vaswani et al. 2017, section 3.2)."""


@dataclass(frozen=True)
class Absolute:
    """One learned vector for each position, counted from 0 (Devlin et al. 2018, figure 2)."""


KINDS = {kind.__name__: kind for kind in (Full, Absolute)}


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that determines an encoder's mathematics; the names are keras-nlp's.

    Sizes count: tokens in the vocabulary, blocks, heads, features (`hidden_dim`, D), features inside
    the feed-forward network, positions, segments. Rates are probabilities in [0, 1).
    Raises `Error` where the values do not fit together.

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
    activation: str = "gelu_erf"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-12
    initializer_range: float = 0.02
    pooler: bool = True
    attention: Full = Full()
    positions: Absolute = Absolute()

    def __post_init__(self):
        _check_sizes(self)
        _check_rates(self)
        _check_kinds(self)
        if self.activation not in ACTIVATIONS:
            raise Error(f"activation={self.activation!r} is unknown; bertkit has "
                        f"{', '.join(ACTIVATIONS)}.")
        if self.hidden_dim % self.num_heads:
            raise Error(f"hidden_dim={self.hidden_dim} is not a multiple of num_heads="
                        f"{self.num_heads}; {_multiples(self.hidden_dim, self.num_heads)} are.")

    @property
    def head_dim(self):
        """Features of one head, H = D / N."""
        return self.hidden_dim // self.num_heads

    def but(self, **changes):
        """Return a copy that differs only in `changes`."""
        return dataclasses.replace(self, **changes)

    def to_json(self):
        """Return the fields as JSON values; a kind becomes {"kind": its name, its own fields}."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, values):
        """Rebuild a config from `to_json`'s mapping; raises `Error` on unknown or missing names."""
        if not isinstance(values, dict):
            raise Error(f"The config is a {type(values).__name__}; wanted the object that to_json gives.")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise Error(f"The config holds {', '.join(unknown)}, which this version of bertkit does "
                        "not know; it was written by another version.")
        try:
            return cls(**{name: _kind(value) for name, value in values.items()})
        except TypeError as error:
            raise Error(f"The config is not complete: {error}.") from error


def _plain(value):
    if dataclasses.is_dataclass(value):
        return {"kind": type(value).__name__, **dataclasses.asdict(value)}
    return value


def _kind(value):
    if not isinstance(value, dict):
        return value
    name = value.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise Error(f"The config names the kind {name!r}; bertkit has {', '.join(KINDS)}.")
    return KINDS[name](**{key: part for key, part in value.items() if key != "kind"})


def _check_sizes(config):
    for name in ("vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim",
                 "max_sequence_length", "num_segments"):
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise Error(f"{name}={json.dumps(value, default=str)} is no size; give a whole number "
                        "of 1 or more.")


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
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(field.default, tuple(KINDS.values())) and not isinstance(value, field.type):
            raise Error(f"{field.name}={value!r} is no kind that it can be, such as {field.default}.")
    if not isinstance(config.pooler, bool):
        raise Error(f"pooler={config.pooler!r} is neither true nor false.")


def _multiples(size, divisor):
    below = size // divisor * divisor
    near = [value for value in (below, below + divisor) if value > 0]
    return " and ".join(map(str, near))
