"""Whether a model has learnt anything: its score beside that of the commonest answer, whatever the input."""

import math

from bertkit.report.partial_input import commonest

WHAT = {"classify": "the commonest class", "long_documents": "the commonest class",
        "choose": "the commonest place of the right ending", "score": "the commonest answer, the mean of all scores",
        "tag": "the commonest tag, no entity anywhere", "answer": "no answer, whatever the question"}


def no_better(task, metric: str, train, dev, found: dict, auto: bool = True) -> str:
    """Return a sentence if a model is no better than the commonest answer, with what to try; else "".

    A correlation is no better than that of a constant answer (0) where its interval reaches 0.

    Args:
        task: the model's task.
        metric: the one that decides, such as "accuracy".
        train: (inputs, targets) that it learnt from, whose commonest answer is meant.
        dev: (inputs, targets) that it was scored on.
        found: {"score", "low", "high"} of the metric on dev.
        auto: whether epochs, batch size and rate were chosen by bertkit.
    """
    constant = commonest(task, train, dev)
    if constant is None:
        return ""
    base, score = (0.0 if math.isnan(value) else value for value in (constant[metric], found["score"]))
    sign = -1 if metric in task.less_is_better else 1
    shown = found["low"] if task.name == "score" and sign == 1 else score
    if sign * shown > sign * base:
        return ""
    remedy = ("more rows, a larger encoder (--model) or other knobs (bertkit sweep)" if auto else
              "--epochs auto, --batch-size auto and --learning-rate auto, which suit the rows and the encoder")
    return (f"The model is no better than {WHAT[task.name]}: {metric} on dev is {score:.4f}, and that answer to "
            f"everything gives {base:.4f}. Try {remedy}; look into whether the labels follow from the texts.")
