"""What a proof says: the scores of a file and of the model as trained, how far they agree, and the verdict."""

from typing import Any, NamedTuple

from bertkit import metrics
from bertkit.errors import Error

# The rungs, and of each the one that a refusal proposes because it loses less.
SAFER = {"float32": None, "float16": "float32", "dynamic": "float16", "int8": "dynamic", "int4": "int8",
         "int4-small": "int4", "int8-static": "int8", "int8-full": "int8"}
LADDER = tuple(SAFER)
RESAMPLES = 4000            # of a drop: few rows differ, and the ends of its interval are whole rows
FEWEST_ROWS = 200           # below it one row moves the score by more than half a point
BYTES = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1, "int4": 0.5, "int4-small": 0.5, "int8-static": 1,
         "int8-full": 1}
LARGEST_DRIFT = {"float32": 1e-3, "float16": 0.1}      # of files that compute what the model does


class Side(NamedTuple):
    """What one side, the model or the file, computed.

    Args:
        outputs: The output of each row.
        packed: The rows, `Packed`, at this side's own length.
    """

    outputs: list[Any]
    packed: Any


def compare(task: Any, model: list[Any], file: list[Any]) -> dict[str, Any]:
    """Return how far the outputs of a file agree with those of the model.

    Args:
        task: The task.
        model: Outputs of the model, float32 [C] or [T,C] of each row.
        file: Outputs of the file for the same rows.

    Returns:
        {"rows", "agreement", "largest_drift"}: "agreement" is the fraction of rows that are decided alike,
        "largest_drift" the largest difference in what the task measures, log-probabilities where there are classes (see
        `tasks.task`).
    """
    return {"rows": len(model), "agreement": task.agreement(model, file), "largest_drift": task.drift(model, file)}


def check_file(size: int, weights: int, precision: str, comparison: dict[str, Any]) -> None:
    """Check that a converted file can hold the model's weights and computes what the model does.

    A converter once wrote 83 KB without weights, silently.

    Args:
        size: Bytes of the file.
        weights: Numbers in the weights that the file uses.
        precision: One of `LADDER`.
        comparison: What `compare` returned.

    Raises:
        Error: When the file is too small, or float outputs differ from the model's by more than rounding.
    """
    least = 0.9 * BYTES[precision] * weights
    if size < least:
        raise Error(f"The converted file has {size} bytes, and the model's weights alone need {least:.0f}; "
                    "the converter lost them: report it.")
    limit = LARGEST_DRIFT.get(precision)
    if limit and not comparison["largest_drift"] <= limit:
        raise Error(f"The {precision} file computes something else than the model: its numbers differ by "
                    f" {comparison['largest_drift']:.2g}, and rounding does at most {limit}; report it.")


def score(task: Any, targets: Any, model: Side, file: Side) -> dict[str, Any]:
    """Return the score of a file on labelled inputs, and its drop against the score of the model as it was trained.

    The drop and its paired interval are points (Koehn 2004, section 4: both sides on the same resampled inputs).

    Args:
        task: The task.
        targets: What the inputs are scored against.
        model: The model's `Side`, of rows as long as those that it was trained on.
        file: The file's `Side`, of rows as long as the file takes; the inputs are the same.

    Returns:
        JSON values: what `compare` returns; "score" of the task's first metric with its 95 % interval, "model_score",
        "scores" of all metrics, and "drop_points" {"drop", "low", "high"}.
    """
    name, metric = next(iter(task.metrics.items()))
    found = [task.predictions(side.outputs, side.packed) for side in (model, file)]
    one, two = (task.metric_inputs(targets, side) for side in found)
    paired = metrics.paired_drop(metric, one, two, RESAMPLES)
    drop, drop_low, drop_high = (round(task.points * value, 4) for value in paired)
    low, high = metrics.bootstrap(metric, *two)
    compared = compare(task, *(task.aligned(side.outputs, side.packed) for side in (model, file)))
    return {**compared, "rows": len(one[0]), "metric": name, "score": float(metric(*two)),
            "low": low, "high": high, "model_score": float(metric(*one)), "scores": task.scores(targets, found[1]),
            "points": task.points, "drop_points": {"drop": drop, "low": drop_low, "high": drop_high}}


def cut_rows(cut: dict[str, int]) -> str:
    """Return in one sentence how many rows a file cuts.

    Args:
        cut: {"rows": rows that lose tokens, "of": rows, "length": tokens that the file takes, "trained_length": tokens
            that the model was trained on}.

    Returns:
        The sentence.

    >>> cut_rows({"rows": 37, "of": 240, "length": 8, "trained_length": 128})
    '37 of 240 rows are cut: the file takes 8 tokens, the model was trained at 128.'
    """
    many = f"{cut['rows']:,} of {cut['of']:,} rows are cut" if cut["rows"] else f"None of {cut['of']:,} rows is cut"
    return f"{many}: the file takes {cut['length']} tokens, the model was trained at {cut['trained_length']}."


def verdict(scored: dict[str, Any] | None, precision: str, max_drop: float, cut: dict[str, int] | None = None) -> str:
    """Return in one sentence what a score allows to say.

    Args:
        scored: What `score` returned; None without labelled rows.
        precision: One of `LADDER`.
        max_drop: Points that the file may lose.
        cut: How many rows the file cuts, see `cut_rows`; None where that is not known.

    Returns:
        The sentence.

    Raises:
        Error: When even the low end of the paired interval is above `max_drop`.

    >>> verdict(None, "int8", 1.0)
    'The score was not measured, because no labelled rows were given (--dev).'
    """
    if scored is None:
        return "The score was not measured, because no labelled rows were given (--dev)."
    drop, name, points = scored["drop_points"], scored["metric"], scored["points"]
    change = (f"{name} goes from {points * scored['model_score']:.2f} of the model as trained to "
              f"{points * scored['score']:.2f} of the file on {scored['rows']} rows, a drop of {drop['drop']:.2f} "
              f"points (95 % interval {drop['low']:.2f} to {drop['high']:.2f})")
    if scored["rows"] < FEWEST_ROWS:
        return f"A drop cannot be judged on fewer than {FEWEST_ROWS} rows; {change}."
    if drop["low"] > max_drop:
        raise Error(f"The {precision} file loses too much: {change}, and {max_drop:g} are allowed; "
                    f"{_better(precision, cut)}.")
    if drop["high"] > max_drop:
        return f"Not surely above the {max_drop:g} points allowed, nor surely below: {change}."
    return f"Within the {max_drop:g} points allowed: {change}."


def _better(precision, cut):
    """Return what loses less: a longer file where rows are cut, or the rung before."""
    if cut and cut["rows"] and cut["length"] < cut["trained_length"]:
        return f"{cut['rows']:,} of {cut['of']:,} rows are cut at {cut['length']} tokens, give a larger --length"
    safer = SAFER[precision]
    return f"take --precision {safer}" if safer else "evaluate the bundle itself, and report it"
