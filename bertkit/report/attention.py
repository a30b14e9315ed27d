"""What the heads of a model look at, as a page with three views: all heads, one head, the neurons of one token."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.report.markup import Markup, element, note, section, table
from bertkit.report.style import STYLE

LOOK = STYLE + """
body { max-width: 76rem; }
canvas { display: block; width: 100%; } #model { max-width: 60rem; cursor: pointer; image-rendering: pixelated; }
canvas:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: baseline; margin: 1rem 0; }
select { font: inherit; color: inherit; background: var(--raised); padding: .1rem .4rem;
  border: 1px solid var(--line); }
.head { display: grid; grid-template-columns: minmax(0, 11rem) minmax(3rem, 20rem) minmax(0, 11rem); }
.rows > * { display: block; width: 100%; height: 22px; line-height: 22px; padding: 0 .4rem; overflow: hidden;
  white-space: nowrap; text-overflow: ellipsis; font-size: .85rem; }
.rows button { font: inherit; font-size: .85rem; line-height: 22px; text-align: end; background: none; border: 0;
  color: inherit; cursor: pointer; }
.rows button[aria-pressed="true"] { background: rgba(var(--heat), .36); font-weight: 650; }
.neurons { display: grid; grid-template-columns: minmax(0, 12rem) minmax(0, 1fr); }
"""
SCRIPT = Path(__file__).with_name("attention.js").read_text(encoding="utf-8")
WARNING = ("What a head looks at is no proof of what decides the answer: other weights of attention can give the same "
           "answer (Jain and Wallace 2019; Serrano and Smith 2019). A head that gives nearly all to [SEP] may do "
           "nothing on this text (Clark et al. 2019). `bertkit explain` measures what the answer depends on.")
MODEL = "Layers are rows, heads are columns. Click on a head, or go there with the arrow keys."
HEAD = ("Choose a token on the left: the lines are what it looks at, the stronger the more. Choose it again to see all "
        "tokens. Less than 1 % is not drawn.")
NEURONS = ("First line: the query q of the chosen token. Below, for each token, q times its key, number by number: "
           "their sum, divided by √H, is the score beside the token, and the softmax of the scores is what the token "
           "looks at. The second colour is below 0.")
WITHOUT = "This model's attention is more than the softmax of q kᵀ / √H, so its neurons are not shown."


def render_attention(views: Any) -> str:
    """Return the page, which loads nothing and runs only its own script; every text is escaped.

    Args:
        views: An `inspection.views.AttentionViews`.

    Returns:
        The HTML.
    """
    data = json.dumps(_data(views), ensure_ascii=True).replace("<", "\\u003c")
    title = f"What the heads of {views.model} look at"
    body = element("body", element("header", element("h1", title), element("p", WARNING, class_="says")),
                   element("main", _all_heads(), _one_head(), _neurons(views), _numbers(views)),
                   element("script", Markup(data), id="attention", type="application/json"),
                   element("script", Markup(SCRIPT)))
    return f"<!DOCTYPE html>\n{element('html', _meta(title, data), body, lang='en')}\n"


def _meta(title, data):
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (LOOK, SCRIPT, data)]
    style, script, block = (f"'sha256-{digest}'" for digest in digests)
    policy = (f"default-src 'none'; style-src {style}; script-src {script} {block}; base-uri 'none'; "
              "form-action 'none'")
    return element("head", element("meta", charset="utf-8"),
                   element("meta", http_equiv="Content-Security-Policy", content=policy),
                   element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                   element("title", title), element("style", Markup(LOOK)))


def _data(views):
    """Return what the script reads: probabilities as 255 √a in a byte each, queries and keys in 8 bits a head."""
    layers, heads, size, _ = views.attention.shape
    return {"layers": layers, "heads": heads, "size": size, "tokens": views.tokens, "numbers": views.heads,
            "roots": _base64(np.rint(255 * np.sqrt(np.clip(views.attention, 0, 1))).astype("uint8")),
            "neurons": None if views.queries is None else _in_bytes(views.queries, views.keys)}


def _in_bytes(queries, keys):
    scales = [np.abs(part).max(axis=(2, 3)) / 127 + 1e-12 for part in (queries, keys)]
    parts = [np.rint(part / scale[..., None, None]).astype("int8")
             for part, scale in zip((queries, keys), scales, strict=True)]
    return {"width": queries.shape[-1], "queries": _base64(parts[0]), "keys": _base64(parts[1]),
            "scales": np.stack([scale.reshape(-1) for scale in scales], axis=1).round(9).tolist()}


def _base64(values):
    return base64.b64encode(values.tobytes()).decode()


def _all_heads():
    return section("All heads", note(MODEL), element(
        "canvas", id="model", tabindex="0", role="img", aria_label="All heads; arrow keys choose one"))


def _one_head():
    choice = element("div", element("label", "Layer ", element("select", id="layer")),
                     element("label", "Head ", element("select", id="head")), element("span", id="numbers"),
                     class_="controls", aria_live="polite")
    columns = element("div", element("div", id="from", class_="rows"), element("canvas", id="lines"),
                      element("div", id="to", class_="rows"), class_="head")
    said = element("div", element("p", id="who"), element("ol", id="most"), aria_live="polite")
    return section("One head", note(HEAD), choice, said, columns)


def _neurons(views):
    if views.queries is None:
        return section("Neurons", note(WITHOUT))
    rows = element("div", element("div", id="scores", class_="rows"), element("canvas", id="products"),
                   class_="neurons")
    return section("Neurons", note("Choose a token under “One head”."),
                   element("div", note(NEURONS), rows, id="neurons", hidden="hidden"))


def _numbers(views):
    rows = [(f"{one['layer']}.{one['head']}", one["entropy"], one["distance"], one["special"]) for one in views.heads]
    names = ("layer.head", "entropy", "distance", "to special tokens")
    return section("The heads in numbers", table(
        "Entropy in nats, distance in tokens, the share that special tokens get", names, rows, words=names[:1]))
