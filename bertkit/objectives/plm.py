"""Permutation language model: guess tokens in a drawn order (Yang et al. 2019, XLNet, sections 2.2 and 2.3)."""

import numpy as np

from bertkit import kinds
from bertkit.corpus.randomness import randint, uniform
from bertkit.errors import Error
from bertkit.kinds import Language
from bertkit.objectives import masking
from bertkit.objectives.mlm import special, tokenizer_of
from bertkit.objectives.objective import Objective, keys, weighted_accuracy, weighted_cross_entropy
from bertkit.text.word_starts import word_starts

LONGEST = 5             # words of an n-gram (zihangdai/xlnet, data_utils.py, _sample_mask)


class PLM(Objective):
    """L = −Σ_{t chosen} log softmax(g_t · E + c)[token_t] / number chosen, g_t the query stream at t.

    Tokens are chosen as n-grams of whole words, each somewhere in a context of its own (`contexts`): beta / (alpha +
    beta), 1/7, of words of one token, more of longer words, and none of a text that is too short. A drawn order of the
    places says what a chosen token is guessed from: all that is neither chosen nor special, and of what is, those
    before it. No memory is kept from one batch to the next (the code's `reuse_len`), and the order is of the whole row.
    Raises `Error` where alpha or beta is below 1, or the encoder has no query stream.
    """

    heads = {"mlm": Language(transform=False)}
    weights = {"plm": 1.0}

    def __init__(self, vocabulary, seed=0, alpha=6, beta=1):
        if min(alpha, beta) < 1:
            raise Error(f"alpha={alpha} and beta={beta}; give whole numbers of 1 or more, such as 6 and 1: so many "
                        "tokens of context for so many that are chosen.")
        tokenizer = tokenizer_of(vocabulary)
        self.special, self.begins = special(tokenizer), word_starts(tokenizer)
        self.seed, self.alpha, self.beta = seed, alpha, beta

    def corrupt(self, features):
        """Return the batch with what is asked and what may be seen: a pure function of (seed, its keys), numpy.

        Adds "permutation_mask" float32 [B,T,T], 1 where token i does not see token j, "target_mapping" float32 [B,M,T],
        1 where target m stands, all 0 behind a row's last, "masked_labels" int32 and "masked_weights" float32 [B,M].
        """
        features = {name: np.asarray(value) for name, value in features.items()}
        ids, real, rows = features["token_ids"], features["padding_mask"] > 0, keys(features)
        ordinary = real & ~self.special[ids]
        words = real & (self.begins[ids] | ~np.pad(ordinary, ((0, 0), (1, 0)))[:, :-1])
        chosen = contexts(self.seed, rows, real, words, self.alpha, self.beta) & ordinary
        # A token that sees nothing would attend to all alike, and so to itself.
        chosen &= (ordinary & ~chosen).any(axis=1, keepdims=True)
        draws = uniform(self.seed, "order", rows, ids.shape[1])
        draws = np.take_along_axis(draws, np.maximum(np.cumsum(real, axis=1) - 1, 0), axis=1)
        order = np.argsort(np.argsort(draws, axis=1), axis=1)
        targets = masking.slots(chosen, ids)
        places, weights = targets.pop("masked_positions"), targets["masked_weights"]
        mapping = np.zeros((*places.shape, ids.shape[1]), "float32")
        np.put_along_axis(mapping, places[:, :, None], weights[:, :, None], axis=2)
        return {**features, **targets, "target_mapping": mapping,
                "permutation_mask": unseen(order, chosen, real & ~ordinary)}

    def part(self, encoder):
        """Return None: nothing but the shipped model is trained; raises `Error` for an encoder without two streams."""
        if not isinstance(encoder.config.block, kinds.TwoStream):
            raise Error(f"The permutation language model asks a query stream, which block={encoder.config.block} lacks;"
                        " give an XLNet encoder, or another objective, such as MLM.")

    def losses(self, outputs, features):
        """Return the mean loss over the targets that are real."""
        return {"plm": weighted_cross_entropy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}

    def accuracies(self, outputs, features):
        """Return the share of the real targets that the query stream guesses."""
        return {"masked_accuracy": weighted_accuracy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}


def contexts(seed, keys, real, words, alpha, beta):
    """Choose n-grams of whole words: bool [B,T]. `words` bool [B,T] says where words begin.

    A row is one context after the other: n = 1 … 5, P(n) ∝ 1/n, and n · alpha // beta tokens, a drawn part of them
    before n words, the rest behind. An n-gram begins where the next word does; one that no word follows is left out,
    with what is left of the row (_sample_mask, without a goal for the number of tokens). Draws are functions of (seed,
    key) and of the context's number in the row, on whichever side the padding is.
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


def unseen(order, chosen, functional):
    """Return the permutation mask, float32 [B,T,T]: 1 where token i does not see token j.

    maskᵢⱼ = selfᵢ ≤ revⱼ: revᵢ = orderᵢ where i is chosen or functional, else −1, which all see; selfᵢ = revᵢ where i
    is chosen, else revᵢ + 1 (zihangdai/xlnet, data_utils.py, _local_perm).
    """
    rev = np.where(chosen | functional, order, -1).astype("int16")                  # fast, and T² is small then
    itself = np.where(chosen, rev, rev + 1)
    return (itself[:, :, None] <= rev[:, None, :]).astype("float32")
