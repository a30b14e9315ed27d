"""WEAT and SEAT: whether vectors of two groups of words lie nearer to one set of attributes than to another."""

from collections.abc import Sequence
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import read_json

PERMUTATIONS = 10_000
KEYS = ("targ1", "targ2", "attr1", "attr2")
MEANING = ("WEAT (Caliskan et al. 2017), with sentences SEAT (May et al. 2019): by how many standard deviations the "
           "first targets lie nearer to the first attributes than the second targets do; p is how often a random "
           "division of the targets has so large an effect. It is of these words, the last layer and the mean over "
           "tokens: other words for the same groups may give another sign, no effect is no proof of fairness, and it "
           "does not tell what a task does with the vectors (Goldfarb-Tarrant et al. 2021).")


class WordLists(NamedTuple):
    """The words of a test.

    Args:
        name: Its name.
        lists: {key: words} of `KEYS`.
        categories: {key: what the words are}.
    """

    name: str
    lists: dict[str, list[str]]
    categories: dict[str, str]


def read_lists(path: str | Path) -> WordLists:
    """Read a file of word lists as they are published.

    Args:
        path: The file: one JSON object {"targ1", "targ2", "attr1", "attr2": {"category", "examples"}}.

    Returns:
        The `WordLists`; its name is that of the file.

    Raises:
        Error: When the file is none.
    """
    found = read_json(path, dict.fromkeys(KEYS, dict), advice="give a file of WEAT's lists")
    for key in KEYS:
        schema.check(found[key], {"category": str, "examples": schema.Several(str, 2)}, f"{path}, {key}",
                     "give a file of WEAT's lists")
    return WordLists(Path(path).stem, {key: found[key]["examples"] for key in KEYS},
                     {key: found[key]["category"] for key in KEYS})


def association(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, permutations: int = PERMUTATIONS,
                seed: int = 0) -> tuple[float, float]:
    """Compute the effect size of WEAT, and the one-sided p of its permutation test.

    s(w) = mean_a cos(w, a) − mean_b cos(w, b); effect = (mean_x s(x) − mean_y s(y)) / σ, σ the standard deviation
    (n − 1) of s over x and y; p = P(the difference of means of a random division into sets of these sizes ≥ that of x
    and y). Where there are few divisions all are counted, else p = (hits + 1) / (permutations + 1). Source: Caliskan et
    al. 2017 (arXiv 1608.07187); Phipson and Smyth 2010 on p.

    Args:
        x: The vectors of the first targets, float [X,D].
        y: Those of the second targets, float [Y,D].
        a: Those of the first attributes, float [A,D].
        b: Those of the second attributes, float [B,D].
        permutations: How many divisions are drawn where there are more.
        seed: Of the divisions.

    Returns:
        (effect, p).

    Raises:
        Error: When all targets lie equally near to the attributes.

    Example:
        >>> axis = np.eye(2)
        >>> effect, p = association(axis[[0, 0]], axis[[1, 1]], axis[[0]], axis[[1]])
        >>> round(effect, 3), round(p, 3)
        (1.732, 0.167)
    """
    x, y, a, b = (part / np.linalg.norm(part, axis=1, keepdims=True)
                  for part in (np.asarray(side, "float64") for side in (x, y, a, b)))
    s = np.concatenate([x, y]) @ (a.mean(axis=0) - b.mean(axis=0))
    spread = s.std(ddof=1)
    if not spread > 0:
        raise Error("All targets lie equally near to the attributes, so there is no effect; give words that the model "
                    "tells apart.")
    real = s[:len(x)].mean() - s[len(x):].mean()
    return float(real / spread), _p(s, len(x), real, permutations, seed)


def _p(s, size, real, permutations, seed):
    """Return how often a division has a difference of means of at least `real`."""
    total, tiny = s.sum(), 1e-12
    if comb(len(s), size) <= 2 * permutations:
        first = np.array([sum(part) for part in combinations(s.tolist(), size)])
        return float((first / size - (total - first) / (len(s) - size) >= real - tiny).mean())
    rng = np.random.default_rng(seed)
    first = rng.permuted(np.broadcast_to(s, (permutations, len(s))), axis=1)[:, :size].sum(axis=1)
    hits = int((first / size - (total - first) / (len(s) - size) >= real - tiny).sum())
    return (hits + 1) / (permutations + 1)


def weat(vectors: Any, tests: Sequence[WordLists], permutations: int = PERMUTATIONS,
         seed: int = 0) -> list[dict[str, Any]]:
    """Compute the association of each test.

    Args:
        vectors: Function (list of texts) -> float [texts,D], such as `bertkit.features` of a model.
        tests: The word lists.
        permutations: See `association`.
        seed: See `association`.

    Returns:
        {"name", "effect", "p", "targets", "attributes", "words", "meaning"} of each.

    Raises:
        Error: As `association` does.
    """
    found = []
    for test in tests:
        x, y, a, b = (vectors(test.lists[key]) for key in KEYS)
        effect, p = association(x, y, a, b, permutations, seed)
        kinds = [test.categories[key] for key in KEYS]
        found.append({"name": test.name, "effect": effect, "p": p, "targets": kinds[:2], "attributes": kinds[2:],
                      "words": [len(test.lists[key]) for key in KEYS], "meaning": MEANING})
    return found
