"""How probable a language model finds texts."""

import numpy as np

from bertkit.errors import Error


def perplexity(losses):
    """Return exp(mean of -log P), natural logarithms, one a token; per word if one a word is given.

    Special tokens and padding are to be left out.  The mean over masked positions alone gives another number
    than `pseudo_perplexity`.  Bahl, Jelinek and Mercer 1983.

    >>> round(perplexity([0.0, 2 * 0.6931471805599453]), 6)
    2.0
    """
    with np.errstate(over="ignore"):                    # a hopeless model's is inf
        return float(np.exp(_numbers(losses, "losses").mean()))


def pseudo_perplexity(log_likelihoods, tokens):
    """Return exp(-Σ PLL / Σ tokens) of texts' pseudo-log-likelihoods and their counts of tokens.

    PLL(W) = Σ_t log P(w_t | W with position t masked), special tokens left out.
    Salazar et al. 2020 (arXiv 1910.14659), section 2.3.

    >>> round(pseudo_perplexity([-0.6931471805599453, -2.0794415416798357], [1, 3]), 6)
    2.0
    """
    likelihoods, tokens = _numbers(log_likelihoods, "log_likelihoods"), _numbers(tokens, "tokens")
    if likelihoods.shape != tokens.shape or not tokens.sum() > 0:
        raise Error(f"{likelihoods.size} log-likelihoods and {tokens.size} counts of tokens (together "
                    f"{tokens.sum():g}) came; give a count for each text, above 0 in all.")
    with np.errstate(over="ignore"):
        return float(np.exp(-likelihoods.sum() / tokens.sum()))


def bits_per_character(losses, characters):
    """Return Σ -log P / (ln 2 · characters) of a text's losses, natural logarithms, and its length.

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
        raise Error(f"{name} are to be numbers, and others came ({error}).") from error
    if not values.size:
        raise Error(f"No {name} came; give at least one.")
    return values
