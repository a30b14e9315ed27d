"""Scores of ranked documents, computed as trec_eval computes them."""

from collections.abc import Mapping, Sequence

import numpy as np

from bertkit.errors import Error


def ranking(qrels: dict[str, dict[str, float]], run: dict[str, dict[str, float]],
            at: Sequence[int] = (10,)) -> dict[str, float]:
    """Return the scores of a ranking, means over the queries.

    A query is scored when the run holds it (with no document it scores 0) and it has a relevant document. trec_eval
    leaves out the same queries, except that some versions give a query without relevant documents 0.

    Args:
        qrels: dict {query: {document: grade}}; a document is relevant where its grade is above 0.
        run: dict {query: {document: score}}.
        at: ranks k at which "ndcg@k", "p@k" and "recall@k" are computed.

    Returns:
        A dict {"map", "mrr", "ndcg@k", "p@k", "recall@k"} of fractions, with "queries", the number of scored queries,
        and "left_out", the number of all others on either side.

    Raises:
        Error: when no query can be scored, a grade or score is no number, or `at` holds something else than whole
            numbers above 0.

    Example:
        >>> scores = ranking({"q": {"a": 1, "b": 0, "c": 2}}, {"q": {"a": 0.5, "b": 0.9}}, at=(2,))
        >>> scores["mrr"], scores["map"], scores["recall@2"]
        (0.5, 0.25, 0.5)
    """
    names, values = ranking_queries(qrels, run, at)
    counts = {"queries": len(values), "left_out": len({*qrels, *run}) - len(values)}
    return {**dict(zip(names, values.mean(axis=0).tolist(), strict=True)), **counts}


def ranking_queries(qrels: dict[str, dict[str, float]], run: dict[str, dict[str, float]],
                    at: Sequence[int] = (10,)) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the scores of a ranking for each query.

    Documents are ordered by their score as float32, and documents of equal score by their id from the last to the
    first, as trec_eval does. With r_i the grade at rank i, R relevant documents and rel = [r > 0]:
    AP = Σ_i rel_i P@i / R; RR = 1 / first relevant rank; P@k = Σ_{i≤k} rel_i / k; recall@k = Σ_{i≤k} rel_i / R;
    DCG@k = Σ_{i≤k} r_i / log2(i + 1), NDCG@k = DCG@k / the DCG@k of the best order (Järvelin and Kekäläinen 2002, with
    linear gains). Source: Voorhees and Harman 2005, chapter 3.

    Args:
        qrels: dict {query: {document: grade}}; a document is relevant where its grade is above 0.
        run: dict {query: {document: score}}.
        at: ranks k at which "ndcg@k", "p@k" and "recall@k" are computed.

    Returns:
        The names of the metrics, and a float64 array [queries, metrics] in the order of `qrels`.

    Raises:
        Error: when no query can be scored, a grade or score is no number, or `at` holds something else than whole
            numbers above 0.

    Example:
        >>> names, scores = ranking_queries({"q1": {"d1": 1}}, {"q1": {"d1": 0.2, "d2": 0.9}}, at=(1,))
        >>> dict(zip(names, scores[0].tolist()))
        {'map': 0.5, 'mrr': 0.5, 'ndcg@1': 0.0, 'p@1': 0.0, 'recall@1': 0.0}
    """
    if not len(at) or not all(isinstance(k, int | np.integer) and k >= 1 for k in at):
        raise Error(f"at={at!r} are no ranks; give whole numbers of 1 or more.")
    for side, what in ((qrels, "grade"), (run, "score")):
        _check(side, what)
    names = ["map", "mrr", *(f"{name}@{k}" for k in at for name in ("ndcg", "p", "recall"))]
    rows = [_scores(grades, _ordered(query, run[query]), at) for query, grades in qrels.items()
            if query in run and any(grade > 0 for grade in grades.values())]
    if not rows:
        raise Error(f"None of {len(qrels)} judged and {len(run)} ranked queries is ranked and has a relevant "
                    "document; give queries under the same ids on both sides.")
    return tuple(names), np.array(rows)


def _check(side, what):
    """Raise `Error` for what is not {query: {document: number}}."""
    if not isinstance(side, Mapping) or not all(isinstance(documents, Mapping) for documents in side.values()):
        raise Error(f"A {type(side).__name__} came where {{query: {{document: {what}}}}} was wanted; give dicts.")
    for query, documents in side.items():
        for document, value in documents.items():
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise Error(f"The {what} of document {document!r:.40} for query {query!r:.40} is {value!r:.40}; give a "
                            "number.")


def _ordered(query, scores):
    """Return the documents, best first."""
    documents = list(scores)
    values = np.array([scores[document] for document in documents], np.float32)
    if np.isnan(values).any():
        raise Error(f"A score of query {query!r} is nan; give numbers.")
    return [document for _, document in sorted(zip(values.tolist(), documents, strict=True), reverse=True)]


def _scores(judged, order, at):
    grades = np.array([max(judged.get(document, 0), 0) for document in order], np.float64)
    best = np.sort(np.maximum(np.array([*judged.values()], np.float64), 0))[::-1]
    hits, relevant = np.flatnonzero(grades), np.count_nonzero(best)
    row = [(np.arange(1, len(hits) + 1) / (hits + 1)).sum() / relevant, 1 / (hits[0] + 1) if len(hits) else 0]
    for k in at:
        hits_at_k = np.count_nonzero(hits < k)
        row += [_gain(grades[:k]) / _gain(best[:k]), hits_at_k / k, hits_at_k / relevant]
    return row


def _gain(grades):
    return (grades / np.log2(np.arange(2, len(grades) + 2))).sum()
