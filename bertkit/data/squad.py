"""Read questions, contexts and answers: SQuAD's JSON, and the flat rows that Hugging Face and MRQA make of it."""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.data.columns import Columns, Source, join_names
from bertkit.data.frames import Data, data_path
from bertkit.data.json_rows import is_array, read_json
from bertkit.data.lines import BadRow
from bertkit.data.records import TABLES, check_limit, row_as_dict, suffix, table
from bertkit.data.roles import question_roles
from bertkit.data.sheets import is_dataset
from bertkit.data.values import DECODER, Number
from bertkit.errors import Error

WANTED = ("SQuAD JSON (data > paragraphs > context and qas > id, question, answers), or rows with question, context "
          "and answers (text, answer_start)")


@dataclass(frozen=True)
class Questions:
    """The questions of one file, in its order; the lists run side by side.

    Args:
        path: The file.
        version: "2.0" where a question has no answer, else "1.1".
        ids: The id of each question.
        questions: The text of each question.
        contexts: The context of each question.
        answers: A list of (text, start) for each question, the text standing in the context from that character on; it
            is empty where there is no answer.
        lines: The number of each question in the file, from 1.
        skipped: (number, reason) of the questions that were left out.
        source: How the file was understood.
    """

    path: Path
    version: str
    ids: list[str]
    questions: list[str]
    contexts: list[str]
    answers: list[list[tuple[str, int]]]
    lines: list[int]
    skipped: list[tuple[int, str]]
    source: Source = Source()

    def __len__(self):
        return len(self.ids)


class _BadQuestion(Exception):
    """A question that cannot be used; args are the reason."""


def read_squad(path: Data, columns: Columns = Columns(), limit: int | None = None,
               skip_bad_rows: bool = False) -> Questions:
    """Read the questions of a file of SQuAD's form, 1.1 or 2.0, or of rows with question, context and answers.

    Rows are Hugging Face's ({"context", "question", "answers": {"text": [...], "answer_start": [...]}}), also as
    columns of a table where `answers` is JSON or is a text and `answer_start` its place, and MRQA's (a context a line,
    with "qas" that have "detected_answers"). An id may be a number. A question cannot be used where a text is missing
    or no text, an id came before, an answer is not what stands in the context at its place, or a question that is said
    to have no answer has some.

    Args:
        path: The file.
        columns: `text` names the column of the question, `second` that of the context, `label` that of the answers.
        limit: Read the first questions only.
        skip_bad_rows: List questions that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Questions`.

    Raises:
        Error: with file, article, paragraph and question, when a question cannot be used, and when the file is not in
            this form.

    Example:
        >>> import json, tempfile
        >>> path, question = Path(tempfile.mkdtemp()) / "f.json", {"id": "q", "question": "Who?"}
        >>> question["answers"] = [{"text": "Ann", "answer_start": 4}]
        >>> _ = path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "It, Ann", "qas": [question]}]}]}))
        >>> read_squad(path).answers
        [[('Ann', 4)]]
    """
    check_limit(limit)
    path, known = data_path(path), set[str]()
    kept: list[Any] = []
    skipped: list[Any] = []
    questions, source = _questions(path, columns)
    first, count = None, 0
    for number, (place, context, entry) in enumerate(questions, start=1):
        try:
            kept.append((*_question(context, entry, known, f"question {number}"), number))
        except _BadQuestion as bad:
            if skip_bad_rows:
                skipped.append((number, f"{place}: {bad}"))
            first, count = first or f"{path}: {place}: {bad}", count + 1
        if len(kept) == limit:
            break
    if first and not skip_bad_rows:
        few = count <= max(2, len(kept) // 10)
        remedy = ", or leave such questions out with --skip-bad-rows" if few else ""
        raise Error(f"{first}; mend it{remedy}{f' ({count:,} questions cannot be used)' if count > 1 else ''}.")
    if not kept:
        raise Error(f"{path} has no question that can be used ({len(skipped)} were skipped); give {WANTED}.")
    version = "2.0" if any(_is_impossible(entry) for *_, entry in questions) else "1.1"
    ids, texts, contexts, answers, lines = map(list, zip(*kept, strict=True))
    return Questions(path, version, ids, texts, contexts, answers, lines, skipped, source)


def _questions(path, columns):
    """Return ([(where it stands, context, question as it came)], `Source`)."""
    kind = suffix(path)
    if not is_dataset(path) and (kind not in TABLES or kind == ".json" and is_array(path)):
        parsed = read_json(path, WANTED)
        rows = parsed.get("data", [parsed]) if isinstance(parsed, dict) else parsed
        if not isinstance(rows, list) or not rows or not _is_row(rows[0]):
            return list(_nested(path, parsed)), Source("SQuAD JSON")
    with table(path) as (names, rows, form):
        if "qas" in names or "header" in names:
            return list(_mrqa(path, rows)), Source("MRQA")
        roles = question_roles(path, names, columns)
        if roles["answers"] is None:
            raise Error(f"{path} has the columns {join_names(names)}; wanted {WANTED}, or name the answers with "
                        "--label.")
        return list(_flat(rows, names, roles)), Source.of(form, names, roles)


def _is_row(value):
    return isinstance(value, dict) and "question" in value and "context" in value


def _flat(rows, names, roles):
    """Yield the questions of rows."""
    for line, record in rows:
        if isinstance(record, BadRow):
            yield f"line {line}", None, {"bad": record.args[1]}
            continue
        values = row_as_dict(record, names)
        entry = {name: values[roles[name]] for name in ("id", "question") if roles[name] in values}
        yield f"line {line}", values.get(roles["context"]), entry | _flat_answers(values, roles)


def _flat_answers(values, roles):
    """Return "answers" as SQuAD lists them, and "is_impossible", which a row says by an empty list."""
    given = values.get(roles["answers"])
    if isinstance(given, str) and given[:1] in ("{", "["):          # JSON in a cell of a table
        with suppress(ValueError):
            given = DECODER.decode(given)
    if isinstance(given, str):
        given = [{"text": given, "answer_start": _whole(values.get(roles["start"]))}] if given else []
    if isinstance(given, dict) and isinstance(given.get("text"), list) and isinstance(given.get("answer_start"), list):
        given = [{"text": text, "answer_start": start}
                 for text, start in zip(given["text"], given["answer_start"], strict=False)]
    return {"answers": given, "is_impossible": given == []}


def _whole(cell):
    """Return the whole number in a cell of a table."""
    return Number(cell) if isinstance(cell, str) and re.fullmatch(r"-?[0-9]{1,9}(\.0)?", cell) else cell


def _mrqa(path, rows):
    """Yield the questions of MRQA's lines: a header, then a context with its questions a line."""
    for line, record in rows:
        if isinstance(record, BadRow):
            yield f"line {line}", None, {"bad": record.args[1]}
        elif "header" not in record:
            context = record.get("context")
            for number, question in enumerate(_listed(path, f"line {line}", record, "qas"), start=1):
                place = f"line {line}, question {number}"
                try:
                    spans = [(int(a), int(b) + 1) for found in question["detected_answers"]
                             for a, b in found["char_spans"]]
                    answers = [{"text": context[a:b], "answer_start": Number(a)} for a, b in spans]
                    yield place, context, {"id": question["qid"], "question": question["question"], "answers": answers}
                except (TypeError, KeyError, ValueError):
                    yield place, context, {"bad": "it has no qid, question and detected_answers with char_spans"}


def _nested(path, parsed):
    """Yield the questions of SQuAD's own form."""
    for i, article in enumerate(_listed(path, "the file", parsed, "data"), start=1):
        title = article.get("title") if isinstance(article, dict) else None
        place = f"article {title if isinstance(title, str) and title else i!r:.60}"
        for j, paragraph in enumerate(_listed(path, place, article, "paragraphs"), start=1):
            where = f"{place}, paragraph {j}"
            for k, question in enumerate(_listed(path, where, paragraph, "qas"), start=1):
                if not isinstance(question, dict):
                    raise Error(f"{path}: {where}, question {k} is no object; give {WANTED}.")
                yield f"{where}, question {question.get('id', k)!r:.60}", paragraph.get("context"), question


def _listed(path, place, holder, name):
    """Return the list that an object has under a name; raises Error."""
    value = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(value, list):
        raise Error(f"{path}: {place} has no list {name!r}; give {WANTED}.")
    return value


def _is_impossible(entry):
    """Return whether a question says that it has no answer; the key with false, which tools write, says nothing."""
    return entry.get("is_impossible") is True


def _question(context, entry, known, number):
    """Return (id, question, context, answers); raises _BadQuestion."""
    if "bad" in entry:
        raise _BadQuestion(entry["bad"])
    key, question = entry.get("id", number), entry.get("question")
    for name, value in (("context", context), ("id", key), ("question", question)):
        if not _is_text(value) or isinstance(value, Number) and name != "id":
            raise _BadQuestion(f"the {name} is {value!r:.60} where a text was wanted")
    if key in known:
        raise _BadQuestion("the id came before")
    impossible, answers = entry.get("is_impossible", False), entry.get("answers")
    if not isinstance(impossible, bool):
        raise _BadQuestion(f"is_impossible is {impossible!r:.60} where true or false was wanted")
    if not isinstance(answers, list) or bool(answers) == impossible:
        raise _BadQuestion(f"answers is {answers!r:.60} where "
                           f"{'an empty list was wanted (is_impossible)' if impossible else 'answers were wanted'}")
    checked = [_answer(context, answer) for answer in answers]
    known.add(key)
    return str(key), question, context, checked


def _answer(context, answer):
    """Return (text, start); raises _BadQuestion unless that stands in the context."""
    if not isinstance(answer, dict):
        raise _BadQuestion(f"an answer is {answer!r:.60} where an object was wanted")
    text, start = answer.get("text"), answer.get("answer_start")
    if not isinstance(text, str) or not text or not isinstance(start, Number) or not float(start).is_integer():
        raise _BadQuestion(f"an answer has text {text!r:.60} and answer_start {start!r:.60}")
    start = int(float(start))
    if start < 0 or not context.startswith(text, start):
        raise _BadQuestion(f"the answer {text!r:.60} does not stand at character {start}, "
                           f"{context[max(start, 0):][:len(text)]!r:.60} does")
    return str(text), start


def _is_text(value):
    """Return whether a JSON value is a text without half a surrogate pair, which is no character."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)
