"""Scores of words by what a logit does when words are hidden: occlusion, LIME, SHAP."""

from typing import Any

import numpy as np

from bertkit import requirements
from bertkit.inspection.logits import Logit

SAMPLES = 500           # copies that LIME and SHAP ask for, at most
WIDTH = 0.25            # of LIME's kernel, as in the authors' code (25 beside distances times 100)
PENALTY = 1.0           # of LIME's ridge regression, as there


def occlusion(logit: Logit) -> np.ndarray:
    """Compute z(x) − z(x without word w) of each word (Zeiler and Fergus 2014; Li et al. 2016).

    Args:
        logit: The logit z.

    Returns:
        float64 [words].
    """
    count = len(logit.row.words)
    found = logit(np.concatenate([np.ones((1, count), bool), ~np.eye(count, dtype=bool)]))
    return found[0] - found[1:]


def weighted_ridge(kept: np.ndarray, values: np.ndarray, weights: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Fit argmin_β Σ_n w_n (v_n − a − β·k_n)² + λ ‖β‖², the intercept a without a penalty.

    Args:
        kept: bool [copies,words], the words that stay.
        values: float [copies].
        weights: float [copies].
        penalty: λ.

    Returns:
        β, float64 [words].

    Example:
        >>> weighted_ridge(np.array([[0], [1]]), np.array([1.0, 3.0]), np.ones(2), penalty=0.0).tolist()
        [2.0]
    """
    k, v, w = (np.asarray(part, "float64") for part in (kept, values, weights))
    k, v = k - np.average(k, axis=0, weights=w), v - np.average(v, weights=w)
    return np.linalg.solve(k.T @ (w[:, None] * k) + penalty * np.eye(k.shape[1]), k.T @ (w * v))


def lime(logit: Logit, seed: int = 0) -> np.ndarray:
    """Fit a linear model of the answer's probability around a text (Ribeiro et al. 2016, equations 1 and 2).

    Copies of the text lack words that are drawn at random, each word at its own place, and weigh
    √exp(−d² / width²), d the cosine distance to the whole text.

    Args:
        logit: The logit of the answer.
        seed: Of what is drawn.

    Returns:
        float64 [words], the slope of each word.
    """
    count, draw = len(logit.row.words), np.random.default_rng(seed)
    kept = np.ones((SAMPLES, count), bool)
    for row in kept[1:]:                    # the first is the whole text
        row[draw.choice(count, draw.integers(1, count + 1), replace=False)] = False
    distance = 1 - np.sqrt(kept.mean(axis=1))
    return weighted_ridge(kept, logit.chance(kept), np.sqrt(np.exp(-(distance / WIDTH) ** 2)))


def shap(logit: Logit, seed: int = 0) -> np.ndarray:
    """Compute Shapley values of the logit by permutations (Lundberg and Lee 2017; Štrumbelj and Kononenko 2014).

    The package shap does it: the value of a set of words is the logit where all others are hidden.

    Args:
        logit: The logit.
        seed: Of the permutations.

    Returns:
        float64 [words], which add up to z(x) − z(baseline).

    Raises:
        Error: When the package is not installed.
    """
    try:
        import shap as package
    except ImportError:
        raise requirements.missing("shap", "--method shap", "take integrated_gradients, occlusion or lime") from None
    count = len(logit.row.words)

    def values(kept: Any) -> np.ndarray:
        return logit(np.asarray(kept) > 0.5)

    masker = package.maskers.Independent(np.zeros((1, count)))
    explainer = package.explainers.Permutation(values, masker, seed=seed)
    found = explainer(np.ones((1, count)), max_evals=max(SAMPLES, 2 * count + 1), silent=True)
    return np.asarray(found.values[0], "float64")
