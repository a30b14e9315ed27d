"""The proof of an export: the file itself is scored, beside the model that it was made from."""

from bertkit import metrics
from bertkit.errors import Error

# From the most precise to the smallest: what a refusal proposes is the one before.
LADDER = ("float32", "float16", "dynamic", "int8", "int8-full")
FEWEST_ROWS = 200           # below it one row moves the score by more than half a point
BYTES = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1, "int8-full": 1}
LARGEST_DRIFT = {"float32": 1e-3, "float16": 0.1}      # of files that compute what the model does


def compare(task, model, file):
    """Return {"rows", "agreement", "largest_drift"} of a file's outputs, one array a row, against the model's.

    agreement is the fraction of rows that decide alike, drift that of what the task measures it in (log-probabilities
    where there are classes): see `ondevice.task`.
    """
    return {"rows": len(model), "agreement": task.agreement(model, file), "largest_drift": task.drift(model, file)}


def check_file(size, weights, precision, comparison):
    """Raise `Error` if a converted file cannot hold the model's weights, or computes something else.

    A converter once wrote 83 KB without weights, silently. `size` is in bytes, `weights` counts those in use.
    """
    least = 0.9 * BYTES[precision] * weights
    if size < least:
        raise Error(f"The converted file has {size} bytes, and the model's weights alone need {least:.0f}; "
                    "the converter lost them: report it.")
    limit = LARGEST_DRIFT.get(precision)
    if limit and not comparison["largest_drift"] <= limit:
        raise Error(f"The {precision} file computes something else than the model: its numbers differ by "
                    f" {comparison['largest_drift']:.2g}, and rounding does at most {limit}; report it.")


def score(task, packed, targets, model, file):
    """Return the file's score on labelled rows, and the drop against the model's, as JSON.

    `model` and `file` are outputs of the rows of `packed`. `score` with its 95 % interval and `model_score` are of the
    task's first metric, `drop` and its paired interval are points (Koehn 2004, section 4: both sides on the same
    resampled rows).
    """
    name, metric = next(iter(task.metrics.items()))
    found = [task.predictions(side, packed) for side in (model, file)]
    one, two = (task.sides(targets, side) for side in found)
    drop, drop_low, drop_high = (round(task.points * value, 4) for value in metrics.paired_drop(metric, one, two))
    low, high = metrics.bootstrap(metric, *two)
    return {**compare(task, model, file), "rows": len(one[0]), "metric": name, "score": float(metric(*two)),
            "low": low, "high": high, "model_score": float(metric(*one)), "scores": task.scores(targets, found[1]),
            "points": task.points, "drop_points": {"drop": drop, "low": drop_low, "high": drop_high}}


def verdict(scored, precision, max_drop):
    """Return what a score allows to say, one sentence; raises `Error` if the file surely loses too much.

    `scored` is from `score`, None without labelled rows; sure is what the paired interval's low end says.
    """
    if scored is None:
        return "The score was not measured, because no labelled rows were given (--dev)."
    drop, name, points = scored["drop_points"], scored["metric"], scored["points"]
    change = (f"{name} goes from {points * scored['model_score']:.2f} to {points * scored['score']:.2f} on "
              f"{scored['rows']} rows, a drop of {drop['drop']:.2f} points (95 % interval {drop['low']:.2f} "
              f"to {drop['high']:.2f})")
    if scored["rows"] < FEWEST_ROWS:
        return f"A drop cannot be judged on fewer than {FEWEST_ROWS} rows; {change}."
    if drop["low"] > max_drop:
        rung = LADDER.index(precision)
        better = f"take --precision {LADDER[rung - 1]}" if rung else "give a larger --length"
        raise Error(f"The {precision} file loses too much: {change}, and {max_drop:g} are allowed; {better}.")
    if drop["high"] > max_drop:
        return f"Not surely above the {max_drop:g} points allowed, nor surely below: {change}."
    return f"Within the {max_drop:g} points allowed: {change}."
