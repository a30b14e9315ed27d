"""Read tagged sentences from columns: one word a line, a blank line after each sentence."""

import re
import sys
from collections import Counter
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from bertkit.data.columns import Columns, Source, join_names
from bertkit.data.lines import BadRow, Lines, NoRow, check_text, encoded_form, open_bytes
from bertkit.data.records import check_limit, row_error
from bertkit.data.sentences import OUTSIDE, TAG, Sentences, iob2, scheme
from bertkit.errors import Error

WANTED = "CoNLL columns (a word and its tag a line, a blank line after each sentence)"
# The types of CoNLL 2000's phrases: such a column stands beside the names in CoNLL 2003, and is not what is tagged.
CHUNKS = {"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP", "PNP"}
# What the first line may call its columns.
WORDS = ("token", "tokens", "word", "words", "form", "text")
TAGS = ("ner_tags", "ner_tag", "ner", "tags", "tag", "labels", "label", "iob", "bio", "entity", "entities")

_JSON = re.compile(r'\s*[{\[]\s*(["{\[]|$)')
_HEAD = 2000                            # the layout is recognised from so many lines
_MOST_TYPES = 60                        # a column of more different words holds no types of entities


def holds_tagged_columns(path: Path) -> bool:
    r"""Return whether a text file has the same columns in every line of its beginning, one of them of tags alone.

    Args:
        path: The file.

    Returns:
        True or False, also where the file cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "rows.txt"
        >>> _ = path.write_text("1 in O\n2 York B-LOC\n\n")
        >>> holds_tagged_columns(path)
        True
    """
    try:
        with open_bytes(path) as file:
            lines = [line.strip() for line in islice(Lines(file), _HEAD)]
    except BadRow:
        return False
    rows = [line.split("\t" if "\t" in line else None) for line in lines if line and not line.startswith("#")]
    return len({len(row) for row in rows}) == 1 < len(rows[0]) and any(
        all(TAG.fullmatch(value) for value in column) for column in zip(*rows, strict=True))


def read_conll(path: str | Path, columns: Columns = Columns(), limit: int | None = None,
               skip_bad_rows: bool = False) -> Sentences:
    r"""Read a file of columns in UTF-8, with tabs between them, or blanks where there are no tabs.

    A column that is not named is recognised. The word is the first column that holds words, behind numberings ("3",
    "1-3", "s1.w3") and characters' places. The tag is the column that holds nothing but O and B-, I-, E-, S-, L-, U-,
    M- with a type, or O and types without a prefix; of several such columns the user decides, but for phrases (NP, VP)
    beside names. Blank lines and document marks (-DOCSTART-) end a sentence. Comments ("# sent_id = 1") are skipped,
    the word # is not. Tags are read as conlleval and seqeval do by default (Tjong Kim Sang and De Meulder 2003), so an
    I- that continues nothing begins an entity; of types without a prefix, neighbours of one type are one entity, and
    where no word has O each word is one.

    Args:
        path: The file.
        columns: `word` and `tag`, numbers from 1, or names where the first line names the columns.
        limit: Read the first sentences only.
        skip_bad_rows: List sentences with a row that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Sentences`.

    Raises:
        Error: with file, line and column, when a row cannot be used, and when the file has no such columns, or several
            that hold tags.

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
    first, count = None, 0
    with open_bytes(path, WANTED) as file:
        check_text(path, file, WANTED)
        layout, rows = _laid_out(path, _numbered(Lines(file)), columns)
        for sentence in _sentences(rows, layout):
            bad = next((row for row in sentence if isinstance(row, BadRow)), None)
            if bad is None:
                kept.append(_compact(sentence))
            elif skip_bad_rows:
                skipped.append(bad.args)
            else:
                first, count = first or bad, count + 1
            if len(kept) == limit:
                break
    if first is not None:
        raise row_error(path, first, True, count, len(kept)) from first
    return _gathered(path, kept, skipped, layout)


class _Layout(NamedTuple):
    tabs: bool
    columns: int
    word: int           # from 0
    tag: int
    bare: str           # what prefix tags have that are types without one: "I", "B", or "" where they have their own
    names: tuple        # of the columns
    header: bool        # whether the first line names the columns
    ranges: bool        # whether the first column numbers the words, so that 3-4 and 3.1 are no words (CoNLL-U)


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


def _laid_out(path, rows, columns):
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
    return _layout(path, [_fields(text, tabs) for text in full], tabs, columns), chain(head, rows)


def _layout(path, table, tabs, wanted):
    columns = Counter(map(len, table)).most_common(1)[0][0]
    lower = [name.lower() for name in table[0]]
    header = len(table[0]) == columns and any(n in WORDS for n in lower) and any(n in TAGS for n in lower)
    names = tuple(table[0]) if header else tuple(f"column {place}" for place in range(1, columns + 1))
    table = [fields for fields in table[header:] if len(fields) == columns]
    if columns < 2 or not table:
        raise Error(f"{path} has lines of one column ({(table or [names])[0][0]!r:.60}); give {WANTED}.")
    word, tag = (_given(path, name, value, names if header else (), columns)
                 for name, value in (("word", wanted.word), ("tag", wanted.tag)))
    tags = _tag_columns(table, word) if tag is None else [tag]
    if len(tags) > 1:
        raise _several(path, table, tags)
    word = _word_column(table, tags, lower if header else ()) if word is None else word
    tag = tags[0] if tags else _bare_column(path, table, word)
    values = {row[tag] for row in table}
    bare = "" if any(TAG.fullmatch(value) and value != OUTSIDE for value in values) or values == {OUTSIDE} else (
        "I" if OUTSIDE in values else "B")
    ranges = word > 0 and sum(row[0].isdecimal() for row in table) * 2 > len(table)
    return _Layout(tabs, columns, word, tag, bare, names, header, ranges)


def _given(path, role, value, names, columns):
    """Return the place of the column that a flag names, None where none does."""
    if value is None:
        return None
    if value in names:
        return names.index(value)
    if not re.fullmatch("[0-9]{1,4}", str(value)) or not 1 <= int(value) <= columns:
        raise Error(f"{path} has {columns} columns and {role}={value} came; give one from 1 to {columns}.")
    return int(value) - 1


def _word_column(table, tags, names=()):
    """Return the first column of words: not one whose values all hold a digit, or are all the same.

    Such columns number words or sentences, or say where words stand: 3, 1-3, s1.w3, 10-14, "doc-a" on every line.
    """
    named = next((place for each in WORDS for place, name in enumerate(names) if name == each), None)
    left = [place for place in range(len(table[0])) if place not in tags]
    if named is not None or len(left) < 2 and len(table[0]) < 3:
        return named if named is not None else left[0]
    words = [place for place in left if not all(re.search("[0-9]", row[place]) for row in table)
             and (len(table) == 1 or len({row[place] for row in table}) > 1)]
    return (words or left or [0])[0]


def _tag_columns(table, word):
    """Return the columns that hold tags with types, without what is no choice: phrases, a copy of the last column.

    Where no tag has a type, it is the last column that holds nothing but O.
    """
    found = [place for place in range(len(table[0])) if place != word
             and 2 * sum(map(bool, (TAG.fullmatch(row[place]) for row in table))) > len(table)]
    typed = [place for place in found if any(row[place] != OUTSIDE for row in table)]
    names = [place for place in typed if not _types(table, place) <= CHUNKS]
    columns = {tuple(row[place] for row in table): place for place in names or typed}
    return sorted(columns.values()) or found[-1:]


def _types(table, place):
    return {row[place][2:] for row in table if TAG.fullmatch(row[place])} - {""}


def _several(path, table, tags):
    """Return the error that names the columns which could be the tag."""
    found = " and ".join(f"{place + 1} ({', '.join(sorted(_types(table, place))[:4])})" for place in tags)
    return Error(f"{path}: the columns {found} all hold tags, and which is to be learnt cannot be told; say it with "
                 f"--tag {' or --tag '.join(str(place + 1) for place in tags)}.")


def _bare_column(path, table, word):
    """Return the last column of types without a prefix: few different ones, most of them O."""
    last = dict.fromkeys(row[-1] for row in table)
    counts = Counter(row[-1] for row in table)
    if len(table[0]) - 1 != word and OUTSIDE in counts and 1 < len(counts) <= _MOST_TYPES and \
            counts[OUTSIDE] == max(counts.values()) and "" not in counts:
        return len(table[0]) - 1
    raise Error(f"{path} has no column of tags (O, B-PER, I-PER, ...): the last one holds "
                f"{join_names(list(last)[:4])}; give {WANTED}, or name a column of types without B- and I- "
                "by its number with --tag.")


def _is_mark(text):
    return "-DOCSTART-" in text.split()[:2]


def _is_comment(text, layout):
    """Return whether a line that begins with # is a comment, not the word # or one that begins with it."""
    if not text.startswith("#"):
        return False
    if layout.word > 0:                                 # the line begins with a number, not with its word
        return True
    fields = _fields(text, layout.tabs)
    if layout.tabs:
        return text.startswith("# ") or len(fields) == 1
    return len(fields) != layout.columns or not TAG.fullmatch(fields[layout.tag])


def _sentences(rows, layout):
    """Yield each sentence as a list of (line, word, tag), a BadRow where a line is broken."""
    sentence, header = [], layout.header
    for line, text in rows:
        if isinstance(text, BadRow):
            sentence.append(text)
        elif _blank(text) or _is_mark(text):
            if sentence:
                yield sentence
            sentence = []
        elif header:
            header = False
        elif not _is_comment(text, layout) and not (layout.ranges and re.match("[0-9]+[-.][0-9]+[ \t]", text)):
            sentence.append(_row(line, text, layout))
    if sentence:
        yield sentence


def _row(line, text, layout):
    fields = _fields(text, layout.tabs)
    if len(fields) != layout.columns:
        return BadRow(line, f"{len(fields)} columns came, {layout.columns} were wanted")
    word, tag = fields[layout.word], fields[layout.tag]
    if layout.header and tuple(fields) == layout.names:
        return NoRow(line, "the header comes again")
    if not word:
        return BadRow(line, f"column {layout.word + 1}: the word is empty")
    if layout.bare and tag and tag != OUTSIDE:
        tag = f"{layout.bare}-{tag}"
    if not TAG.fullmatch(tag):
        return BadRow(line, f"column {layout.tag + 1}: {tag!r:.40} came where a tag was wanted (O, B-PER, I-PER, ...)")
    return line, sys.intern(word), sys.intern(tag)      # a word that comes often takes memory once


def _compact(sentence):
    """Return (line of the first word, words, tags) of a sentence, in less memory than a tuple a word takes."""
    _, words, tags = zip(*sentence, strict=True)
    return sentence[0][0], list(words), list(tags)


def _gathered(path, sentences, skipped, layout):
    if not sentences:
        raise Error(f"{path} has no sentence that can be used ({len(skipped)} were skipped); give {WANTED}.")
    lines, words, tags = map(list, zip(*sentences, strict=True))
    sentences.clear()                                   # of a large file there is one copy in memory
    notes = {"I": "the tags are types without B- and I-: neighbours of one type are read as one entity",
             "B": "no word has the tag O, and the tags are types without B- and I-: each word is read as an entity"}
    used = {"word": layout.names[layout.word], "tag": layout.names[layout.tag]}
    source = Source.of(encoded_form(path, "columns"), layout.names, used, *filter(None, [notes.get(layout.bare)]))
    written = "bare" if layout.bare else scheme(tags)
    for number, own in enumerate(tags):
        tags[number] = iob2(own)
    return Sentences(path, written, words, tags, lines, skipped, source)
