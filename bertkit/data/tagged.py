"""Read tagged sentences of any form: columns, tables of words, rows and folders of annotation tools."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bertkit.data.annotated import columns_of, form_of, sentences_of, tuple_record
from bertkit.data.brat import brat_sentences, is_brat
from bertkit.data.columns import Columns, Source, check_columns, join_names
from bertkit.data.conll import TAGS, WANTED, WORDS, read_conll
from bertkit.data.docbin import docbin_sentences
from bertkit.data.frames import Data, data_path
from bertkit.data.json_rows import is_array, read_json
from bertkit.data.lines import BadRow
from bertkit.data.markers import is_marked, marked_form, marked_lines
from bertkit.data.records import JSON, TABLES, check_limit, parse_rows, row_as_dict, suffix, table, text_of
from bertkit.data.sentences import TAG, Sentences, iob2
from bertkit.data.sheets import is_dataset
from bertkit.data.webanno import is_webanno, webanno_sentences
from bertkit.errors import Error

_HEAD = 2000                # rows from which the form of a table is recognised
_NUMBERS = ("sentence_id", "sentence #", "sentence", "sent_id", "sentence_number", "sentence id", "doc_id", "id")


def read_tagged(path: Data, columns: Columns = Columns(), limit: int | None = None,
                skip_bad_rows: bool = False) -> Sentences:
    """Read tagged sentences.

    These are CoNLL columns (see `read_conll`); WebAnno TSV 3; JSON, JSON lines, Parquet and Arrow whose rows hold
    tokens with tags (Hugging Face), a text with spans (doccano, Prodigy, spaCy, Label Studio) or a text with markers; a
    table with a header and a word a row, beside the number of its sentence; lines with markers, <PER>Anna</PER>;
    spaCy's .spacy; a folder of brat's files. A text with spans is one sentence.

    Args:
        path: The file or folder.
        columns: Names of columns: `word` and `tag`, and `text` of a text with spans.
        limit: Read the first sentences only.
        skip_bad_rows: List what cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Sentences`.

    Raises:
        Error: with file and line, when a sentence cannot be used, and when the file is in none of these forms.
    """
    check_limit(limit)
    path = data_path(path)
    kind = suffix(path)
    if kind == ".spacy":
        return _gathered(path, "spaCy", docbin_sentences(path), limit, skip_bad_rows)
    if is_brat(path):
        return _gathered(path, "brat", brat_sentences(path), limit, skip_bad_rows)
    if kind in JSON or kind in TABLES and kind != ".tsv" or is_dataset(path):
        return _of_rows(path, columns, limit, skip_bad_rows)
    if not path.is_dir() and is_webanno(path):
        name, found = webanno_sentences(path, columns)
        pairs = ((line, words if tags is None else (words, tags)) for line, words, tags in found)
        return _gathered(path, "WebAnno TSV", pairs, limit, skip_bad_rows, Source("WebAnno TSV", {"tag": name}))
    if not path.is_dir() and columns == Columns() and is_marked(path):
        return _gathered(path, marked_form(path), marked_lines(path), limit, skip_bad_rows)
    return read_conll(path, columns, limit, skip_bad_rows)


def _of_rows(path, columns, limit, skip_bad_rows):
    """Return the sentences of a table, or of JSON rows."""
    if suffix(path) == ".json" and is_array(path):
        value = read_json(path, WANTED)
        if isinstance(value, list) and value and tuple_record(value[0]) is not value[0]:
            records = ((number, tuple_record(each)) for number, each in enumerate(value, start=1))
            return _gathered(path, "spaCy", _parsed(records, "text with spans", Columns()), limit, skip_bad_rows)
        if not isinstance(value, list):
            raise Error(f"{path} is JSON; give {WANTED}, or an array of annotated texts.")
    with table(path) as (names, rows, form):
        head = list(islice(rows, _HEAD))
        named = [row_as_dict(row, names) for _, row in head if not isinstance(row, BadRow)]
        first, found = next(iter(named), {}), form_of(named, columns)
        if found:
            parsed = _parsed(((line, row if isinstance(row, BadRow) else row_as_dict(row, names))
                              for line, row in chain(head, rows)), found, columns)
            return _gathered(path, found, parsed, limit, skip_bad_rows,
                             Source.of(f"{form}, {found}", names, columns_of(first, found, columns)))
        return _of_words(path, names, chain(head, rows), form, columns, limit, skip_bad_rows)


def _parsed(rows, form, columns):
    """Yield (line, (words, tags)) or (line, BadRow) of rows."""
    for line, record in rows:
        try:
            if isinstance(record, BadRow):
                raise record
            if not isinstance(record, dict):
                raise BadRow(line, f"{record!r:.40} came where an annotated text was wanted")
            yield from ((line, found) for found in list(sentences_of(line, record, form, columns)))
        except BadRow as bad:
            yield line, bad


def _gathered(path: Path, form: str, parsed: Iterator[tuple[int, Any]], limit: int | None, skip_bad_rows: bool,
              source: Source | None = None) -> Sentences:
    """Return the `Sentences` of (line, (words, tags) or BadRow)."""
    kept, skipped = parse_rows(path, ((line, found) for line, found in parsed if isinstance(found, BadRow) or found[0]),
                               lambda line, found: found, limit, skip_bad_rows)
    if not kept:
        raise Error(f"{path} has no sentence that can be used ({len(skipped)} were skipped); give {WANTED}.")
    lines, words, tags = map(list, zip(*kept, strict=True))
    return Sentences(path, "spans", words, tags, lines, skipped, source or Source(form))


def _of_words(path, names, rows, form, columns, limit, skip_bad_rows):
    """Return the sentences of a table with a word a row."""
    lower = {name.lower(): name for name in reversed(names)}
    word, tag = (given or next((lower[name] for name in known if name in lower), None)
                 for given, known in ((columns.word, WORDS), (columns.tag, TAGS)))
    number = next((lower[name] for name in _NUMBERS if name in lower), None)
    if word is None or tag is None or number is None:
        raise Error(f"{path} has the columns {join_names(names)}; wanted a word a row with its tag and the number of "
                    "its sentence (sentence_id, words, labels), or name them with --word and --tag.")
    check_columns(path, names, [word, tag, number], "name others with --word and --tag")
    kept, skipped = parse_rows(path, rows, lambda line, record: _word(
        line, row_as_dict(record, names), word, tag, number), None, skip_bad_rows)
    sentences, last = [], None
    for line, text, mark, key in kept:
        if last is None or key not in ("", last):       # a table may say the number in a sentence's first row alone
            sentences.append((line, [], []))
            last = key
        sentences[-1][1].append(text)
        sentences[-1][2].append(mark)
    source = Source.of(form, names, {"word": word, "tag": tag, "sentence": number})
    found = ((line, (words, iob2(tags))) for line, words, tags in sentences)
    made = _gathered(path, form, found, limit, skip_bad_rows, source)
    made.skipped.extend(skipped)
    return made


def _word(line, values, word, tag, number):
    mark = text_of(line, values, tag).strip()
    if not TAG.fullmatch(mark):
        raise BadRow(line, f"column {tag!r}: {mark!r:.40} came where a tag was wanted (O, B-PER, I-PER, ...)")
    return text_of(line, values, word).strip() or "-", mark, str(values.get(number, "")).strip()
