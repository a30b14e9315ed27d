"""Masked language model: hide 15 % of the tokens and guess them (Devlin et al. 2018, section 3.1)."""

import numpy as np

from bertkit.errors import Error
from bertkit.kinds import Language
from bertkit.objectives import masking
from bertkit.objectives.objective import Objective, keys, weighted_accuracy, weighted_cross_entropy
from bertkit.text import Tokenizer
from bertkit.text.word_starts import word_starts

SELECTIONS = "counted", "independent"
SHARES = 0.8, 0.1       # of the chosen tokens: [MASK], a random entry; the rest stay as they are (same section)


class MLM(Objective):
    """L = −Σ_{i chosen} log softmax(logits_i)[token_i] / number chosen.

    `vocabulary` is a Tokenizer, the path of a vocab.txt, or its entries. In every row max(1, round(rate · tokens))
    tokens are chosen among those that are not special (google-research/bert, create_pretraining_data.py): 80 % become
    [MASK], 10 % an entry drawn from the whole vocabulary, 10 % stay. `choice` is "tokens", whole "words" (`whole_words`
    says the same), "ngrams" of words (ALBERT), or "spans" of words (SpanBERT), whose tokens share the draw of what
    becomes of them: see `masking`. `selection="independent"` chooses each token by itself with the probability `rate`,
    so that their number varies (RoBERTa). Raises `Error` for another choice, for words, n-grams or spans chosen
    independently, or a rate that is not between 0 and 1.

    >>> MLM(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm"]).rate
    0.15
    """

    heads = {"mlm": Language()}
    weights = {"mlm": 1.0}

    def __init__(self, vocabulary, whole_words=False, rate=0.15, seed=0, shares=SHARES, choice="tokens",
                 selection="counted"):
        if choice not in masking.CHOICES:
            raise Error(f"choice={choice!r} is unknown; give {', '.join(masking.CHOICES)}.")
        if not 0 < rate < 1:
            raise Error(f"rate={rate} is no share of the tokens; give one between 0 and 1, such as 0.15.")
        choice = "words" if whole_words and choice == "tokens" else choice
        if selection not in SELECTIONS or selection == "independent" and choice != "tokens":
            raise Error(f"selection={selection!r} of {choice} is unknown; give {' or '.join(SELECTIONS)}, the latter "
                        "with choice='tokens'.")
        self.tokenizer = tokenizer_of(vocabulary)
        self.special, self.begins = special(self.tokenizer), word_starts(self.tokenizer)
        self.rate, self.seed, self.shares = rate, seed, shares
        self.choice, self.selection = masking.CHOICES[choice], selection

    def corrupt(self, features):
        """Return the batch with hidden tokens, and which: a pure function of (seed, its keys), numpy.

        Adds "masked_positions" and "masked_labels" int32 [B,K], "masked_weights" float32 [B,K], 1 where a slot is real;
        K is the most that a row has.
        """
        features = {name: np.asarray(value) for name, value in features.items()}
        ids, real, rows = features["token_ids"], features["padding_mask"] > 0, keys(features)
        candidates = real & ~self.special[ids]
        spans = self._spans(rows, ids, real, candidates)
        hidden = masking.replaced(self.seed, rows, ids, spans, self.shares, self.tokenizer.mask_id,
                                  len(self.tokenizer))
        return {**features, "token_ids": hidden, **masking.slots(spans > 0, ids)}

    def _spans(self, rows, ids, real, candidates):
        if self.selection == "independent":
            return masking.independent(self.seed, rows, candidates, self.rate)
        counts = self.choice.count(self.rate, real, candidates)
        words = masking.numbered(candidates, self.begins[ids])
        return self.choice.choose(self.seed, rows, candidates, counts, words)

    def losses(self, outputs, features):
        """Return the mean loss over the slots that are real."""
        return {"mlm": weighted_cross_entropy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}

    def accuracies(self, outputs, features):
        """Return the share of hidden tokens whose highest logit is theirs."""
        return {"masked_accuracy": weighted_accuracy(
            outputs["mlm_logits"], features["masked_labels"], features["masked_weights"])}


def tokenizer_of(vocabulary):
    """Return the tokenizer of a vocabulary: a Tokenizer itself, its path, or the entries."""
    if isinstance(vocabulary, Tokenizer):
        return vocabulary
    return Tokenizer(vocabulary) if isinstance(vocabulary, list | tuple) else Tokenizer.load(vocabulary)


def special(tokenizer):
    """Return which entries are special tokens, bool [V]."""
    found = np.zeros(len(tokenizer), bool)
    found[[tokenizer.id(token) for token in tokenizer.special.values()]] = True
    return found
