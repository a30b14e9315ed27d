"""The page of `defaults.py`: default and sweep beside each other, and what was not run."""

import datetime
import os
import platform
import statistics
from collections import defaultdict

NOTE = """English encoder `bertkit://english`, batch 16, length 128, float32. Points are the task's first metric x 100
(accuracy; WNUT-17: F1; STS-B: Pearson) on at most 400 rows that neither saw. *Default* trains with the rate and the
epochs that `auto` chooses; *sweep* tries rate 1e-4, 2e-4, 4e-4 x two numbers of epochs and takes what is best on dev
(100 rows for 50, else 200), which also chooses the epoch of both. *Linear* is a logistic regression on the frozen
encoder's mean vectors, its penalty chosen by cross-validation on train."""


def page(lines, default, names):
    """Return the dated page of the lines that are there; `default(name, rows)` gives (rate, epochs)."""
    cells = defaultdict(dict)
    for line in lines:
        cells[line["rows"], line["name"], line["seed"]][line["rate"], line["epochs"]] = line
    rows, gaps = [], []
    for (count, name, seed), found in sorted(cells.items(), key=lambda item: (item[0][0], names.index(item[0][1]),
                                                                              item[0][2])):
        row = compared(found, default(name, count))
        if row is not None:
            rows.append([name, count, seed, *row[:-1]])
            gaps += [] if row[-1] is None else [row[-1]]
    head = f"# Default knobs beside a sweep, {datetime.date.today().isoformat()}"
    machine = f"{os.cpu_count()} x {platform.machine()}, shared with other work; Python {platform.python_version()}"
    return "\n\n".join([head, NOTE, machine, verdict(gaps), table(rows)]) + "\n"


def compared(found, default):
    """Return [default, sweep, its setting, difference, linear, gap or None] of one data set, or None where empty."""
    runs = {point: line for point, line in found.items() if point[0]}
    linear = points(found[0, 0]) if (0, 0) in found else None
    best = max(runs.values(), key=lambda line: line["dev"], default=None)
    whole = best is not None and default in runs and len(runs) >= 6
    if not whole and linear is None:
        return None
    if not whole:
        return ["", "", "", "", f"{linear:.1f}", None]
    ours, theirs = points(runs[default]), points(best)
    return [f"{ours:.1f}", f"{theirs:.1f}", f"{best['rate']:g}, {best['epochs']}", f"{theirs - ours:+.1f}",
            "" if linear is None else f"{linear:.1f}", theirs - ours]


def points(line):
    """Return the first metric of a line's test in points."""
    return 100 * next(iter(line["test"].values()))


def verdict(gaps):
    """Return the mean gap in a sentence, and how many cells it is of."""
    if not gaps:
        return "No cell is whole yet."
    return (f"**Mean of sweep - default: {statistics.fmean(gaps):+.2f} points** over {len(gaps)} cells that are whole\n"
            f"(largest {max(gaps):+.1f}, smallest {min(gaps):+.1f}); the goal is at most 2. A full run has 64 cells:\n"
            "ten data sets at 50, 200 and 1,000 rows (onestopenglish has no 1,000), SST-2, QNLI and WNUT-17 also\n"
            "at 5,000 (WNUT-17 has 3,394), two seeds. What is not in the table was not run.")


def table(rows):
    """Return the Markdown table."""
    head = ["data", "rows", "seed", "default", "sweep", "its rate, epochs", "sweep - default", "linear"]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
