"""Rows of annotation tools and data sets as words with tags: Label Studio, doccano, Prodigy, spaCy, Hugging Face."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any

from bertkit.data.cells import Choices, label_cell
from bertkit.data.columns import Columns
from bertkit.data.lines import BadRow, Rejected
from bertkit.data.markers import FORM as MARKERS
from bertkit.data.markers import has_markers, marked_words
from bertkit.data.records import text_of
from bertkit.data.sentences import TAG, iob2
from bertkit.data.spans import SINGLE_KEY, UTF16_KEY, python_place, span_of, tagged_words, unit_of_places, utf16_place
from bertkit.data.values import Number

TEXTS = ("text", "sentence", "content", "data", "raw")
TOKENS = ("tokens", "words", "token", "word")
TAGS = ("ner_tags", "ner_tag", "tags", "tag", "labels", "label", "ner", "entities")
SPANS_FORM = "text with spans"
SPANS_UTF16, SPANS_UNKNOWN = f"{SPANS_FORM}, places in UTF-16", f"{SPANS_FORM}, places in an unknown unit"
SPANS = ("spans", "entities", "label", "labels", "annotations", "ents")


def form_of(records: Sequence[dict[str, Any]], columns: Columns = Columns()) -> str | None:
    """Return which tool wrote rows of tagged text.

    Args:
        records: The first rows. The first one decides, but for markers, which a row without an entity does not have.
        columns: The names that flags give.

    Returns:
        "Label Studio", "spaCy", "tokens with tags", "text with spans" (doccano, Prodigy, spaCy; with the unit of their
        places, where it matters and is not that of Python) or "text with markers"; None for other rows.
    """
    record = next(iter(records), {})
    if isinstance(record.get("data"), dict) and {"annotations", "completions", "result"} & set(record):
        return "Label Studio"
    if isinstance(record.get("paragraphs"), list):
        return "spaCy"
    if any(_is_tokens(record.get(name)) for name in TOKENS):
        return "tokens with tags"
    if _name(record, TEXTS, None) and any(isinstance(record.get(name), list | dict) for name in SPANS):
        return _spans_form(records, columns)
    marked = columns.tag is None and any(has_markers(row.get(_name(row, TEXTS, columns.text))) for row in records)
    return MARKERS if marked else None


def _spans_form(records, columns):
    """Return the form of texts with spans: where an emoji counts as two in doccano, the rows decide how these count.

    Prodigy ("spans") and spaCy ({"entities": [...]}) count as Python does.
    """
    name = _name(records[0], SPANS, columns.label or columns.tag)
    if name == "spans" or isinstance(records[0].get(name), dict):
        return SPANS_FORM
    votes, asked = Counter(), False
    for record in records:
        text, found = record.get(_name(record, TEXTS, columns.text)), _found_spans(record, columns)
        if record.get(UTF16_KEY) == "UTF-16":
            return SPANS_UTF16
        if isinstance(text, str) and text and max(text) > "\uffff" and isinstance(found, list):
            with suppress(BadRow):
                spans = [span for span in (span_of(0, value) for value in found) if span.text is None]
                different = any(utf16_place(text, span.end) != span.end for span in spans)
                asked = asked or different
                votes.update([unit_of_places(text, spans)] if different else ())
    if not asked or votes["code points"] > votes["UTF-16"]:
        return SPANS_FORM
    return SPANS_UTF16 if votes["UTF-16"] > votes["code points"] else SPANS_UNKNOWN


def _found_spans(record, columns):
    found = record.get(_name(record, SPANS, columns.label or columns.tag))
    return found.get("entities") if isinstance(found, dict) else found      # spaCy's {"entities": [...]}


def classified(names: list[str], rows: Iterator[tuple[int, Any]]) -> tuple[list[str], Iterator[tuple[int, Any]]]:
    """Return the tasks of Label Studio as rows of their data with the label beside it; other rows as they are.

    The label is what was chosen, or the number or rating that was given, in the ground truth or else the first
    annotation that was not cancelled. Of Prodigy's choices, where one option is chosen of each row, it is that one.

    Args:
        names: The names of the columns.
        rows: (line, record) of each row.

    Returns:
        (names, rows).
    """
    if {"options", "accept"} <= set(names) or SINGLE_KEY in names:
        return names, ((line, _accepted(record)) for line, record in rows)
    if "data" not in names or not {"annotations", "completions"} & set(names):
        return names, rows
    tasks = list(rows)
    data: dict[str, Any] = next((record["data"] for _, record in tasks if isinstance(record, dict)
                 and isinstance(record.get("data"), dict)), {})
    return list(dict.fromkeys([*data, "label"])), ((line, _classified(line, record)) for line, record in tasks)


def task_data(names: list[str], rows: Iterator[tuple[int, Any]]) -> tuple[list[str], Iterator[tuple[int, Any]]]:
    """Return the tasks of Label Studio, answered or not, as rows of their data; other rows as they are.

    Args:
        names: The names of the columns.
        rows: (line, record) of each row.

    Returns:
        (names, rows).
    """
    if "data" not in names:
        return names, rows
    first = next(rows, None)
    rows = rows if first is None else chain([first], rows)
    if first is None or not isinstance(first[1], dict) or not isinstance(first[1].get("data"), dict):
        return names, rows
    return list(first[1]["data"]), ((line, _data(line, record)) for line, record in rows)


def _data(line, record):
    if isinstance(record, dict):
        return record["data"] if isinstance(record.get("data"), dict) else BadRow(line, "the task has no data")
    return record


def _accepted(record):
    """Return a row of Prodigy or doccano in which a single label is no list, unless several may be given."""
    if not isinstance(record, dict):
        return record
    config = record.get("config")
    several = isinstance(config, dict) and config.get("choice_style") == "multiple"
    name = "label" if SINGLE_KEY in record else "accept"
    chosen = record.get(name)
    if not isinstance(chosen, list):
        return record
    return {**record, name: chosen[0] if len(chosen) == 1 and not several else Choices(chosen)}


def _classified(line, record):
    if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
        return record if isinstance(record, BadRow) else BadRow(line, "the task has no data")
    try:
        values = _values(_chosen(line, record))
    except BadRow as bad:
        return bad
    found = [value[name] for value in values for name in ("choices", "number", "rating") if name in value]
    if len(found) != 1:
        return BadRow(line, f"the task has {len(found)} choices, numbers or ratings where one was wanted")
    label = found[0]
    return {**record["data"], "label": label[0] if isinstance(label, list) and len(label) == 1 else
            Choices(label) if isinstance(label, list) else label}


def columns_of(record: dict[str, Any], form: str, columns: Columns) -> dict[str, str | None]:
    """Return which columns of such rows are read.

    Args:
        record: The first row.
        form: What `form_of` returned of it.
        columns: The names that flags give.

    Returns:
        {what a column serves as: its name}.
    """
    if form == "tokens with tags":
        return {"word": _name(record, TOKENS, columns.word), "tag": _name(record, TAGS, columns.tag)}
    if form.startswith(SPANS_FORM):
        return {"text": _name(record, TEXTS, columns.text), "tag": _name(record, SPANS, columns.label or columns.tag)}
    if form == MARKERS:
        return {"text": _name(record, TEXTS, columns.text)}
    return {name: name for name in ("data", "annotations", "completions", "result", "paragraphs") if name in record}


def _is_tokens(value):
    return isinstance(value, list) and all(isinstance(part, str) for part in value) or \
        isinstance(value, str) and value.startswith("[")


def sentences_of(line: int, record: dict[str, Any], form: str,
                 columns: Columns) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the sentences of a row.

    Args:
        line: The line, for errors.
        record: The row.
        form: What `form_of` returned of the first row.
        columns: The names that flags give.

    Yields:
        (words, tags in IOB2).

    Raises:
        BadRow: when the row cannot be used.
    """
    if form == "Label Studio":
        yield _label_studio(line, record, columns)
    elif form == "spaCy":
        for paragraph in record["paragraphs"]:
            yield from _spacy_paragraph(line, paragraph)
    elif form == "tokens with tags":
        yield _tokens(line, record, columns)
    elif form == MARKERS:
        yield marked_words(line, text_of(line, record, _name(record, TEXTS, columns.text)))
    else:
        yield _spans(line, record, columns, form)


def _name(record, names, given):
    return given if given is not None else next((name for name in names if name in record), None)


def _tokens(line, record, columns):
    """Return words and tags that stand side by side."""
    words, tags = (_name(record, names, given) for names, given in ((TOKENS, columns.word), (TAGS, columns.tag)))
    if words not in record or tags not in record:
        raise BadRow(line, "the row has no words and tags; name their columns with --word and --tag")
    found, given = ([] if record[name] == [] else label_cell(line, name, record[name]) for name in (words, tags))
    if not isinstance(found, list) or not isinstance(given, list) or len(found) != len(given):
        raise BadRow(line, f"columns {words!r} and {tags!r}: wanted two lists of one length")
    if any(isinstance(tag, Number) for tag in given):
        raise BadRow(line, f"column {tags!r} holds numbers, and nothing says which tags they are; write their names, "
                           "or give the Parquet file of Hugging Face, which keeps them")
    return [str(word) for word in found], _iob2(line, tags, given)


def _iob2(line, column, tags):
    wrong = next((tag for tag in tags if not TAG.fullmatch(tag)), None)
    if wrong is not None and "O" in tags and not any(TAG.fullmatch(tag) and tag != "O" for tag in tags):
        return iob2([tag if tag == "O" else f"I-{tag}" for tag in tags])
    if wrong is not None:
        raise BadRow(line, f"column {column!r}: {wrong!r:.40} came where a tag was wanted (O, B-PER, I-PER, ...)")
    return iob2(tags)


def _spans(line, record, columns, form):
    """Return the words and tags of a text and its spans."""
    name = _name(record, TEXTS, columns.text)
    text = record.get(name)
    if not isinstance(text, str):
        raise BadRow(line, "the row has no text; name its column with --text" if name is None else
                     f"column {name!r} holds no text")
    given, found = _name(record, SPANS, columns.label or columns.tag), _found_spans(record, columns)
    if given is None and "answer" in record:
        found = []                              # Prodigy: a text in which nothing was marked has no spans
    elif given is None:
        raise BadRow(line, f"the row has none of {', '.join(SPANS)}, where its entities would stand; name the column "
                           "with --label, or write an empty list where a text has none")
    if not isinstance(found, list):
        raise BadRow(line, f"column {given!r}: wanted a list of [start, end, label] or of objects with these")
    spans = [span_of(line, value) for value in found]
    if form == SPANS_UNKNOWN and any(span.text is None and utf16_place(text, span.end) != span.end for span in spans):
        raise BadRow(line, "whether its entities count an emoji as one character (Python) or two (doccano) cannot be "
                           f"told; write {UTF16_KEY}: \"UTF-16\" into the row, or the text of each entity")
    if form == SPANS_UTF16:
        spans = [span if span.text is not None else span._replace(
            start=python_place(text, span.start), end=python_place(text, span.end)) for span in spans]
    return tagged_words(line, text, spans)


def _label_studio(line, record, columns):
    """Return the words and tags of a task: of its annotations the ground truth, else the first one."""
    values, data = _values(_chosen(line, record)), record["data"]
    texts = [name for name, value in data.items() if isinstance(value, str)]
    name = columns.text or next((name for name in (*TEXTS, *texts[:1]) if name in texts), None)
    if name is None or not isinstance(data.get(name), str):
        raise BadRow(line, f"the task's data has no text{f' {name!r}' if name else ''}; name it with --text")
    spans = [span_of(line, {**value, "labels": value.get("labels", value.get("hypertextlabels"))})
             for value in values if {"labels", "hypertextlabels"} & set(value)]
    return tagged_words(line, data[name], spans)


def _chosen(line, record):
    """Return the annotation of a task that is read."""
    made = record.get("annotations", record.get("completions"))
    made = [{"result": record.get("result")}] if made is None else made
    used = [each for each in made if isinstance(each, dict) and not each.get("was_cancelled")]
    if not used:
        raise Rejected(line, "its annotations were cancelled" if made else "the task has no annotation")
    return next((each for each in used if each.get("ground_truth")), used[0])


def _values(annotation):
    return [each["value"] for each in annotation.get("result") or []
            if isinstance(each, dict) and isinstance(each.get("value"), dict)]


def _spacy_paragraph(line, paragraph):
    """Yield the sentences of a paragraph in spaCy's JSON for training."""
    if not isinstance(paragraph, dict):
        raise BadRow(line, "a paragraph is no object")
    if isinstance(paragraph.get("entities"), list) and isinstance(paragraph.get("raw"), str):
        yield tagged_words(line, paragraph["raw"], [span_of(line, value) for value in paragraph["entities"]])
        return
    for sentence in paragraph.get("sentences") or []:
        try:
            tokens = [(token["orth"], token.get("ner") or "O") for token in sentence["tokens"]]
            words, tags = [word for word, _ in tokens], [tag if tag not in ("-", "") else "O" for _, tag in tokens]
        except (TypeError, KeyError):
            raise BadRow(line, "a sentence has no tokens with orth and ner") from None
        yield words, _iob2(line, "ner", tags)


def tuple_record(value: Any) -> Any:
    """Return spaCy's [text, {"entities": [...]}] as an object; another value as it is.

    Args:
        value: The value.

    Returns:
        {"text", "entities"}, or the value.
    """
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
        return {"text": value[0], "entities": value[1].get("entities", [])}
    return value


