"""HTML from plain data: every text is escaped, so no row of a data file can act on the page."""

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

VOID = {"meta"}
# What HTML forbids in a text: control characters save tab and line ends, and the two halves of a surrogate pair.
FORBIDDEN = dict.fromkeys([*range(9), 11, *range(12, 13), *range(14, 32), *range(127, 160), *range(0xD800, 0xE000),
                           0xFFFE, 0xFFFF], "\N{REPLACEMENT CHARACTER}")
LONGEST = 600                                 # the most characters of a text that are shown


class Markup(str):
    """Text that is HTML already; every other text is escaped.

    Example:
        >>> escape_html(Markup("<b>bold</b>"))
        '<b>bold</b>'
    """

    __slots__ = ()


def escape_html(value: Any) -> Markup:
    r"""Return a value as HTML that shows it and does nothing.

    Args:
        value: `Markup`, which is returned as it is, or anything else, which is escaped.

    Returns:
        The HTML.

    Example:
        >>> escape_html("<script>&\ud800")
        '&lt;script&gt;&amp;\ufffd'
    """
    return value if isinstance(value, Markup) else Markup(escape(str(value).translate(FORBIDDEN)))


def join(parts: Iterable[Any]) -> Markup:
    """Join parts, each cleaned.

    Args:
        parts: The parts.

    Returns:
        The HTML.
    """
    return Markup("".join(escape_html(part) for part in parts))


def element(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return <name attributes>children</name>.

    Args:
        name: The name of the element.
        children: What it holds; each is cleaned.
        attributes: `class_` is class, other _ become -, and None leaves an attribute out.

    Returns:
        The HTML.

    Example:
        >>> element("td", "a < b", class_="number")
        '<td class="number">a &lt; b</td>'
    """
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape_html(value)}"'
                    for key, value in attributes.items() if value is not None)
    return Markup(f"<{name}{words}>" if name in VOID else f"<{name}{words}>{join(children)}</{name}>")


def section(title: str, *children: Any) -> Markup:
    """Return a section with its heading.

    Args:
        title: The heading.
        children: What the section holds.

    Returns:
        The HTML.
    """
    return element("section", element("h2", title), *children)


def quoting(dev: dict[str, Any], title: str, make: Callable[..., Any], *arguments: Any) -> Markup:
    """Return a section that quotes the data, or where texts are to be kept out one that says so.

    Args:
        dev: What the sections of a report are made of; `"texts"` is False where texts are to be kept out.
        title: The heading.
        make: Makes what the section holds.
        arguments: What `make` takes.

    Returns:
        The HTML.
    """
    return section(title, make(*arguments) if dev.get("texts", True) else note("The texts were kept out (--no-texts)."))


def side_by_side(*children: Any) -> Markup:
    """Return tables that stand side by side where there is room.

    Args:
        children: The tables.

    Returns:
        The HTML.
    """
    return element("div", *children, class_="beside")


def note(*children: Any) -> Markup:
    """Return a paragraph that explains.

    Args:
        children: What it holds.

    Returns:
        The HTML.
    """
    return element("p", *children, class_="note")


def number(value: Any, digits: int = 4) -> str:
    """Return a number as the page shows it; whole numbers have no decimals.

    Args:
        value: The number; a text stays as it is, and None is "".
        digits: Decimals of a number below 10; larger ones have at most two.

    Returns:
        The text.

    Example:
        >>> number(0.86583), number(1821), number(78.125), number(float("nan"))
        ('0.8658', '1,821', '78.12', 'undefined')
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool) or float(value).is_integer() and not isinstance(value, float):
        return f"{value:,}" if not isinstance(value, bool) else str(value)
    if not math.isfinite(value):
        return "undefined" if math.isnan(value) else str(float(value))
    return f"{value:,.{digits if abs(value) < 10 else min(digits, 2)}f}"


def share(value: float) -> str:
    """Return a fraction as a percentage with one decimal.

    Args:
        value: From 0 to 1.

    Returns:
        The text.

    Example:
        >>> share(0.125)
        '12.5 %'
    """
    return f"{100 * value:.1f} %"


def text(value: Any) -> Markup:
    """Return a text of the data, isolated so that its writing direction ends with it.

    Args:
        value: The text; of a long one the first part is shown, and how many characters follow.

    Returns:
        The HTML.

    Example:
        >>> text("a" * 601)[-24:]
        'a… (+1 characters)</bdi>'
    """
    value = str(value)
    more = f"… (+{len(value) - LONGEST:,} characters)" if len(value) > LONGEST else ""
    return element("bdi", value[:LONGEST] + more)


def texts(value: str | Sequence[str]) -> Markup:
    """Return an input, each of its texts on its own line.

    Args:
        value: A text, or several.

    Returns:
        The HTML.
    """
    sides = [value] if isinstance(value, str) else value
    return join(element("div", text(side)) for side in sides)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], words: Sequence[str] = ()) -> Markup:
    """Return a table; a row's first cell is its name.

    A number is shown by `number`, a text is cleaned, `Markup` stays as it is.

    Args:
        caption: The caption.
        columns: The names of the columns.
        rows: The cells of each row.
        words: The columns that hold words; the others hold numbers.

    Returns:
        The HTML.
    """
    head = element("tr", *(element("th", name, scope="col", class_=_kind(name, words)) for name in columns))
    body = [element("tr", element("th", _cell(row[0]), scope="row", class_=_kind(columns[0], words)),
                    *(_data(name, value, words) for name, value in zip(columns[1:], row[1:], strict=True)))
            for row in rows]
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _data(name, value, words):
    if isinstance(value, Markup) and value.startswith("<td"):
        return value
    return element("td", _cell(value), class_=_kind(name, words))


def _kind(name, words):
    return "words" if name in words else "number"


def _cell(value):
    return value if isinstance(value, str) else number(value)
