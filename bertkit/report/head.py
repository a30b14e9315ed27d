"""The top of a report: what the model is, what it scores, which knobs made it; at its end, every other fact."""

import numbers

from bertkit.report.markup import beside, element, joined, note, number, section, table

ORDER = {"test": 0, "dev": 1}                 # the split that only reports stands first


def head(card):
    """Return the name, the scores with their intervals, the data and the knobs of a card."""
    made = " · ".join(word for word in (card.task, card.recipe and f"recipe {card.recipe}", card.made) if word)
    return element("header", element("h1", card.name), note(made), headline(card.scores),
                   beside(scores(card.scores), data(card.data)), metadata("Knobs", card.to_json().get("knobs", {})),
                   *(note(line) for line in card.notes))


def headline(scores):
    """Return each split's first score in large figures, with its interval."""
    items = []
    for split, name, value in _rows(scores):
        if split not in [shown for shown, _ in items]:
            items.append((split, element("li", element("b", number(value["score"])),
                                         element("span", f"{name} on {split} {_interval(value)}"))))
    return element("ul", *(item for _, item in items), class_="headline") if items else ""


def scores(scores):
    """Return the table of every metric of every split with 95 % intervals."""
    rows = [(f"{name} on {split}", value["score"], value.get("low"), value.get("high"))
            for split, name, value in _rows(scores)]
    if not rows:
        return note("No score was measured.")
    return table("Scores with 95 % bootstrap intervals", ("score", "value", "low", "high"), rows)


def _rows(scores):
    """Return (split, metric, {"score", "low", "high"}) of what is a score, the reporting split first."""
    splits = sorted(scores, key=lambda split: ORDER.get(split, 2))
    return [(split, name, value) for split in splits for name, value in scores[split].items()
            if isinstance(value, dict) and "score" in value]


def _interval(value):
    return f"({number(value['low'])} to {number(value['high'])})" if "low" in value else ""


def data(metadata):
    """Return the table of files and rows, of {split: {"file", "rows", ...}}."""
    splits = {split: part for split, part in metadata.items() if isinstance(part, dict)}
    if not splits:
        return ""
    columns = list(dict.fromkeys(name for part in splits.values() for name in part))
    rows = [(split, *(part.get(name) for name in columns)) for split, part in splits.items()]
    return table("Data", ("split", *columns), rows, words=("file",))


def metadata(title, values):
    """Return names and values as a list in columns; parts of parts are named with points between."""
    pairs = [element("div", element("dt", name), element("dd", _said(value))) for name, value in flat(values)]
    return joined([element("h3", title), element("dl", *pairs, class_="facts")]) if pairs else ""


def flat(values, before=""):
    """Return [(name, value)] of nested objects.

    >>> flat({"a": {"b": 1}, "c": [2, 3]})
    [('a.b', 1), ('c', [2, 3])]
    """
    found = []
    for name, value in values.items():
        found += flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return found


def _said(value):
    """Return a value as it would be typed: a small rate stays a small rate."""
    if value is None or isinstance(value, str):
        return value or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_said(part) for part in value) or "–"
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return str(value)


def appendix(card):
    """Return what else the card holds: the model, an export's size and speed, the versions."""
    parts = [metadata(title, values) for title, values in
             (("Model", card.model), ("Input", card.inputs), ("Agreement of the exported file", card.parity),
              ("Size in bytes", card.bytes), ("Latency in milliseconds a text", card.latency),
              ("Versions", card.versions))]
    return section("How it was made", *parts) if any(parts) else ""
