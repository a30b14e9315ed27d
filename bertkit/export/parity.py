"""The proof of an export: the file itself is scored, beside the model that it was made from."""

import numpy as np

from bertkit import metrics
from bertkit.errors import Error

# From the most precise to the smallest: what a refusal proposes is the one before.
LADDER = ("float32", "float16", "dynamic", "int8", "int8-full")
FLOOR = 1e-6                # probabilities below it count as it: an int8 softmax gives 0
FEWEST_ROWS = 200           # below it one row moves the score by more than half a point
BYTES = {"float32": 4, "float16": 2, "dynamic": 1, "int8": 1, "int8-full": 1}
LARGEST_DRIFT = {"float32": 1e-3, "float16": 0.1}      # of files that compute what the model does


def compare(task, model, file):
    """Return {"rows", "agreement", "largest_drift"} of a file's probabilities [rows, C] against the model's.

    agreement is the fraction of rows with the same answer, drift that of log-probabilities.
    """
    same = task.predictions(model) == task.predictions(file)
    drift = np.abs(np.log(np.maximum(model, FLOOR)) - np.log(np.maximum(file, FLOOR)))
    return {"rows": len(model), "agreement": float(same.reshape(len(same), -1).all(axis=1).mean()),
            "largest_drift": float(drift.max())}


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
        raise Error(f"The {precision} file computes something else than the model: log-probabilities differ "
                    f"by {comparison['largest_drift']:.2g}, and rounding does at most {limit}; report it.")


def score(task, targets, model, file):
    """Return the file's score on labelled rows, and the drop against the model's, as JSON.

    `score` with its 95 % interval and `model_score` are fractions of the task's first metric, `drop` and its
    paired interval are points (Koehn 2004, section 4: both sides on the same resampled rows).
    """
    name, metric = next(iter(task.metrics.items()))
    one, two = task.predictions(model), task.predictions(file)
    drop, drop_low, drop_high = (round(100 * value, 4)
                                 for value in metrics.paired_drop(metric, targets, one, two))
    low, high = metrics.bootstrap(metric, targets, two)
    return {**compare(task, model, file), "metric": name, "score": float(metric(targets, two)), "low": low,
            "high": high, "model_score": float(metric(targets, one)), "scores": task.scores(targets, file),
            "drop_points": {"drop": drop, "low": drop_low, "high": drop_high}}


def verdict(scored, precision, max_drop):
    """Return what a score allows to say, one sentence; raises `Error` if the file surely loses too much.

    `scored` is from `score`, None without labelled rows; sure is what the paired interval's low end says.
    """
    if scored is None:
        return "The score was not measured, because no labelled rows were given (--dev)."
    drop, name = scored["drop_points"], scored["metric"]
    change = (f"{name} goes from {100 * scored['model_score']:.2f} to {100 * scored['score']:.2f} on "
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
