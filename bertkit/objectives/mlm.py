"""Masked language model: hide 15 % of the tokens and predict them (Devlin et al. 2018, section 3.1)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.files.schema import Number, check_argument
from bertkit.kinds import Language
from bertkit.objectives import masking
from bertkit.objectives.objective import Objective, batch_arrays, keys, weighted_accuracy, weighted_cross_entropy
from bertkit.text import Tokenizer
from bertkit.text.row_words import RowWords

SELECTIONS = "counted", "independent"
SHARES = 0.8, 0.1       # of the chosen tokens: [MASK], a random entry; the rest stay as they are (same section)


class MLM(Objective):
    """L = −Σ_{i chosen} log softmax(logits_i)[token_i] / number of chosen tokens.

    In every row max(1, round(rate · tokens)) tokens are chosen among those that are not special (google-research/bert,
    create_pretraining_data.py): 80 % become [MASK], 10 % become an entry drawn from the whole vocabulary, 10 % stay.

    Args:
        vocabulary: A `Tokenizer`, the path of a vocabulary, or its entries.
        whole_words: Choose all pieces of a word or none; the same as `choice="words"`.
        rate: The share of the tokens to choose, between 0 and 1.
        seed: The seed of the draws.
        shares: The share of the chosen tokens that become [MASK], and the share that become random entries.
        choice: "tokens", whole "words", "ngrams" of words (ALBERT), or "spans" of words (SpanBERT), whose tokens share
            the draw of what replaces them; see `masking`.
        selection: "counted" chooses a fixed number in each row. "independent" chooses each token by itself with the
            probability `rate`, so that their number varies (RoBERTa).
        segmenter: What finds the words of Chinese, where nothing parts them: "jieba", or a function (text) -> words.
            Without it each character is a word, and the first such batch says so.

    Raises:
        Error: when `choice` or `selection` is unknown, when words, n-grams or spans are to be chosen independently, or
            when `rate` is not between 0 and 1.

    Example:
        >>> MLM(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm"]).rate
        0.15
    """

    heads: dict[str, Any] = {"mlm": Language()}
    weights = {"mlm": 1.0}

    def __init__(self, vocabulary: Tokenizer | str | Path | Sequence[str], whole_words: bool = False,
                 rate: float = 0.15, seed: int = 0, shares: Sequence[float] = SHARES, choice: str = "tokens",
                 selection: str = "counted", segmenter: Callable[[str], list[str]] | str | None = None) -> None:
        if choice not in masking.CHOICES:
            raise Error(f"choice={choice!r} is unknown; give {', '.join(masking.CHOICES)}.")
        check_argument("rate", rate, Number())
        if not 0 < rate < 1:
            raise Error(f"rate={rate} is no share of the tokens; give one between 0 and 1, such as 0.15.")
        choice = "words" if whole_words and choice == "tokens" else choice
        if selection not in SELECTIONS or selection == "independent" and choice != "tokens":
            raise Error(f"selection={selection!r} of {choice} is unknown; give {' or '.join(SELECTIONS)}, the latter "
                        "with choice='tokens'.")
        if segmenter is not None and choice == "tokens":
            raise Error("segmenter does nothing where single tokens are chosen; give whole_words too.")
        self.tokenizer = tokenizer_of(vocabulary)
        self.special, self.words = special_entries(self.tokenizer), RowWords(self.tokenizer, segmenter)
        self.rate, self.seed, self.shares = rate, seed, shares
        self.choice, self.selection = masking.CHOICES[choice], selection

    def corrupt(self, features: dict[str, Any]) -> dict[str, Any]:
        """Hide tokens of a batch: a pure function of (seed, the batch's keys).

        Args:
            features: A batch, at least "token_ids" and "padding_mask" int [B,T].

        Returns:
            The batch as numpy arrays, with the hidden "token_ids" int32 [B,T], "masked_positions" and "masked_labels"
            int32 [B,K], and "masked_weights" float32 [B,K], 1 where a position is real. K is the largest number in a
            row.
        """
        features = batch_arrays(features)
        ids, real, rows = features["token_ids"], features["padding_mask"] > 0, keys(features)
        candidates = real & ~self.special[ids]
        spans = self._spans(rows, ids, real, candidates)
        hidden = masking.replace_tokens(self.seed, rows, ids, spans, self.shares, self.tokenizer.mask_id,
                                        len(self.tokenizer))
        return {**features, "token_ids": hidden, **masking.list_targets(spans > 0, ids)}

    def _spans(self, rows, ids, real, candidates):
        if self.selection == "independent":
            return masking.independent(self.seed, rows, candidates, self.rate)
        counts = self.choice.count(self.rate, real, candidates)
        begins = self.words.starts[ids] if self.choice.choose is masking.tokens else self.words(ids)
        words = masking.word_numbers(candidates, begins)
        return self.choice.choose(self.seed, rows, candidates, counts, words)

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the mean loss over the hidden tokens.

        Args:
            outputs: The model's outputs, with "mlm_logits" [B,K,V].
            features: The batch that `corrupt` returned.

        Returns:
            {"mlm": a float32 scalar}.
        """
        return {"mlm": weighted_cross_entropy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}

    def accuracies(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the share of the hidden tokens that have the highest logit.

        Args:
            outputs: The model's outputs, with "mlm_logits" [B,K,V].
            features: The batch that `corrupt` returned.

        Returns:
            {"masked_accuracy": a float32 scalar}.
        """
        return {"masked_accuracy": weighted_accuracy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}


def tokenizer_of(vocabulary: Tokenizer | str | Path | Sequence[str]) -> Tokenizer:
    """Return the tokenizer of a vocabulary.

    Args:
        vocabulary: A `Tokenizer`, the path of a vocabulary, or its entries as a list.

    Returns:
        The `Tokenizer`; the same object where one was given.

    Raises:
        Error: when it is none of these, or cannot be read.

    Example:
        >>> tokenizer_of(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm"]).vocabulary[5]
        'warm'
    """
    if isinstance(vocabulary, Tokenizer):
        return vocabulary
    if isinstance(vocabulary, str | Path):
        return Tokenizer.load(vocabulary)
    if not isinstance(vocabulary, list | tuple) or not all(isinstance(entry, str) for entry in vocabulary):
        raise Error(f"{vocabulary!r:.40} came where a vocabulary was wanted; give a Tokenizer, the path of a "
                    "vocab.txt, or a list of its entries.")
    return Tokenizer(vocabulary)


def special_entries(tokenizer: Tokenizer) -> np.ndarray:
    """Tell which entries of a vocabulary are special tokens.

    Args:
        tokenizer: The `Tokenizer` of the vocabulary.

    Returns:
        bool [V], True for [CLS], [SEP], [MASK] and the like.

    Example:
        >>> special_entries(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm"])).tolist()
        [True, True, True, True, True, False]
    """
    mask = np.zeros(len(tokenizer), bool)
    mask[[tokenizer.id(token) for token in tokenizer.special.values()]] = True
    return mask
