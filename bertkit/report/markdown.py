"""The model card of a run in Markdown (Mitchell et al. 2019, arXiv 1810.03993), with a head for Hugging Face."""

import json
import re
from typing import Any

from bertkit.report.markup import number

LONGEST = 500           # characters of a text that is shown
_MARKS = re.compile(r"[\\`*_{}\[\]()#+.!|~<>&\"'-]")
# Hugging Face's names of tasks; of the others there is none.
PIPELINES = {**dict.fromkeys(("classify", "long_documents", "score"), "text-classification"),
             "tag": "token-classification", "answer": "question-answering", "choose": "multiple-choice",
             "embed": "sentence-similarity", "rank": "text-ranking", "summarise": "summarization"}
YOURS = "_The run does not know this; write it here before you hand the model on._"


def as_text(text: str) -> str:
    r"""Return a text as Markdown that shows it as it is, whatever marks it holds; a long one ends in an ellipsis.

    Args:
        text: Any text.

    Returns:
        One line of Markdown.

    >>> as_text("a *b*\n<c>")
    'a &#42;b&#42; &#60;c&#62;'
    """
    text = text if len(text) <= LONGEST else text[:LONGEST] + "\N{HORIZONTAL ELLIPSIS}"
    return _MARKS.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def render_model_card(card: Any) -> str:
    """Return the model card of a run.

    Args:
        card: The `Card`.

    Returns:
        Markdown, with a head of YAML.

    >>> from bertkit.card import Card
    >>> print(render_model_card(Card("films", "classify", model={}))[:60].rstrip())
    ---
    library_name: bertkit
    pipeline_tag: text-classification
    """
    encoder = card.model.get("encoder", {})
    details = [f"- Task: {card.task}", f"- Made by: bertkit {card.versions.get('bertkit', '')}, recipe "
               f"{card.recipe or 'none'}, {card.made}", f"- Encoder: {as_text(str(encoder.get('family', 'unknown')))}, "
               f"{encoder.get('num_layers', '?')} layers of {encoder.get('hidden_dim', '?')}"]
    begun = card.knobs.get("model")
    details += [f"- Begun from: {as_text(str(begun))}"] if begun else []
    labels = card.model.get("labels")
    details += [f"- Classes: {', '.join(as_text(str(label)) for label in labels)}"] if labels else []
    parts = {
        "Model details": "\n".join(details), "Intended use": YOURS, "Factors": YOURS,
        "Metrics": _metrics(card), "Evaluation data": _data(card, ("dev", "test")),
        "Training data": _data(card, ("train",)), "Quantitative analyses": _scores(card),
        "Ethical considerations": YOURS, "Caveats and recommendations": _caveats(card)}
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())
    return f"---\n{_head(card)}---\n\n# {as_text(card.name)}\n\n{body}\n"


def _measured(card):
    """Return (split, metric, its numbers) of each score."""
    return [(split, metric, value) for split, part in card.scores.items() if isinstance(part, dict)
            for metric, value in part.items() if isinstance(value, dict) and isinstance(value.get("score"), float)
            and value["score"] == value["score"]]


def _head(card):
    """Return the YAML that Hugging Face reads; texts are quoted as JSON, which is YAML too."""
    pipeline = PIPELINES.get(card.task)
    lines = ["library_name: bertkit", *([f"pipeline_tag: {pipeline}"] if pipeline else []), "tags:", "- keras",
             "- bertkit"]
    found = _measured(card) if pipeline else []
    if found:
        lines += ["model-index:", f"- name: {json.dumps(card.name)}", "  results:"]
    for split in dict.fromkeys(split for split, _, _ in found):
        file = card.data.get(split, {}).get("file", split) if split != "folds" else "folds of train"
        lines += ["  - task:", f"      type: {pipeline}", "    dataset:", f"      name: {json.dumps(str(file))}",
                  f"      type: {json.dumps(str(file))}", f"      split: {split}", "    metrics:"]
        for _, metric, value in (each for each in found if each[0] == split):
            lines += [f"    - type: {metric}", f"      value: {value['score']!r}"]
    return "\n".join(lines) + "\n"


def _metrics(card):
    names = dict.fromkeys(metric for _, metric, _ in _measured(card))
    return f"{', '.join(names)}; intervals are 95 % bootstrap intervals." if names else "None was measured."


def _data(card, splits):
    lines = []
    for split in splits:
        part = card.data.get(split)
        if isinstance(part, dict) and "rows" in part:
            counts = ", ".join(f"{as_text(str(name))} {count:,}" for name, count in part.get("classes", {}).items())
            lines.append(f"- {split}: {as_text(str(part.get('file')))}, {part['rows']:,} rows"
                         + (f" ({counts})" if counts else ""))
    return "\n".join(lines) or "None is known."


def _scores(card):
    rows = [f"| {split} | {metric} | {number(value['score'])} | {number(value.get('low'))} | "
            f"{number(value.get('high'))} |" for split, metric, value in _measured(card)]
    return "\n".join(["| on | score | value | low | high |", "|---|---|---|---|---|", *rows]) if rows else (
        "No score was measured.")


def _caveats(card):
    lines = [f"- {as_text(note)}" for note in card.notes]
    return "\n".join([*lines, "- A score on dev is flattered: dev chose the epoch.",
                      "- report.html shows more; so do `bertkit bias`, `bertkit behave` and `bertkit explain`.", "",
                      YOURS])
