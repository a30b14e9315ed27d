"""The vocabulary on disk: a vocab.txt, or a vocabulary.json that holds the tables of the model too."""

import json
import logging
from pathlib import Path

from bertkit.errors import Error
from bertkit.files.atomic import read_json, read_text, write_text

logger = logging.getLogger(__name__)

LINES, OBJECT = "vocab.txt", "vocabulary.json"


def vocabulary_file(kind):
    """Return the name of the file that holds the vocabulary of a kind of model.

    >>> vocabulary_file("wordpiece"), vocabulary_file("bytelevel")
    ('vocab.txt', 'vocabulary.json')
    """
    return LINES if kind == "wordpiece" else OBJECT


def write_vocabulary(folder, kind, vocabulary, tables):
    """Write the vocabulary and the tables of a model of this kind into a folder."""
    path = Path(folder) / vocabulary_file(kind)
    if path.name == OBJECT:
        content = {"vocabulary": list(vocabulary), **tables}
        write_text(path, json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
        return
    if broken := [word for word in vocabulary if "\n" in word or word.endswith("\r")]:
        raise Error(f"The vocabulary entry {broken[0]!r} holds a line end, which a vocab.txt cannot hold; rename it.")
    write_text(path, "".join(word + "\n" for word in vocabulary))


def read_vocabulary(folder, kind):
    """Return (vocabulary, tables) of what `write_vocabulary` wrote."""
    path = Path(folder) / vocabulary_file(kind)
    if path.name == LINES:
        return read_lines(path), {}
    tables = read_json(path)
    words = tables.pop("vocabulary", None)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or not words:
        raise Error(f"{path} has no list of strings called vocabulary; copy the file again.")
    return tuple(words), tables


def read_lines(path):
    """Return the lines of a vocab.txt, which end at \\n or \\r\\n; raises Error if it is empty.

    Of equal lines the last counts, as in both references; the log says which.
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
