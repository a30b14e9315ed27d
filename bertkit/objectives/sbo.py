"""Span-boundary objective: predict a hidden span from the two tokens beside it (Joshi et al. 2019, SpanBERT, 3.2)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from bertkit.distribution import sum_over_devices
from bertkit.errors import Error
from bertkit.kinds import Boundary
from bertkit.objectives.mlm import special_entries, tokenizer_of
from bertkit.objectives.objective import Objective, batch_arrays, weighted_accuracy, weighted_cross_entropy
from bertkit.text import Tokenizer

TARGETS = 15            # the first tokens of a span are predicted, no more (SpanBERT's code)


class SBO(Objective):
    """L = −Σ_spans Σ_i log softmax(logits_i)[token_i] / (number of tokens + 1), over a span's first 15 tokens.

    It follows an `MLM`: `[MLM(tokenizer, choice="spans"), SBO(tokenizer)]`. A span is a run of hidden tokens between
    two tokens of the text; runs at the beginning and the end of the text are not predicted. The divisor and the number
    of tokens are those of SpanBERT's code; where the head has fewer positions than that, it predicts as many as it has.

    Args:
        vocabulary: A `Tokenizer`, the path of a vocabulary, or its entries.

    Example:
        >>> from bertkit.objectives import MLM
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> batch = MLM(tokenizer, choice="spans").corrupt(tokenizer.pack(["warm cold " * 7], length=16))
        >>> batch["masked_positions"].tolist(), SBO(tokenizer).corrupt(batch)["pairs"].tolist()
        ([[9, 10, 11]], [[[8, 12]]])
    """

    heads: dict[str, Any] = {"sbo": Boundary()}
    weights = {"sbo": 1.0}

    def __init__(self, vocabulary: Tokenizer | str | Path | Sequence[str]) -> None:
        self.special = special_entries(tokenizer_of(vocabulary))

    def corrupt(self, features: dict[str, Any]) -> dict[str, Any]:
        """Find the spans that MLM has hidden in a batch.

        Args:
            features: The batch that `MLM.corrupt` returned.

        Returns:
            The batch with "pairs" int32 [B,S,2], the positions left and right of each span, "span_labels" int32
            [B,S,N], its tokens, and "span_weights" float32 [B,S,N], 1 where there is one. S is the most spans that a
            row has, at least 1; N is `TARGETS`.

        Raises:
            Error: when no MLM has hidden tokens before.
        """
        if "masked_positions" not in batch_arrays(features):
            raise Error("The span-boundary objective has no hidden tokens to predict; give MLM before it, such as "
                        '[MLM(tokenizer, choice="spans"), SBO(tokenizer)].')
        ids, chosen = _unhidden(features)
        rows, left, right = _spans(chosen, (np.asarray(features["padding_mask"]) > 0) & ~self.special[ids])
        counts = np.bincount(rows, minlength=len(ids))
        slots = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = len(ids), max(1, counts.max(initial=0))
        pairs, labels, weights = (np.zeros((*shape, width), dtype) for width, dtype in (
            (2, "int32"), (TARGETS, "int32"), (TARGETS, "float32")))
        places = left[:, None] + np.arange(1, TARGETS + 1)
        inside = places < right[:, None]
        pairs[rows, slots] = np.stack([left, right], axis=1)
        labels[rows, slots] = np.where(inside, ids[rows[:, None], np.where(inside, places, 0)], 0)
        weights[rows, slots] = inside
        return {**features, "pairs": pairs, "span_labels": labels, "span_weights": weights}

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the loss of a batch.

        Args:
            outputs: The model's outputs, with "sbo_logits" [B,S,N,V].
            features: The batch that `corrupt` returned.

        Returns:
            {"sbo": a float32 scalar}.
        """
        logits, labels, weights = _predicted(outputs, features)
        number, = sum_over_devices([ops.sum(ops.cast(weights, "float32"))])
        return {"sbo": weighted_cross_entropy(logits, labels, weights) * number / (number + 1.0)}

    def accuracies(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the share of the spans' tokens that have the highest logit.

        Args:
            outputs: The model's outputs, with "sbo_logits" [B,S,N,V].
            features: The batch that `corrupt` returned.

        Returns:
            {"span_accuracy": a float32 scalar}.
        """
        return {"span_accuracy": weighted_accuracy(*_predicted(outputs, features))}


def _predicted(outputs, features):
    """Return (logits, labels, weights) of as many positions as the head has."""
    logits = outputs["sbo_logits"][:, :, :TARGETS]
    return logits, *(features[name][:, :, :logits.shape[2]] for name in ("span_labels", "span_weights"))


def _unhidden(features):
    """Return (ids [B,T], which of them are hidden [B,T]) of a batch that MLM has corrupted."""
    ids = np.array(features["token_ids"])
    rows, slots = np.nonzero(features["masked_weights"])
    places = np.asarray(features["masked_positions"])[rows, slots]
    chosen = np.zeros(ids.shape, bool)
    ids[rows, places], chosen[rows, places] = np.asarray(features["masked_labels"])[rows, slots], True
    return ids, chosen


def _spans(chosen, text):
    """Return (rows, the places before, the places behind) of the runs of chosen tokens between tokens of the text."""
    around = np.pad(chosen, ((0, 0), (1, 1)))
    rows, starts = np.nonzero(chosen & ~around[:, :-2])
    ends = np.nonzero(chosen & ~around[:, 2:])[1]
    text = np.pad(text, ((0, 0), (1, 1)))
    within = text[rows, starts] & text[rows, ends + 2]
    return rows[within], starts[within] - 1, ends[within] + 1
