"""The checks of what stands on the encoder: pooler and masked-language head."""

import numpy as np

from bertkit.doctor.answers import plain
from bertkit.doctor.case import Case
from bertkit.doctor.comparison import gap, limit_of
from bertkit.doctor.diagnosis import has_reference, world
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs
from bertkit.doctor.organs import by_reference, not_looked
from bertkit.doctor.parts import places
from bertkit.doctor.probes import settings_of
from bertkit.doctor.settings import POSTNORM


def pooler(case: Case) -> Measured:
    """Judge pooled = tanh(W · x₀ + b), x₀ being the first token of the sequence.

    Args:
        case: The case.

    Returns:
        The verdict, by the reference; by `sequence` where the encoder before it differs; by |tanh| ≤ 1 without weights.
    """
    if case.subject is None:
        return needs("a subject")
    if (reason := not_looked(case)) is not None:
        return reason
    batch, outputs, _ = plain(case)
    if has_reference(case) and "pooler.weight" in world(case).reference.weights and (
            "pooled" in outputs or np.ndim(outputs.get("logits", np.zeros(3))) == 2):
        return by_reference(case, "pooler", _from_sequence)
    if "pooled" not in outputs:
        return does_not_apply("the subject returns no pooled vector")
    most = float(np.abs(outputs["pooled"]).max())
    if settings_of(case).family in POSTNORM and most > 1 + limit_of(case):
        return ill("Pooled vectors hold numbers above 1, which a tanh never returns.", largest=most, limit=1.0)
    return needs("weights, to compute the pooled vector from the sequence")


def _from_sequence(case):
    """Compute the pooled vector from the subject's own sequence."""
    made = world(case)
    one = made.answers["mixed"]
    if "pooled" not in one or "sequence" not in one:
        return None
    batch = made.batches["mixed"]
    wanted = made.reference.pool(one["sequence"], batch["padding_mask"], [one["sequence"]] * 2)
    apart, limit = gap({"pooled": one["pooled"]}, {"pooled": wanted}, batch).share, limit_of(case)
    if apart <= limit:
        return healthy("", difference_from_its_own_sequence=apart, limit=limit)
    return ill("The pooled vector is not tanh(W · x + b) of the first token of its own sequence.",
               difference_from_its_own_sequence=apart, limit=limit)


def decoder(case: Case) -> Measured:
    """Judge logits = norm(activation(W x + b)) · Eᵀ + bias, and that a stored copy of E equals the word table.

    Args:
        case: The case.

    Returns:
        The verdict, by the weights and by the reference.
    """
    copies = _copies(case)
    if copies is not None and copies.verdict == "ill":
        return copies
    if case.subject is None or not has_reference(case):
        return copies or needs("a subject with mlm_logits, and weights")
    if (reason := not_looked(case)) is not None:
        return reason
    _, outputs, _ = plain(case)
    if "mlm_logits" not in outputs:
        return copies or does_not_apply("the subject returns no mlm_logits")
    return by_reference(case, "decoder", _from_hidden)


def _from_hidden(case):
    """Compute the logits from the subject's own sequence."""
    made = world(case)
    one = made.answers["mixed"]
    if "sequence" not in one or "transform.weight" not in made.reference.weights:
        return None
    wanted = made.reference.decode(made.reference.transform(np.asarray(one["sequence"], made.reference.dtype)))
    apart = gap({"mlm_logits": one["mlm_logits"]}, {"mlm_logits": wanted}, made.batches["mixed"]).share
    limit = limit_of(case)
    if apart <= limit:
        return healthy("", difference_from_its_own_sequence=apart, limit=limit)
    return ill("The logits are not those of the head on its own sequence.", difference_from_its_own_sequence=apart,
               limit=limit)


def _copies(case):
    """Compare a stored decoder with what it is tied to; None where the weights hold no such head."""
    if case.weights is None:
        return None
    where = places(settings_of(case))
    weights, table = case.weights, f"{where['word']}.weight"
    if f"{where['transform']}.weight" not in weights:
        return None
    if not case.config.get("tie_word_embeddings", True):
        return None if f"{where['decoder']}.weight" in weights else ill(
            "The config says that the decoder is not tied, and the weights hold no matrix of its own.", missing=1)
    worst = 0.0
    for copy, original in ((f"{where['decoder']}.weight", table),
                           (f"{where['decoder']}.bias", f"{where['bias']}.bias")):
        if copy != original and copy in weights and original in weights:
            one, two = np.asarray(weights[copy], np.float64), np.asarray(weights[original], np.float64)
            worst = max(worst, float(np.abs(one - two).max()) if one.shape == two.shape else np.inf)
    if worst == 0:
        return healthy("", stored_copy_differs_by=worst, limit=0.0)
    return ill("The config says that the decoder is tied to the word embeddings, and the weights hold another matrix.",
               "Set tie_word_embeddings to false, or store the word embeddings as the decoder.",
               stored_copy_differs_by=worst, limit=0.0)
