"""The names of the classes in a config.json of Hugging Face: one for each row of the head, or a refusal."""

import json
from collections import Counter
from typing import Any

from bertkit.errors import Error

MOST_LABELS = 1_000_000
SHOWN = 6           # names that a message shows


def label_names(values: dict[str, Any], rows: int | None = None) -> list[str]:
    """Return the names of the classes, in order: those of `id2label`, or 0 to num_labels − 1 (2 classes by default).

    Args:
        values: The content of config.json.
        rows: The outputs of the head in the file of weights; None where that is not known.

    Returns:
        The names.

    Raises:
        Error: When `id2label` does not number the classes from 0, `label2id` is not its inverse, or there are not as
            many names as rows.

    >>> label_names({"id2label": {"0": "no", "1": "yes"}})
    ['no', 'yes']
    """
    table, count = values.get("id2label") or {}, values.get("num_labels")
    if not isinstance(table, dict) or not _is_count(count):
        raise Error(f"config.json: num_labels={count!r:.80} and id2label={str(table)[:80]} do not name classes; "
                    f"wanted a number up to {MOST_LABELS} and an object of names.")
    names = _named(table, rows) if table else list(map(str, range(count or 2)))
    if count is not None and count != len(names):
        raise Error(f"config.json: num_labels={count} and id2label with {len(names)} names do not fit each other; "
                    f"write \"num_labels\": {rows or len(names)} and as many names in id2label.")
    if rows is not None and rows != len(names):
        raise Error(f"config.json names {len(names)} classes (id2label={str(table)[:80]}), and the head has {rows} "
                    f"rows; write a name for each row in id2label, {_example(rows)}.")
    _check_inverse(values.get("label2id"), table, names)
    return names


def _is_count(count):
    return count is None or isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= MOST_LABELS


def _named(table, rows):
    """Return the names in the order of their numbers, which are 0, 1, 2 ... without a gap."""
    numbers = sorted(int(key) if str(key).isdecimal() else -1 for key in table)
    wrong = [name for name in table.values() if not isinstance(name, str | int | float)]
    if numbers != list(range(len(table))):
        names = list(map(str, table.values())) if rows in (None, len(table)) else None
        raise Error(f"config.json: id2label has the keys {_listed(table)}, and the rows of the head are numbered from "
                    f"0 without gaps; write {_example(rows or len(table), names)}, in the order of the rows.")
    if wrong:
        raise Error(f"config.json: id2label has {wrong[0]!r:.40} among its names; write a text for each class.")
    names = [str(table[key]) for key in sorted(table, key=int)]
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise Error(f"config.json: id2label has the name {twice!r:.40} twice; write a name of its own for each class.")
    return names


def _check_inverse(inverse, table, names):
    """Raise `Error` where `label2id` gives a name of `id2label` another number, or has other names."""
    if not inverse or not table:
        return
    if not isinstance(inverse, dict) or {str(name): str(number) for name, number in inverse.items()} != {
            name: str(number) for number, name in enumerate(names)}:
        right = json.dumps({name: number for number, name in list(enumerate(names))[:SHOWN]}, ensure_ascii=False)
        raise Error(f"config.json: label2id={str(inverse)[:80]} is not the inverse of id2label={str(table)[:80]}, so "
                    f"that it is not sure which name a row has; if id2label is right, write \"label2id\": {right}.")


def _example(rows, names=None):
    """Return what id2label looks like for some rows."""
    names = names or [f"NAME {number}" for number in range(rows)]
    shown = ", ".join(f'"{number}": {json.dumps(name, ensure_ascii=False)}' for number, name in
                      list(enumerate(names))[:SHOWN])
    return f'"id2label": {{{shown}{", ..." if len(names) > SHOWN else ""}}}'


def _listed(table):
    return ", ".join(map(str, list(table)[:SHOWN])) + (" ..." if len(table) > SHOWN else "")
