"""Why a model answers as it does, as a page: texts whose words are coloured, and whether the colours are true."""

from typing import Any

import numpy as np

from bertkit.report.markup import element, join, note, section, table, text
from bertkit.report.page import render_document

MOST = 200          # rows that a page shows
WORDS = 10          # words of a row in its table
SHADES = 5
DIRECTIONS = ("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069")
HELP = ("What the probability of the answer does when words are hidden. Comprehensiveness: what hiding the highest "
        "words costs; high is good. Sufficiency: what is lost when only they stay; low is good (DeYoung et al. "
        "2020). Deletion and insertion: areas under the curves; low and high are good. A text with hidden words is "
        "unlike those that the model learnt from: compare with random words, not with 0.")
HEADS = ("Means over rows. Entropy in nats: 0 looks at one token alone. Distance in tokens. The last column is the "
         "share that goes to special tokens; a head that gives them nearly all may do nothing on these texts (Clark "
         "et al. 2019). What a head looks at is no proof of what decides the answer (Jain and Wallace 2019; Serrano "
         "and Smith 2019).")
ADD_UP = ("integrated_gradients", "shap")        # methods whose scores promise to add up to the change of the logit
MEASURES = ("comprehensiveness", "sufficiency", "deletion", "insertion")


def render_explanation(explanation: Any) -> str:
    """Return the page of explained answers, which loads and runs nothing; every text is escaped.

    Args:
        explanation: An `inspection.explanation.Explanation`.

    Returns:
        The HTML.
    """
    title = f"Why {explanation.model} answers so"
    head = element("header", element("h1", title), element("p", f"Scores of words by {explanation.method}."),
                   element("p", explanation.verdict(), class_="says"), _legend())
    shown = explanation.rows[:MOST]
    said = note(f"The first {MOST} of {len(explanation.rows):,} rows; --json has all of them.") if len(
        explanation.rows) > MOST else ""
    return render_document(title, head, element(
        "main", section("Which scores to believe", _trusts(explanation)), said,
        join(_row(number, row, explanation.method) for number, row in enumerate(shown, start=1)),
        _heads(explanation.heads)))


def _legend():
    return element("p", element("span", "for", class_="for heat3"), " the answer, or ",
                   element("span", "against", class_="against against3"), " it; the stronger the colour the more. ",
                   element("span", "Grey", class_="unread"), " words are not read.", class_="note")


def _trusts(explanation):
    orders = [(one.method, one.own) for one in explanation.trusts]
    orders += [("random words", one.random) for one in explanation.trusts[:1]]      # the same beside each method
    rows = [(name, *(vars(side)[measure] for measure in MEASURES)) for name, side in orders]
    return join([table("Means over rows", ("order of words", *MEASURES), rows, words=("order of words",)), note(HELP)])


def _heads(heads):
    if not heads:
        return ""
    rows = [(f"{head['layer']}.{head['head']}", head["entropy"], head["distance"], head["special"]) for head in heads]
    names = ("layer.head", "entropy", "distance", "to special tokens")
    return section("What the heads look at", table("The heads in numbers", names, rows, words=names[:1]), note(HEADS))


def _row(number, row, method):
    if not len(row.scores):
        return section(f"Row {number}: {_said(row)}", note("This row has no words."))
    strength = np.abs(np.asarray(row.scores))
    top = float(strength.max()) or 1.0
    order = [place for place in np.argsort(-strength, kind="stable") if row.scores.row.read[place]][:WORDS]
    parts = [element("p", _coloured(row, part, top), class_="explained", dir="auto") for part in range(len(row.texts))]
    words = table("Strongest words", ("word", "score"),
                  [(text(row.scores.words[place]), float(row.scores[place])) for place in order], words=("word",))
    return section(f"Row {number}: {_said(row)}", *parts, _facts(row, method), words)


def _said(row):
    answer = row.answer
    if "entity" in answer:
        return f"{answer['entity']['text']}, {row.of}"
    if "beside" in answer:
        return f"cosine {answer['score']:.4g}, beside: {answer['beside']}"
    if "answer" in answer:
        return f"{row.of} of {answer['answer'] or 'no answer'}"
    said = answer.get("label", ", ".join(answer["labels"]) or "none" if "labels" in answer else answer.get("score"))
    said = f"{said:.4g}" if isinstance(said, float) else str(said)
    return said if row.of in ("None", said) else f"{said}, explained is {row.of}"


def _facts(row, method):
    facts = []
    if method in ADD_UP:
        share = 100 * row.scores.completeness
        facts.append("The sum of the scores differs from the change of the logit by "
                     f"{f'{share:,.2f}' if share >= 0.01 else 'less than 0.01'} %.")
    if row.unread:
        facts.append(f"{row.unread:,} of {len(row.scores):,} words are not read: they are behind the longest row.")
    return note(" ".join(facts)) if facts else ""


def _coloured(row, part, top):
    """Return a text whose words have colours; what stands between them stays."""
    whole, end, pieces = row.texts[part], 0, []
    read = row.scores.row.read
    for place, (begin, stop) in enumerate(row.scores.offsets):
        if row.scores.parts[place] == part:
            pieces += [whole[end:begin], _word(whole[begin:stop], float(row.scores[place]), top, read[place])]
            end = stop
    return join([*pieces, whole[end:]])


def _word(word, score, top, read):
    shade = int(np.ceil(SHADES * abs(score) / top))
    kind = "unread" if not read else f"for heat{shade}" if score > 0 else f"against against{shade}" if score else None
    # A character that turns the direction of writing must not reach beyond its word.
    name = "bdi" if any(letter in word for letter in DIRECTIONS) else "span"
    return element(name, word, class_=kind,
                   title=f"{score:+.4g}" if read else "not read")
