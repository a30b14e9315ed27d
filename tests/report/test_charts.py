"""What is drawn lies inside the picture and where its value says."""

import math
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bertkit.report import charts
from tests.report.reading import read

NUMBERS = st.lists(st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0, math.nan, math.inf, 1e-7])), min_size=1,
                   max_size=30)
ACROSS = {"x", "x1", "x2", "cx"}
UPWARDS = {"y", "y1", "y2", "cy"}


def places(svg):
    """Return every (x or None, y or None) that a picture draws at."""
    found = []
    for node in svg.all("line", "circle", "text", "rect", "path", "polygon"):
        values = {name: float(value) for name, value in node.attributes.items() if name in ACROSS | UPWARDS}
        found += [(value, None) if name in ACROSS else (None, value) for name, value in values.items()]
        if node.name == "rect":
            width, height = (float(node.attributes[name]) for name in ("width", "height"))
            assert width > 0 and height >= 0
            found.append((values["x"] + width, values["y"] + height))
        corners = node.attributes.get("d", node.attributes.get("points", ""))
        found += [(float(a), float(b)) for a, b in re.findall(r"(-?[\d.]+)[ ,](-?[\d.]+)", corners)]
    return found


def assert_inside(html):
    for svg in read(html).all("svg"):
        _, _, width, height = map(float, svg.attributes["viewbox"].split())
        for x, y in places(svg):
            assert x is None or 0 <= x <= width, (x, y)
            assert y is None or 0 <= y <= height, (x, y)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, st.integers(1, 7))
def test_lines_stay_inside(values, several):
    series = {f"series {i}": (list(range(len(values))), values) for i in range(several)}
    assert_inside(charts.lines("Curve", series, "step", "loss", (0, "best"), points=tuple(series), least=0))


@settings(max_examples=60, deadline=None)
@given(NUMBERS)
def test_histograms_stay_inside(values):
    assert_inside(charts.histogram("Values", values, "value"))


@settings(max_examples=60, deadline=None)
@given(NUMBERS, st.booleans(), st.randoms(use_true_random=False))
def test_scatters_stay_inside(values, same, chance):
    others = chance.sample(values, len(values))
    assert_inside(charts.scatter("Pairs", values, others, "true", "predicted", same))


@given(NUMBERS)
@example([5e-324])
@example([0.0, 5e-324])
def test_an_axis_holds_its_values_between_ticks(values):
    axis = charts.Axis.around(values, "value")
    finite = [value for value in values if math.isfinite(value)]
    assert all(axis.low <= value + abs(axis.step) * 1e-6 and value <= axis.high + axis.step * 1e-6 for value in finite)
    ticks = [value for value, _ in axis.ticks()]
    assert 2 <= len(ticks) <= 9
    np.testing.assert_allclose([ticks[0], ticks[-1]], [axis.low, axis.high], atol=axis.step * 1e-6)


def test_counts_begin_at_0():
    assert charts.Axis.around([5, 6], "count", least=0).low == 0
    assert charts.Axis.around([-5, 6], "count", least=0).low < -4


def test_a_value_stands_where_the_ticks_say():
    plot = charts.Plot(charts.Axis.around([0, 10], "a"), charts.Axis.around([0, 1], "b"))
    assert (plot.x(5), plot.y(0.5)) == ((plot.x(0) + plot.x(10)) / 2, (plot.y(0) + plot.y(1)) / 2)
    assert plot.x(0) == charts.LEFT and plot.y(0) == charts.HEIGHT - charts.BOTTOM


def test_the_bars_are_as_high_as_the_counts():
    svg = read(charts.histogram("Values", [0, 0, 0, 10], "value", bins=10)).all("svg")[0]
    heights = [float(node.attributes["height"]) for node in svg.all("rect")]
    assert heights[0] == pytest.approx(3 * heights[-1], rel=0.01) and heights[4] == 0


def test_no_number_is_a_gap_that_is_told():
    html = charts.lines("Curve", {"loss": ([0, 1, 2, 3], [1.0, math.nan, 2.0, 3.0])}, "step", "loss")
    assert "are no numbers: 1." in html
    path = read(html).all("path")[0].attributes["d"]
    assert re.sub(r"[\d. ]+", "", path) == "MML"
    assert "are no numbers: 2." in charts.scatter("Pairs", [1, math.nan, 2], [1, 2, math.inf], "a", "b")
    assert "are no numbers: 1." in charts.histogram("Values", [1, 2, math.nan], "a")


def test_a_long_series_is_means_and_says_so():
    steps = np.arange(2 * charts.MOST)
    html = charts.lines("Curve", {"loss": (steps, np.where(steps % 2, 1.0, 0.0))}, "step", "loss")
    path = read(html).all("path")[0].attributes["d"]
    assert "the mean of up to 2 values" in html
    assert len({point.split()[1] for point in re.split("[ML]", path)[1:]}) == 1


def test_series_are_told_apart_without_colour():
    html = charts.lines("Curve", {name: ([0, 1], [0, 1]) for name in "abcd"}, "step", "loss", points=tuple("abcd"))
    legend = read(html).all("figcaption")[0].all("span")
    assert [span.text for span in legend] == list("abcd")
    points = [span.all("circle", "polygon")[0] for span in legend]
    assert len({(point.name, point.attributes.get("points")) for point in points}) == 4


def test_a_picture_tells_those_who_do_not_see_it():
    svg = read(charts.lines("Loss", {"dev": ([1, 2], [0.5, 0.25])}, "step", "loss")).all("svg")[0]
    assert svg.attributes["role"] == "img"
    assert svg.all("title")[0].text == "Loss"
    assert svg.all("desc")[0].text == "dev: 0.5000 at first, 0.2500 at last, from 0.2500 to 0.5000"
