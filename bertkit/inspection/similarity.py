"""How alike two layers arrange the same texts, whatever the width and the directions of their vectors."""

import numpy as np


def cka(x: np.ndarray, y: np.ndarray) -> float:
    """Compute the linear centred kernel alignment of two representations of the same examples, without bias.

    CKA = HSIC(K, L) / √(HSIC(K, K) HSIC(L, L)), K = X Xᵀ, L = Y Yᵀ, HSIC the unbiased estimate of Song et al. 2012,
    equation 5. Source: Kornblith et al. 2019, section 3. The usual estimate is far above 0 for vectors that have
    nothing in common where there are fewer examples than features; this one is not. 1 means alike up to a rotation and
    one scale.

    Args:
        x: float [n,D], n at least 4.
        y: float [n,E].

    Returns:
        The similarity, about 0 to 1.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 8))
        >>> round(cka(x, 3 * x[:, ::-1]), 6)
        1.0
    """
    return float(cka_of_grams(gram(x), gram(y)))


def gram(x: np.ndarray) -> np.ndarray:
    """Return the products of all pairs of examples, without those of an example with itself.

    Args:
        x: float [n,D].

    Returns:
        float64 [n,n] with zeros on the diagonal.
    """
    x = np.asarray(x, "float64")
    x = x - x.mean(axis=0)              # changes nothing but the size of the numbers
    products = x @ x.T
    np.fill_diagonal(products, 0)
    return products


def cka_of_grams(k: np.ndarray, other: np.ndarray) -> float:
    """Return the `cka` of what `gram` returned.

    Args:
        k: float [n,n].
        other: float [n,n].

    Returns:
        The similarity; nan where all vectors of a side are the same.
    """
    own = _hsic(k, k) * _hsic(other, other)
    return float(_hsic(k, other) / own ** 0.5) if own > 0 else float("nan")


def _hsic(k, other):
    n = len(k)
    return ((k * other).sum() + k.sum() * other.sum() / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (k.sum(axis=0) @ other.sum(axis=1))) / (n * (n - 3))
