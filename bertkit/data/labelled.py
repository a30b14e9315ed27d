"""Labelled inputs of every task: from a published file to what a task packs and scores."""

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bertkit.data.candidates import Ranked
from bertkit.data.choices import read_choices
from bertkit.data.columns import Columns
from bertkit.data.conll import read_conll, tag_names
from bertkit.data.folders import read_folder
from bertkit.data.pairs import read_pairs
from bertkit.data.parallel import read_parallel
from bertkit.data.readers import label_indices, label_names, read_examples
from bertkit.data.squad import read_squad
from bertkit.errors import Error
from bertkit.ondevice.answering import Answering
from bertkit.ondevice.choosing import Choosing
from bertkit.ondevice.classification import Classification
from bertkit.ondevice.documents import Documents
from bertkit.ondevice.embedding import Embedding
from bertkit.ondevice.ranking import Ranking
from bertkit.ondevice.regression import Regression
from bertkit.ondevice.summarising import Central, Summarising
from bertkit.ondevice.tagging import Tagging
from bertkit.ondevice.writing import Writing
from bertkit.terminal import say


@dataclass(frozen=True)
class Labelled:
    """`inputs` of a task and its `targets`, side by side, from the file `path`.

    `skipped` are (number, reason) of what was left out, a number of the `unit`: a line, a question. `groups` says what
    inputs belong to that stay together, where any do.
    """

    path: Path
    inputs: list
    targets: object
    skipped: list
    unit: str = "line"
    groups: list | None = None

    def __len__(self):
        return len(self.inputs)

    def divided(self, share):
        """Return (the rest, about `share` of the inputs): groups, or else single inputs, that a hash of them chooses.

        The same ones whatever comes beside them. Raises `Error` where one of the two would be empty.
        """
        units = self.inputs if self.groups is None else self.groups
        held = np.array([_fraction(unit) < share for unit in units])
        if held.all() or not held.any():
            raise Error(f"{self.path}: of its {len(self)} rows, {held.sum()} would be held back at held_back={share}; "
                        "give another share, or rows of their own with --dev.")
        rest, rows = self._only(np.flatnonzero(~held)), self._only(np.flatnonzero(held))
        return rest, replace(rows, skipped=[])

    def _only(self, rows):
        targets = self.targets[rows] if isinstance(self.targets, np.ndarray) else [self.targets[i] for i in rows]
        return replace(self, inputs=[self.inputs[i] for i in rows], targets=targets,
                       groups=self.groups and [self.groups[i] for i in rows])

    def facts(self):
        """Return what a card says of the file."""
        return {"file": Path(self.path).name, "rows": len(self), "skipped": len(self.skipped)}


def read_labelled(task, path, columns=Columns(), separator=None, **reading):
    """Return the `Labelled` inputs of a file for a task that is known.

    `separator` parts the labels in a cell where a text has several; `reading` are "limit" and "skip_bad_rows" (see
    `read_examples`). Says how many rows were left out. Raises `Error` with file and line for what the task cannot be
    scored on.
    """
    reader = READERS[task.name]
    reading["separator"] = separator if getattr(task, "multi_label", False) else None
    return _said(reader.labelled(task, reader.read(path, columns, reading)))


def learn_task(name, path, columns=Columns(), **reading):
    """Return (task, `Labelled`) of a file to train on: what the task is (its labels, its spread) is read off it."""
    reader = READERS[name]
    part = reader.read(path, columns, reading)
    task = reader.task(part)
    return task, _said((reader.learnt or reader.labelled)(task, part))


def _said(labelled):
    if labelled.skipped:
        number, reason = labelled.skipped[0]
        say(f"{labelled.path}: left out {len(labelled.skipped)} of its rows, first {labelled.unit} {number} "
            f"({reason}).")
    return labelled


def _fraction(unit):
    """Return a number from 0 to 1 that depends on the unit alone."""
    return int.from_bytes(hashlib.sha256(str(unit).encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64


class _Reader(NamedTuple):
    read: object        # (path, columns, reading) -> a part, as its file has it
    task: object        # part -> the task that is learnt from it
    labelled: object    # (task, part) -> Labelled
    learnt: object = None   # (task, part) -> Labelled to train on, where that is another


# --------------------------------------------------------------------------------- classification, regression


def _examples(path, columns, reading):
    if Path(path).is_dir():
        return read_folder(path, reading.get("limit"), reading.get("skip_bad_rows", False))
    return read_examples(path, columns.text, columns.second, columns.label, **reading)


def _classification(examples):
    labels, several = label_names(examples), isinstance(examples.labels[0], list)
    if len(labels) < 2 and not several:
        raise Error(f"{examples.path} has the label {labels[0]!r} in all of the {len(examples)} rows that were read; "
                    "give rows of two classes or more.")
    return Classification(tuple(labels), several, examples.second is not None)


def _documents(examples):
    found = _classification(examples)
    return Documents(found.labels, found.multi_label)


def _classes(task, examples):
    if isinstance(examples.labels[0], list) != task.multi_label:
        raise Error(f"{examples.path} has {'one label' if task.multi_label else 'lists of labels'} a row, and the rows "
                    f"of training have {'lists of them' if task.multi_label else 'one'}; write them alike.")
    return Labelled(examples.path, task_inputs(task, examples), label_indices(examples, task.labels), examples.skipped,
                    "file" if examples.groups else "line", examples.groups)


def _regression(examples):
    return Regression.of(_numbers(examples), examples.second is not None)


def _scores(task, examples):
    return Labelled(examples.path, task_inputs(task, examples), _numbers(examples), examples.skipped)


def task_inputs(task, examples):
    """Return texts, or (first, second)."""
    if (examples.second is not None) != task.pairs:
        raise Error(f"{examples.path} has {'single texts' if task.pairs else 'pairs'}, and this model reads "
                    f"{'pairs' if task.pairs else 'single texts'}; name the columns with --text and --second.")
    return list(zip(examples.first, examples.second, strict=True)) if task.pairs else examples.first


def _numbers(examples):
    found = []
    for line, label in zip(examples.lines, examples.labels, strict=True):
        try:
            found.append(float(label))
        except (TypeError, ValueError):
            found.append(math.nan)
        if not math.isfinite(found[-1]):
            raise Error(f"{examples.path}: line {line}: the score {label!r} is no number; mend it, or name the column "
                        "with --label.")
    return found


# --------------------------------------------------------------------------------------------------- choices


def _choices(path, columns, reading):
    return read_choices(path, **{name: value for name, value in reading.items() if name != "separator"})


def _chosen(task, choices):
    inputs = [(prompt, *endings) for prompt, endings in zip(choices.prompts, choices.endings, strict=True)]
    return Labelled(choices.path, inputs, choices.labels, choices.skipped)


# ------------------------------------------------------------------------------------- embeddings, reranking


def _pairs(path, columns, reading):
    return read_pairs(path, columns, reading.get("limit"), reading.get("skip_bad_rows", False))


# ------------------------------------------------------------------------------------------ tags, answers


def _sentences(path, columns, reading):
    return read_conll(path, **{name: value for name, value in reading.items() if name != "separator"})


def _tags(task, sentences):
    return Labelled(sentences.path, sentences.words, sentences.tags, sentences.skipped)


def _questions(path, columns, reading):
    return read_squad(path, **{name: value for name, value in reading.items() if name != "separator"})


def _answers(task, questions):
    if questions.version > task.version:
        raise Error(f"{questions.path} has questions without an answer (SQuAD 2.0), and the training file has none; "
                    "train on such a file to answer it.")
    inputs = list(zip(questions.questions, questions.contexts, strict=True))
    return Labelled(questions.path, inputs, questions.answers, questions.skipped, "question")



# --------------------------------------------------------------------------------- summaries, written texts


def _parallel(path, columns, reading):
    read = read_parallel(path, columns, reading.get("limit"), reading.get("skip_bad_rows", False))
    return read, reading.get("sentences", Summarising.count), reading.get("longest", Writing.longest)


def _referenced(task, part):
    parallel = part[0]
    return Labelled(parallel.path, parallel.sources, parallel.references, parallel.skipped)


READERS = {
    "classify": _Reader(_examples, _classification, _classes),
    "long_documents": _Reader(_examples, _documents, _classes),
    "score": _Reader(_examples, _regression, _scores),
    "embed": _Reader(_pairs, lambda part: Embedding(), lambda task, part: Labelled(*part.alike()),
                     lambda task, part: Labelled(*part.together())),
    "rank": _Reader(Ranked.read, lambda part: Ranking(part.candidates),
                    lambda task, part: Labelled(*part.found(task.candidates)),
                    lambda task, part: Labelled(*part.contrasted())),
    "tag": _Reader(_sentences, lambda part: Tagging(tuple(tag_names(part))), _tags),
    "answer": _Reader(_questions, lambda part: Answering(part.version), _answers),
    "choose": _Reader(_choices, lambda part: Choosing(), _chosen),
    "summarise": _Reader(_parallel, lambda part: Summarising(part[1]), _referenced),
    "summarise-central": _Reader(_parallel, lambda part: Central(part[1]), _referenced),
    "write": _Reader(_parallel, lambda part: Writing(part[2]), _referenced),
}
