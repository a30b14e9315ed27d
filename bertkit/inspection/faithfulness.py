"""Whether scores of words are true of a model: its answer is asked again without the words with the highest scores."""

from dataclasses import dataclass

import numpy as np

from bertkit.inspection.logits import Logit

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)        # of the words, as in ERASER (section 5)
STEPS = 10              # of the curves, at most
RANDOM = 5              # random orders that are compared with


@dataclass(frozen=True)
class Faithfulness:
    """What the probability p of the answer does when words are hidden in the order of their scores, the highest first.

    Args:
        sufficiency: Mean over shares k of p(x) − p(only the first k of the words); low where these suffice.
        comprehensiveness: Mean over k of p(x) − p(without them); high where the answer needs these.
        deletion: The area under p while words are hidden one after the other; low is good.
        insertion: The same while they come back to a text whose words are all hidden; high is good.
    """

    sufficiency: float
    comprehensiveness: float
    deletion: float
    insertion: float


def measure(logit: Logit, orders: np.ndarray) -> list[Faithfulness]:
    """Measure orders of words (DeYoung et al. 2020, equations 1 to 3; Petsiuk et al. 2018, section 3).

    Args:
        logit: The logit of the answer.
        orders: int [orders,words], the numbers of the words, the most important one first.

    Returns:
        What was measured of each.
    """
    count = orders.shape[1]
    if not count:
        return [Faithfulness(0.0, 0.0, 0.0, 0.0)] * len(orders)
    shares = [max(1, int(np.ceil(share * count))) for share in SHARES]
    steps = np.unique(np.round(np.linspace(0, count, min(STEPS, count) + 1)).astype(int)).tolist()
    sizes = sorted({*shares, *steps})
    ranks = np.argsort(orders, axis=1)
    first = ranks[:, None, :] < np.array(sizes)[None, :, None]          # [orders,sizes,words]
    asked = np.concatenate([first, ~first]).reshape(-1, count)
    only, without = logit.chance(asked).reshape(2, len(orders), len(sizes))
    place = {size: number for number, size in enumerate(sizes)}
    among, curve = [place[size] for size in shares], [place[size] for size in steps]
    whole, across = only[:, place[count]], np.array(steps) / count
    return [Faithfulness(float((p - few[among]).mean()), float((p - rest[among]).mean()),
                         float(np.trapezoid(rest[curve], across)), float(np.trapezoid(few[curve], across)))
            for p, few, rest in zip(whole, only, without, strict=True)]


def faithfulness(logit: Logit, scores: np.ndarray, seed: int = 0) -> tuple[Faithfulness, Faithfulness]:
    """Measure scores of words, and random orders of the same words.

    Words that the model does not read come last in every order.

    Args:
        logit: The logit of the answer.
        scores: float [words].
        seed: Of the random orders.

    Returns:
        (of the scores, the mean of `RANDOM` random orders).
    """
    draw = np.random.default_rng(seed)
    read = np.flatnonzero(logit.row.read)
    rest = np.flatnonzero(~logit.row.read)
    own = read[np.argsort(-np.asarray(scores)[read], kind="stable")]
    orders = np.array([[*order, *rest] for order in (own, *(draw.permutation(read) for _ in range(RANDOM)))], int)
    given, *others = measure(logit, orders)
    return given, Faithfulness(*(float(np.mean([vars(one)[name] for one in others])) for name in vars(given)))
