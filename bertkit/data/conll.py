"""Read tagged sentences from CoNLL columns: one word a line, a blank line after each sentence."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from bertkit import metrics
from bertkit.data.lines import BadRow, Lines, check_text, open_bytes
from bertkit.data.records import check_limit, join_names, row_error
from bertkit.errors import Error

WANTED = "CoNLL columns (a word and its tag a line, a blank line after each sentence)"
OUTSIDE = "O"

_TAG = re.compile(r"O|[BIESLU](-\S.*)?")
_JSON = re.compile(r'\s*[{\[]\s*(["{\[]|$)')
_SPELLING = {"L": "E", "U": "S"}        # BILOU's last and unit are IOBES's end and single
_HEAD = 2000                            # the layout is recognised from so many lines


@dataclass(frozen=True)
class Sentences:
    """The sentences of one file, in its order; the lists run side by side.

    Args:
        path: The file.
        scheme: How the file writes entities: "IOB1", "IOB2", "IO" (no B-), "IOBES" (with E-, S- or L-, U-), "bare"
            (types without a prefix) or "mixed" (I- where neither IOB1 nor IOB2 has it).
        words: The words of each sentence.
        tags: The tags of each sentence, in IOB2 whatever the file writes.
        lines: The line of each sentence's first word, from 1.
        skipped: (line, reason) of the sentences that were left out.
    """

    path: Path
    scheme: str
    words: list[list[str]]
    tags: list[list[str]]
    lines: list[int]
    skipped: list[tuple[int, str]]

    def __len__(self):
        return len(self.words)


def read_conll(path: str | Path, word: int | None = None, tag: int | None = None, limit: int | None = None,
               skip_bad_rows: bool = False) -> Sentences:
    r"""Read a file of columns in UTF-8, with tabs between them, or blanks where there are no tabs.

    A column that is not given is recognised. The word is the first column, or the second behind a numbering. The tag is
    the last column that holds nothing but O and B-, I-, E-, S-, L-, U- with a type. Blank lines and document marks
    (-DOCSTART-) end a sentence. Comments ("# sent_id = 1") are skipped, the word # is not. Tags are read as conlleval
    and seqeval do by default (Tjong Kim Sang and De Meulder 2003), so an I- that continues nothing begins an entity.

    Args:
        path: The file.
        word: The column of the words, from 1.
        tag: The column of the tags, from 1; it may also hold types without prefix.
        limit: Read the first sentences only.
        skip_bad_rows: List sentences with a row that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Sentences`.

    Raises:
        Error: with file, line and column, when a row cannot be used, and when the file has no such columns.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "places.conll"
        >>> _ = path.write_text("in O\nNew I-LOC\nYork I-LOC\n\nhere O\n")
        >>> sentences = read_conll(path)
        >>> sentences.words, sentences.tags, sentences.scheme
        ([['in', 'New', 'York'], ['here']], [['O', 'B-LOC', 'I-LOC'], ['O']], 'IO')
    """
    check_limit(limit)
    path = Path(path)
    kept: list[Any] = []
    skipped: list[Any] = []
    with open_bytes(path, WANTED) as file:
        check_text(path, file, WANTED)
        layout, rows = _laid_out(path, _numbered(Lines(file)), word, tag)
        for sentence in _sentences(rows, layout):
            bad = next((row for row in sentence if isinstance(row, BadRow)), None)
            if bad is None:
                kept.append(sentence)
            elif not skip_bad_rows:
                raise row_error(path, bad) from bad
            else:
                skipped.append(bad.args)
            if len(kept) == limit:
                break
    return _gathered(path, kept, skipped, layout.bare)


def tag_names(sentences: Sentences) -> list[str]:
    """Return the tags to learn: O, and B- and I- of every type that occurs, types sorted.

    Args:
        sentences: The `Sentences`.

    Returns:
        The tags.

    Example:
        >>> tag_names(Sentences(Path("f"), "IOB2", [["x"]], [["B-b"]], [1], []))
        ['O', 'B-b', 'I-b']
    """
    types = {tag[2:] for tags in sentences.tags for tag in tags if tag != OUTSIDE}
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in sorted(types) for prefix in "BI")]


class _Layout(NamedTuple):
    tabs: bool
    columns: int
    word: int           # from 0
    tag: int
    bare: bool          # whether tags are types without a prefix


def _numbered(lines):
    """Yield (line, text), or (line, BadRow) for one that is not UTF-8."""
    while True:
        try:
            text = next(lines)
        except StopIteration:
            return
        except BadRow as bad:
            text = bad
        yield lines.number, text


def _fields(text, tabs):
    if tabs:
        return [field.strip(" ") for field in text.rstrip("\r\n").split("\t")]
    return re.split("[ \t]+", text.strip(" \t\r\n"))


def _blank(text):
    return not text.strip(" \t\r\n")


def _laid_out(path, rows, word, tag):
    """Return the layout of a file and its rows, none of them lost."""
    head = list(islice(rows, _HEAD))
    texts = [text for _, text in head if isinstance(text, str)]
    full = [text for text in texts if not _blank(text)]
    if full and _JSON.match(full[0]):
        raise Error(f"{path} is JSON; give {WANTED}.")
    full = [text for text in full if not (text.startswith("#") or _is_mark(text))]
    if not full:
        raise Error(f"{path} holds no word; give {WANTED}.")
    tabs = 2 * sum("\t" in text.rstrip() for text in full) > len(full)
    return _layout(path, [_fields(text, tabs) for text in full], tabs, word, tag), chain(head, rows)


def _layout(path, table, tabs, word, tag):
    columns = Counter(map(len, table)).most_common(1)[0][0]
    table = [fields for fields in table if len(fields) == columns]
    if columns < 2:
        raise Error(f"{path} has lines of one column ({table[0][0]!r:.60}); give {WANTED}.")
    for name, given in (("word", word), ("tag", tag)):
        if given is not None and not 1 <= given <= columns:
            raise Error(f"{path} has {columns} columns and {name}={given} came; give one from 1 to {columns}.")
    place = _word_column(table) if word is None else word - 1
    tags = _tag_column(path, table, place) if tag is None else tag - 1
    bare = tag is not None and not any(_TAG.fullmatch(row[tags]) for row in table if row[tags] != OUTSIDE)
    return _Layout(tabs, columns, place, tags, bare)


def _word_column(table):
    """Return 1 where the first column numbers the words (each is 0 or 1, or one more than that before), else 0."""
    numbers = [row[0] for row in table]
    if len(table[0]) < 3 or not all(re.fullmatch("[0-9]{1,9}", number) for number in numbers):
        return 0
    numbers = list(map(int, numbers))
    return int(all(b in (0, 1, a + 1) for a, b in zip([-1, *numbers], numbers, strict=False)))


def _tag_column(path, table, word):
    """Return the last column most of which are tags, one with a type before one of nothing but O."""
    columns = [column for column in range(len(table[0]) - 1, -1, -1)
               if column != word and 2 * sum(map(bool, (_TAG.fullmatch(row[column]) for row in table))) > len(table)]
    if columns:
        return next((c for c in columns if any(row[c] != OUTSIDE for row in table)), columns[0])
    last = dict.fromkeys(row[-1] for row in table)
    raise Error(f"{path} has no column of tags (O, B-PER, I-PER, ...): the last one holds "
                f"{join_names(list(last)[:4])}; give {WANTED}.")


def _is_mark(text):
    return "-DOCSTART-" in text.split()[:2]


def _is_comment(text, layout):
    """Return whether a line that begins with # is a comment, not the word # or one that begins with it."""
    if not text.startswith("#"):
        return False
    fields = _fields(text, layout.tabs)
    if layout.tabs:
        return text.startswith("# ") or len(fields) == 1
    return len(fields) != layout.columns or not _TAG.fullmatch(fields[layout.tag])


def _sentences(rows, layout):
    """Yield each sentence as a list of (line, word, tag), a BadRow where a line is broken."""
    sentence = []
    for line, text in rows:
        if isinstance(text, BadRow):
            sentence.append(text)
        elif _blank(text) or _is_mark(text):
            if sentence:
                yield sentence
            sentence = []
        elif not _is_comment(text, layout):
            sentence.append(_row(line, text, layout))
    if sentence:
        yield sentence


def _row(line, text, layout):
    fields = _fields(text, layout.tabs)
    if len(fields) != layout.columns:
        return BadRow(line, f"{len(fields)} columns came, {layout.columns} were wanted")
    word, tag = fields[layout.word], fields[layout.tag]
    if not word:
        return BadRow(line, f"column {layout.word + 1}: the word is empty")
    if layout.bare and tag and tag != OUTSIDE:
        tag = f"I-{tag}"
    if not _TAG.fullmatch(tag):
        return BadRow(line, f"column {layout.tag + 1}: {tag!r:.40} came where a tag was wanted (O, B-PER, I-PER, ...)")
    return line, word, tag


def _gathered(path, sentences, skipped, bare):
    if not sentences:
        raise Error(f"{path} has no sentence that can be used ({len(skipped)} were skipped); give {WANTED}.")
    words = [[word for _, word, _ in sentence] for sentence in sentences]
    tags = [[tag for *_, tag in sentence] for sentence in sentences]
    return Sentences(path, "bare" if bare else _scheme(tags), words, list(map(_iob2, tags)),
                     [sentence[0][0] for sentence in sentences], skipped)


def _scheme(sentences):
    """Return how a file writes entities (see `Sentences`)."""
    prefixes = {tag[0] for tags in sentences for tag in tags}
    if prefixes & set("ESLU"):
        return "IOBES"
    if "B" not in prefixes:
        return "IO" if "I" in prefixes else "IOB2"
    # Whether a tag goes on from that before it, of the same type.
    steps = {(tag[0], before[0] != "O" and before[2:] == tag[2:])
             for tags in sentences for before, tag in zip([OUTSIDE, *tags], tags, strict=False)}
    if ("I", False) not in steps:
        return "IOB2"
    return "mixed" if ("B", False) in steps else "IOB1"


def _iob2(tags):
    """Return the tags of the same entities in IOB2."""
    new = [OUTSIDE] * len(tags)
    for kind, first, last in metrics.entities([_SPELLING.get(tag[0], tag[0]) + tag[1:] for tag in tags]):
        new[first:last] = [f"B-{kind}", *[f"I-{kind}"] * (last - first - 1)]
    return new
