"""What was read: of each file its columns, its classes with their counts, its first row, and what is odd about it."""

from typing import Any

from bertkit.report.markup import element, join, note, section, table, text


def render_reading(metadata: dict[str, Any]) -> str:
    """Return the section on what was read.

    Args:
        metadata: {split: what `data.summary.described` says of its file}.

    Returns:
        The HTML, or "" where nothing is known.
    """
    splits = {split: part for split, part in metadata.items()
              if isinstance(part, dict) and {"columns", "first", "remarks"} & set(part)}
    if not splits:
        return ""
    files = [join([element("h3", split), _file(part)]) for split, part in splits.items()]
    return section("What was read", *files, _counts(splits))


def _file(part):
    """Return the columns, the first row and the remarks of a file."""
    facts = [(f"column of {role}", name) for role, name in part.get("columns", {}).items()]
    facts += [("columns not used", ", ".join(part["unused"]))] if part.get("unused") else []
    facts += [(f"first row: {name}", value) for name, value in part.get("first", {}).items()]
    pairs = [element("div", element("dt", name), element("dd", text(value))) for name, value in facts]
    return join([element("dl", *pairs, class_="facts") if pairs else "", *map(note, part.get("remarks", []))])


def _counts(splits):
    """Return a table of each thing that is counted, with a column for each split."""
    tables = []
    for what in dict.fromkeys(name for part in splits.values() for name, value in part.items()
                              if isinstance(value, dict) and name not in ("columns", "first")):
        counted = {split: part[what] for split, part in splits.items() if what in part}
        names = dict.fromkeys(name for counts in counted.values() for name in counts)
        rows = [(name if len(name) <= 60 else name[:57] + "...", *(counts.get(name, 0) for counts in counted.values()))
                for name in names]
        tables.append(table(f"Rows of each: {what}", (what, *counted), rows, words=(what,)))
    return join(tables)
