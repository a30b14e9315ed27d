"""Sort documents that are longer than a model's input into classes, by the outputs for their windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.errors import Error
from bertkit.tasks.classification import Classification
from bertkit.tasks.packed import Packed
from bertkit.text import Tokenizer
from bertkit.text.windows import windows

TOGETHER = "together"
# [windows, C] -> [C]
POOLINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mean": lambda logits: logits.mean(axis=0),
                                                           "max": lambda logits: logits.max(axis=0)}


@dataclass(frozen=True)
class Documents(Classification):
    """One of `labels` for each text, or with `multi_label` any number, from its first `most_windows` windows.

    Windows begin half a window apart (see `text.windows`). What follows the last window is not read (see `coverage`). A
    document of one window has the prediction of a `Classification`.

    Args:
        labels: The names of the classes, in the order of the model's outputs.
        multi_label: Whether a text may have several labels, or none.
        pairs: False: documents are single texts.
        most_windows: The most windows of a text.
        pooling: "mean" or "max" over windows of each class's logit, or "together": a model that reads all windows of a
            document at once gives its logits (see `heads.DocumentClassifier`).

    Raises:
        Error: when `pairs` is set, `most_windows` is below 1, or `pooling` is unknown.

    Example:
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

    def pack(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int, targets: Any = None) -> Packed:
        """Make the windows of each text; where they are read together, those of a text are one example.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts.
            length: The most tokens of a row.
            targets: The labels of the texts. Each window has its text's label, or all windows together have one. None
                without labels.

        Returns:
            The `Packed` rows.
        """
        read = self.tokens_read(tokenizer, length)
        cut = [[window.row for window in windows(tokenizer, ids[:read], length, stride=length)]
               for ids in tokenizer.ids(inputs)]
        counts = np.array([len(rows) for rows in cut], "int64")
        rows = [row for part in cut for row in part]
        if self.pooling == TOGETHER:
            return Packed(rows, counts.tolist(), targets, counts=counts)
        return Packed(rows, counts.tolist(), None if targets is None else np.repeat(targets, counts, axis=0))

    def tokens_read(self, tokenizer: Tokenizer, length: int) -> int:
        """Return how many tokens of a text, from its first, are read.

        Args:
            tokenizer: The `Tokenizer`.
            length: The most tokens of a window, with the special tokens.

        Returns:
            Tokens, without special ones.
        """
        room = tokenizer.template.max_text_tokens(length, paired=False)
        return room + (self.most_windows - 1) * max(1, room // 2)

    def outputs(self, raw: Any) -> Any:
        """Return logits as they are: they are pooled before they become probabilities.

        Args:
            raw: [..., C].

        Returns:
            The same.
        """
        return raw

    def predictions(self, outputs: Any, packed: Any = None) -> list[np.ndarray]:
        """Return the probabilities of each text.

        Args:
            outputs: Logits [C] of each window, or of each text where windows are read together.
            packed: The `Packed` rows.

        Returns:
            float32 [C] of each text.
        """
        return self._probabilities(self._pooled(outputs, packed))

    def cut(self, tokenizer: Tokenizer, inputs: Sequence[Any], length: int) -> np.ndarray:
        """Find the texts of which the windows of a length leave something out.

        Args:
            tokenizer: The `Tokenizer`.
            inputs: Texts.
            length: The most tokens of a window.

        Returns:
            bool [texts].
        """
        return np.array([len(ids) > self.tokens_read(tokenizer, length) for ids in tokenizer.ids(inputs)], bool)

    def aligned(self, outputs: Sequence[Any], packed: Packed) -> list[np.ndarray]:
        """Return the pooled logits of each text, which windows of another length have too.

        Args:
            outputs: Logits [C] of each window.
            packed: The `Packed` rows.

        Returns:
            float32 [C] of each text.
        """
        return self._pooled(outputs, packed)

    def agreement(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the fraction of windows on which two files decide alike.

        Args:
            one: The logits of one file, float32 [C] of each window.
            other: Those of the other file, for the same windows.

        Returns:
            From 0 to 1.
        """
        return super().agreement(self._probabilities(one), self._probabilities(other))

    def drift(self, one: Sequence[Any], other: Sequence[Any]) -> float:
        """Compute the largest difference of the log-probabilities of windows between two files.

        Args:
            one: The logits of one file, float32 [C] of each window.
            other: Those of the other file, for the same windows.

        Returns:
            The largest absolute difference, in nats.
        """
        return super().drift(self._probabilities(one), self._probabilities(other))

    def _pooled(self, outputs, packed):
        if self.pooling == TOGETHER or not len(outputs):
            return list(outputs)
        pool, ends = POOLINGS[self.pooling], np.cumsum(packed.origin)[:-1]
        return [pool(np.stack(list(part))) for part in np.split(np.asarray(outputs), ends)]

    def _probabilities(self, logits):
        return [super(Documents, self).outputs(row) for row in logits]


def check_single(task: Classification) -> None:
    """Check that a classification reads single texts.

    Args:
        task: The `Classification`.

    Raises:
        Error: when it reads pairs.
    """
    if task.pairs:
        raise Error("Documents are single texts, and pairs came; train on these with `bertkit classify`.")


def coverage(task: Classification, tokenizer: Tokenizer, texts: Sequence[str], length: int) -> dict[str, float]:
    """Measure how much of texts a task reads. Special tokens are not counted, overlaps are counted once.

    Args:
        task: A `Documents` or another `Classification`.
        tokenizer: The `Tokenizer`.
        texts: The texts.
        length: The most tokens of a row.

    Returns:
        {"tokens_read": the mean of a text, "share_read": the share of all tokens, "read_whole": the share of the
        texts}.
    """
    tokens = np.array([len(ids) for ids in tokenizer.ids(texts)], "int64")
    room = tokenizer.template.max_text_tokens(length, paired=False)
    read = np.minimum(tokens, task.tokens_read(tokenizer, length) if isinstance(task, Documents) else room)
    return {"tokens_read": float(read.mean()), "share_read": float(read.sum() / max(1, tokens.sum())),
            "read_whole": float((read == tokens).mean())}
