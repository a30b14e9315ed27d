"""What is left of a bundle's model and tokenizer when layers, entries, heads and rows are removed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bertkit import checkpoints
from bertkit.checkpoints import bundle
from bertkit.compress.importance import activation_importance, gradient_importance, strongest
from bertkit.compress.removal import keep_entries, keep_layers, keep_parts, named_ids
from bertkit.compress.sizes import Sizes
from bertkit.compress.vocabulary import frequent_entries, texts_of, trimmed, used_entries
from bertkit.config import EncoderConfig
from bertkit.data.features import features_of
from bertkit.data.pipeline import BatchSampler
from bertkit.data.splits import Splits
from bertkit.errors import Error
from bertkit.heads import SentenceEmbedder
from bertkit.text import Tokenizer
from bertkit.training.contrastive import contrastive_loss
from bertkit.training.scoring import outputs

TASKS = ("classify", "score", "tag", "answer", "choose", "embed")
MEASURED, TOGETHER = 512, 16        # training examples that importance is measured on, and how many at once
PROVED, EQUAL = 64, 1e-6            # rows of dev whose outputs must be the same after a lossless trim


class Whole:
    """A bundle that is slimmed: its task, model, tokenizer and length.

    Args:
        folder: The bundle.
        sizes: The `Sizes` of what is to be left.
        length: Tokens that a row is cut to; None takes the bundle's.

    Raises:
        Error: when there is no such bundle, its task is another, or it has no such parts.
    """

    def __init__(self, folder: str | Path, sizes: Sizes, length: int | None = None) -> None:
        values = bundle.read_metadata(folder)
        self.folder, self.task = folder, bundle.task(values)
        if self.task.name not in TASKS:
            raise Error(f"A bundle of the task {self.task.name} is not slimmed; those of {', '.join(TASKS)} are.")
        self.tokenizer, self.length = bundle.tokenizer(folder, values), length or values["length"]
        sizes.check(EncoderConfig.from_json(values["config"]), len(self.tokenizer))
        self.model = checkpoints.load(folder)


class Reduced:
    """What is left of a bundle.

    Layers are removed first, then entries of the vocabulary, then heads and rows, whose importance is measured on what
    is left. The attributes are `model`; `tokenizer`; `ids`, for each id of the tokenizer the one that it was, int32
    [V], or None where they are the same; and `removed`, JSON values that say what was removed.

    Args:
        whole: The `Whole` bundle.
        sizes: The `Sizes`.
        splits: The `Splits`: train says what is important, train and dev which entries are used.
        seed: Of the rows that importance is measured on.

    Raises:
        Error: when the model has no equal of these sizes, or a trim that should be lossless is not.
    """

    def __init__(self, whole: Whole, sizes: Sizes, splits: Splits, seed: int) -> None:
        self.whole, self.sizes, self.splits = whole, sizes, splits
        self.model, self.tokenizer = checkpoints.load(whole.folder), whole.tokenizer
        self.ids: np.ndarray | None = None
        self.removed: dict[str, Any] = {}
        layers = range(self.model.encoder.config.num_layers)
        self.layers = tuple(layers) if sizes.layers is None else sizes.layers
        if sizes.layers is not None:
            self.removed["layers"] = sorted(set(layers) - set(sizes.layers))
            self.model = keep_layers(self.model, sizes.layers)
        if sizes.vocabulary is not None:
            self._trim(sizes.vocabulary)
        if sizes.heads is not None or sizes.intermediate is not None:
            self._narrow(seed)

    def _trim(self, vocabulary):
        config = self.model.encoder.config
        ids = _entries(self.tokenizer, vocabulary, self.splits, self.whole.length, named_ids(config))
        self.tokenizer, self.model = trimmed(self.tokenizer, ids), keep_entries(self.model, ids)
        self.removed["entries"], self.ids = config.vocabulary_size - len(ids), np.array(ids, "int32")
        if vocabulary == "used":
            self._prove_splits(self.ids)
        if self.sizes.is_lossless:
            self._prove_answers()

    def _prove_splits(self, ids):
        """Raise `Error` unless the texts of all rows are split as before."""
        for part in self.splits.parts.values():
            before, after = (self.splits.task.pack(tokenizer, part.inputs, self.whole.length).rows
                             for tokenizer in (self.whole.tokenizer, self.tokenizer))
            if not all(np.array_equal(one[0], ids[np.asarray(other[0])])
                       for one, other in zip(before, after, strict=True)):
                raise Error(f"Without the entries that no text uses, texts of {part.path} are split into other pieces; "
                            "give --vocabulary a number, or leave it out.")

    def _prove_answers(self):
        """Raise `Error` unless the first rows of dev are answered as before."""
        inputs = self.splits.parts["dev"].inputs[:PROVED]
        sides = [outputs(side.model, features_of(self.splits.task.pack(side.tokenizer, inputs, self.whole.length),
                                                 side.tokenizer)) for side in (self.whole, self)]
        if not all(np.allclose(one, other, rtol=0, atol=EQUAL) for one, other in zip(*sides, strict=True)):
            raise Error("The model with fewer entries answers rows of dev in another way; report it.")

    def _narrow(self, seed):
        config = self.model.encoder.config
        sampler = BatchSampler(self.splits.features(self.tokenizer, self.whole.length), TOGETHER, seed)
        heads = rows = None
        if self.sizes.heads is not None:
            loss = own_loss(self.model, sampler.features)
            found = gradient_importance(self.model, loss, batches_to_measure(sampler))[0]
            heads = strongest(found, self.sizes.heads)
            self.removed["heads"] = self._by_layer(heads, config.num_heads)
        if self.sizes.intermediate is not None:
            rows = strongest(activation_importance(self.model, batches_to_measure(sampler)), self.sizes.intermediate)
            self.removed["rows"] = {layer: len(numbers) for layer, numbers in
                                    self._by_layer(rows, config.intermediate_dim).items()}
        self.model = keep_parts(self.model, heads, rows)

    def _by_layer(self, kept, count):
        """Return {number of a layer of the bundle, or name of a block that layers share: the numbers removed}."""
        shared = self.model.encoder.config.shared is not None
        names = [f"shared block {i}" if shared else str(self.layers[i]) for i in range(len(kept))]
        return {name: sorted(set(range(count)) - set(part)) for name, part in zip(names, kept, strict=True)}


def own_loss(model: Any, features: Any) -> Any:
    """Return the loss of a model on labels, without what tuning adds.

    Args:
        model: A head of bertkit's on an encoder.
        features: The `Features` of the training rows.

    Returns:
        A Keras loss.
    """
    return contrastive_loss(features) if isinstance(model, SentenceEmbedder) else model.loss_function()


def batches_to_measure(sampler: BatchSampler) -> Iterator[Any]:
    """Return the batches that importance is measured on.

    Args:
        sampler: A `BatchSampler` of `TOGETHER` examples a batch.

    Returns:
        An iterator over what `keras_batch` returns, `MEASURED` examples at most.
    """
    return map(sampler.keras_batch, range(min(sampler.steps_per_epoch, MEASURED // TOGETHER)))


def _entries(tokenizer: Tokenizer, wanted: Any, splits: Splits, length: int, named: list[int]) -> list[int]:
    """Return the ids of the vocabulary that stay, which depend on all texts of train and dev."""
    known = [part.inputs for name, part in splits.parts.items() if name in ("train", "dev")]
    texts = [text for inputs in known for text in texts_of(inputs)]
    if wanted != "used":
        return frequent_entries(tokenizer, texts, wanted, named)
    packed = {int(i) for inputs in known for row, _ in splits.task.pack(tokenizer, inputs, length).rows for i in row}
    return used_entries(tokenizer, texts, packed | set(named))
