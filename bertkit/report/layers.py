"""What each layer knows, and how far fine-tuning moved it, as a page."""

from typing import Any

import numpy as np

from bertkit.report.charts import lines
from bertkit.report.markup import element, note, section, share, table
from bertkit.report.page import render_document

PROBE = ("A linear probe is a ridge regression on the vectors after a layer, learnt on two thirds of the rows and "
         "asked on the others. The control task gives each {kind} a class drawn by chance: what the probe finds there "
         "it has learnt by heart, and selectivity, the difference, is what the layer holds (Hewitt and Liang 2019). A "
         "probe says what can be read from a layer, not what the model uses.")
ALIKE = ("Centred kernel alignment (Kornblith et al. 2019, the unbiased estimate) of the mean vectors of the rows: 1 "
         "where both layers arrange the texts alike, up to a rotation and one scale; about 0 where they have nothing "
         "in common.")


def render_layers(layers: Any) -> str:
    """Return the page, which loads and runs nothing; every text is escaped.

    Args:
        layers: An `inspection.layers.Layers`.

    Returns:
        The HTML.
    """
    title = " and ".join(layers.names) + ", layer by layer"
    said = (f"{layers.rows:,} rows; the commonest class alone gives {share(layers.commonest)}. Layer 0 are the "
            "embeddings.")
    head = element("header", element("h1", title), element("p", said, class_="says"))
    return render_document(title, head, element("main", _probes(layers), _alike(layers)))


def _probes(layers):
    depth = [np.arange(len(probes)) for probes in layers.probes]
    series = {name: (x, [one.score for one in probes])
              for name, x, probes in zip(layers.names, depth, layers.probes, strict=True)}
    series["control task"] = (depth[0], [one.control for one in layers.probes[0]])
    kind = "word" if layers.task == "tag" else "row"
    tables = [table(name, ("layer", "found", "95 % interval", "control", "selectivity"), [
        (str(layer), share(one.score), f"{100 * one.low:.1f} to {100 * one.high:.1f}", share(one.control),
         f"{100 * one.selectivity:+.1f}") for layer, one in enumerate(probes)])
        for name, probes in zip(layers.names, layers.probes, strict=True)]
    picture = lines("Classes found, by layer", series, "layer", "share", points=list(series))
    return section("What a linear probe finds", picture, note(PROBE.format(kind=kind)), *tables)


def _alike(layers):
    rows = [(str(layer), *(_cell(value) for value in values)) for layer, values in enumerate(layers.alike)]
    names = ("layer", *map(str, range(layers.alike.shape[1])))
    caption = f"Rows are layers of {layers.names[0]}, columns of {layers.names[-1]}"
    return section("How alike the layers are", note(ALIKE), table(caption, names, rows))


def _cell(value):
    shade = int(np.ceil(5 * min(max(value, 0), 1))) if np.isfinite(value) else 0
    return element("td", f"{value:.2f}", class_=f"heat heat{shade}")
