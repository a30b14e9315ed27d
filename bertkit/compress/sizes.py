"""What is to be left of a model: so many heads, rows and entries, and some layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from bertkit.compress.removal import check_layers, check_parts
from bertkit.config import EncoderConfig
from bertkit.errors import Error


@dataclass(frozen=True)
class Sizes:
    """What is to be left of a model; None leaves a part as it is.

    Args:
        heads: Heads of each layer.
        intermediate: Feed-forward rows of each layer.
        layers: The numbers of the layers, from 0.
        vocabulary: Entries of the vocabulary, or "used".

    Example:
        >>> Sizes.of(layers="0,2").layers, Sizes.of(vocabulary="used").is_lossless
        ((0, 2), True)
    """

    heads: int | None = None
    intermediate: int | None = None
    layers: tuple[int, ...] | None = None
    vocabulary: int | str | None = None

    @classmethod
    def of(cls, heads: Any = None, intermediate: Any = None, layers: str | Sequence[int] | None = None,
           vocabulary: Any = None) -> Self:
        """Return the sizes that a user gave.

        Args:
            heads: Heads of each layer.
            intermediate: Feed-forward rows of each layer.
            layers: Numbers of layers, or a text of them with commas between.
            vocabulary: Entries of the vocabulary, or "used".

        Returns:
            The `Sizes`.

        Raises:
            Error: when a value is no number where one is wanted, or nothing is given.
        """
        for name, value in (("heads", heads), ("intermediate", intermediate), ("vocabulary", vocabulary)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
            if value is not None and not whole and (name != "vocabulary" or value != "used"):
                raise Error(f"{name}={value!r:.40}; give how many are to be left, 1 or more"
                            f"{', or used' if name == 'vocabulary' else ''}.")
        made = cls(heads, intermediate, _layers(layers), vocabulary)
        if made == cls():
            raise Error("Nothing says what to remove; give --heads, --intermediate, --layers or --vocabulary.")
        return made

    @property
    def is_lossless(self) -> bool:
        """Whether all that is removed are entries of the vocabulary that no text uses."""
        return self == Sizes(vocabulary="used")

    def check(self, config: EncoderConfig, entries: int) -> None:
        """Check that a model has all that is to be left, and something more.

        Args:
            config: The encoder's `EncoderConfig`.
            entries: The number of entries of the tokenizer.

        Raises:
            Error: when it does not.
        """
        if self.heads is not None or self.intermediate is not None:
            check_parts(config)
        if self.layers is not None:
            check_layers(config, self.layers)
        for name, value, most, what in (("heads", self.heads, config.num_heads, "heads a layer"),
                                        ("intermediate", self.intermediate, config.intermediate_dim, "rows a layer"),
                                        ("vocabulary", self.vocabulary, entries, "entries")):
            if isinstance(value, int) and value > most:
                raise Error(f"{name}={value}: this model has {most} {what}; give {most} or fewer.")
        whole = Sizes(config.num_heads, config.intermediate_dim, tuple(range(config.num_layers)), entries)
        if all(getattr(self, name) in (None, getattr(whole, name)) for name in vars(whole)):
            raise Error("Nothing would be removed: the model has these sizes already; give smaller ones.")


def _layers(layers):
    """Return numbers of layers as a tuple."""
    if layers is None:
        return None
    parts = layers.split(",") if isinstance(layers, str) else list(layers)
    if not all(isinstance(part, int) and not isinstance(part, bool)
               or isinstance(part, str) and part.strip().isdecimal() for part in parts):
        raise Error(f"layers={layers!r:.60}; give the numbers of the layers that stay, counted from 0, with commas "
                    "between: 0,2,5.")
    return tuple(map(int, parts))
