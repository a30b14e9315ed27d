"""Which entities a tagger finds, confuses, misses and invents; the worst sentences with both sides marked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from bertkit.metrics.entity import entities, entity_scores
from bertkit.report.markup import Markup, element, escape_html, join, note, quoting, section, side_by_side, table
from bertkit.text.words import words

WORST = 15
COMMONEST = 20
OUTCOMES = ("right", "other type", "other boundaries", "missed", "invented")


def sections(task: Any, dev: dict[str, Any]) -> Markup:
    """Return the sections of tagged sentences.

    Args:
        task: A `Tagging`.
        dev: {"inputs": texts or lists of words, "targets": tags of each, "predictions": tags of each}.

    Returns:
        The HTML.
    """
    targets, predictions = dev["targets"], dev["predictions"]
    sides = [(entities(gold), entities(tags)) for gold, tags in zip(targets, predictions, strict=True)]
    events = [event for pair in sides for event in match_entities(*pair)]
    by_type = entity_scores(targets, predictions)["by_type"]
    sentences = [_words(example) for example in dev["inputs"]]
    return join([section("Types", side_by_side(type_table(by_type), outcome_table(events))),
                 section("Confusions", confusion_table(events)),
                 quoting(dev, "Worst sentences", worst_examples, sentences, sides)])


def _words(example):
    return [example[start:end] for start, end in words(example)] if isinstance(example, str) else example


def match_entities(gold: Sequence[tuple[str, int, int]],
                   predicted: Sequence[tuple[str, int, int]]) -> list[tuple[str, Any, Any]]:
    """Compare a sentence's true entities with those that were found.

    A true entity is right, of another type (the same words), of other boundaries (words in common) or missed. A found
    one that has no word in common with a true one is invented.

    Args:
        gold: (type, first word, last word + 1) of the true entities.
        predicted: The same of the found entities.

    Returns:
        (outcome, true type, found type) of each.

    Example:
        >>> match_entities([("PER", 0, 2), ("LOC", 4, 5)], [("PER", 0, 1), ("ORG", 4, 5), ("LOC", 7, 8)])
        [('other boundaries', 'PER', 'PER'), ('other type', 'LOC', 'ORG'), ('invented', None, 'LOC')]
    """
    events: list[tuple[str, Any, Any]] = []
    for kind, first, last in gold:
        near = sorted((other for other in predicted if _touch((kind, first, last), other)),
                      key=lambda other: (other[1:] != (first, last), other[0] != kind, other))
        if not near:
            events.append(("missed", kind, None))
        elif near[0][1:] != (first, last):
            events.append(("other boundaries", kind, near[0][0]))
        else:
            events.append(("right" if near[0][0] == kind else "other type", kind, near[0][0]))
    return events + [("invented", None, one[0]) for one in predicted if not any(_touch(one, other) for other in gold)]


def _touch(one, other):
    return one[1] < other[2] and other[1] < one[2]


def type_table(scores: dict[str, dict[str, Any]]) -> Markup:
    """Return a table of precision, recall, F1 and support of each type.

    Args:
        scores: {type: {"support", "precision", "recall", "f1"}}, from `entity_scores`.

    Returns:
        The HTML.
    """
    rows = [(kind, part["support"], part["precision"], part["recall"], part["f1"]) for kind, part in scores.items()]
    return table("Scores of each type; an entity counts where its type and all of its words are right",
                 ("type", "true", "precision", "recall", "F1"), rows)


def outcome_table(events: Sequence[tuple[str, Any, Any]]) -> Markup:
    """Return a table of the outcomes of the entities of each type.

    Args:
        events: What `match_entities` returned, of all sentences.

    Returns:
        The HTML.
    """
    counts = Counter((true or given, outcome) for outcome, true, given in events)
    kinds = sorted({kind for kind, _ in counts})
    return table("What became of the entities of each type", ("type", *OUTCOMES),
                 [(kind, *(counts[kind, outcome] for outcome in OUTCOMES)) for kind in kinds])


def confusion_table(events: Sequence[tuple[str, Any, Any]]) -> Markup:
    """Return the most frequent errors: which true type was found as what.

    Args:
        events: What `match_entities` returned, of all sentences.

    Returns:
        The HTML.
    """
    counts = Counter((true or "nothing", predicted or "nothing", outcome) for outcome, true, predicted in events
                     if outcome != "right")
    if not counts:
        return note("Every entity was found as it is, and no other.")
    rows = [(true, predicted, outcome, times) for (true, predicted, outcome), times in
            sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:COMMONEST]]
    return table(f"The {len(rows)} commonest of {len(counts)} kinds of error", ("true", "given", "error", "entities"),
                 rows, words=("true", "given", "error"))


def worst_examples(sentences: Sequence[list[str]], sides: Sequence[tuple[Any, Any]]) -> Markup:
    """Return the sentences with the most wrong entities, the true ones marked above and the found ones below.

    Args:
        sentences: The words of each sentence.
        sides: (true entities, found entities) of each.

    Returns:
        The HTML.
    """
    wrong = [len(set(gold) ^ set(found)) for gold, found in sides]
    order = sorted((row for row in range(len(sides)) if wrong[row]), key=lambda row: (-wrong[row], row))
    if not order:
        return note("No sentence has a wrong entity.")
    rows = [(row + 1, join([_side("true: ", sentences[row], sides[row][0]),
                            _side("given: ", sentences[row], sides[row][1])]), wrong[row]) for row in order[:WORST]]
    return table(f"{len(rows)} of {len(order)} sentences with a wrong entity; the number counts entities that stand on "
                 "one side only", ("sentence", "text", "wrong"), rows, words=("text",))


def _side(name, sentence, predicted):
    return element("div", element("small", name), element("bdi", mark_entities(sentence, predicted)))


def mark_entities(sentence: Sequence[str], spans: Iterable[tuple[str, int, int]]) -> Markup:
    """Return the words with each entity marked and its type behind it.

    Args:
        sentence: The words.
        spans: (type, first word, last word + 1) of each entity.

    Returns:
        The HTML.

    Example:
        >>> mark_entities(["in", "Rome"], [("LOC", 1, 2)])
        'in <mark>Rome<sub>LOC</sub></mark>'
    """
    parts: list[str] = []
    place = 0
    for kind, first, last in sorted(spans, key=lambda entity: entity[1:]):
        parts += [*sentence[place:first], element("mark", " ".join(sentence[first:last]), element("sub", kind))]
        place = last
    return Markup(" ".join(escape_html(part) for part in [*parts, *sentence[place:]]))
