"""Ways to sort documents that are longer than an encoder reads at once: what is read of them, and by which model."""

from dataclasses import dataclass
from typing import Any

from bertkit.checkpoints.lengthened import to_longformer, with_global_attention
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier, DocumentClassifier
from bertkit.tasks.documents import TOGETHER, Documents, check_single


@dataclass(frozen=True)
class Cut:
    """Read each document's first `length` tokens; the strategies below change parts of this one.

    Args:
        length: Tokens of a row.
        batch_size: Documents in a step.
        most_windows: Windows that are read of a document at most, as in `Documents`.
        pooling: How the answers of windows are pooled, as in `Documents`.
        most_tokens: Tokens that are read of a document where it is read without windows.

    Raises:
        Error: When `most_windows` or `most_tokens` is below 1.
    """

    length: int
    batch_size: int
    most_windows: int
    pooling: str
    most_tokens: int

    def __post_init__(self):
        for name in ("most_windows", "most_tokens"):
            if getattr(self, name) < 1:
                raise Error(f"{name}={getattr(self, name)} reads nothing; give 1 or more.")

    @property
    def tokens(self) -> int:
        """Tokens of a row."""
        return self.length

    @property
    def examples(self) -> int:
        """Examples in a step: fewer where one has many rows or tokens, so that a step takes no more memory."""
        return self.batch_size

    def task(self, classification: Any) -> Any:
        """Return the task of this strategy.

        Args:
            classification: The `Classification` that the training file describes.

        Returns:
            The task.

        Raises:
            Error: When the task is one of pairs of texts.
        """
        check_single(classification)
        return classification

    def model(self, encoder: Encoder, task: Any) -> Any:
        """Return a new model of this strategy.

        Args:
            encoder: The encoder, which becomes part of the model.
            task: What the method `task` returned.

        Returns:
            A `Classifier` or a `DocumentClassifier`.
        """
        return Classifier(encoder, task.labels, multi_label=task.multi_label,
                          head_config=with_global_attention(encoder))


class Windows(Cut):
    """Train each window on its document's label, and pool the answers to a document's windows."""

    def task(self, classification: Any) -> Any:
        """Return the task of documents in windows.

        Args:
            classification: The `Classification` that the training file describes.

        Returns:
            A `Documents`.
        """
        return _documents(classification, self.most_windows, self.pooling)


class Hierarchical(Cut):
    """Read the windows of a document together, by a `DocumentClassifier`."""

    @property
    def examples(self) -> int:
        """Documents in a step: so many that their windows are about `batch_size` rows."""
        return max(1, self.batch_size // self.most_windows)

    def task(self, classification: Any) -> Any:
        """Return the task of documents whose windows are read together.

        Args:
            classification: The `Classification` that the training file describes.

        Returns:
            A `Documents`.
        """
        return _documents(classification, self.most_windows, TOGETHER)

    def model(self, encoder: Encoder, task: Any) -> Any:
        """Return a new `DocumentClassifier`.

        Args:
            encoder: The encoder, which becomes part of the model.
            task: What the method `task` returned.

        Returns:
            The model.
        """
        return DocumentClassifier(encoder, task.labels, multi_label=task.multi_label,
                                  head_config=with_global_attention(encoder))


class Sparse(Cut):
    """Read each document's first `most_tokens` tokens, by a Longformer made of the encoder (see `to_longformer`)."""

    @property
    def tokens(self) -> int:
        """Tokens of a row."""
        return self.most_tokens

    @property
    def examples(self) -> int:
        """Documents in a step: so many that their tokens are about `batch_size` · `length`."""
        return max(1, self.batch_size * self.length // self.most_tokens)

    def model(self, encoder: Encoder, task: Any) -> Any:
        """Return a new `Classifier` on a Longformer made of an encoder.

        Args:
            encoder: The encoder, whose weights are copied.
            task: What the method `task` returned.

        Returns:
            The model.
        """
        return super().model(to_longformer(encoder, self.most_tokens), task)


STRATEGIES = {"cut": Cut, "windows": Windows, "hierarchical": Hierarchical, "sparse": Sparse}


def _documents(found, most_windows, pooling):
    """Return a `Documents` with the settings of a `Classification`."""
    return Documents(**found.settings(), most_windows=most_windows, pooling=pooling)
