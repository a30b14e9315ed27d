"""The vocabulary on disk: a vocab.txt, or a vocabulary.json that also holds the tables of the model."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json, read_text, write_text

logger = logging.getLogger(__name__)

LINES, OBJECT = "vocab.txt", "vocabulary.json"


def vocabulary_file(kind: str) -> str:
    """Return the name of the file that holds the vocabulary of a kind of model.

    Args:
        kind: "wordpiece", "bytelevel", "unigram", "bpe", "bytefallback" or "japanese".

    Returns:
        The name of the file.

    Example:
        >>> vocabulary_file("wordpiece"), vocabulary_file("bytelevel")
        ('vocab.txt', 'vocabulary.json')
    """
    return LINES if kind in ("wordpiece", "japanese") else OBJECT


def write_vocabulary(folder: str | Path, kind: str, vocabulary: Sequence[str], tables: dict[str, Any]) -> None:
    """Write the vocabulary and the tables of a model into a folder.

    Args:
        folder: folder that exists.
        kind: kind of the model.
        vocabulary: the entries in the order of their ids.
        tables: dict of JSON values, the tables of the model.

    Raises:
        Error: when an entry holds a line end that a vocab.txt cannot hold, or the file cannot be written.
    """
    path = Path(folder) / vocabulary_file(kind)
    if path.name == OBJECT:
        content = {"vocabulary": list(vocabulary), **tables}
        write_text(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
        return
    if broken := [word for word in vocabulary if "\n" in word or word.endswith("\r")]:
        raise Error(f"The vocabulary entry {broken[0]!r} holds a line end, which a vocab.txt cannot hold; rename it.")
    write_text(path, "".join(word + "\n" for word in vocabulary))


def read_vocabulary(folder: str | Path, kind: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Read what `write_vocabulary` wrote.

    Args:
        folder: the folder.
        kind: kind of the model.

    Returns:
        The vocabulary and the tables of the model.

    Raises:
        Error: when the file is missing, or holds no vocabulary.
    """
    path = Path(folder) / vocabulary_file(kind)
    if path.name == LINES:
        return read_lines(path), {}
    tables = read_json(path)
    words = tables.pop("vocabulary", None)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or not words:
        raise Error(f"{path} has no list of strings called vocabulary; copy the file again.")
    return tuple(words), tables


def read_lines(path: str | Path) -> tuple[str, ...]:
    """Read a vocab.txt, whose lines end at \\n or \\r\\n.

    Of equal lines the last counts, as in both references; the log says which.

    Args:
        path: the file.

    Returns:
        The lines, in the order of their ids.

    Raises:
        Error: when the file is missing or empty.
    """
    lines = read_text(path).removesuffix("\n").split("\n")
    if lines == [""]:
        raise Error(f"{path} is empty; wanted one vocabulary entry a line.")
    words = tuple(line.removesuffix("\r") for line in lines)
    last = {word: i for i, word in enumerate(words)}
    for i, word in enumerate(words):
        if last[word] != i:
            logger.warning("%s, line %d: %r stands again in line %d, whose id is the one used.",
                           path, i + 1, word, last[word] + 1)
    return words
