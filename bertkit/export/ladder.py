"""The ladder: what each precision costs and keeps, which one is taken, and why others fell."""

from collections.abc import Sequence
from typing import Any

from bertkit.errors import Error

SURE = 0.99             # the agreement with the model that a rung needs where no labelled rows judge it
PREFER = ("size", "speed")


def entry(precision: str, size: int, proof: dict[str, Any], measured: dict[str, Any]) -> dict[str, Any]:
    """Return a rung as the card keeps it.

    Args:
        precision: Its name.
        size: Bytes of its file.
        proof: What `proof.Proof.of` returned for it.
        measured: What was measured on the machine: "cpu_ms" {"p50", "p95"} and more.

    Returns:
        JSON values: "precision", "bytes", "score" and "drop" {"drop", "low", "high"} against the model as trained
        (None without labelled rows), "agreement", "drift", "fell" (why it cannot be taken, or None), "chosen" (False),
        and what was measured.
    """
    scored = proof.get("dev")
    compared = scored or proof["calibration"]
    return {"precision": precision, "bytes": size, "score": scored and scored["score"],
            "drop": scored["drop_points"] if scored else dict.fromkeys(("drop", "low", "high")),
            "agreement": compared["agreement"], "drift": compared["largest_drift"], "fell": proof.get("refusal"),
            "chosen": False, **measured}


def choose(entries: Sequence[dict[str, Any]], max_drop: float, prefer: str) -> dict[str, Any]:
    """Choose a rung: the smallest file, or the fastest, of those that keep the answers; the others say why they fell.

    Args:
        entries: What `entry` returned; "chosen" and "fell" are written into them.
        max_drop: Points of the main metric that a file may lose; without labelled rows it must agree with the model on
            99 of 100 calibration rows instead.
        prefer: "size" or "speed".

    Returns:
        The chosen entry.

    Raises:
        Error: When none keeps the answers.
    """
    for one in entries:
        one["fell"] = one["fell"] or _loss(one, max_drop)
    kept = [one for one in entries if not one["fell"]]
    if not kept:
        raise Error(f"No precision is good enough:\n{table(entries)}\nGive a larger --max-drop or --length.")
    cost = {"size": lambda one: one["bytes"], "speed": lambda one: one["cpu_ms"]["p50"]}[prefer]
    chosen = min(kept, key=cost)
    chosen["chosen"] = True
    unit = {"size": "bytes", "speed": "time"}[prefer]
    for one in kept:
        if one is not chosen:
            one["fell"] = f"{cost(one) / cost(chosen):.2f} times the {unit} of {chosen['precision']}"
    return chosen


def _loss(one, max_drop):
    """Return in a few words why a rung loses too much, or None."""
    drop = one["drop"]["drop"]
    if drop is None:
        agreed = f"agrees on {100 * one['agreement']:.1f} % of the calibration rows only"
        return None if one["agreement"] >= SURE else agreed
    return None if drop <= max_drop else f"loses {drop:.2f} points, {max_drop:g} are allowed"


def table(entries: Sequence[dict[str, Any]]) -> str:
    """Return the ladder for a person to read.

    Args:
        entries: What `entry` returned.

    Returns:
        Lines: a header, then one for each rung; the chosen one begins with an arrow.
    """
    header = ("", "precision", "megabytes", "score", "drop (95 %)", "agrees", "drift", "CPU-ms", "p95", "")
    rows = [header, *(_cells(one) for one in entries)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(header))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _cells(one):
    drop = one["drop"]
    lost = "" if drop["drop"] is None else f"{drop['drop']:.2f} ({drop['low']:.2f} to {drop['high']:.2f})"
    return ("->" if one["chosen"] else "", one["precision"], f"{one['bytes'] / 1e6:.2f}",
            "" if one["score"] is None else f"{one['score']:.4f}", lost, f"{100 * one['agreement']:.2f} %",
            f"{one['drift']:.3f}", f"{one['cpu_ms']['p50']:.2f}", f"{one['cpu_ms']['p95']:.2f}", one["fell"] or "")
