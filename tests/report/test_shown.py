"""What has a page shows itself in a notebook, in a frame that keeps its look and its scripts to itself."""

import html
from html.parser import HTMLParser

import numpy as np

from bertkit.inspection.views import AttentionViews
from bertkit.report.shown import Shown


class Frames(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_a_notebook_gets_the_page_in_one_frame(tmp_path):
    views = AttentionViews('"><script>x', ["a", "b"], [0, 0], [False, False], np.full((1, 1, 2, 2), 0.5, "float32"))
    (tag, given), = Frames(views._repr_html_()).found
    assert tag == "iframe" and given["srcdoc"] == views.page() and given["sandbox"] == "allow-scripts"
    assert "default-src 'none'" in html.unescape(given["srcdoc"])
    views.write_page(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == views.page()


def test_what_is_looked_inside_shows_itself():
    from bertkit.inspection.behaviour import Behaviour
    from bertkit.inspection.comparison import Comparison
    from bertkit.inspection.explanation import Explanation
    from bertkit.inspection.groups import Bias
    from bertkit.inspection.layers import Layers
    for kind in (AttentionViews, Behaviour, Bias, Comparison, Explanation, Layers):
        assert issubclass(kind, Shown) and kind.page is not Shown.page


def test_nothing_is_written_without_a_file():
    assert Shown().write_page(None) is None
