"""The same task learnt in several ways, beside one another in a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bertkit.files.atomic import write_text
from bertkit.terminal import say

TABLE = "table.tsv"


def compare_strategies(ways: dict[str, Callable[[], Any]], out: str | Path) -> dict[str, dict[str, Any]]:
    """Train a task in several ways, and compare them in a table, which is shown and written as OUT/table.tsv.

    The columns are the task's first metric on dev with the ends of its 95 % interval, and what the card says of
    `training`.

    Args:
        ways: {name: function that trains and returns a `Card`}.
        out: The folder of the table.

    Returns:
        {name: {column: value}}.
    """
    results = {}
    for name, train in ways.items():
        say(f"Training: {name}.")
        card = train()
        metric, score = next(iter(card.scores["dev"].items()))
        results[name] = {metric: score["score"], "low": score["low"], "high": score["high"], **card.training}
    columns = list(next(iter(results.values())))
    rows = [["", *columns], *([name, *(f"{row[column]:.4g}" for column in columns)] for name, row in results.items())]
    table = "".join("\t".join(row) + "\n" for row in rows)
    write_text(Path(out) / TABLE, table)
    say(table.expandtabs(14).rstrip())
    return results
