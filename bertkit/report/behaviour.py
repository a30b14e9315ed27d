"""What tests of behaviour found, as a page: how many cases fail, with intervals, and which."""

from typing import Any

from bertkit.report.markup import element, join, note, section, share, table, texts
from bertkit.report.page import render_document

MOST = 200          # failures of a test that a page shows
KINDS = {"mft": "the answer is the label", "inv": "the answer stays the same where the text changes",
         "dir": "a probability or score does not go the wrong way"}


def render_behaviour(behaviour: Any) -> str:
    """Return the page of tests of behaviour, which loads and runs nothing; every text is escaped.

    Args:
        behaviour: An `inspection.behaviour.Behaviour`.

    Returns:
        The HTML.
    """
    title = f"How {behaviour.model} behaves"
    tests = behaviour.to_json()["tests"]
    rows = [(test["name"], test["kind"], KINDS[test["kind"]], test["failed"], test["cases"], share(test["rate"]),
             f"{share(test['low'])} to {share(test['high'])}") for test in tests]
    counts = table("Failed cases of each test, with Wilson's 95 % interval of the rate",
                   ("test", "kind", "what it asks", "failed", "of", "rate", "interval"), rows,
                   words=("test", "kind", "what it asks"))
    head = element("header", element("h1", title), element(
        "p", "A test says what it tests, and nothing of what it does not: a model that passes may fail on others."))
    return render_document(title, head, element("main", section("Tests", counts, *map(note, behaviour.notes)),
                                                join(map(_failures, tests))))


def _failures(test):
    if not test["failures"]:
        return ""
    rows = [(texts(one["text"]), texts(one["changed"]), one["wanted"], one["got"]) for one in test["failures"][:MOST]]
    more = f", the first {MOST} of which stand here" if test["failed"] > MOST else ""
    return section(test["name"], table(f"{test['failed']:,} failed cases{more}", ("text", "changed", "wanted", "got"),
                                       rows, words=("text", "changed", "wanted", "got")))
