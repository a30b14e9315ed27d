"""The same task learnt in several ways, beside one another in a table."""

from pathlib import Path

from bertkit.files.atomic import write_text
from bertkit.terminal import say

TABLE = "table.tsv"


def compared(ways, out):
    """Train in each of `ways` and return {name: its row}; the rows become OUT/table.tsv, which is shown.

    `ways` is {name: function that trains and returns a card}. The columns are the task's first metric on dev with the
    ends of its 95 % interval, and what the card says of `training`.
    """
    found = {}
    for name, train in ways.items():
        say(f"Training: {name}.")
        card = train()
        metric, score = next(iter(card.scores["dev"].items()))
        found[name] = {metric: score["score"], "low": score["low"], "high": score["high"], **card.training}
    columns = list(next(iter(found.values())))
    rows = [["", *columns], *([name, *(f"{row[column]:.4g}" for column in columns)] for name, row in found.items())]
    table = "".join("\t".join(row) + "\n" for row in rows)
    write_text(Path(out) / TABLE, table)
    say(table.expandtabs(14).rstrip())
    return found
