"""Read questions, contexts and answers from SQuAD JSON (Rajpurkar et al. 2016 and 2018; XQuAD has the same form)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.data.lines import check_text, open_bytes
from bertkit.data.records import check_limit
from bertkit.errors import Error

WANTED = "SQuAD JSON (data > paragraphs > context and qas > id, question, answers)"

_LARGEST = 2**29    # bytes; SQuAD's own files have 42 million at most


@dataclass(frozen=True)
class Questions:
    """The questions of one file, in its order; the lists run side by side.

    Args:
        path: The file.
        version: "2.0" where a question lacks an answer (`is_impossible` is true), else "1.1": tools write that it is
            false beside every question.
        ids: The id of each question.
        questions: The text of each question.
        contexts: The context of each question.
        answers: A list of (text, start) for each question, the text standing in the context from that character on; it
            is empty where there is no answer.
        lines: The number of each question in the file, from 1.
        skipped: (number, reason) of the questions that were left out.
    """

    path: Path
    version: str
    ids: list[str]
    questions: list[str]
    contexts: list[str]
    answers: list[list[tuple[str, int]]]
    lines: list[int]
    skipped: list[tuple[int, str]]

    def __len__(self):
        return len(self.ids)


class _BadQuestion(Exception):
    """A question that cannot be used; args are the reason."""


def read_squad(path: str | Path, limit: int | None = None, skip_bad_rows: bool = False) -> Questions:
    """Read the questions of a JSON file of SQuAD 1.1 or 2.0.

    A question cannot be used where a text or an id is missing or no text, an id came before, an answer is not what
    stands in the context at its place, or a question without an answer has answers.

    Args:
        path: The file.
        limit: Read the first questions only.
        skip_bad_rows: List questions that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Questions`.

    Raises:
        Error: with file, article, paragraph and question, when a question cannot be used, and when the file is not in
            this form.

    Example:
        >>> import tempfile
        >>> path, question = Path(tempfile.mkdtemp()) / "f.json", {"id": "q", "question": "Who?"}
        >>> question["answers"] = [{"text": "Ann", "answer_start": 4}]
        >>> _ = path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "It, Ann", "qas": [question]}]}]}))
        >>> read_squad(path).answers
        [[('Ann', 4)]]
    """
    check_limit(limit)
    path, known = Path(path), set[str]()
    kept: list[Any] = []
    skipped: list[Any] = []
    questions = list(_questions(path, _parsed(path)))
    version = "2.0" if any(entry.get("is_impossible") is True for *_, entry in questions) else "1.1"
    for number, (place, context, entry) in enumerate(questions, start=1):
        try:
            kept.append((*_question(context, entry, version, known), number))
        except _BadQuestion as bad:
            if not skip_bad_rows:
                raise Error(f"{path}: {place}: {bad}; mend it, or leave such questions out with "
                            "--skip-bad-rows.") from bad
            skipped.append((number, f"{place}: {bad}"))
        if len(kept) == limit:
            break
    if not kept:
        raise Error(f"{path} has no question that can be used ({len(skipped)} were skipped); give {WANTED}.")
    ids, texts, contexts, answers, lines = map(list, zip(*kept, strict=True))
    return Questions(path, version, ids, texts, contexts, answers, lines, skipped)


def _parsed(path):
    """Return the JSON of a file."""
    with open_bytes(path, "a .json file") as file:
        check_text(path, file, WANTED)
        size = os.fstat(file.fileno()).st_size
        if size > _LARGEST:
            raise Error(f"{path} has {size} bytes, which is no SQuAD file ({_LARGEST} at most); give {WANTED}.")
        content = file.read(_LARGEST + 1)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise Error(f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg}); "
                    f"give {WANTED}.") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Error(f"{path}: line {line}: the byte {content[error.start]:#04x} is not UTF-8; convert the file with "
                    "iconv.") from error
    except (ValueError, RecursionError) as error:      # numbers of thousands of digits; brackets without end
        raise Error(f"{path} is not JSON that can be read ({error}); give {WANTED}.") from error


def _questions(path, parsed):
    """Yield (where it stands, context, question as it came) of each."""
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


def _question(context, entry, version, known):
    """Return (id, question, context, answers); raises _BadQuestion."""
    key, question = entry.get("id"), entry.get("question")
    for name, value in (("context", context), ("id", key), ("question", question)):
        if not _is_text(value):
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
    return key, question, context, checked


def _answer(context, answer):
    """Return (text, start); raises _BadQuestion unless that stands in the context."""
    if not isinstance(answer, dict):
        raise _BadQuestion(f"an answer is {answer!r:.60} where an object was wanted")
    text, start = answer.get("text"), answer.get("answer_start")
    if not isinstance(text, str) or not text or type(start) is not int:
        raise _BadQuestion(f"an answer has text {text!r:.60} and answer_start {start!r:.60}")
    if start < 0 or not context.startswith(text, start):
        raise _BadQuestion(f"the answer {text!r:.60} does not stand at character {start}, "
                           f"{context[max(start, 0):][:len(text)]!r:.60} does")
    return text, start


def _is_text(value):
    """Return whether a JSON value is a text without half a surrogate pair, which is no character."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)
