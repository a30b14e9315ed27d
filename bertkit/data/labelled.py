"""Read the labelled inputs of every task: from a published file to what the task packs and is scored on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from bertkit.data import classes
from bertkit.data.candidates import Ranked
from bertkit.data.choices import read_choices
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.inputs import Labelled, print_skipped
from bertkit.data.pairs import read_pairs
from bertkit.data.parallel import read_parallel
from bertkit.data.sentences import OUTSIDE, tag_names
from bertkit.data.squad import read_squad
from bertkit.data.summary import say_read
from bertkit.data.tagged import read_tagged
from bertkit.errors import Error
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.registry import entry_of
from bertkit.tasks.summarising import LexRank, Summarising
from bertkit.tasks.tagging import Tagging
from bertkit.tasks.writing import Writing
from bertkit.text.convention import Convention


def read_labelled(task: Any, path: Data, columns: Columns = Columns(), separator: str | None = None,
                  texts: bool = True, **reading: Any) -> Labelled:
    """Read the labelled inputs of a file for a task that is known; print what was read.

    Args:
        task: The task.
        path: The file, or rows in memory (see `frames.data_path`).
        columns: Names of columns.
        separator: What stands between the labels in a cell where a text has several.
        texts: False keeps its texts out of what is printed, and of report and card.
        reading: "limit" and "skip_bad_rows", see `read_examples`.

    Returns:
        The `Labelled` inputs.

    Raises:
        Error: with file and line, when the task cannot be scored on a row; also when its entry names no reader.
    """
    reader = _reader(task)
    reading["separator"] = separator if getattr(task, "multi_label", False) else None
    return say_read(task, replace(reader.labelled(task, reader.read(path, columns, reading)), texts=texts))


def learn_task(name: Any, path: Data, columns: Columns = Columns(), texts: bool = True,
               **reading: Any) -> tuple[Any, Labelled]:
    """Read a file to train on; the task's settings, such as its labels, come from the file. Print what was read.

    Args:
        name: The name of the task, such as "classify"; or a task, whose settings stay as they are.
        path: The file, or rows in memory (see `frames.data_path`).
        columns: Names of columns.
        texts: False keeps its texts out of what is printed, and of report and card.
        reading: "limit", "skip_bad_rows" and others, see `read_examples`.

    Returns:
        (task, `Labelled` inputs).

    Raises:
        Error: when there is no such task, or its entry names no reader; with file and line, when the task cannot be
            learned from a row.
    """
    reader = _reader(name)
    if not isinstance(name, str) and not getattr(name, "multi_label", False):
        reading["separator"] = None
    part = reader.read(path, columns, reading)
    task = reader.task(part) if isinstance(name, str) else name
    return task, say_read(task, replace((reader.learnt or reader.labelled)(task, part), texts=texts))


class Reader(NamedTuple):
    """How the labelled files of a task are read.

    Args:
        read: Function (path, columns, reading) -> a part, which holds what the file has.
        task: Function (part) -> the task that is learned from it.
        labelled: Function (task, part) -> `Labelled`.
        learnt: Function (task, part) -> `Labelled` to train on; None where `labelled` gives these too.
    """

    read: Callable[..., Any]
    task: Callable[[Any], Any]
    labelled: Callable[..., Labelled]
    learnt: Callable[..., Labelled] | None = None


def _reader(task):
    """Return the `Reader` of a task, or of the name of one."""
    reader = entry_of(task).part("reader")
    if reader is None:
        raise Error(f"The task {getattr(task, 'name', task)} has no reader of labelled files; give one with its "
                    "TaskEntry.")
    return reader


def _plain(reading):
    """Return "limit" and "skip_bad_rows" of a reading."""
    return {name: reading[name] for name in ("limit", "skip_bad_rows") if name in reading}


def _choices(path, columns, reading):
    return print_skipped(read_choices(path, columns, **_plain(reading)))


def _choosing(task, choices):
    inputs = [(prompt, *endings) for prompt, endings in zip(choices.prompts, choices.endings, strict=True)]
    return Labelled(choices.path, inputs, choices.labels, choices.skipped, source=choices.source)


def _pairs(path, columns, reading):
    return print_skipped(read_pairs(path, columns, **_plain(reading)))


def _sentences(path, columns, reading):
    return print_skipped(read_tagged(path, columns, **_plain(reading)))


def _tagging(sentences):
    if tag_names(sentences) == [OUTSIDE]:
        raise Error(f"{sentences.path} tags no entity in the {len(sentences)} sentences that were read; give sentences "
                    "that hold what is to be found.")
    return Tagging(tuple(tag_names(sentences)), convention=Convention.learned(sentences.words))


def _tags(task, sentences):
    return Labelled(sentences.path, sentences.words, sentences.tags, sentences.skipped, source=sentences.source)


def _questions(path, columns, reading):
    return print_skipped(read_squad(path, columns, **_plain(reading)), "question")


def _answers(task, questions):
    if questions.version > task.version:
        raise Error(f"{questions.path} has questions without an answer (SQuAD 2.0), and the training file has none; "
                    "train on such a file to answer it.")
    inputs = list(zip(questions.questions, questions.contexts, strict=True))
    return Labelled(questions.path, inputs, questions.answers, questions.skipped, source=questions.source)


def _parallel(path, columns, reading):
    parallel = print_skipped(read_parallel(path, columns, **_plain(reading)))
    return parallel, reading.get("sentences", Summarising.count), reading.get("longest", Writing.longest)


def _referenced(task, part):
    parallel = part[0]
    return Labelled(parallel.path, parallel.sources, parallel.references, parallel.skipped, source=parallel.source)


CLASSES = Reader(classes.read_texts, classes.classification, classes.classes)
DOCUMENTS = Reader(classes.read_texts, classes.documents, classes.classes)
SCORES = Reader(classes.read_scored, classes.regression, classes.scores)
PAIRS = Reader(_pairs, lambda _: Embedding(),
               lambda task, part: replace(Labelled(*part.scored_pairs()), source=part.source),
               lambda task, part: replace(Labelled(*part.training_pairs()), source=part.source))
CANDIDATES = Reader(
    Ranked.read, lambda part: Ranking(part.candidates),
    lambda task, part: replace(Labelled(*part.reranking_inputs(task.candidates)), source=part.collection.source),
    lambda task, part: replace(Labelled(*part.contrastive_inputs()), source=part.collection.source))
TAGS = Reader(_sentences, _tagging, _tags)
ANSWERS = Reader(_questions, lambda part: Answering(part.version), _answers)
CHOICES = Reader(_choices, lambda _: Choosing(), _choosing)
SUMMARIES = Reader(_parallel, lambda part: Summarising(part[1]), _referenced)
CENTRAL = Reader(_parallel, lambda part: LexRank(part[1]), _referenced)
PARALLEL = Reader(_parallel, lambda part: Writing(part[2]), _referenced)
