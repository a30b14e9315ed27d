"""The ladder of an export as a page: what each precision costs and keeps, and where it loses it."""

from typing import Any

from bertkit.report.markup import element, note, section, share, table
from bertkit.report.page import render_document


def render_ladder(card: Any) -> str:
    """Return the ladder of an exported file as HTML, which loads and runs nothing.

    Args:
        card: Its `Card`.

    Returns:
        The HTML.
    """
    title = f"{card.name}: what each precision costs and keeps"
    lengths = _lengths(card.parity["lengths_of_dev"]) if "lengths_of_dev" in card.parity else ""
    return render_document(title, element("header", element("h1", title), element("p", card.parity.get("verdict", ""))),
                           element("main", _keeps(card.ladder), _costs(card.ladder), _layers(card.ladder), lengths))


def _keeps(entries):
    rows = [(one["precision"], f"{one['bytes'] / 1e6:.2f} MB", one["score"], _drop(one["drop"]),
             share(one["agreement"]), one["drift"], "taken" if one["chosen"] else one["fell"] or "") for one in entries]
    return section("What each precision keeps", note(
        "Score, drop in points (with its paired 95 % interval), agreement and drift, the largest change of a "
        "log-probability, are against the model as it was trained, on the same rows."),
        table(f"{len(entries)} precisions", ("precision", "file", "score", "drop", "agrees", "drift", ""), rows,
              words=("precision", "")))


def _drop(drop):
    return "" if drop["drop"] is None else f"{drop['drop']:.2f} ({drop['low']:.2f} to {drop['high']:.2f})"


def _costs(entries):
    rows = [(one["precision"], f"{one['cpu_ms']['p50']:.2f}", f"{one['cpu_ms']['p95']:.2f}",
             f"{one['cpu_ms_2_threads']['p50']:.2f}", f"{(one['peak_memory'] or 0) / 1e6:.0f} MB",
             "" if one["load_average"] is None else f"{one['load_average']:.1f}") for one in entries]
    return section("What each precision costs", note(
        "Processor time of one row at the longest length in milliseconds: the median on one thread, what 95 of 100 "
        "runs stay below, and the sum over two threads. A busy machine, whose load average stands beside it, makes the "
        "clock run longer and hardly this. Memory is what loading and one row take."),
        table("Measured on the machine that exported", ("precision", "CPU-ms", "95 %", "2 threads", "memory", "load"),
              rows, words=("precision",)))


def _layers(entries):
    layers = list(dict.fromkeys(layer for one in entries for layer in one["layers"]))
    rows = [(layer, *(one["layers"].get(layer) for one in entries)) for layer in layers]
    return section("Where it is lost", note(
        "How far the output of each layer is from that of the float32 file on real tokens, as a share of its length."),
        table(f"{len(layers)} layers", ("layer", *(one["precision"] for one in entries)), rows, words=("layer",)))


def _lengths(costs):
    rows = [(count, ", ".join(map(str, one["lengths"])), one["tokens"]) for count, one in costs.items()]
    return section("Lengths", note(
        "Tokens that are computed for a row of dev, padding included, in a file of so many lengths (--lengths)."),
        table("Files of one and of several lengths", ("lengths", "which", "tokens a row"), rows,
              words=("lengths", "which")))
