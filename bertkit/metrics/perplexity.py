"""How probable texts are under a language model."""

from typing import Any

import numpy as np

from bertkit.errors import Error


def perplexity(losses: Any) -> float:
    """Return the perplexity exp(mean of -log P).

    The perplexity is per token where there is one loss a token, and per word where there is one loss a word. The mean
    over masked positions alone is another number than `pseudo_perplexity`. Source: Bahl, Jelinek and Mercer 1983.

    Args:
        losses: -log P of each token or word, natural logarithms, of any shape, without special tokens and padding.

    Returns:
        The perplexity, a float; inf where it is too large for a float.

    Raises:
        Error: when there are no losses, or they are no numbers.

    Example:
        >>> round(perplexity([0.0, 2 * 0.6931471805599453]), 6)
        2.0
    """
    with np.errstate(over="ignore"):                    # inf for a model that finds the text impossible
        return float(np.exp(_numbers(losses, "losses").mean()))


def pseudo_perplexity(log_likelihoods: Any, tokens: Any) -> float:
    """Return the pseudo-perplexity exp(-Σ PLL / Σ tokens) of texts.

    PLL(W) = Σ_t log P(w_t | W with position t masked), without special tokens. Source: Salazar et al. 2020 (arXiv
    1910.14659), section 2.3.

    Args:
        log_likelihoods: PLL [B] of each text, natural logarithms.
        tokens: number of tokens [B] of each text.

    Returns:
        The pseudo-perplexity, a float; inf where it is too large for a float.

    Raises:
        Error: when the two differ in number, or there are no tokens.

    Example:
        >>> round(pseudo_perplexity([-0.6931471805599453, -2.0794415416798357], [1, 3]), 6)
        2.0
    """
    likelihoods, tokens = _numbers(log_likelihoods, "log_likelihoods"), _numbers(tokens, "tokens")
    if likelihoods.shape != tokens.shape or not tokens.sum() > 0:
        raise Error(f"{likelihoods.size} log-likelihoods and {tokens.size} counts of tokens (together "
                    f"{tokens.sum():g}) came; give a count for each text, above 0 in all.")
    with np.errstate(over="ignore"):
        return float(np.exp(-likelihoods.sum() / tokens.sum()))


def bits_per_character(losses: Any, characters: int) -> float:
    """Return the bits per character Σ -log P / (ln 2 · characters) of a text.

    Args:
        losses: -log P [T] of each token, natural logarithms.
        characters: number of characters of the text.

    Returns:
        The bits per character, a float.

    Raises:
        Error: when there are no losses, or `characters` is not above 0.

    Example:
        >>> round(bits_per_character([0.6931471805599453] * 6, 3), 6)
        2.0
    """
    if not characters > 0:
        raise Error(f"characters={characters!r}; give the text's length, above 0.")
    return float(_numbers(losses, "losses").sum() / (np.log(2) * characters))


def _numbers(values, name):
    """Return values as float64 [n]."""
    try:
        values = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise Error(f"Some {name} are no numbers ({error}); give numbers.") from error
    if not values.size:
        raise Error(f"No {name} came; give at least one.")
    return values
