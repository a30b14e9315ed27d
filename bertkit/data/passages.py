"""Read named texts, the documents and the queries of a collection: SMART and TREC records, tables, JSON lines."""

import re

from bertkit.data.columns import check_columns, join_names
from bertkit.data.frames import Data, data_path
from bertkit.data.lines import BadRow, Lines, check_text, open_bytes
from bertkit.data.records import JSON, TABLES, row_as_dict, suffix, table
from bertkit.data.values import json_type
from bertkit.errors import Error

_FORMS = "a file of SMART records (.I, .W), TREC records (<DOC>, <top>), or rows id, text (.tsv, .csv, .jsonl)"
_IDS = ("_id", "id", "docid", "doc_id", "docno", "document_id", "qid", "query_id", "queryid", "num", "pid")
_TEXTS = ("text", "contents", "content", "body", "document", "passage", "query", "question")
_READ = {"T": "title", "W": "text"}         # fields of SMART that are read; authors (A) and sources (B) are not
_FIELD = re.compile(r"\.([A-Z])\s*")
_NUMBER = re.compile(r"\.I\s+(\d{1,18})\s*")
_NAME = re.compile(r"<(?:DOCNO|num)>\s*(?:Number:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?([^<]*)", re.IGNORECASE)
_BODY = re.compile(r"<(title|head|headline|text)>(.*?)(?=</\1>)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")


def read_texts(path: Data) -> dict[str, str]:
    """Read the texts of a file, by their ids.

    SMART: a record begins with ".I n"; its title (.T) and text (.W) are read; n is written without leading zeros. TREC:
    <DOC> with <DOCNO> and <TITLE>, <HEAD>, <HEADLINE>, <TEXT>, or <top> with <num> and <title>. Tables: columns id and
    text, by name or two without a header, and "title", which comes first; in a file without a known ending a line is
    id, tab, text. Lines of a text are joined with blanks; a title that begins the text is not repeated.

    Args:
        path: The file.

    Returns:
        {id: text}, in the file's order.

    Raises:
        Error: with file and line, when a record cannot be read, and when the file holds no text.
    """
    path = data_path(path)
    with open_bytes(path, _FORMS) as file:
        check_text(path, file, _FORMS)
        head = file.peek(4096)[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    try:
        if head.startswith(b".I"):
            return _named(path, _smart(path))
        if head.startswith(b"<"):
            return _named(path, _tagged(path))
        known = suffix(path) in TABLES
        return _named(path, _rows(path) if known else _tab_separated(path))
    except BadRow as bad:
        raise Error("{}: line {}, {}; mend it.".format(path, *bad.args)) from None


def _named(path, records):
    """Return {id: text} of (line, id, title, text), each id once."""
    texts, lines = {}, {}
    for line, name, title, text in records:
        if name in texts:
            raise BadRow(line, f"the id {name!r} came before, in line {lines[name]}")
        title, text = " ".join(title.split()), " ".join(text.split())
        texts[name] = text if text.startswith(title) else f"{title} {text}".strip()
        lines[name] = line
    if not texts:
        raise Error(f"{path} holds no text; wanted {_FORMS}.")
    return texts


def _smart(path):
    """Yield (line, id, title, text) of records of SMART (Salton 1971)."""
    record, field = None, None
    for line, text in _lines(path):
        if begins := _NUMBER.fullmatch(text):
            if record:
                yield record["line"], record["id"], record["title"], record["text"]
            record, field = {"line": line, "id": str(int(begins[1])), "title": "", "text": ""}, None
        elif record is None and text.strip():
            raise BadRow(line, f"{text.strip()!r:.40} came where a record was wanted, .I and its number")
        elif begins := _FIELD.fullmatch(text):
            field = begins[1]
        elif record and field in _READ:
            record[_READ[field]] += text + "\n"
        elif field is None and text.strip():
            raise BadRow(line, f"{text.strip()!r:.40} came where a field was wanted, such as .W")
    if record:
        yield record["line"], record["id"], record["title"], record["text"]


def _tagged(path):
    """Yield (line, id, title, text) of TREC's documents, or of its topics, whose title alone is the query."""
    begun, record = 0, []
    for line, text in _lines(path):
        if re.match(r"\s*<(DOC|top)>", text, re.IGNORECASE):
            if begun:
                raise BadRow(begun, "the record has no end, </DOC> or </top>")
            begun, record = line, []
        record.append(text)
        if not re.search(r"</(DOC|top)>", text, re.IGNORECASE):
            continue
        whole = "\n".join(record)
        name = _NAME.search(whole)
        if name is None or not begun:
            raise BadRow(begun or line, "the record has no <DOCNO> or <num>")
        if re.match(r"\s*<top>", whole, re.IGNORECASE):
            title = _TITLE.search(whole)
            yield begun, name[1], "", title[1] if title else ""
        else:
            yield begun, name[1], "", " ".join(_TAG.sub(" ", part) for _, part in _BODY.findall(whole))
        begun, record = 0, []
    if begun:
        raise BadRow(begun, "the record has no end, </DOC> or </top>")


def _lines(path):
    """Yield (line, text without its end)."""
    with open_bytes(path, _FORMS) as file:
        lines = Lines(file)
        for text in lines:
            yield lines.number, text.removesuffix("\n").removesuffix("\r")


def _rows(path):
    """Yield (line, id, title, text) of a table."""
    with table(path) as (names, rows, _):
        spelling = {name.lower(): name for name in names}
        name, text = (next((spelling[each] for each in group if each in spelling), None) for group in (_IDS, _TEXTS))
        heading = spelling.get("title", "title")        # of a file of objects, the first may have none
        if name is text is None and suffix(path) not in JSON and len(names) == 2:
            yield 1, names[0], "", names[1]         # MS MARCO's tables have no header
            names = [name, text] = ["id", "text"]
        elif name is None or text is None:
            raise Error(f"{path} has the columns {join_names(names)}; wanted id and text.")
        check_columns(path, names, [name, text], "leave one of them")
        for line, record in rows:
            if isinstance(record, BadRow):
                raise record
            values = row_as_dict(record, names)
            title = _text(line, values, heading) if values.get(heading) else ""
            yield line, _text(line, values, name), title, _text(line, values, text)


def _tab_separated(path):
    """Yield (line, id, title, text) of a file without a known name: id, tab, text a line."""
    for line, text in _lines(path):
        name, tab, rest = text.partition("\t")
        if not tab and text.strip():
            raise BadRow(line, f"{text.strip()!r:.40} came where id, tab, text was wanted")
        if tab and not (line == 1 and name.strip().lower() in _IDS):
            yield line, name.strip(), "", rest


def _text(line, values, name):
    if name not in values:
        raise BadRow(line, f"the object has no key {name!r}")
    if not isinstance(values[name], str):
        raise BadRow(line, f"column {name!r}: {json_type(values[name])} came where text was wanted")
    return str(values[name])
