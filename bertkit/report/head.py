"""The top of a report: what the model is and its scores; and the end, with its settings and every other fact."""

import numbers
from collections.abc import Sequence
from typing import Any

from bertkit.report.markup import Markup, element, join, note, number, section, table

ORDER = {"test": 0, "dev": 1}                 # test stands first, because nothing was chosen by it


def head(card: Any, beside: Sequence[tuple[str, float]] = ()) -> Markup:
    """Return the name, the scores with their intervals, and what one is to know of them.

    Args:
        card: The `Card`.
        beside: (what, its score) of what the first score is to be compared with, such as the commonest class.

    Returns:
        The HTML.
    """
    made = " · ".join(word for word in (card.task, card.recipe and f"recipe {card.recipe}", card.made) if word)
    return element("header", element("h1", card.name), note(made), headline(card.scores, beside),
                   *(note(line) for line in card.notes), scores(card.scores))


def headline(scores: dict[str, Any], beside: Sequence[tuple[str, float]] = ()) -> str:
    """Return each split's first score in large figures, with its interval, and what it is to be compared with.

    Args:
        scores: {split: {metric: {"score", "low", "high"}}}.
        beside: (what, its score).

    Returns:
        The HTML, or "" without scores.
    """
    items: list[tuple[str, Markup]] = []
    for split, name, value in _rows(scores):
        if split not in [before for before, _ in items]:
            items.append((split, element("li", element("b", number(value["score"])),
                                         element("span", f"{name} on {split} {_interval(value)}"))))
    others = [element("li", element("b", number(score), class_="other"), element("span", what))
              for what, score in beside]
    return element("ul", *(item for _, item in items), *others, class_="headline") if items else ""


def scores(scores: dict[str, Any]) -> Markup:
    """Return the table of every metric of every split with 95 % intervals.

    Args:
        scores: {split: {metric: {"score", "low", "high"}}}.

    Returns:
        The HTML.
    """
    rows = [(f"{name} on {split}", value["score"], value.get("low"), value.get("high"))
            for split, name, value in _rows(scores)]
    if not rows:
        return note("No score was measured.")
    return table("Scores with 95 % bootstrap intervals", ("score", "value", "low", "high"), rows)


def _rows(scores):
    """Return (split, metric, {"score", "low", "high"}) of what is a score, the reporting split first."""
    splits = sorted(scores, key=lambda split: ORDER.get(split, 2))
    found = [(split, name, value) for split in splits for name, value in scores[split].items()
             if isinstance(value, dict) and "score" in value]
    return [(split, f"{name} of {value['positive']}" if value.get("positive") else name, value)
            for split, name, value in found]


def _interval(value):
    return f"({number(value['low'])} to {number(value['high'])})" if "low" in value else ""


def data(metadata: dict[str, Any]) -> str:
    """Return the table of files and rows; what else was read of them is a section of its own.

    Args:
        metadata: {split: {"file", "rows", ...}}.

    Returns:
        The HTML, or "" without splits.
    """
    splits = {split: part for split, part in metadata.items() if isinstance(part, dict)}
    if not splits:
        return ""
    columns = list(dict.fromkeys(name for part in splits.values() for name, value in part.items()
                                 if not isinstance(value, dict | list) and name != "form"))
    rows = [(split, *(part.get(name) for name in columns)) for split, part in splits.items()]
    return table("Data", ("split", *columns), rows, words=("file",))


def metadata(title: str, values: dict[str, Any]) -> str:
    """Return names and values as a list in columns; the names of nested values have points between their parts.

    Args:
        title: The heading.
        values: The values by name.

    Returns:
        The HTML, or "" without values.
    """
    pairs = [element("div", element("dt", name), element("dd", _typed(value))) for name, value in flat(values)]
    return join([element("h3", title), element("dl", *pairs, class_="facts")]) if pairs else ""


def flat(values: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Flatten nested objects.

    Args:
        values: The values by name.
        before: What stands before each name.

    Returns:
        (name, value) of each.

    Example:
        >>> flat({"a": {"b": 1}, "c": [2, 3]})
        [('a.b', 1), ('c', [2, 3])]
    """
    pairs: list[tuple[str, Any]] = []
    for name, value in values.items():
        pairs += flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return pairs


def _typed(value):
    """Return a value as a user would type it; a small rate is not rounded to 0."""
    if value is None or isinstance(value, str):
        return value or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_typed(part) for part in value) or "–"
    if not isinstance(value, bool) and isinstance(value, numbers.Integral):
        return f"{value:,}" if abs(int(value)) >= 10_000 else str(value)
    return str(value)


def appendix(card: Any) -> str:
    """Return what else the card holds: the data, the knobs, the model, an export's size and speed, the versions.

    Args:
        card: The `Card`.

    Returns:
        The HTML, or "" where there is nothing.
    """
    # Where the run was left is no setting of it: a run that was killed and resumed elsewhere has the same page.
    knobs = {name: value for name, value in card.to_json().get("knobs", {}).items() if name != "out"}
    parts = [data(card.data)]
    parts += [metadata(title, values) for title, values in
             (("Knobs", knobs), ("Model", card.model), ("Input", card.inputs),
              ("Agreement of the exported file", card.parity),
              ("Size in bytes", card.bytes), ("Latency in milliseconds a text", card.latency),
              ("Versions", card.versions))]
    return section("How it was made", *parts) if any(parts) else ""
