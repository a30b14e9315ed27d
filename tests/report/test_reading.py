"""The section on what was read shows columns, counts, the first row and the remarks, and acts on none of them."""

from bertkit.report.reading import render_reading

DEV = {"file": "dev.csv", "rows": 2, "skipped": 0, "form": "CSV", "columns": {"text": "<b>", "label": "y"},
       "unused": ["id", "when"], "classes": {"no": 1, "yes": 1200, "<script>alert(1)</script>" + "x" * 300: 1},
       "first": {"label": "no", "text": "<img src=x onerror=alert(1)>"}, "remarks": ["classes of one row: 'no'"]}


def test_all_that_was_said_stands_in_the_page():
    page = render_reading({"train": {**DEV, "classes": {"no": 7, "maybe": 2}}, "dev": DEV, "note": 3})
    assert page.startswith("<section><h2>What was read</h2><h3>train</h3>")
    for word in ("<h3>train</h3>", "<h3>dev</h3>", "&lt;b&gt;", "id, when", "1,200", "maybe", "classes of one row",
                 "&lt;img src=x onerror=alert(1)&gt;", "Rows of each: classes"):
        assert word in page
    assert "<script" not in page and "<img" not in page and "x" * 100 not in page


def test_nothing_is_shown_of_what_nobody_read():
    assert render_reading({}) == render_reading({"train": {"file": "f", "rows": 1, "skipped": 0}, "rows": 2}) == ""
