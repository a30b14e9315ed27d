"""What a head fills in where a batch says nothing: which tokens are global, which are the question's."""

from typing import Any

from keras import ops

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error


def add_default_entries(inputs: dict[str, Any], kind: Any, config: EncoderConfig) -> dict[str, Any]:
    """Add to a batch the entries that a head of this kind supplies where the batch lacks them.

    These are "global_mask", as `kinds.HeadConfig.watch` says, and "segment_ids", as `kinds.Answer` says.

    Args:
        inputs: A batch; "token_ids" int [B,T] are read.
        kind: The kind of head.
        config: The encoder's `EncoderConfig`.

    Returns:
        The batch itself, or a new dict with one more entry.

    Raises:
        Error: when the separator has to be found, and the encoder's config names none.
    """
    token_ids = inputs["token_ids"]
    if isinstance(kind, kinds.Answer) and inputs.get("segment_ids") is None and config.num_segments > 1:
        after = ops.logical_not(question_mask(token_ids, config))
        return {**inputs, "segment_ids": ops.cast(after, "int32")}
    if isinstance(kind, kinds.HeadConfig) and kind.watch and inputs.get("global_mask") is None:
        return {**inputs, "global_mask": ops.cast(WATCHED[kind.watch](token_ids, config), "int32")}
    return inputs


def question_mask(token_ids: Any, config: EncoderConfig) -> Any:
    """Return where the question is: up to the first separator, which is included.

    Args:
        token_ids: int [B,T].
        config: The encoder's `EncoderConfig`.

    Returns:
        bool [B,T]; true only at the first token where there is no separator.

    Raises:
        Error: when the encoder's config names no separator.
    """
    return ops.arange(ops.shape(token_ids)[1]) <= _first_separator(token_ids, config)


def _first(token_ids, _):
    return ops.broadcast_to(ops.arange(ops.shape(token_ids)[1]) == 0, ops.shape(token_ids))


def _before_first(token_ids, config):
    return ops.arange(ops.shape(token_ids)[1]) < _first_separator(token_ids, config)


def _after_second(token_ids, config):
    ends = _separators(token_ids, config)
    return ops.cumsum(ends, axis=1) - ends >= 2


def _first_separator(token_ids, config):
    """Return where the first separator of each row stands [B,1], 0 where there is none."""
    return ops.cast(ops.argmax(_separators(token_ids, config), axis=1), "int32")[:, None]


def _separators(token_ids, config):
    """Return 1 where a separator stands [B,T]."""
    separator = getattr(config.inputs, "separator", None)
    if separator is None:
        raise Error("This head looks for the separator in token_ids, and the encoder's config names none: "
                    "inputs=Summed(separator=...).")
    return ops.cast(ops.equal(token_ids, separator), "int32")


# Beltagy et al. 2020, section 3.1; the separators are those of <s> A </s></s> B </s>.
WATCHED = {"first": _first, "question": _before_first, "choice": _after_second}
