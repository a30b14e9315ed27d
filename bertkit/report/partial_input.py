"""The score of a model that sees only a part of the input: a baseline for spurious cues.

Where the second text alone reveals the label, a high score does not show that a model compares the two. Gururangan et
al. 2018, "Annotation artifacts in natural language inference data"; Poliak et al. 2018, "Hypothesis only baselines in
natural language inference".
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bertkit.report import linear
from bertkit.report.markup import Markup, element, note, number, section, share, table
from bertkit.tasks.answering import Span
from bertkit.tasks.registry import entry_of

MOST = 8_000_000         # the most characters of train rows that are learned from, so that it takes seconds
MODELS = 3               # models, one a class, that learn from so many; with more classes each learns from fewer
MUCH, SOME = 0.5, 0.2     # shares of the gain over the commonest answer


class Probe(NamedTuple):
    """What is shown of an input, and how a linear model learns from it.

    Args:
        views: Function (inputs) -> [(what it shows, whether it is a half, function input -> the texts that are seen)].
        learn: Function (task, view, train, dev) -> the predictions of the dev rows, where `view` is the function of one
            of the views.
    """

    views: Callable[..., Any]
    learn: Callable[..., Any]


def probe(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> dict[str, Any] | None:
    """Score linear models that see half of the input; they learn from train rows and are scored on dev rows.

    The metric is the task's first. Of long train data every n-th row is learned from.

    Args:
        task: The task.
        train: (inputs, targets) as the task has them.
        dev: (inputs, targets) as the task has them.

    Returns:
        {"metric", "rows": {"train", "learned", "dev"}, "majority": score of the commonest answer, "views": [{"sees",
        "half": bool, "score"}]}, or None for a task whose inputs have no halves.
    """
    entry = entry_of(task)
    if entry.probe is None:
        return None
    (views, learn), majority = entry.part("probe"), entry.part("commonest")
    name, metric = next(iter(task.metrics.items()))
    rows = {"train": len(train[0]), "dev": len(dev[0])}
    every = _every(task, train[0])
    train = train[0][::every], train[1][::every]

    def score(predictions):
        return float(metric(*task.metric_inputs(dev[1], predictions)))

    scored = [{"sees": sees, "half": half, "score": score(learn(task, view, train, dev))}
              for sees, half, view in views(train[0])]
    return {"metric": name, "rows": {**rows, "learned": len(train[0])},
            "majority": score(majority(task, train, dev)), "views": scored}


def commonest(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> dict[str, float] | None:
    """Score the commonest answer of train on dev.

    Of scores it is their mean; in a task of tags no word is of an entity, and in one of questions none has an answer.

    Args:
        task: The task.
        train: (inputs, targets) as the task has them.
        dev: (inputs, targets) as the task has them.

    Returns:
        {metric: score on dev}, or None for a task that has no such answer.
    """
    majority = entry_of(task).part("commonest")
    if majority is None:
        return None
    predictions = majority(task, train, dev)
    sides = task.metric_inputs(dev[1], predictions)
    return {name: float(metric(*sides)) for name, metric in task.metrics.items()}


def _every(task, inputs):
    """Return which rows are learned from: every n-th."""
    models = max(1, len(getattr(task, "labels", ())) / MODELS)
    return max(1, math.ceil(models * sum(map(_characters, inputs)) / MOST))


def _characters(example):
    return len(example) if isinstance(example, str) else sum(map(len, example))


def _halves(inputs):
    """Return (name, whether it is a half, function from an input to the texts that are seen) of texts or pairs."""
    if isinstance(inputs[0], str):
        return [("the first half of the words", True, lambda example: (_half(example, 0),)),
                ("the second half of the words", True, lambda example: (_half(example, 1),)),
                ("the whole text", False, lambda example: (example,))]
    return [("the first text", True, lambda example: example[:1]),
            ("the second text", True, lambda example: example[1:2]),
            ("both texts", False, tuple)]


def _half(text, which):
    words = text.split()
    middle = (len(words) + 1) // 2
    return " ".join(words[middle:] if which else words[:middle])


def _endings(inputs):
    return [("the endings without the prompt", True, lambda example: example[1:])]


def _bags(view, train, dev):
    return (linear.bag([view(given) for given in part[0]]) for part in (train, dev))


def _classes(task, view, train, dev):
    """Return [rows, C], what is largest (multi-label: above 0.5) where the class is given."""
    learned, evaluated = _bags(view, train, dev)
    targets = np.asarray(train[1])
    columns = targets.T if targets.ndim == 2 else np.eye(len(task.labels))[targets].T
    if targets.ndim == 1 and len(columns) == 2:
        yes = linear.ridge(learned, columns[1], evaluated)
        return np.stack([1 - yes, yes], axis=1)
    return np.stack([linear.ridge(learned, column, evaluated) for column in columns], axis=1)


def _numbers(task, view, train, dev):
    learned, asked = _bags(view, train, dev)
    return linear.ridge(learned, train[1], asked)


def _choices(task, view, train, dev):
    """Return what each ending gets, an array a row: it is right or not, whatever the prompt."""
    sides = [[view(given) for given in part[0]] for part in (train, dev)]
    learned, evaluated = (linear.bag([(ending,) for endings in side for ending in endings]) for side in sides)
    right = np.concatenate([np.arange(len(endings)) == target
                            for endings, target in zip(sides[0], train[1], strict=True)])
    predicted = linear.ridge(learned, right, evaluated)
    return np.split(predicted, np.cumsum([len(endings) for endings in sides[1]])[:-1])


def commonest_class(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> np.ndarray:
    """Predict for each row how frequent each class is in train.

    Args:
        task: The task, with `labels`.
        train: (inputs, targets), targets class numbers int [rows], or int [rows, C] of 0 and 1.
        dev: (inputs, targets).

    Returns:
        The share of the train rows that have each class, float64 [dev rows, C].
    """
    targets = np.asarray(train[1])
    frequent = targets.mean(axis=0) if targets.ndim == 2 else np.bincount(targets, minlength=len(task.labels))
    return np.tile(frequent / (1 if targets.ndim == 2 else len(targets)), (len(dev[0]), 1))


def mean_score(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> np.ndarray:
    """Predict for each row the mean of all scores of train.

    Args:
        task: Not used.
        train: (inputs, targets), targets scores.
        dev: (inputs, targets).

    Returns:
        The mean, float64 [dev rows].

    Example:
        >>> mean_score(None, (["a", "b"], [1.0, 4.0]), (["c"], [3.0])).tolist()
        [2.5]
    """
    return np.full(len(dev[0]), np.mean(train[1]))


def commonest_place(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> list[np.ndarray]:
    """Predict for each row the place where the right ending stands most often in train.

    Args:
        task: Not used.
        train: (inputs, targets), targets the numbers of the right endings, from 0.
        dev: (inputs, targets), inputs (prompt, ending, ending, ...).

    Returns:
        float64 [endings] of each dev row: 1 at that place, or at the last where a row has fewer endings, and 0
        elsewhere.
    """
    place = int(np.bincount(train[1]).argmax())
    return [np.eye(len(given) - 1)[min(place, len(given) - 2)] for given in dev[0]]


def no_entities(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> list[list[str]]:
    """Predict that no word is of an entity.

    Args:
        task: Not used.
        train: Not used.
        dev: (inputs, targets), targets the tags of each sentence.

    Returns:
        "O" for each word of each dev sentence.

    Example:
        >>> no_entities(None, ([], []), ([("to", "Rome")], [["O", "B-LOC"]]))
        [['O', 'O']]
    """
    return [["O"] * len(tags) for tags in dev[1]]


def no_answer(task: Any, train: tuple[Any, Any], dev: tuple[Any, Any]) -> list[Span]:
    """Predict that no question has an answer.

    Args:
        task: Not used.
        train: Not used.
        dev: (inputs, targets), one target a question.

    Returns:
        An empty `Span` for each dev question.
    """
    return [Span("", -1, -math.inf, 0.0)] * len(dev[1])


HALVES, NUMBERS, ENDINGS = Probe(_halves, _classes), Probe(_halves, _numbers), Probe(_endings, _choices)


def render_probe(result: dict[str, Any], card: Any) -> Markup:
    """Return the section of what `probe` found, beside the model's own score on the card's dev.

    Args:
        result: What `probe` returned.
        card: The `Card`.

    Returns:
        The HTML.
    """
    metric, rows = result["metric"], result["rows"]
    model = card.scores.get("dev", {}).get(metric, {}).get("score")
    scores = [("the commonest answer, whatever the input", result["majority"])]
    scores += [(f"word counts of {view['sees']}", view["score"]) for view in result["views"]]
    scores += [("this model", model)] if model is not None else []
    sentence = element("p", explain_probe(result, model), class_="says") if model is not None else ""
    learned = f"{number(rows['learned'])} of {number(rows['train'])} train rows"
    return section("Cues", note("What a linear model of words and pairs of words reaches when it sees only part of the "
                                f"input, learned on {learned} and scored on {number(rows['dev'])} dev rows. Labels "
                                "that one half gives away are a cue that a model can use without reading the rest "
                                "(Gururangan et al. 2018, Poliak et al. 2018)."),
                   sentence, table(f"Dev {metric}", ("sees", metric), scores))


def explain_probe(result: dict[str, Any], model: float) -> str:
    """Say how much of the model's gain over the commonest answer is reached from half of the input.

    Args:
        result: What `probe` returned.
        model: The model's score.

    Returns:
        A sentence.

    Example:
        >>> explain_probe({"metric": "accuracy", "majority": 0.5, "views": [
        ...     {"sees": "the second text", "half": True, "score": 0.7}]}, 0.75)[:67]
        'From the second text alone, word counts reach 80.0 % of what this m'
    """
    best = max((view for view in result["views"] if view["half"]), key=lambda view: _or_zero(view["score"]))
    floor, score = _or_zero(result["majority"]), _or_zero(best["score"])
    if not model > floor:
        return (f"This model's {result['metric']} ({number(model)}) is not above that of the commonest answer "
                f"({number(floor)}): there is no gain that a cue could explain.")
    part = max(0.0, (score - floor) / (model - floor))
    alone = best["sees"] if best["sees"].startswith("the endings") else f"{best['sees']} alone"
    reach = (f"From {alone}, word counts reach {share(part)} of what this model gains over the "
             f"commonest answer ({number(score)} against {number(model)}, from {number(floor)})")
    if part >= MUCH:
        return f"{reach}: much of this score can be had without the other half, so it shows less than it seems to."
    if part >= SOME:
        return f"{reach}: some of this score can be had without the other half."
    return f"{reach}: little of this score can be had from one half."


def _or_zero(score):
    """Return a score, 0 where it is undefined, as a correlation with a constant is."""
    return 0.0 if math.isnan(score) else score
