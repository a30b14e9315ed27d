"""HTML from plain data: every text is escaped on its way in, so that no row of a data file can act on the page."""

import math
from html import escape

VOID = {"meta"}
# What HTML forbids in a text: control characters save tab and line ends, and the two halves of a surrogate pair.
FORBIDDEN = dict.fromkeys([*range(9), 11, *range(12, 13), *range(14, 32), *range(127, 160), *range(0xD800, 0xE000),
                           0xFFFE, 0xFFFF], "\N{REPLACEMENT CHARACTER}")
LONGEST = 600                                 # characters of a text that are shown


class Markup(str):
    """Text that is HTML already; every other text is escaped."""

    __slots__ = ()


def clean(value):
    """Return a value as HTML that shows it and does nothing.

    >>> clean("<script>&\\ud800")
    '&lt;script&gt;&amp;\\ufffd'
    """
    return value if isinstance(value, Markup) else Markup(escape(str(value).translate(FORBIDDEN)))


def joined(parts):
    """Return the parts one after the other, each cleaned."""
    return Markup("".join(clean(part) for part in parts))


def element(name, /, *children, **attributes):
    """Return <name attributes>children</name>; `class_` is class, other _ are -, None leaves an attribute out.

    >>> element("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{clean(value)}"'
                    for key, value in attributes.items() if value is not None)
    return Markup(f"<{name}{words}>" if name in VOID else f"<{name}{words}>{joined(children)}</{name}>")


def section(title, *children):
    """Return a section with its heading."""
    return element("section", element("h2", title), *children)


def beside(*children):
    """Return tables that stand side by side where there is room."""
    return element("div", *children, class_="beside")


def note(*children):
    """Return a paragraph that explains."""
    return element("p", *children, class_="note")


def number(value, digits=4):
    """Return a number as the page shows it: `digits` after the point, fewer from 10 on; whole numbers as they are.

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


def share(value):
    """Return a fraction as a percentage with one decimal.

    >>> share(0.125)
    '12.5 %'
    """
    return f"{100 * value:.1f} %"


def text(value):
    """Return a text of the data, set apart so that its writing direction ends with it; a long one says what is left.

    >>> text("a" * 601)[-24:]
    'a… (+1 characters)</bdi>'
    """
    value = str(value)
    more = f"… (+{len(value) - LONGEST:,} characters)" if len(value) > LONGEST else ""
    return element("bdi", value[:LONGEST] + more)


def texts(value):
    """Return an input, a text or several, each on its own line."""
    sides = [value] if isinstance(value, str) else value
    return joined(element("div", text(side)) for side in sides)


def table(caption, columns, rows, words=()):
    """Return a table; a row's first cell names it, columns in `words` hold words and the others numbers.

    A cell that is a number is shown by `number`, one that is a text is cleaned, one that is Markup stands as it is.
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
