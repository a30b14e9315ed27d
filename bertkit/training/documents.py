"""Ways to sort documents that are longer than an encoder reads at once: what is read of them, and by which model."""

from dataclasses import dataclass

from bertkit.checkpoints.lengthened import lengthened, watching
from bertkit.errors import Error
from bertkit.heads import Classifier, DocumentClassifier
from bertkit.tasks.documents import TOGETHER, Documents, check_single


@dataclass(frozen=True)
class Cut:
    """Each document's first `length` tokens, `batch_size` documents in a step; the ways below change parts of this.

    `most_windows` and `pooling` as in `Documents`, `most_tokens` is how much of a document is read without windows.
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
    def tokens(self):
        """Tokens of a row."""
        return self.length

    @property
    def examples(self):
        """Examples in a step; of those of many rows or tokens fewer, so that a step takes no more memory."""
        return self.batch_size

    def task(self, found):
        """Return the task, made of the `Classification` that was `found`; raises `Error` for one of pairs."""
        check_single(found)
        return found

    def model(self, encoder, task):
        """Return the model on an encoder."""
        return Classifier(encoder, task.labels, multi_label=task.multi_label, head_config=watching(encoder))


class Windows(Cut):
    """Each window learns its document's label, and what is said of a document's windows is pooled."""

    def task(self, found):
        return Documents(found.labels, found.multi_label, found.pairs, self.most_windows, self.pooling)


class Hierarchical(Cut):
    """The windows of a document are read together, by a `DocumentClassifier`."""

    @property
    def examples(self):
        return max(1, self.batch_size // self.most_windows)

    def task(self, found):
        return Documents(found.labels, found.multi_label, found.pairs, self.most_windows, TOGETHER)

    def model(self, encoder, task):
        return DocumentClassifier(encoder, task.labels, multi_label=task.multi_label, head_config=watching(encoder))


class Sparse(Cut):
    """Each document's first `most_tokens` tokens, by a Longformer made of the encoder (see `lengthened`)."""

    @property
    def tokens(self):
        return self.most_tokens

    @property
    def examples(self):
        return max(1, self.batch_size * self.length // self.most_tokens)

    def model(self, encoder, task):
        return super().model(lengthened(encoder, self.most_tokens), task)


STRATEGIES = {"cut": Cut, "windows": Windows, "hierarchical": Hierarchical, "sparse": Sparse}
