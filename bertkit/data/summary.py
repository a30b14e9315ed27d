"""What was read of a file: its columns, classes and first row, and what is odd, said before anything is trained."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertkit.data.cells import DOUBTFUL
from bertkit.data.columns import join_names
from bertkit.data.inputs import Labelled
from bertkit.tasks.registry import entry_of
from bertkit.terminal import say

LONGEST = 120       # characters of a text that is shown
MOST = 12           # classes that are printed; the card has all of them


class Summary(NamedTuple):
    """What the summary of a task's labelled rows shows.

    Args:
        counts: Function (task, targets) -> {what is counted: {name: how often}}; {} where nothing is.
        example: Function (task, input, target) -> {what it is: text} of one row.
        conflicts: Whether equal inputs with different targets contradict each other.
    """

    counts: Callable[[Any, Any], dict[str, Any]]
    example: Callable[[Any, Any, Any], dict[str, str]]
    conflicts: bool = False


def described(task: Any, part: Labelled) -> dict[str, Any]:
    """Return what a card says of a file.

    Args:
        task: The task.
        part: The `Labelled` rows of the file.

    Returns:
        {"file", "rows", "skipped", "form", "columns", "unused", what is counted, "first", "remarks"}, as far as known.
    """
    shown = entry_of(task).part("summary")
    found = part.metadata() | part.source.metadata()
    if shown is not None and len(part):
        found |= shown.counts(task, part.targets)
    if shown is not None and len(part) and part.texts:
        found["first"] = shown.example(task, part.inputs[0], part.targets[0])
    remarks = [*part.source.notes, *_remarks(part, found, shown)]
    return found | ({"remarks": remarks} if remarks else {})


def say_read(task: Any, part: Labelled) -> Labelled:
    """Print what was read of a file.

    Args:
        task: The task.
        part: The `Labelled` rows of the file.

    Returns:
        `part`.
    """
    for line in lines(described(task, part)):
        say(line)
    return part


def say_unlabelled(rows: Any) -> None:
    """Print what was read of a file of rows that are to be answered.

    Args:
        rows: The `unlabelled.Rows`.
    """
    found = {"file": Path(rows.path).name, "rows": len(rows), "skipped": len(rows.skipped)} | rows.source.metadata()
    first = {"first": {"text": " | ".join(_texts(rows.inputs[0]))}} if rows.inputs else {}
    for line in lines(found | first):
        say(line)


def lines(found: dict[str, Any]) -> list[str]:
    r"""Return a description as lines for a person.

    Args:
        found: What `described` returned.

    Returns:
        The lines.

    >>> print(*lines({"file": "f.csv", "rows": 2, "skipped": 0, "columns": {"text": "t"}, "classes": {"a": 1, "b": 1}}),
    ...       sep="\n")
    What was read: f.csv, 2 rows
      columns: text 't'
      classes: 'a' 1, 'b' 1
    """
    form = f" ({found['form']})" if "form" in found else ""
    skipped = f", {found['skipped']:,} left out" if found["skipped"] else ""
    made = [f"What was read: {found['file']}, {found['rows']:,} rows{form}{skipped}"]
    if "columns" in found or "unused" in found:
        used = ", ".join(f"{role} {name!r}" for role, name in found.get("columns", {}).items())
        unused = f"not used: {join_names(found['unused'])}" if "unused" in found else ""
        made.append("  columns: " + "; ".join(filter(None, (used, unused))))
    made += [f"  {name}: {_counted(value)}" for name, value in found.items()
             if isinstance(value, dict) and name not in ("columns", "first")]
    if "first" in found:
        made.append("  first row: " + ", ".join(f"{name} {_cut(text)!r}" for name, text in found["first"].items()))
    return made + [f"  note: {remark}" for remark in found.get("remarks", [])]


def _counted(values):
    shown = [f"{name!r} {value:,}" for name, value in list(values.items())[:MOST]]
    return ", ".join(shown) + (f" and {len(values) - MOST:,} more" if len(values) > MOST else "")


def _cut(text):
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + "..."


def shared_with_train(train: Labelled, part: Labelled) -> str | None:
    """Return a sentence on the rows of a file that stand in train as well.

    Args:
        train: The training rows.
        part: The rows of dev or test.

    Returns:
        The sentence; None where there are none.
    """
    known = set(map(_key, train.inputs))
    rows = [given for given in part.inputs if _key(given) in known]
    if not rows:
        return None
    first = f", first {_cut(' | '.join(_texts(rows[0])))!r}" if part.texts else ""
    return (f"rows of {Path(part.path).name} that stand in train too: {len(rows):,} of {len(part):,}{first}; the score "
            "on these says nothing of new texts")


def _remarks(part, found, shown):
    """Return sentences on what is odd: repeated rows, contradictions, classes of one row, names that look alike."""
    made = []
    rows = defaultdict(Counter)
    for given, target in zip(part.inputs, part.targets, strict=True) if shown and shown.conflicts else ():
        rows[_key(given)][str(target)] += 1
    odd = [given for given, targets in rows.items() if len(targets) > 1]
    again = sum(count - 1 for targets in rows.values() for count in targets.values())
    if odd:
        first = f", first {_cut(' | '.join(odd[0]))!r}" if part.texts else ""
        made.append(f"texts with different labels: {len(odd):,}{first}")
    if again:
        made.append(f"rows that repeat another one, label and all: {again:,}")
    return made + _names(found.get("classes", {}), found.get("columns", {}).get("label"))


def _names(classes, column):
    """Return sentences on classes that may be none, or the same one."""
    single = [name for name, count in classes.items() if count == 1]
    made = [f"classes of one row: {join_names(single)}"] if single else []
    alike = defaultdict(list)
    for name in (name for name, count in classes.items() if count):
        alike["".join(name.split()).casefold()].append(name)
    made += [f"classes that differ in case or blanks alone: {join_names(each)}"
             for each in alike.values() if len(each) > 1]
    doubtful = [name for name in classes if name.lower() in (*DOUBTFUL, (column or "").lower())]
    return made + [f"{name!r} (rows: {classes[name]:,}) is read as a class; it may say that there is no label, or be "
                   "the name of the column" for name in doubtful if classes[name]]


def _key(given):
    return tuple(text.strip() for text in _texts(given))


def _texts(given):
    """Return the texts of an input."""
    return (given,) if isinstance(given, str) else tuple(map(str, given))


def _class_counts(task, targets):
    targets = np.asarray(targets)
    counts = np.bincount(targets, minlength=len(task.labels)) if targets.ndim == 1 else targets.sum(axis=0)
    return {"classes": {label: int(count) for label, count in zip(task.labels, counts, strict=True)}}


def _class_example(task, given, target):
    names = [task.labels[place] for place in np.flatnonzero(target)] if np.ndim(target) else [task.labels[target]]
    return {"label": ", ".join(names) or "none", **_named(given)}


def _named(given: Any, names: Sequence[str] = ("text", "second")) -> dict[str, str]:
    return dict(zip(names, _texts(given), strict=False))


def _score_counts(task, targets):
    values = np.asarray(targets, "float64")
    return {"scores": {name: round(float(value), 4) for name, value in (
        ("lowest", values.min()), ("mean", values.mean()), ("highest", values.max()))}}


def _tag_counts(task, targets):
    counts = Counter(tag[2:] for tags in targets for tag in tags if tag[0] == "B")
    return {"entities": dict(sorted(counts.items()))}


def _tag_example(task, given, target):
    return {"words and tags": " ".join(f"{word}/{tag}" for word, tag in zip(given, target, strict=True))}


def _answer_counts(task, targets):
    given = sum(map(bool, targets))
    return {"questions": {"with an answer": given} | (
        {"without": len(targets) - given} if given < len(targets) else {})}


def _answer_example(task, given, target):
    """Show where the answer stands, with what is around it."""
    question, context = given
    if not target:
        return {"question": question, "context": context, "answer": "none"}
    text, start = target[0]
    before, after = context[max(0, start - 40):start], context[start + len(text):start + len(text) + 40]
    return {"question": question, "context": f"{'...' if start > 40 else ''}{before}[[{text}]]{after}"}


def _choice_counts(task, targets):
    return {"right endings": {str(place): count for place, count in sorted(Counter(map(int, targets)).items())}}


CLASSES = Summary(_class_counts, _class_example, True)
NUMBERS = Summary(_score_counts, lambda task, given, target: {"score": f"{target:g}", **_named(given)})
TAGS = Summary(_tag_counts, _tag_example, True)
ANSWERS = Summary(_answer_counts, _answer_example)
CHOICES = Summary(_choice_counts, lambda task, given, target: {"prompt": given[0], "right ending": given[1 + target]})
PAIRS = Summary(lambda task, targets: {} if np.ndim(targets) == 2 else _score_counts(task, targets),
                lambda task, given, target: _named(given, ("first", "second", "wrong")))
CANDIDATES = Summary(lambda task, targets: {}, lambda task, given, target: _named(given, ("query", "document")))
PARALLEL = Summary(lambda task, targets: {}, lambda task, given, target: {"source": given, "target": target[0]})
