"""Which column serves as what: by the name that a flag gives, or by its own; of two that could, the user decides."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.data.columns import Columns, check_columns, join_names
from bertkit.errors import Error

# Well-known names in lower case; the first group that a file touches must name one column or pair.
_PAIRS = [
    ("sentence1", "sentence2"), ("#1 string", "#2 string"), ("question1", "question2"),
    ("premise", "hypothesis"), ("text1", "text2"), ("text_a", "text_b"), ("first", "second"),
    ("question", "sentence"), ("question", "context"), ("question", "passage"), ("question", "answer"),
    ("query", "document"), ("query", "passage"),
]
_TEXTS = [
    {"text", "sentence"},
    {"review", "content", "comment", "message", "tweet", "utterance", "body", "document", "question",
     "query"},
    {"source", "src", "article", "dialogue", "input"},
]
_LABELS = [
    {"label", "labels", "gold_label"},
    {"class", "category", "intent", "sentiment", "target", "quality", "is_duplicate", "score", "grade"},
    {"accept"},                 # Prodigy's choices
]
# Of texts that belong together: the first text, the second and the wrong one.
_TOGETHER = (
    ("first", "anchor", "query", "sentence1", "text1", "text_a", "question1", "question", "premise", "#1 string"),
    ("second", "positive", "pos", "sentence2", "text2", "text_b", "question2", "document", "passage", "answer",
     "hypothesis", "sentence", "context", "#2 string"),
    ("negative", "neg", "hard_negative"),
)
_SCORES = ("score", "label", "similarity", "is_duplicate", "quality")
# Parts of names that may say how alike the texts of a pair are.
_MAY_SCORE = re.compile("scor|simil|label|rating|rank|grade|relat|class|judg|quality|dupl|gold|entail|relevan|target")
_SOURCES = ("source", "src", "document", "article", "dialogue", "text", "input")
_TARGETS = ("target", "tgt", "summary", "summaries", "highlights", "abstract", "reference", "references", "output")
_ABOUT = ("prompt", "context", "premise", "passage", "article")    # what a question may be about
_PROMPTS = ("sent1", *_ABOUT, "question", "text")       # SWAG's startphrase is sent1 and sent2 together
_STARTS = {"sent1": "sent2", **dict.fromkeys(_ABOUT, "question")}       # what begins each ending, by the prompt
ENDING = re.compile(r"(?:ending|choice|option|answer)[ _-]?(\d+)", re.IGNORECASE)


def example_roles(path: Path, names: Sequence[str], columns: Columns,
                  labels_required: bool | None = True) -> dict[str, Any]:
    """Return which columns serve as text, second and label.

    Args:
        path: The file, for errors.
        names: The names of its columns.
        columns: The names that flags give.
        labels_required: Whether a file without labels is an error; None looks for no column that no flag names.

    Returns:
        {"text", "second", "label"}: a name, or None.

    Raises:
        Error: when a column is not there, or several could serve and no flag decides.
    """
    text, second, label = columns.text, columns.second, columns.label
    free = [name for name in names if name not in (text, second, label)]
    if text is None:
        pairs = [_pairs(free)] if second is None else []
        singles = [[(name, second) for name in group] for group in _groups(free, _TEXTS)]
        text, second = _only(path, names, "text", pairs + singles) or _unknown(path, names, "text")
    if label is None and labels_required is not None:
        label = _only(path, names, "label", _groups([name for name in free if name not in (text, second)], _LABELS))
    if label is None and labels_required:
        _unknown(path, names, "label")
    roles = {"text": text, "second": second, "label": label}
    for role, name in roles.items():
        check_columns(path, names, [name], f"name one of them with --{role}")
    return roles


def _pairs(names):
    spelling = {name.lower(): name for name in names}
    return [(spelling[a], spelling[b]) for a, b in _PAIRS if a in spelling and b in spelling]


def _groups(names, groups):
    return [[name for name in names if name.lower() in group] for group in groups]


def _only(path, names, role, groups):
    """Return the one candidate of the first group that has any, None if there is none."""
    candidates = next(filter(None, groups), [None])
    return candidates[0] if len(candidates) == 1 else _unknown(path, names, role)


def _unknown(path, names, role):
    raise Error(f"{path}: which column is the {role} cannot be told from the names in its header "
                f"({join_names(names)}); say it with --{role} COLUMN.")


def pair_roles(path: Path, names: Sequence[str], columns: Columns) -> dict[str, Any]:
    """Return which columns serve as first text, second text, wrong text and score.

    Three columns of other names are first, positive and negative; two are first and second. Without a score, a column
    that may say how alike the texts are is refused: pairs of score 0 would be learnt as belonging together.

    Args:
        path: The file, for errors.
        names: The names of its columns.
        columns: The names that flags give.

    Returns:
        {"text", "second", "negative", "label"}: a name, or None.

    Raises:
        Error: when the columns say nothing of pairs, or one may be a score and no flag decides.
    """
    named = [name for name in (columns.text, columns.second, columns.label) if name is not None]
    free = [name for name in names if name not in named]
    first, second, negative = (_first_of(role, free) for role in _TOGETHER)
    first, second = columns.text or first, columns.second or second
    score = columns.label or _first_of(_SCORES, free)
    check_columns(path, names, [first, second, negative, score], "name one of them with --text, --second or --label")
    if not (first and second):
        if len(names) in (2, 3) and not named and score is None and all(map(_is_name, names)):
            first, second, negative = [*names, None][:3]
        else:
            raise Error(f"{path} has the columns {join_names(names)}, which say nothing of pairs; wanted a header with "
                        "first and second, first, positive and negative, or two sentences and their score, or name "
                        "them with --text, --second and --label.")
    roles = {"text": first, "second": second, "negative": negative, "label": None if negative else score}
    left = [name for name in names if name not in roles.values() and _MAY_SCORE.search(name.lower())]
    if roles["label"] is negative is None and left:
        raise Error(f"{path}: the column {left[0]!r} may say which texts belong together, and without a score every "
                    f"row is learnt as a pair that does; say --label {left[0]} where it holds numbers, or give a file "
                    "of the pairs that belong together, without this column.")
    return roles


def _first_of(wanted, names):
    """Return the name that stands first in a list of well-known ones, or None."""
    return next((name for each in wanted for name in names if name.lower() == each), None)


def _is_name(name):
    """Return whether a field may be a column's name: one short word, where a text would have several."""
    return 0 < len(name) <= 30 and len(name.split()) == 1


def parallel_roles(path: Path, names: Sequence[str], columns: Columns, headerless: bool) -> dict[str, Any]:
    """Return which columns serve as source and target.

    Args:
        path: The file, for errors.
        names: The names of its columns.
        columns: The names that flags give.
        headerless: Whether two columns of other names are a first row.

    Returns:
        {"text", "label"}: a name; None for both of a table without a header.

    Raises:
        Error: when the columns are not there.
    """
    source = columns.text or _first_of(_SOURCES, names)
    target = columns.label or _first_of((*_TARGETS, "questions"), names)
    check_columns(path, names, [source, target], "name one of them with --text or --label")
    if source and target or headerless and len(names) == 2 and source is target is None:
        return {"text": source, "label": target}
    raise Error(f"{path} has the columns {join_names(names)}; wanted source and target, or document and summary, or "
                "name them with --text and --label.")


def choice_roles(path: Path, names: Sequence[str], columns: Columns,
                 labels_required: bool = True) -> tuple[dict[str, Any], list[str]]:
    """Return which columns serve as prompt, beginning of every ending and label; and the endings in their order.

    Args:
        path: The file, for errors.
        names: The names of its columns.
        columns: The names that flags give.
        labels_required: Whether a file without labels is an error.

    Returns:
        ({"text", "second", "label"}, the columns of the endings).

    Raises:
        Error: when the file holds no multiple choices.
    """
    prompt = columns.text or _first_of(_PROMPTS, names)
    label = columns.label or _first_of(("label",), names)
    numbered = sorted((int(found[1]), name) for name in names if (found := ENDING.fullmatch(name)))
    if prompt is None or len(numbered) < 2 or labels_required and label is None:
        raise Error(f"{path} is no file of multiple choices, its columns are {join_names(names)}; wanted a prompt, "
                    "ending0, ending1, ... and label (as SWAG has them), or CODAH's seven columns.")
    second = columns.second or _first_of((_STARTS.get(prompt.lower(), ""),), names)
    endings = [name for _, name in numbered]
    check_columns(path, names, [prompt, second, *endings, label], "leave one of them")
    return {"text": prompt, "second": second, "label": label}, endings


def question_roles(path: Path, names: Sequence[str], columns: Columns) -> dict[str, Any]:
    """Return which columns hold a question, its context, the answers, their places and the id.

    Args:
        path: The file, for errors.
        names: The names of its columns.
        columns: The names that flags give.

    Returns:
        {"question", "context", "answers", "start", "id"}: a name, or None for one of the last three.

    Raises:
        Error: when there is no question or context.
    """
    roles = {"question": columns.text or _first_of(("question", "query"), names),
             "context": columns.second or _first_of(("context", "passage", "paragraph", "document"), names),
             "answers": columns.label or _first_of(("answers", "answer", "answer_text"), names),
             "start": _first_of(("answer_start", "start"), names), "id": _first_of(("id", "qid", "question_id"), names)}
    if roles["question"] is None or roles["context"] is None:
        raise Error(f"{path} has the columns {join_names(names)}; wanted question and context, or name them with "
                    "--text (the question) and --second (the context).")
    check_columns(path, names, list(roles.values()), "name one of them with --text, --second or --label")
    return roles
