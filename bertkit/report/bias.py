"""What was measured of a model's bias, as a page: the numbers, what they do not mean, the rows whose answer changed."""

from typing import Any

from bertkit.report.markup import element, join, note, section, table, texts
from bertkit.report.page import render_document

MOST = 200          # changed rows that a page shows


def render_bias(bias: Any) -> str:
    """Return the page of a measured bias, which loads and runs nothing; every text is escaped.

    Args:
        bias: An `inspection.groups.Bias`.

    Returns:
        The HTML.
    """
    title = f"What {bias.model} makes of groups of people"
    head = element("header", element("h1", title), element(
        "p", "No number here shows that a model is fair. Each says what it measured, on which words, and what it does "
             "not tell."))
    measures = [section(name, *(element("p", one) for one in sentences)) for name, sentences in bias.sentences()]
    return render_document(title, head, element("main", join(measures), _kinds(bias.numbers), _changed(bias.numbers)))


def _kinds(numbers):
    kinds = numbers.get("crows_pairs", {}).get("by_type")
    if not kinds:
        return ""
    rows = [(kind, one["pairs"], f"{one['score']:.1f}", f"{one['low']:.1f} to {one['high']:.1f}")
            for kind, one in kinds.items()]
    return section("CrowS-Pairs by type", table("Per cent of pairs", ("type", "pairs", "score", "95 % interval"), rows,
                                                words=("type",)))


def _changed(numbers):
    found = numbers.get("swaps", {}).get("examples", ())
    if not found:
        return ""
    rows = [(texts(one["text"]), texts(one["swapped"]), one["before"], one["after"]) for one in found[:MOST]]
    more = note(f"The first {MOST} of {len(found):,}; --json has all of them.") if len(found) > MOST else ""
    return section("Changed answers", more, table(f"{len(rows):,} rows", ("text", "swapped", "before", "after"), rows,
                                                  words=("text", "swapped", "before", "after")))
