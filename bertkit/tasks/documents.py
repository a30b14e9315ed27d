"""Documents longer than a model reads at once, sorted into classes by what it says of their windows."""

from dataclasses import dataclass

import numpy as np

from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.packed import Packed
from bertkit.text.windows import windows

TOGETHER = "together"
# [windows, C] -> [C]
POOLINGS = {"mean": lambda logits: logits.mean(axis=0), "max": lambda logits: logits.max(axis=0)}


@dataclass(frozen=True)
class Documents(Classification):
    """One of `labels` for each text, or with `multi_label` any number, from the first `most_windows` windows of it.

    Windows begin half a window apart (see `text.windows`); what comes after the last of them is not read (see
    `coverage`). `pooling` is the "mean" or the "max" over windows of each class's logit, or "together": a model that
    reads all windows of a document at once gives its logits (see `heads.DocumentClassifier`). A document of one window
    has the prediction of a `Classification`.

    >>> task = Documents(("bad", "good"))
    >>> outputs = [np.array([0.0, 2.0]), np.array([0.0, -2.0])]
    >>> task.predictions(outputs, Packed([], origin=[2]))[0].tolist()
    [0.5, 0.5]
    """

    most_windows: int = 8
    pooling: str = "mean"

    name, output = "long_documents", "logits"
    commonest = "the commonest class"

    def __post_init__(self):
        super().__post_init__()
        check_single(self)
        if self.most_windows < 1:
            raise Error(f"most_windows={self.most_windows} reads nothing; give 1 or more.")
        if self.pooling not in (*POOLINGS, TOGETHER):
            raise Error(f"pooling={self.pooling!r} is unknown; give {', '.join(POOLINGS)} or {TOGETHER}.")

    def pack(self, tokenizer, inputs, length, targets=None):
        """Return the windows of each text, those of a text one example where they are read together.

        To train on, each window has the text's label, or they have it together.
        """
        cut = [[window.row for window in windows(tokenizer, ids[:self.reach(tokenizer, length)], length, stride=length)]
               for ids in tokenizer.ids(inputs)]
        counts = np.array([len(rows) for rows in cut], "int64")
        rows = [row for part in cut for row in part]
        if self.pooling == TOGETHER:
            return Packed(rows, counts.tolist(), targets, counts=counts)
        return Packed(rows, counts.tolist(), None if targets is None else np.repeat(targets, counts, axis=0))

    def reach(self, tokenizer, length):
        """Return how many tokens of a text, from its first, are read in `most_windows` windows of `length` tokens."""
        room = tokenizer.template.places(length, paired=False)
        return room + (self.most_windows - 1) * max(1, room // 2)

    def outputs(self, raw):
        """Return logits as they are: they are pooled before they become probabilities."""
        return raw

    def predictions(self, outputs, packed):
        """Return the probabilities of each text, [C] float32."""
        if self.pooling != TOGETHER and len(outputs):
            pool = POOLINGS[self.pooling]
            outputs = [pool(np.stack(part)) for part in np.split(np.asarray(outputs), np.cumsum(packed.origin)[:-1])]
        return self._probabilities(outputs)

    def agreement(self, one, other):
        """Return the fraction of windows, two lists of logits, that decide alike."""
        return super().agreement(self._probabilities(one), self._probabilities(other))

    def drift(self, one, other):
        """Return the largest difference of the log-probabilities of windows."""
        return super().drift(self._probabilities(one), self._probabilities(other))

    def _probabilities(self, logits):
        return [super(Documents, self).outputs(row) for row in logits]


def check_single(task):
    """Raise `Error` for a `Classification` of pairs."""
    if task.pairs:
        raise Error("Documents are single texts, and pairs came; train on these with `bertkit classify`.")


def coverage(task, tokenizer, texts, length):
    """Return what `task` reads of texts: {"tokens_read" of a text, the mean, "share_read" of all tokens, "read_whole"
    of all texts, a share}; special tokens are not counted, overlaps once."""
    tokens = np.array([len(ids) for ids in tokenizer.ids(texts)], "int64")
    room = tokenizer.template.places(length, paired=False)
    read = np.minimum(tokens, task.reach(tokenizer, length) if isinstance(task, Documents) else room)
    return {"tokens_read": float(read.mean()), "share_read": float(read.sum() / max(1, tokens.sum())),
            "read_whole": float((read == tokens).mean())}
