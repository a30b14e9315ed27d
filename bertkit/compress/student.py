"""A teacher, and a student of it: a checkpoint of any family, or the teacher made smaller."""

from pathlib import Path
from typing import Any

import numpy as np

from bertkit import checkpoints
from bertkit.checkpoints import bundle
from bertkit.compress.importance import activation_importance, feature_importance, gradient_importance, strongest
from bertkit.compress.reduced import TASKS, TOGETHER, batches_to_measure, own_loss
from bertkit.compress.removal import BLOCKS, keep_entries, keep_layers, keep_parts, named_ids
from bertkit.compress.student_sizes import StudentSizes, spread
from bertkit.compress.vocabulary import frequent_entries, texts_of, trimmed
from bertkit.compress.width import keep_features
from bertkit.data.pipeline import BatchSampler
from bertkit.errors import Error
from bertkit.text import Tokenizer

OF_THE_HEAD = ("dropout", "head_config")        # what a head has from its family, and not from the task


class Teacher:
    """A bundle that teaches: its task, model, tokenizer and length.

    Args:
        folder: The bundle.

    Raises:
        Error: when there is no such bundle, or its task is another.
    """

    def __init__(self, folder: str | Path) -> None:
        values = bundle.read_metadata(folder)
        self.folder, self.task = folder, bundle.task(values)
        if self.task.name not in TASKS:
            raise Error(f"A bundle of the task {self.task.name} teaches no student; those of {', '.join(TASKS)} do.")
        self.tokenizer, self.length = bundle.tokenizer(folder, values), values["length"]
        self.model = checkpoints.load(folder)


class Student:
    """A model that is to learn from a teacher, with a tokenizer of its own.

    The attributes are `model`; `tokenizer`; `begins`, JSON values that say what it begins with; and `removed`, what the
    teacher has and it has not: the numbers of "layers", and how many "heads" and feed-forward "rows" of each layer,
    "features" of a token and "entries" of the vocabulary.

    Args:
        teacher: The `Teacher`.
        model: The model.
        tokenizer: Its `Tokenizer`.
        begins: What the card says of it.
    """

    def __init__(self, teacher: Teacher, model: Any, tokenizer: Tokenizer, begins: dict[str, Any]) -> None:
        self.teacher, self.model, self.tokenizer, self.begins = teacher, model, tokenizer, begins
        self.removed: dict[str, Any] = {}

    @classmethod
    def of_checkpoint(cls, teacher: Teacher, address: str | Path) -> "Student":
        """Make a student of a checkpoint, with a new head for the teacher's task where it has no such head.

        Args:
            teacher: The `Teacher`.
            address: What `bertkit.load` takes.

        Returns:
            The student.

        Raises:
            Error: when the checkpoint cannot be read, or its family has no head for the task.
        """
        folder = checkpoints.local_folder(address)
        model = checkpoints.load(folder)
        whole = type(model) is type(teacher.model) and _labels(model) == _labels(teacher.model)
        if not whole:
            wanted = {name: value for name, value in teacher.model.settings().items() if name not in OF_THE_HEAD}
            model = type(teacher.model)(checkpoints.load(folder, part="encoder"), **wanted)
        begins = {"checkpoint": str(address), "head": "its own" if whole else "new"}
        return cls(teacher, model, Tokenizer.load(folder), begins)

    @classmethod
    def of_sizes(cls, teacher: Teacher, sizes: StudentSizes, splits: Any, texts: list[str], seed: int) -> "Student":
        """Make a student of the teacher: layers spread over its depth, its most used entries, its strongest parts.

        Layers are chosen first, then entries, heads and feed-forward rows, then the features of a token; importance is
        measured on what is left by then.

        Args:
            teacher: The `Teacher`.
            sizes: The `StudentSizes`.
            splits: The `Splits`: train says what is important, train and dev which entries are used.
            texts: More texts that say which entries are used.
            seed: Of the rows that importance is measured on.

        Returns:
            The student.

        Raises:
            Error: when the teacher has no part of such a size.
        """
        sizes.check(teacher.model.encoder.config, len(teacher.tokenizer))
        made = cls(teacher, checkpoints.load(teacher.folder), teacher.tokenizer, {"sizes": sizes.to_json()})
        made._keep_layers(sizes.layers)
        made._keep_entries(sizes.vocabulary, splits, texts)
        made._keep_parts(sizes, splits, seed)
        return made

    def _keep_layers(self, count):
        config = self.model.encoder.config
        if count in (None, config.num_layers):
            return
        self.begins["layers"] = kept = spread(config.num_layers, count)
        self.removed["layers"] = sorted(set(range(config.num_layers)) - set(kept))
        self.model = keep_layers(self.model, kept)

    def _keep_entries(self, count, splits, texts):
        if count in (None, len(self.tokenizer)):
            return
        known = [part.inputs for name, part in splits.parts.items() if name in ("train", "dev")]
        texts = [*texts, *(text for inputs in known for text in texts_of(inputs))]
        ids = frequent_entries(self.tokenizer, texts, count, named_ids(self.model.encoder.config))
        self.removed["entries"] = len(self.tokenizer) - len(ids)
        self.tokenizer, self.model = trimmed(self.tokenizer, ids), keep_entries(self.model, ids)

    def _keep_parts(self, sizes, splits, seed):
        """Keep heads by the gradient of the loss, rows by what they add, and features of a token by their size."""
        config = self.model.encoder.config
        sampler = BatchSampler(splits.features(self.tokenizer, self.teacher.length), TOGETHER, seed)
        heads = rows = None
        if (count := sizes.heads_for(config)) != config.num_heads:
            loss = own_loss(self.model, sampler.features)
            heads = strongest(gradient_importance(self.model, loss, batches_to_measure(sampler))[0], count)
            self.removed["heads"] = config.num_heads - count
        if sizes.intermediate not in (None, config.intermediate_dim):
            _check_block(config)
            rows = strongest(activation_importance(self.model, batches_to_measure(sampler)), sizes.intermediate)
            self.removed["rows"] = config.intermediate_dim - sizes.intermediate
        if heads is not None or rows is not None:
            self.model = keep_parts(self.model, heads, rows)
        if sizes.hidden not in (None, config.hidden_dim):
            found = feature_importance(self.model, batches_to_measure(sampler))
            (features,) = strongest(found[None], sizes.hidden)
            self.model, new = keep_features(self.model, features)
            self.begins["new"], self.removed["features"] = new, config.hidden_dim - sizes.hidden


def _check_block(config):
    if not isinstance(config.block, BLOCKS):
        raise Error(f"student: intermediate is no size of a {config.family}, whose feed-forward rows are not told "
                    "apart; leave it out, or give a checkpoint.")


def _labels(model):
    """Return what a head answers with: its labels, and whether a text may have several."""
    return [getattr(model, name, None) for name in ("labels", "multi_label")]


def removed_sentence(removed: dict[str, Any]) -> str:
    """Return in words what a student lacks of its teacher.

    Args:
        removed: `Student.removed`.

    Returns:
        A sentence; "" where it lacks nothing, or is another model.

    Example:
        >>> removed_sentence({"layers": [1], "features": 8})
        'Of the teacher were removed: the layers 1, 8 features of a token.'
    """
    names = {"heads": "heads of each layer", "rows": "feed-forward rows of each layer", "features":
             "features of a token", "entries": "entries of the vocabulary"}
    parts = [f"the layers {', '.join(map(str, removed['layers']))}"] if "layers" in removed else []
    parts += [f"{removed[name]:,} {words}" for name, words in names.items() if name in removed]
    return f"Of the teacher were removed: {', '.join(parts)}." if parts else ""


def parameters(teacher: Teacher, student: Student) -> dict[str, int]:
    """Count the parameters of both.

    Args:
        teacher: The `Teacher`.
        student: The `Student`.

    Returns:
        {"teacher", "student"}.
    """
    return {name: int(sum(np.prod(weight.shape) for weight in side.model.weights))
            for name, side in (("teacher", teacher), ("student", student))}
