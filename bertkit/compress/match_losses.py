"""How far what lies inside a student is from what lies inside its teacher: one function for each loss of a match.

Shapes: B batch, T tokens, D features, N heads, H features of a head. Only real tokens count, where the papers' code,
which packs full rows or counts padding, takes all.
"""

from typing import Any

from keras import ops

from bertkit.training.contrastive import unit_vectors

SMALLEST = 1e-20        # probabilities below count as this one
HIDDEN = -1e9           # the score of a token that is not there


def hidden_error(teacher: Any, student: Any, real: Any) -> Any:
    """Compute the mean of (s − t)² over the features of the real tokens.

    Jiao et al. 2019 (TinyBERT), section 3.1, where s = h W + b; Sun et al. 2020 (MobileBERT), section 3.5.

    Args:
        teacher: Vectors [B,T,D].
        student: Vectors [B,T,D], projected to the teacher's width where it is another.
        real: [B,T], 1 where a token counts and 0 elsewhere.

    Returns:
        The loss, a scalar.

    Example:
        >>> float(hidden_error(ops.zeros((1, 2, 2)), ops.array([[[1.0, 3.0], [9.0, 9.0]]]), ops.array([[1.0, 0.0]])))
        5.0
    """
    return _mean(ops.mean(ops.square(student - teacher), axis=-1), real)


def hidden_cosine(teacher: Any, student: Any, real: Any) -> Any:
    """Compute the mean of 1 − cos(s, t) over the real tokens (Sanh et al. 2019, DistilBERT, section 3).

    Args:
        teacher: Vectors [B,T,D].
        student: Vectors [B,T,D], projected to the teacher's width where it is another.
        real: [B,T], 1 where a token counts and 0 elsewhere.

    Returns:
        The loss, a scalar.

    Example:
        >>> float(hidden_cosine(ops.array([[[1.0, 0.0]]]), ops.array([[[0.0, 2.0]]]), ops.array([[1.0]])))
        1.0
    """
    return _mean(1 - ops.sum(unit_vectors(teacher) * unit_vectors(student), axis=-1), real)


def attention_divergence(teacher: Any, student: Any, real: Any) -> Any:
    """Compute the mean of KL(p_t ‖ p_s) over heads and real queries, of real keys.

    Wang et al. 2020 (MiniLM), section 3.1; Sun et al. 2020 (MobileBERT), section 3.5.

    Args:
        teacher: Probabilities [B,N,T,T].
        student: Probabilities [B,N,T,T].
        real: [B,T], 1 where a token counts and 0 elsewhere.

    Returns:
        The loss, a scalar.

    Example:
        >>> one, other = ops.array([[[[0.5, 0.5], [1.0, 0.0]]]]), ops.array([[[[1.0, 0.0], [1.0, 0.0]]]])
        >>> round(float(attention_divergence(other, one, ops.array([[1.0, 0.0]]))), 4)
        0.6931
    """
    teacher = teacher * real[:, None, None, :]
    p, q = (ops.log(ops.maximum(side, SMALLEST)) for side in (teacher, student))
    return _mean(ops.mean(ops.sum(teacher * (p - q), axis=-1), axis=1), real)


def scores(query: Any, key: Any) -> Any:
    """Compute Q Kᵀ / √H, the scores of attention before the softmax and any mask.

    Args:
        query: Queries [B,N,T,H].
        key: Keys [B,N,T,H].

    Returns:
        Scores [B,N,T,T].
    """
    return ops.matmul(query, ops.swapaxes(key, -1, -2)) * query.shape[-1] ** -0.5


def score_error(teacher: Any, student: Any, real: Any) -> Any:
    """Compute the mean of (s − t)² over heads and pairs of real tokens, of the scores before the softmax.

    Jiao et al. 2019 (TinyBERT), section 3.1; scores are Q Kᵀ / √H, as in its code. Of probabilities it is the same.

    Args:
        teacher: Scores [B,N,T,T].
        student: Scores [B,N,T,T].
        real: [B,T], 1 where a token counts and 0 elsewhere.

    Returns:
        The loss, a scalar.

    Example:
        >>> student = ops.array([[[[3.0, 5.0], [7.0, 9.0]]]])
        >>> float(score_error(ops.zeros((1, 1, 2, 2)), student, ops.array([[1.0, 0.0]])))
        9.0
    """
    pairs = real[:, :, None] * real[:, None, :]
    return _mean(ops.mean(ops.square(student - teacher), axis=1), pairs)


def relation_divergence(teacher: Any, student: Any, real: Any, heads: int) -> Any:
    """Compute the mean of KL(R_t ‖ R_s) over heads and real queries, R = softmax(X Xᵀ / √d) over the real tokens.

    Wang et al. 2020 (MiniLM), section 3.2, of values in their heads; Wang et al. 2021 (MiniLMv2), section 3.1, of
    queries, keys or values that are split anew into A_r heads of d features.

    Args:
        teacher: X [B,N,T,H] of the teacher.
        student: X [B,N',T,H'] of the student.
        real: [B,T], 1 where a token counts and 0 elsewhere.
        heads: A_r, which divides N · H and N' · H'.

    Returns:
        The loss, a scalar.
    """
    one, other = (_log_relations(side, real, heads) for side in (teacher, student))
    return _mean(ops.mean(ops.sum(ops.exp(one) * (one - other), axis=-1), axis=1), real)


def _log_relations(x, real, heads):
    _, own, _, size = x.shape
    length, width = ops.shape(x)[2], own * size // heads
    x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, length, heads, width))
    x = ops.transpose(x, (0, 2, 1, 3))
    return ops.log_softmax(scores(x, x) + (1 - real[:, None, None, :]) * HIDDEN, axis=-1)


def _mean(values, real):
    """Return the mean of the values where `real` is 1."""
    return ops.sum(values * real) / ops.maximum(ops.sum(real), 1.0)
