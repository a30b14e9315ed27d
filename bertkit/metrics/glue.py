"""The tasks of GLUE and its score (Wang et al. 2018, arXiv 1804.07461)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.errors import Error


@dataclass(frozen=True)
class GlueTask:
    """The official metrics of a GLUE task and its labels.

    F1 is that of class 1, `labels[1]`.

    Args:
        metrics: names of the metrics.
        labels: the labels in the order of the classes; () where the task predicts a score.
    """

    metrics: tuple[str, ...]
    labels: tuple[str, ...] = ()


ENTAILMENT = ("entailment", "not_entailment")
THREE_WAY = ("entailment", "neutral", "contradiction")
GLUE = {
    "CoLA": GlueTask(("matthews",), ("0", "1")),                            # 1 = acceptable
    "SST-2": GlueTask(("accuracy",), ("0", "1")),                           # 1 = positive
    "MRPC": GlueTask(("accuracy", "f1"), ("0", "1")),                       # 1 = paraphrase
    "STS-B": GlueTask(("pearson", "spearman")),                             # 0 to 5
    "QQP": GlueTask(("accuracy", "f1"), ("0", "1")),                        # 1 = duplicate
    "MNLI": GlueTask(("accuracy_matched", "accuracy_mismatched"), THREE_WAY),
    "QNLI": GlueTask(("accuracy",), ENTAILMENT),
    "RTE": GlueTask(("accuracy",), ENTAILMENT),
    "WNLI": GlueTask(("accuracy",), ("0", "1")),
    "AX": GlueTask(("matthews",), THREE_WAY),
}
SCORED = tuple(name for name in GLUE if name != "AX")       # the diagnostic set is not part of the score


def glue_score(scores: dict[str, dict[str, float]], tasks: Sequence[str] = SCORED) -> dict[str, Any]:
    """Return the GLUE score.

    The number of a task is the mean of its metrics (those of `GLUE`), and the score is the mean over the tasks, times
    100.

    Args:
        scores: dict {task: {metric: fraction}}.
        tasks: names of the tasks that count; the nine of GLUE by default.

    Returns:
        A dict {"score": number, "by_task": {task: number}}, from 0 to 100.

    Raises:
        Error: when a task or a metric is missing, or a task is unknown.

    Example:
        >>> glue_score({"SST-2": {"accuracy": 0.875}, "MRPC": {"accuracy": 0.75, "f1": 0.5}}, tasks=("SST-2", "MRPC"))
        {'score': 75.0, 'by_task': {'SST-2': 87.5, 'MRPC': 62.5}}
    """
    unknown = [name for name in (*scores, *tasks) if name not in GLUE]
    missing = [name for name in tasks if name not in scores]
    if unknown or missing or not tasks:
        raise Error(f"Tasks {missing} are missing and {unknown} unknown; give scores of {', '.join(tasks)}, "
                    "or say by `tasks` which ones count.")
    by_task = {name: 100 * float(np.mean([_metric(scores, name, metric) for metric in GLUE[name].metrics]))
               for name in tasks}
    return {"score": float(np.mean([*by_task.values()])), "by_task": by_task}


def _metric(scores, name, metric):
    if metric not in scores[name]:
        raise Error(f"{name} lacks {metric!r} among {sorted(scores[name])}; "
                    f"its metrics are {', '.join(GLUE[name].metrics)}.")
    return scores[name][metric]
