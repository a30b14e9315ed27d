"""Permutation language model: predict tokens in a random order (Yang et al. 2019, XLNet, sections 2.2 and 2.3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import kinds
from bertkit.corpus.randomness import randint, uniform
from bertkit.errors import Error
from bertkit.kinds import Language
from bertkit.objectives import masking
from bertkit.objectives.mlm import special_entries, tokenizer_of
from bertkit.objectives.objective import Objective, batch_arrays, keys, weighted_accuracy, weighted_cross_entropy
from bertkit.text import Tokenizer
from bertkit.text.word_starts import word_starts

LONGEST = 5             # words of an n-gram (zihangdai/xlnet, data_utils.py, _sample_mask)


class PLM(Objective):
    """L = −Σ_{t chosen} log softmax(g_t · E + c)[token_t] / number of chosen tokens, g_t the query stream at t.

    Tokens are chosen as n-grams of whole words, each n-gram somewhere in a context of its own (see `contexts`): the
    share beta / (alpha + beta), 1/7, of words of one token, more of longer words, and none of a text that is too short.
    A random order of the positions says what a chosen token is predicted from: all tokens that are neither chosen nor
    special, and of the chosen and special ones those before it in that order. No memory is kept from one batch to the
    next (the code's `reuse_len`), and the order is of the whole row.

    Args:
        vocabulary: A `Tokenizer`, the path of a vocabulary, or its entries.
        seed: The seed of the draws.
        alpha: Tokens of context for every `beta` chosen ones.
        beta: Chosen tokens for every `alpha` of context.

    Raises:
        Error: when `alpha` or `beta` is below 1; `make_layer` raises it for an encoder that has no query stream.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> batch = PLM(tokenizer, alpha=3).corrupt(tokenizer.pack(["warm cold " * 7], length=16))
        >>> batch["masked_labels"].tolist(), batch["target_mapping"].shape
        ([[6, 5, 6]], (1, 3, 16))
    """

    heads: dict[str, Any] = {"mlm": Language(transform=False)}
    weights = {"plm": 1.0}

    def __init__(self, vocabulary: Tokenizer | str | Path | Sequence[str], seed: int = 0, alpha: int = 6,
                 beta: int = 1) -> None:
        if min(alpha, beta) < 1:
            raise Error(f"alpha={alpha} and beta={beta} came; give whole numbers of 1 or more, such as 6 and 1: "
                        "alpha tokens of context for beta chosen tokens.")
        tokenizer = tokenizer_of(vocabulary)
        self.special, self.begins = special_entries(tokenizer), word_starts(tokenizer)
        self.seed, self.alpha, self.beta = seed, alpha, beta

    def corrupt(self, features: dict[str, Any]) -> dict[str, Any]:
        """Choose the tokens to predict, and what each token may see: a pure function of (seed, the batch's keys).

        Args:
            features: A batch, at least "token_ids" and "padding_mask" int [B,T].

        Returns:
            The batch as numpy arrays, with "permutation_mask" float32 [B,T,T], 1 where token i does not see token j,
            "target_mapping" float32 [B,M,T], 1 where target m stands and all 0 behind a row's last target,
            "masked_labels" int32 [B,M] and "masked_weights" float32 [B,M].
        """
        features = batch_arrays(features)
        ids, real, rows = features["token_ids"], features["padding_mask"] > 0, keys(features)
        ordinary = real & ~self.special[ids]
        words = real & (self.begins[ids] | ~np.pad(ordinary, ((0, 0), (1, 0)))[:, :-1])
        chosen = contexts(self.seed, rows, real, words, self.alpha, self.beta) & ordinary
        # A token that sees no token would attend to all of them equally, and so to itself.
        chosen &= (ordinary & ~chosen).any(axis=1, keepdims=True)
        draws = uniform(self.seed, "order", rows, ids.shape[1])
        draws = np.take_along_axis(draws, np.maximum(np.cumsum(real, axis=1) - 1, 0), axis=1)
        order = np.argsort(np.argsort(draws, axis=1), axis=1)
        targets = masking.list_targets(chosen, ids)
        places, weights = targets.pop("masked_positions"), targets["masked_weights"]
        mapping = np.zeros((*places.shape, ids.shape[1]), "float32")
        np.put_along_axis(mapping, places[:, :, None], weights[:, :, None], axis=2)
        return {**features, **targets, "target_mapping": mapping,
                "permutation_mask": permutation_mask(order, chosen, real & ~ordinary)}

    def make_layer(self, encoder: Any) -> None:
        """Check that the encoder has a query stream; no other layer is trained.

        Args:
            encoder: The `Encoder` that is trained.

        Raises:
            Error: when the encoder's blocks have no query stream.
        """
        if not isinstance(encoder.config.block, kinds.TwoStream):
            raise Error(f"The permutation language model needs an encoder with a query stream, which "
                        f"block={encoder.config.block} lacks; give an XLNet encoder, or another objective, such as "
                        "MLM.")

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the mean loss over the real targets.

        Args:
            outputs: The model's outputs, with "mlm_logits" [B,M,V].
            features: The batch that `corrupt` returned.

        Returns:
            {"plm": a float32 scalar}.
        """
        return {"plm": weighted_cross_entropy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}

    def accuracies(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the share of the real targets that the query stream predicts.

        Args:
            outputs: The model's outputs, with "mlm_logits" [B,M,V].
            features: The batch that `corrupt` returned.

        Returns:
            {"masked_accuracy": a float32 scalar}.
        """
        return {"masked_accuracy": weighted_accuracy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}


def contexts(seed: int, keys: np.ndarray, real: np.ndarray, words: np.ndarray, alpha: int, beta: int) -> np.ndarray:
    """Choose n-grams of whole words, each in a context of its own.

    A row is a sequence of contexts. Each has n words to predict, n = 1 … 5, P(n) ∝ 1/n, and n · alpha // beta tokens of
    context, a drawn number of them before the n words, the rest behind. An n-gram begins where the next word does. One
    that no word follows is left out, with the rest of the row (_sample_mask, without a goal for the number of tokens).
    Draws are functions of (seed, key) and of the context's number in the row, on whichever side the padding is.

    Args:
        seed: The seed of the draws.
        keys: int [B], the key of each row.
        real: bool [B,T], False where there is padding.
        words: bool [B,T], True where a word begins.
        alpha: Tokens of context for every `beta` chosen ones.
        beta: Chosen tokens for every `alpha` of context.

    Returns:
        bool [B,T], True where a token is chosen.
    """
    size, width = real.shape
    most = -(-width // (1 + alpha // beta))
    weights = np.cumsum(1 / np.arange(1, LONGEST + 1))
    lengths = 1 + np.searchsorted(weights[:-1] / weights[-1], uniform(seed, "lengths", keys, most), side="right")
    around = lengths * alpha // beta
    before = randint(uniform(seed, "contexts", keys, most), around)
    passed = np.pad(np.cumsum(words, axis=1), ((0, 0), (1, 0)))                 # words that begin before a place
    begins = np.pad(np.where(words, np.arange(width), width), ((0, 0), (0, LONGEST + 1)), constant_values=width)
    begins, rows, edges = np.sort(begins, axis=1), np.arange(size), np.zeros((size, width + 1), "int64")
    at = np.argmax(real, axis=1)
    for i in range(most):
        word = passed[rows, np.minimum(at + before[:, i], width)]
        begin, end = begins[rows, word], begins[rows, word + lengths[:, i]]
        whole_one = end < width
        edges[rows, begin] += whole_one
        edges[rows, end] -= whole_one
        at = np.where(whole_one, end + around[:, i] - before[:, i], width)
    return np.cumsum(edges, axis=1)[:, :-1] > 0


def permutation_mask(order: np.ndarray, chosen: np.ndarray, functional: np.ndarray) -> np.ndarray:
    """Make the permutation mask, 1 where token i does not see token j.

    maskᵢⱼ = selfᵢ ≤ revⱼ: revᵢ = orderᵢ where i is chosen or functional, else −1, which all see; selfᵢ = revᵢ where i
    is chosen, else revᵢ + 1 (zihangdai/xlnet, data_utils.py, _local_perm).

    Args:
        order: int [B,T], the place of each token in the random order.
        chosen: bool [B,T], True where a token is to be predicted.
        functional: bool [B,T], True where a token is special.

    Returns:
        float32 [B,T,T].

    Example:
        >>> permutation_mask(np.array([[0, 1]]), np.array([[False, True]]), np.array([[False, False]])).tolist()
        [[[0.0, 1.0], [0.0, 1.0]]]
    """
    rev = np.where(chosen | functional, order, -1).astype("int16")                  # fast, and T² is small then
    itself = np.where(chosen, rev, rev + 1)
    return (itself[:, :, None] <= rev[:, None, :]).astype("float32")
