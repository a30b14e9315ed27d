"""Labelled inputs of every task: from a published file to what the task packs and is scored on."""

from collections.abc import Callable
from typing import NamedTuple

from bertkit.data import classes
from bertkit.data.candidates import Ranked
from bertkit.data.choices import read_choices
from bertkit.data.columns import Columns
from bertkit.data.conll import OUTSIDE, read_conll, tag_names
from bertkit.data.inputs import Labelled, said
from bertkit.data.pairs import read_pairs
from bertkit.data.parallel import read_parallel
from bertkit.data.squad import read_squad
from bertkit.errors import Error
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.registry import entry_of
from bertkit.tasks.summarising import LexRank, Summarising
from bertkit.tasks.tagging import Tagging
from bertkit.tasks.writing import Writing


def read_labelled(task, path, columns=Columns(), separator=None, **reading):
    """Return the `Labelled` inputs of a file for a task that is known.

    `separator` parts the labels in a cell where a text has several; `reading` are "limit" and "skip_bad_rows" (see
    `read_examples`). Says how many rows were left out. Raises `Error` with file and line for what the task cannot be
    scored on.
    """
    reader = _reader(task)
    reading["separator"] = separator if getattr(task, "multi_label", False) else None
    return reader.labelled(task, reader.read(path, columns, reading))


def learn_task(name, path, columns=Columns(), **reading):
    """Return (task, `Labelled`) of a file to train on: what the task is (its labels, its spread) is read off it."""
    reader = _reader(name)
    part = reader.read(path, columns, reading)
    task = reader.task(part)
    return task, (reader.learnt or reader.labelled)(task, part)


class Reader(NamedTuple):
    """How the labelled files of a task are read.

    Args:
        read: Function (path, columns, reading) -> a part, as its file has it.
        task: Function (part) -> the task that is learnt from it.
        labelled: Function (task, part) -> `Labelled`.
        learnt: Function (task, part) -> `Labelled` to train on, where that is another.
    """

    read: Callable
    task: Callable
    labelled: Callable
    learnt: Callable | None = None


def _reader(task):
    reader = entry_of(task).part("reader")
    if reader is None:
        raise Error(f"The task {getattr(task, 'name', task)} has no reader of labelled files; give one with its "
                    "TaskEntry.")
    return reader


def _plain(reading):
    """Return "limit" and "skip_bad_rows" of a reading."""
    return {name: reading[name] for name in ("limit", "skip_bad_rows") if name in reading}


def _choices(path, columns, reading):
    return said(read_choices(path, **_plain(reading)))


def _chosen(task, choices):
    inputs = [(prompt, *endings) for prompt, endings in zip(choices.prompts, choices.endings, strict=True)]
    return Labelled(choices.path, inputs, choices.labels, choices.skipped)


def _pairs(path, columns, reading):
    return said(read_pairs(path, columns, **_plain(reading)))


def _sentences(path, columns, reading):
    return said(read_conll(path, **_plain(reading)))


def _tagging(sentences):
    if tag_names(sentences) == [OUTSIDE]:
        raise Error(f"{sentences.path} tags no entity in the {len(sentences)} sentences that were read; give sentences "
                    "that hold what is to be found.")
    return Tagging(tuple(tag_names(sentences)))


def _tags(task, sentences):
    return Labelled(sentences.path, sentences.words, sentences.tags, sentences.skipped)


def _questions(path, columns, reading):
    return said(read_squad(path, **_plain(reading)), "question")


def _answers(task, questions):
    if questions.version > task.version:
        raise Error(f"{questions.path} has questions without an answer (SQuAD 2.0), and the training file has none; "
                    "train on such a file to answer it.")
    inputs = list(zip(questions.questions, questions.contexts, strict=True))
    return Labelled(questions.path, inputs, questions.answers, questions.skipped)


def _parallel(path, columns, reading):
    read = said(read_parallel(path, columns, **_plain(reading)))
    return read, reading.get("sentences", Summarising.count), reading.get("longest", Writing.longest)


def _referenced(task, part):
    parallel = part[0]
    return Labelled(parallel.path, parallel.sources, parallel.references, parallel.skipped)


CLASSES = Reader(classes.read_texts, classes.classification, classes.classes)
DOCUMENTS = Reader(classes.read_texts, classes.documents, classes.classes)
SCORES = Reader(classes.read_scored, classes.regression, classes.scores)
PAIRS = Reader(_pairs, lambda part: Embedding(), lambda task, part: Labelled(*part.alike()),
               lambda task, part: Labelled(*part.together()))
CANDIDATES = Reader(Ranked.read, lambda part: Ranking(part.candidates),
                    lambda task, part: Labelled(*part.found(task.candidates)),
                    lambda task, part: Labelled(*part.contrasted()))
TAGS = Reader(_sentences, _tagging, _tags)
ANSWERS = Reader(_questions, lambda part: Answering(part.version), _answers)
CHOICES = Reader(_choices, lambda part: Choosing(), _chosen)
SUMMARIES = Reader(_parallel, lambda part: Summarising(part[1]), _referenced)
CENTRAL = Reader(_parallel, lambda part: LexRank(part[1]), _referenced)
PARALLEL = Reader(_parallel, lambda part: Writing(part[2]), _referenced)
