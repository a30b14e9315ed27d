"""Read queries, documents and judgements in TREC's form, and write runs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bertkit.data.columns import Columns, Source
from bertkit.data.frames import Data, data_path
from bertkit.data.inputs import number
from bertkit.data.lines import BadRow, Lines, check_text, open_bytes
from bertkit.data.passages import read_texts
from bertkit.data.readers import read_examples
from bertkit.data.records import check_limit, row_error
from bertkit.errors import Error
from bertkit.files.atomic import write_text

_ROLES = {
    "judgements": (("qrel", ".rel", "judg"), "qrels"),
    "queries": (("quer", "qry", "topic"), "queries"),
    "documents": (("doc", "corpus", "collection", "passage", ".all"), "documents"),
}
_QRELS = "lines of query, 0, document, grade"
# Cranfield's own codes, 1 the best; its corrected file for trec_eval gives the undocumented -1 the grade 5.
_CRANQREL = {"1": 4, "2": 3, "3": 2, "4": 1, "-1": 5}


@dataclass(frozen=True)
class Collection:
    """Queries, documents, and which documents answer which query.

    Args:
        path: The folder or file.
        queries: {id: text}.
        documents: {id: text}.
        qrels: {query: {document: grade}}; grades above 0 are relevant.
        rows: How many judgements were read.
        skipped: (line, reason) of the judgements that were left out.
        source: How the file was understood.
    """

    path: Path
    queries: dict[str, str]
    documents: dict[str, str]
    qrels: dict[str, dict[str, float]]
    rows: int
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return self.rows

    @property
    def listed(self) -> bool:
        """Whether this is a file of rows that lists relevant and other documents, to be put in order."""
        return not self.path.is_dir() and any(
            grade <= 0 for grades in self.qrels.values() for grade in grades.values())


def read_collection(path: Data, columns: Columns = Columns(), limit: int | None = None,
                    skip_bad_rows: bool = False) -> Collection:
    """Read a folder in TREC form, or a file of rows of query, document, grade (.tsv, .csv, .jsonl).

    A folder holds a file of queries (its name says quer, qry or topic), one of documents (doc, corpus, collection or
    .all) and one of judgements (qrel or .rel; or a file in a folder qrels, as BEIR has it): query, iteration, document,
    grade, or without the iteration. For texts see `read_texts`. Judgements that count the queries in the file's order
    (Cranfield) are recognised: only 1 to the number of queries are judged, and not all of these are ids. Of two files
    of judgements the one for trec_eval is taken. In rows, equal texts are one query, or one document.

    Args:
        path: The folder or file.
        columns: Names of columns, for a file of rows.
        limit: Read the first judgements only.
        skip_bad_rows: List judgements that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Collection`.

    Raises:
        Error: with file and line, when a judgement cannot be used, and when a file is missing.
    """
    check_limit(limit)
    path = data_path(path)
    if path.is_dir():
        return _of_folder(path, limit, skip_bad_rows)
    examples = read_examples(path, columns.text, columns.second, columns.label, limit=limit,
                             skip_bad_rows=skip_bad_rows)
    return _of_rows(path, examples, skip_bad_rows)


def _of_folder(path, limit, skip_bad_rows):
    files = _files(path)
    queries, documents = read_texts(files["queries"]), read_texts(files["documents"])
    rows = list(_judgements(files["judgements"]))
    judgements = _looked_up(rows[:limit], _ids(rows, queries), {name: name for name in documents})
    qrels, skipped, count = _gathered(files["judgements"], judgements, skip_bad_rows)
    return Collection(path, queries, documents, qrels, count, skipped)


def _of_rows(path, examples, skip_bad_rows):
    """Return the `Collection` of `Examples`; ids are q1, d1, ... in the order of first appearance."""
    if examples.second is None:
        raise Error(f"{path} has no column of documents; wanted query, document and grade, or name the columns with "
                    "--text, --second and --label.")
    queries = {text: f"q{place}" for place, text in enumerate(dict.fromkeys(examples.first), start=1)}
    documents = {text: f"d{place}" for place, text in enumerate(dict.fromkeys(examples.second), start=1)}
    rows = ((line, (queries[query], documents[document], grade)) for line, query, document, grade in zip(
        examples.lines, examples.first, examples.second, examples.labels, strict=True))
    qrels, skipped, count = _gathered(path, rows, skip_bad_rows)
    texts, judged = ({name: text for text, name in group.items()} for group in (documents, queries))
    return Collection(path, judged, texts, qrels, count, [*examples.skipped, *skipped], examples.source)


def _gathered(path, rows, skip_bad_rows):
    """Return (qrels, skipped, how many were kept) of (line, judgement or BadRow)."""
    qrels, skipped, count = {}, [], 0
    for line, row in rows:
        bad = row if isinstance(row, BadRow) else _judge(qrels, line, *row)
        if bad is None:
            count += 1
        elif skip_bad_rows:
            skipped.append(bad.args)
        else:
            raise row_error(path, bad)
    if not qrels:
        raise Error(f"{path} holds no judgement that can be used ({len(skipped)} were skipped); wanted {_QRELS}.")
    return qrels, skipped, count


def _judge(qrels, line, query, document, grade):
    """Add a judgement to `qrels`; return the BadRow of one that cannot be used."""
    value = number(grade)
    if math.isnan(value):
        return BadRow(line, f"the grade {grade!r:.40} is no number")
    before = qrels.get(query, {}).get(document, value)
    if before != value:
        return BadRow(line, f"the grade of document {document!r} for query {query!r} was {before:g} before, and is "
                            f"{value:g} now")
    qrels.setdefault(query, {})[document] = value
    return None


def _looked_up(rows, queries, documents):
    """Yield (line, judgement) under the ids of the collection, or (line, BadRow)."""
    for line, row in rows:
        if not isinstance(row, BadRow):
            ids = [table.get(name, table.get(_plain(name)))
                   for name, table in zip(row, (queries, documents), strict=False)]
            row = (*ids, row[2]) if None not in ids else _unknown(line, row, ids, queries, documents)
        yield line, row


def _unknown(line, row, ids, queries, documents):
    """Return the BadRow of a judgement whose query or document has no text."""
    role, name, among = (("query", row[0], queries) if ids[0] is None else ("document", row[1], documents))
    return BadRow(line, f"the {role} {name!r:.40} is not among the {len(among)} of the collection")


def _plain(name):
    """Return a number without leading zeros, as SMART's are read."""
    return str(int(name)) if name.isascii() and name.isdigit() else name


def _ids(rows, queries):
    """Return {what a judgement calls a query: its id}: itself, or where only that fits, its place in the file."""
    judged = {_plain(row[0]) for _, row in rows if not isinstance(row, BadRow)}
    places = {str(place): name for place, name in enumerate(queries, start=1)}
    return places if judged <= set(places) and not judged <= set(queries) else {name: name for name in queries}


# ------------------------------------------------------------------------------------------------------ files


def _files(folder):
    """Return {role: path} of the three files in a folder; raises `Error` where one is missing or several fit."""
    places = sorted(path for path in (*folder.iterdir(), *folder.glob("qrels/*"))
                    if path.is_file() and "readme" not in path.name.lower() and not path.name.startswith("."))
    files = {}
    for role, (parts, wanted) in _ROLES.items():
        fitting = [path for path in places if path not in files.values()
                   and any(part in path.relative_to(folder).as_posix().lower() for part in parts)]
        if role == "judgements":
            places = [path for path in places if path not in fitting]
            fitting = [path for path in fitting if _for_trec_eval(path)] or fitting
        if len(fitting) != 1:
            names = ", ".join(path.name for path in fitting)
            raise Error(f"{folder} holds " + (f"several files of {role} ({names}); keep one." if fitting else
                        f"no file of {role}; name it {wanted}, beside queries, documents and qrels."))
        files[role] = fitting[0]
    return files


def _for_trec_eval(path):
    """Return whether the first line of a file has four fields."""
    with open_bytes(path, _QRELS) as file:
        return len(file.readline(1000).split()) == 4


def _judgements(path):
    """Yield (line, (query, document, grade)), or (line, BadRow) where there is none; a header is passed over."""
    codes = path.name.lower().startswith("cranqrel")
    with open_bytes(path, _QRELS) as file:
        check_text(path, file, _QRELS)
        lines = Lines(file)
        while True:
            try:
                fields = next(lines).split()
            except StopIteration:
                return
            except BadRow as bad:
                yield lines.number, bad
                continue
            if fields and not (lines.number == 1 and _is_header(fields)):
                yield lines.number, _judgement(lines.number, fields, codes)


def _is_header(fields):
    """Return whether a first line names columns: an id may look like a name, and a grade is a number."""
    return any(name in fields[0].lower() for name in ("query", "qid", "topic")) and math.isnan(number(fields[-1]))


def _judgement(line, fields, codes):
    if len(fields) not in (3, 4):
        return BadRow(line, f"{len(fields)} fields came, wanted query, iteration, document, grade")
    query, *_, document, grade = fields
    return query, document, _CRANQREL.get(grade, grade) if codes and len(fields) == 3 else grade


def write_run(path: str | Path, run: Mapping[str, Mapping[str, float]], name: str = "bertkit") -> None:
    """Write a ranking as TREC's run: query, Q0, document, rank from 1, score, name.

    The best document comes first; ties are ordered by document id from the last to the first, as trec_eval orders them
    whatever the rank says.

    Args:
        path: The file.
        run: {query: {document: score}}.
        name: The name of the run.

    Raises:
        Error: when an id or the name has blanks, and when the file cannot be written.
    """
    lines = []
    for query, scores in run.items():
        ranked = sorted(scores.items(), key=lambda found: (found[1], found[0]), reverse=True)
        for rank, (document, score) in enumerate(ranked, start=1):
            if wrong := [part for part in (query, document, name) if len(part.split()) != 1 or part.split()[0] != part]:
                raise Error(f"The id {wrong[0]!r} has blanks or is empty, which a run file cannot hold; rename it.")
            lines.append(f"{query} Q0 {document} {rank} {score!r} {name}\n")
    write_text(path, "".join(lines))
