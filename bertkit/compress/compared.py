"""What a slimmed model is worth: its score beside those of the whole one and of a bag of words."""

from pathlib import Path
from typing import Any

from bertkit import metrics
from bertkit.data.splits import Splits
from bertkit.report import partial_input

FEWEST_ROWS = 200           # below it one row moves the score by more than half a point


def scores(task: Any, tuned: Any, targets: Any, before: list[Any], after: list[Any]) -> dict[str, Any]:
    """Compare two models on labelled inputs by the task's first metric.

    Args:
        task: The task of the first model.
        tuned: That of the second one, which may have another threshold.
        targets: What the inputs are scored against.
        before: The first model's prediction of each.
        after: The second model's.

    Returns:
        {"metric", "before", "after", "rows", "drop": points {"drop", "low", "high"} with the paired 95 % interval}.
    """
    name, metric = next(iter(task.metrics.items()))
    one, two = task.metric_inputs(targets, before), tuned.metric_inputs(targets, after)
    drop, low, high = (round(task.points * value, 4) for value in metrics.paired_drop(metric, one, two))
    return {"metric": name, "before": float(metric(*one)), "after": float(metric(*two)), "rows": len(one[0]),
            "drop": {"drop": drop, "low": low, "high": high}}


def bag_of_words(splits: Splits) -> float | None:
    """Score a linear model of words and pairs of words, which learns from train, on dev, by the task's first metric.

    Args:
        splits: The `Splits`.

    Returns:
        The score; None for a task that such a model does not answer.
    """
    train, dev = ((part.inputs, part.targets) for part in (splits.parts["train"], splits.parts["dev"]))
    found = partial_input.probe(splits.task, train, dev)
    return next((view["score"] for view in (found or {"views": ()})["views"] if not view["half"]), None)


def sentences(folder: str | Path, said: dict[str, Any]) -> list[str]:
    """Return in sentences what was removed, and what it cost.

    Args:
        folder: The bundle.
        said: What the card says: "removed" and "parameters", what `scores` returned, and "bag_of_words".

    Returns:
        The sentences.
    """
    counts = said["parameters"]
    return [f"Of {folder} were removed: {', '.join(_parts(said['removed']))}; {counts['after']:,} of "
            f"{counts['before']:,} parameters are left.", *drop_sentences(said)]


def drop_sentences(said: dict[str, Any]) -> list[str]:
    """Return in sentences what a smaller model loses against the first one, and what a bag of words reaches.

    Args:
        said: What `scores` returned, and "bag_of_words".

    Returns:
        The sentences.
    """
    drop, bag = said["drop"], said["bag_of_words"]
    judged = f" A drop cannot be judged on fewer than {FEWEST_ROWS} rows." if said["rows"] < FEWEST_ROWS else ""
    found = [f"{said['metric']} on dev goes from {said['before']:.4f} to {said['after']:.4f}, a drop of "
             f"{drop['drop']:.2f} points (95 % interval {drop['low']:.2f} to {drop['high']:.2f}).{judged}"]
    return found if bag is None else [*found, f"A bag of words, which needs no encoder, reaches {bag:.4f}."]


def _parts(removed):
    """Return what was removed, in words."""
    parts = [f"the layers {', '.join(map(str, removed['layers']))}"] if removed.get("layers") else []
    if "heads" in removed:
        parts.append(f"{len(next(iter(removed['heads'].values())))} heads of each layer")
    if "rows" in removed:
        parts.append(f"{next(iter(removed['rows'].values())):,} feed-forward rows of each layer")
    return parts + ([f"{removed['entries']:,} entries of the vocabulary"] if "entries" in removed else [])
