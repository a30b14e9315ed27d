"""What a teacher answers to the rows of a student: it reads each text by its own tokenizer, and answers it once."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.compress.alignment import aligned_rows
from bertkit.compress.matches import Match
from bertkit.data.features import features_of
from bertkit.errors import Error
from bertkit.tasks.packed import UNSCORED
from bertkit.terminal import say
from bertkit.text import Tokenizer
from bertkit.training.scoring import batched_outputs

IN_MEMORY = 2**28       # bytes of answers; more are kept in a file, which the system removes with the process
FEWEST = 0.5            # the share of tokens, or of rows, below which a match compares too little
CHUNK = 2**16           # words whose answers are copied at a time
NEVER = -1e9            # the logit of a token at which, as the teacher reads it, no answer begins or ends


class TaughtRows:
    """The rows of a student, with the teacher's answers beside them.

    The attributes are `features`, the student's rows; `beside`, which `BatchSampler` takes: {"answers": what the
    teacher's model gives, in the places of the student's rows, "labelled": 1 where a row has a label of its own and 0
    where not, of tags "words": -1 at tokens that begin no word}; `packed` and `theirs`, the `Packed` rows of student
    and teacher; and `known`, the labels of the rows that have some.

    Args:
        teacher: The `Teacher`, which is asked once.
        tokenizer: The `Tokenizer` of the student.
        length: The most tokens of a row of the student.
        inputs: What the task reads: rows with labels, then rows without.
        targets: What those with labels are scored against.
        temperature: T, a number, by which logits [...,C] are divided.
        folder: A folder for answers that are too many for memory; None takes the system's.
        matches: The `Match`es of tokens, for which each token of the student is compared with one of the teacher:
            "places" int32 [B,T], its place in the teacher's row or -1, "same" [B], 1 where both rows are the same
            pieces, and the teacher's inputs under "teacher/" come with the labels.

    Raises:
        Error: when fewer than `FEWEST` of the tokens that a match compares are the same pieces to both.
    """

    def __init__(self, teacher: Any, tokenizer: Tokenizer, length: int, inputs: list[Any], targets: Any,
                 temperature: float = 1.0, folder: str | Path | None = None, matches: Sequence[Match] = ()) -> None:
        self.teacher, self.folder, self.temperature = teacher, folder, temperature
        packed_with, task = _with_placeholders(teacher, inputs, targets), teacher.task
        self.packed = task.pack(tokenizer, inputs, length, packed_with)
        self.theirs = task.pack(teacher.tokenizer, inputs, teacher.length, packed_with)
        self.features = features_of(self.packed, tokenizer)
        self.labelled = _labelled(task, self.packed, len(targets), len(inputs))
        self.words: np.ndarray | None = None
        self.theirs_rows = features_of(self.theirs, teacher.tokenizer)
        if task.name == "tag":
            self._of_words(inputs, tokenizer, length, self._asked(), len(targets))
        elif task.name == "answer":
            self._of_places(self._asked())
        else:
            self._of_examples(self._asked())
        labels, tokens = self.features.labels, self.features.token_labels
        self.known: Any = tokens if labels is None else labels[self.labelled == 1]
        self.places: Any = None
        if matches:
            self._align(tokenizer, length, inputs, packed_with, matches)

    def beside(self, examples: np.ndarray, length: int) -> dict[str, np.ndarray]:
        """Return what the labels of a batch come with.

        Args:
            examples: The numbers of the examples, int [B].
            length: Tokens of a padded row.

        Returns:
            {"answers": float32 [B,...], "labelled": float32 [B]}, of tags also "words" int32 [B,T]; for matches
            "places", "same" and the teacher's inputs.
        """
        found = {"labelled": self.labelled[examples], **self._inside(examples, length)}
        if self.words is not None:
            words = self.features.padded(self.words, examples, length, -1)
            return {**found, "words": words, "answers": self.answers[words] * (words >= 0)[..., None]}
        if self.teacher.model.each_token:
            return {**found, "answers": self.features.padded(self.answers, examples, length, NEVER)}
        return {**found, "answers": np.asarray(self.answers[examples])}

    def _align(self, tokenizer, length, inputs, labels, matches):
        """Find the teacher's place of each token; refuse a match of which too little is the same to both."""
        found = aligned_rows(self.teacher.task, (tokenizer, length), (self.teacher.tokenizer, self.teacher.length),
                             inputs, labels)
        if found is None:
            raise Error(f"The match {matches[0]} compares single tokens, and the two models read the texts in other "
                        "windows; give the student the teacher's vocabulary and length, or leave the match out.")
        self.places, self.same = found
        shares = {"hidden": float(np.mean(self.places >= 0)), "attention": float(np.mean(self.same))}
        for match in matches:
            kind = match.teacher.partition("/")[0]
            if shares[kind] < FEWEST:
                what = "pieces of the texts are" if kind == "hidden" else "rows are, piece by piece,"
                raise Error(f"The match {match} compares single tokens, and {shares[kind]:.0%} of the student's {what} "
                            "the same to the teacher; give the student the teacher's vocabulary, or leave the match "
                            "out.")
        if min(shares.values()) < 1:
            say(f"{shares['hidden']:.1%} of the student's pieces are the same to the teacher, and matches of hidden "
                f"vectors compare these; {shares['attention']:.1%} of the rows are, and matches of attention these.")

    def _inside(self, examples, length):
        """Return what matches of tokens read."""
        if self.places is None:
            return {}
        inputs = self.theirs_rows.batch(examples)
        group, longest = self.features.group, inputs["token_ids"].shape[-1]
        rows = (examples[:, None] * group + np.arange(group)).ravel()
        places = self.features.padded(self.places, examples, length, -1)
        if self.theirs_rows.padding.left:
            sizes = np.diff(self.theirs_rows.starts)[rows]
            places = np.where(places < 0, -1, places + (longest - sizes)[:, None]).astype("int32")
        same = self.same[rows].astype("float32")
        if group > 1:
            places, same = places.reshape(len(examples), group, -1), same.reshape(len(examples), group)
        return {"places": places, "same": same, **{f"teacher/{name}": value for name, value in inputs.items()}}

    def _asked(self):
        """Return what the teacher's model gives: [rows,C], or [tokens of all rows,C] where it answers each token."""
        model, rows = self.teacher.model, self.theirs_rows.single_rows
        found: Any = None
        for numbers, values in batched_outputs(model, rows):
            if found is None:
                found = kept((len(rows.token_ids) if model.each_token else len(rows), values[0].shape[-1]), self.folder)
            for number, value in zip(numbers, values, strict=True):
                place = slice(rows.starts[number], rows.starts[number + 1]) if model.each_token else number
                found[place] = value
        return found

    def _of_examples(self, found):
        """Keep a vector for each example, or one for each row of its group."""
        group, width = self.features.group, found.shape[-1]
        self.answers = found.reshape((len(self.features), group) if self.teacher.model.grouped else (
            (len(self.features), group, width) if group > 1 else (len(self.features), width)))

    def _of_words(self, inputs, tokenizer, length, found, labelled):
        """Keep the logits of each word of all inputs; a word's place is where either model reads its first piece."""
        places, starts, _ = self.theirs.origin
        numbers = [list(map(str, range(*each))) for each in pairwise(starts)]
        counting = replace(self.teacher.task, labels=tuple(map(str, range(starts[-1]))))
        self.words = np.asarray(counting.pack(tokenizer, inputs, length, numbers).token_labels, "int32")
        self.answers = kept((starts[-1] + 1, self.teacher.task.width), self.folder)
        for first in range(0, starts[-1], CHUNK):
            part = places[first:first + CHUNK]
            self.answers[first:first + len(part)] = found[np.maximum(part, 0)]
        labels = np.asarray(self.features.token_labels)
        self.features = replace(self.features, token_labels=np.where(self.words < starts[labelled], labels, UNSCORED))
        self.words[np.isin(self.words, np.flatnonzero(places < 0))] = -1        # the teacher does not read these

    def _of_places(self, found):
        """Keep start and end logits of each token of the student's windows."""
        rows, ends, at = iter(self.packed.rows), iter(np.cumsum([len(ids) for ids, _ in self.theirs.rows])), 0
        self.answers = kept((len(self.features.token_ids), 2), self.folder)
        self.answers[:] = NEVER
        for theirs, ours in zip(self.theirs.origin, self.packed.origin, strict=True):
            outputs = [found[end - len(window.row[0]):end] for window, end in zip(theirs.windows, ends, strict=False)]
            (logits,) = self.teacher.task.aligned(outputs, replace(self.theirs, origin=[theirs]))
            sides = moved(logits[1:], theirs.offsets, ours.offsets, self.temperature)
            for window in ours.windows:
                size, first = len(next(rows)[0]), at + window.place
                self.answers[first:first + window.end - window.start] = sides[window.start:window.end]
                self.answers[at + window.cls] = logits[0]
                at += size


def moved(logits: np.ndarray, theirs: Any, ours: Any, temperature: float) -> np.ndarray:
    """Give start and end logits of the pieces of one tokenizer to those of another one, by their characters.

    T log Σ exp(z/T) over the pieces that begin in a piece (starts), or end in it (ends): its probability is the sum of
    theirs. A piece in which none does has `NEVER`.

    Args:
        logits: float [tokens,2], of the first tokenizer's pieces.
        theirs: (start, end) of each of these, in characters.
        ours: (start, end) of each piece of the other tokenizer.
        temperature: T.

    Returns:
        float32 [pieces of the other tokenizer,2].

    Example:
        >>> logits = np.log([[0.25, 0.5], [0.25, 0.25]])
        >>> np.exp(moved(logits, [(0, 2), (2, 4)], [(0, 4)], temperature=1.0)).round(3).tolist()
        [[0.5, 0.75]]
    """
    found = np.full((len(ours), 2), -np.inf)
    if not len(ours) or not len(theirs):
        return np.full((len(ours), 2), NEVER, "float32")
    ends = np.asarray(ours).reshape(-1, 2)[:, 1]
    spans = np.asarray(theirs).reshape(-1, 2)
    for side, characters in enumerate((spans[:, 0], spans[:, 1] - 1)):
        places = np.minimum(np.searchsorted(ends, characters, side="right"), len(ours) - 1)
        np.logaddexp.at(found[:, side], places, logits[:, side].astype("float64") / temperature)
    return np.maximum(np.where(np.isneginf(found), NEVER, found * temperature), NEVER).astype("float32")


def kept(shape: tuple[int, ...], folder: str | Path | None = None) -> np.ndarray:
    """Return a float32 array of zeros, in memory, or where it is large in a file without a name.

    Args:
        shape: Its shape.
        folder: The folder of the file; None takes the system's.

    Returns:
        float32 of that shape, [n, ...].

    Raises:
        Error: when the file cannot be written.
    """
    size = 4 * int(np.prod(shape))
    if size <= IN_MEMORY:
        return np.zeros(shape, "float32")
    try:
        return np.memmap(tempfile.TemporaryFile(dir=folder), "float32", "w+", shape=shape)
    except OSError as error:
        raise Error(f"The teacher's answers take {size / 1e9:.1f} GB, which cannot be written "
                    f"({error.strerror or error}); free some room, or give fewer rows.") from None


def _labelled(task, packed, labelled, inputs):
    """Return 1 for each example of an input with a label and 0 for the others, float32 [examples]."""
    counts = np.ones(inputs, "int64")
    if task.name == "answer":
        counts = np.array([len(question.windows) for question in packed.origin], "int64")
    if task.name == "tag":
        return np.ones(len(packed.rows), "float32")         # tokens without a label say it themselves
    return np.repeat((np.arange(inputs) < labelled).astype("float32"), counts)


def _with_placeholders(teacher, inputs, targets):
    """Return the targets, and for the inputs after them targets that are not read."""
    missing = len(inputs) - len(targets)
    if isinstance(targets, np.ndarray):
        return np.concatenate([targets, np.zeros((missing, *targets.shape[1:]), targets.dtype)])
    if teacher.task.name == "answer":
        return [*targets, *([] for _ in range(missing))]
    if teacher.task.name == "tag":
        starts = teacher.task.pack(teacher.tokenizer, inputs[len(targets):], teacher.length).origin[1]
        return [*targets, *([teacher.task.labels[0]] * (last - first) for first, last in pairwise(starts))]
    return [*targets, *[0] * missing]
