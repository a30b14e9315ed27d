"""How well each query is answered: the metrics over queries, the worst queries with what was found for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertkit.report import charts
from bertkit.report.markup import Markup, element, join, note, quoting, section, table, text

WORST = 15
SHOWN = 5                                     # documents of a query that are shown


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of ranked documents.

    Queries without a relevant document have no score (see `metrics.ranking`); the page says how many they are.

    Args:
        task: A `Ranking`.
        dev: {"inputs": (query, document, ...), "targets": `Judged`, "predictions": scores of each query's documents}.

    Returns:
        The HTML.
    """
    (values,) = task.metric_inputs(dev["targets"], dev["predictions"])
    names = tuple(task.metrics)
    rows = [row for row, judged in enumerate(dev["targets"]) if any(grade > 0 for grade in judged.grades.values())]
    queries = [(row + 1, dev["inputs"][row], dev["targets"][row], dev["predictions"][row]) for row in rows]
    left = len(dev["targets"]) - len(rows)
    unscored = note(f"Queries without a relevant document, which have no score: {left}.") if left else ""
    drawn = charts.histogram(f"{names[0]} of each query", values[:, 0], names[0])
    return join([section("Queries", unscored, metric_table(names, values), drawn),
                 quoting(dev, "Worst queries", worst_examples, queries, values[:, 0], names[0])])


def metric_table(names: Sequence[str], values: np.ndarray) -> Markup:
    """Return a table of each metric's mean, quartiles and number of zeros over queries.

    Args:
        names: The metrics.
        values: float [queries, metrics].

    Returns:
        The HTML.
    """
    quartiles = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    rows = [(name, float(values[:, m].mean()), *map(float, quartiles[:, m]), int((values[:, m] == 0).sum()))
            for m, name in enumerate(names)]
    return table(f"Metrics over {len(values)} queries",
                 ("metric", "mean", "lower quartile", "median", "upper quartile", "queries at 0"), rows)


def worst_examples(queries: Sequence[Any], values: np.ndarray, metric: str) -> Markup:
    """Return the queries with the lowest score, with what was found and its grades.

    Args:
        queries: (number, texts, judged, scores) of each.
        values: float [queries], the metric.
        metric: Its name.

    Returns:
        The HTML.
    """
    order = np.argsort(values, kind="stable")[:WORST]
    rows = [(queries[row][0], _query(*queries[row][1:]), float(values[row])) for row in order]
    return table(f"The {len(rows)} of {len(values)} queries of lowest {metric}", ("query", "text", metric), rows,
                 words=("text",))


def _query(example, judged, scores):
    order = ranked_indices(judged.candidates, scores)
    grades = [judged.grades.get(judged.candidates[place]) for place in order]
    items = [element("li", text(example[1 + place]), " (not judged)" if grade is None else f" (grade {grade})")
             for place, grade in list(zip(order, grades, strict=True))[:SHOWN]]
    relevant = sum(grade > 0 for grade in judged.grades.values())
    first = next((rank for rank, grade in enumerate(grades, start=1) if (grade or 0) > 0), None)
    where = f"the first at rank {first} of {len(order)}" if first else f"none of them among the {len(order)} ranked"
    return join([element("div", text(example[0])), element("ol", *items),
                 element("small", f"{relevant} relevant, {where}")])


def ranked_indices(documents: Sequence[str], scores: Sequence[float]) -> list[int]:
    """Return the places of documents, best first; ties are ordered by id from the last to the first, as in trec_eval.

    Args:
        documents: The ids.
        scores: Their scores.

    Returns:
        The places.

    Example:
        >>> ranked_indices(("a", "b", "c"), [1.0, 2.0, 1.0])
        [1, 2, 0]
    """
    return sorted(range(len(documents)), key=lambda place: (np.float32(scores[place]), documents[place]), reverse=True)
