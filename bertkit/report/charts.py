"""Charts as SVG in the page: axes with round ticks; series differ by line and point, not by colour alone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bertkit.report.markup import Markup, element, join, number

WIDTH, HEIGHT = 440, 276
LEFT, RIGHT, TOP, BOTTOM = 58, 22, 34, 42     # the frame around what is plotted
MOST = 400                                    # the most points of a line; the eye sees no more at this width
LEAST = 1e-300                                # a smaller range has no room for ticks
DOTS = 2000                                   # the most dots of a scatter
SERIES = 6                                    # kinds of line in style.py


@dataclass(frozen=True)
class Axis:
    """A scale with ticks.

    Args:
        low: The value at its start.
        high: The value at its end.
        label: Its name.
        step: The distance of two ticks, which stand at its multiples.
    """

    low: float
    high: float
    label: str
    step: float = 0.2

    @classmethod
    def around(cls, values: Any, label: str, least: float | None = None) -> Self:
        """Return the axis that holds all finite values between two of at most eight ticks.

        Args:
            values: The values.
            label: The name of the axis.
            least: A value that also lies on the axis.

        Returns:
            The `Axis`.
        """
        values = np.asarray(values, "float64").ravel()
        values = values[np.isfinite(values)] if np.isfinite(values).any() else np.zeros(1)
        low, high = float(values.min()), float(values.max())
        low = low if least is None else min(low, least)
        if high - low <= max(1e-9 * max(abs(low), abs(high)), LEAST):
            half = (abs(low) if abs(low) > LEAST else 1) / 2
            low, high = low - half, high + half
        step = _round_step((high - low) / 6)
        return cls(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, label, step)

    def ticks(self) -> list[tuple[float, str]]:
        """Return the ticks.

        Returns:
            (value, its text) of each.

        Example:
            >>> Axis(0, 1, "share", step=0.5).ticks()
            [(0.0, '0'), (0.5, '0.5'), (1.0, '1')]
        """
        first, last = round(self.low / self.step), round(self.high / self.step)
        return [(place * self.step, f"{place * self.step:.6g}") for place in range(first, last + 1)]

    def share(self, value: Any) -> Any:
        """Return where values lie on the axis.

        Args:
            value: A number, or an array [n].

        Returns:
            0 at `low` and 1 at `high`, of the same shape.
        """
        return (np.asarray(value, "float64") - self.low) / (self.high - self.low)


def _round_step(least):
    """Return the smallest of 1, 2 and 5 powers of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


@dataclass(frozen=True)
class Plot:
    """Two axes and what is drawn between them.

    Args:
        across: The horizontal axis.
        up: The vertical axis.
    """

    across: Axis
    up: Axis

    def x(self, value: Any) -> Any:
        """Return the horizontal place of a value.

        Args:
            value: A number, or an array [n].

        Returns:
            Units of the picture of the same shape, from the left.
        """
        return LEFT + self.across.share(value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: Any) -> Any:
        """Return the vertical place of a value.

        Args:
            value: A number, or an array [n].

        Returns:
            Units of the picture of the same shape, from the top.
        """
        return HEIGHT - BOTTOM - self.up.share(value) * (HEIGHT - BOTTOM - TOP)

    def line(self, xs: Any, ys: Any, kind: int = 0, points: bool = False) -> Markup:
        """Return a series as a line; a value that is no number leaves a gap.

        Args:
            xs: The horizontal values.
            ys: The vertical values.
            kind: The number of the series, which selects line and point.
            points: Whether each value has a point.

        Returns:
            SVG.
        """
        finite = np.isfinite(ys)
        path, pen = [], "M"
        for x, y, drawn in zip(self.x(xs), self.y(np.where(finite, ys, self.up.low)), finite, strict=True):
            path += [f"{pen}{x:.1f} {y:.1f}"] if drawn else []
            pen = "L" if drawn else "M"
        shapes = [element("path", d=" ".join(path), class_=f"series series{kind % SERIES}")] if path else []
        if points:
            shapes += [_point(self.x(x), self.y(y), kind) for x, y in zip(xs, ys, strict=True) if math.isfinite(y)]
        return join(shapes)

    def dots(self, xs: Any, ys: Any) -> Markup:
        """Return a dot for each pair of values.

        Args:
            xs: The horizontal values.
            ys: The vertical values.

        Returns:
            SVG.
        """
        return join(element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3, class_="dot")
                    for x, y in zip(self.x(xs), self.y(ys), strict=True))

    def bars(self, edges: Any, heights: Any) -> Markup:
        """Return bars from 0 between each edge and the next.

        Args:
            edges: [n + 1].
            heights: [n].

        Returns:
            SVG.
        """
        places, tops, foot = self.x(edges), self.y(heights), float(self.y(max(0, self.up.low)))
        return join(element("rect", x=f"{a + 0.5:.1f}", width=f"{max(b - a - 1, 0.5):.1f}", y=f"{top:.1f}",
                            height=f"{max(foot - top, 0):.1f}", class_="bar")
                    for a, b, top in zip(places, places[1:], tops, strict=False))

    def rule(self, value: float, said: str) -> Markup:
        """Return a vertical line at a value, with a word at its top.

        Args:
            value: The horizontal value.
            said: The word.

        Returns:
            SVG.
        """
        x = float(self.x(value))
        left = x > (LEFT + WIDTH - RIGHT) / 2
        return join([element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=TOP, y2=HEIGHT - BOTTOM, class_="rule"),
                     element("text", said, x=f"{x - 5 if left else x + 5:.1f}", y=TOP - 7, class_="said",
                             text_anchor="end" if left else "start")])

    def diagonal(self) -> Markup:
        """Return the line on which both axes have the same value.

        Returns:
            SVG.
        """
        low, high = max(self.across.low, self.up.low), min(self.across.high, self.up.high)
        if low >= high:
            return Markup("")
        return element("line", x1=f"{self.x(low):.1f}", y1=f"{self.y(low):.1f}", x2=f"{self.x(high):.1f}",
                       y2=f"{self.y(high):.1f}", class_="rule")

    def picture(self, title: str, description: str, *marks: Any) -> Markup:
        """Return the whole picture.

        Args:
            title: The title.
            description: What a screen reader reads aloud.
            marks: What is drawn between the axes.

        Returns:
            SVG.
        """
        return element("svg", element("title", title), element("desc", description), self._axes(), *marks,
                       viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"{title}. {description}")

    def _axes(self):
        right, foot = WIDTH - RIGHT, HEIGHT - BOTTOM
        shapes = []
        for value, label in self.up.ticks():
            y = f"{self.y(value):.1f}"
            shapes += [element("line", x1=LEFT, x2=right, y1=y, y2=y, class_="grid"),
                       element("text", label, x=LEFT - 7, y=f"{self.y(value) + 4:.1f}", text_anchor="end")]
        for value, label in self.across.ticks():
            shapes.append(element("text", label, x=f"{self.x(value):.1f}", y=foot + 17, text_anchor="middle"))
        shapes += [element("line", x1=LEFT, x2=right, y1=foot, y2=foot, class_="axis"),
                   element("text", self.across.label, x=right, y=HEIGHT - 6, text_anchor="end"),
                   element("text", self.up.label, x=2, y=12)]
        return join(shapes)


def _point(x, y, kind):
    """Return a small shape: circle, square, diamond and triangle take turns."""
    kind_of = f"point series{kind % SERIES}"
    if kind % 4 == 0:
        return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.5, class_=kind_of)
    corners: dict[int, list[tuple[float, float]]] = {
        1: [(-3, -3), (3, -3), (3, 3), (-3, 3)], 2: [(0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0)],
        3: [(0, -4), (4, 3), (-4, 3)]}
    points = " ".join(f"{x + a:.1f},{y + b:.1f}" for a, b in corners[kind % 4])
    return element("polygon", points=points, class_=kind_of)


def figure(title: str, picture: Any, *caption: Any) -> Markup:
    """Return a picture with its heading and a caption below it.

    Args:
        title: The heading.
        picture: The picture.
        caption: The parts of the caption.

    Returns:
        The HTML.
    """
    return element("figure", element("h3", title), picture, element("figcaption", *caption))


def legend(names: Sequence[str], points: Sequence[str] = ()) -> Markup:
    """Return the name of each series with a sample of its line.

    Args:
        names: The series, in their order.
        points: The series that have points.

    Returns:
        The HTML.
    """
    return join(element("span", _sample(kind, name in points), name) for kind, name in enumerate(names))


def _sample(kind, point):
    line = element("line", x1=1, x2=39, y1=8, y2=8, class_=f"series series{kind % SERIES}")
    return element("svg", line, _point(20, 8, kind) if point else "", viewBox="0 0 40 16", class_="sample",
                   aria_hidden="true")


def lines(title: str, series: Mapping[str, tuple[Any, Any]], across: str, up: str,
          mark: tuple[float, str] | None = None, points: Sequence[str] = (), least: float | None = None) -> Markup:
    """Return a figure of series; a long one is drawn as means of equal parts, and the caption says so.

    Args:
        title: The heading.
        series: {name: (xs, ys)}.
        across: The name of the horizontal axis.
        up: The name of the vertical axis.
        mark: (value, word) of a vertical line.
        points: The series that have points.
        least: A value that also lies on the vertical axis.

    Returns:
        The HTML.
    """
    series = {name: (np.asarray(xs, "float64"), np.asarray(ys, "float64")) for name, (xs, ys) in series.items()}
    thin = {name: _means(xs, ys) for name, (xs, ys) in series.items()}
    plot = Plot(Axis.around(np.concatenate([xs for xs, _ in series.values()]), across),
                Axis.around(np.concatenate([ys for _, ys in thin.values()]), up, least))
    marks = [plot.line(xs, ys, kind, name in points) for kind, (name, (xs, ys)) in enumerate(thin.items())]
    marks += [plot.rule(*mark)] if mark else []
    picture = plot.picture(title, "; ".join(_described(name, *values) for name, values in series.items()), *marks)
    most = max(-(-len(xs) // MOST) for xs, _ in series.values())
    caption = f"Each point is the mean of up to {most} values. " if most > 1 else ""
    gaps = sum(int((~np.isfinite(ys)).sum()) for _, ys in series.values())
    caption += f"Gaps are values that are no numbers: {gaps}." if gaps else ""
    return figure(title, picture, legend(list(thin), points) if len(thin) > 1 else "", caption)


def _means(xs, ys):
    """Return at most MOST points: means of equal parts of a series."""
    part = -(-len(xs) // MOST)
    if part <= 1:
        return xs, ys
    starts = np.arange(0, len(xs), part)
    sizes = np.diff(np.append(starts, len(xs)))
    return np.add.reduceat(xs, starts) / sizes, np.add.reduceat(ys, starts) / sizes


def _described(name, xs, ys):
    finite = ys[np.isfinite(ys)]
    if not len(finite):
        return f"{name}: no numbers"
    return (f"{name}: {number(float(finite[0]))} at first, {number(float(finite[-1]))} at last, "
            f"from {number(float(finite.min()))} to {number(float(finite.max()))}")


def histogram(title: str, values: Any, across: str, bins: int = 20) -> Markup:
    """Return a figure of how many values lie in each of equal bins; the caption counts values that are no numbers.

    Args:
        title: The heading.
        values: The values.
        across: The name of the horizontal axis.
        bins: The number of bins.

    Returns:
        The HTML.
    """
    values = np.asarray(values, "float64").ravel()
    finite = values[np.isfinite(values)]
    axis = Axis.around(finite, across)
    counts, edges = np.histogram(finite, bins=bins, range=(axis.low, axis.high))
    plot = Plot(axis, Axis.around(counts, "count", least=0))
    described = (f"{len(finite)} values, mean {number(float(finite.mean()))}, "
                 f"median {number(float(np.median(finite)))}") if len(finite) else "no values"
    lost = len(values) - len(finite)
    return figure(title, plot.picture(title, described, plot.bars(edges, counts)), f"{described}.{_left_out(lost)}")


def _left_out(count):
    return f" Not drawn, because they are no numbers: {count}." if count else ""


def scatter(title: str, xs: Any, ys: Any, across: str, up: str, same: bool = True) -> Markup:
    """Return a figure of one dot a pair; of many pairs every n-th is drawn, and the caption says so.

    Args:
        title: The heading.
        xs: The horizontal values.
        ys: The vertical values.
        across: The name of the horizontal axis.
        up: The name of the vertical axis.
        same: Whether both axes have the same unit; they then have one scale, and a line on which both agree.

    Returns:
        The HTML.
    """
    xs, ys = np.asarray(xs, "float64"), np.asarray(ys, "float64")
    finite = np.isfinite(xs) & np.isfinite(ys)
    xs, ys, lost = xs[finite], ys[finite], int((~finite).sum())
    both = np.concatenate([xs, ys])
    plot = Plot(Axis.around(both if same else xs, across), Axis.around(both if same else ys, up))
    every = max(1, -(-len(xs) // DOTS))
    caption = (f"{len(xs)} rows" + (f", of which 1 in {every} is drawn" if every > 1 else "")
               + ("; on the dashed line both agree." if same else ".") + _left_out(lost))
    picture = plot.picture(title, caption, plot.diagonal() if same else "", plot.dots(xs[::every], ys[::every]))
    return figure(title, picture, caption)
