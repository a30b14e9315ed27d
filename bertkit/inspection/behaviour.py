"""How often a model fails tests of its behaviour: what CheckList calls MFT, INV and DIR (Ribeiro et al. 2020, ACL)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bertkit import metrics
from bertkit.errors import Error
from bertkit.inspection.answers import are_same, decision, in_words, is_score, tolerance_of
from bertkit.inspection.cases import Case
from bertkit.inspection.comparison import as_texts, cut
from bertkit.predictor import Predictor
from bertkit.report.behaviour import render_behaviour
from bertkit.report.shown import Shown

SHOWN = 3           # failures of each test that a screen shows


@dataclass(frozen=True)
class Failure:
    """A case that a model fails.

    Args:
        text: What the model reads.
        changed: The same, changed; () of an mft.
        wanted: What the test asks for, in words.
        got: What the model answers, in words.
    """

    text: tuple[str, ...]
    changed: tuple[str, ...]
    wanted: str
    got: str


@dataclass(frozen=True)
class BehaviourTest:
    """What one test found.

    Args:
        name: Its name.
        kind: "mft", "inv" or "dir".
        cases: How many cases it has.
        failures: Those that the model fails.
    """

    name: str
    kind: str
    cases: int
    failures: list[Failure]

    @property
    def rate(self) -> float:
        """The share of cases that fail."""
        return len(self.failures) / self.cases

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON.

        Returns:
            {"name", "kind", "cases", "failed", "rate", "low", "high", "failures"}; low and high are Wilson's 95 %
            interval of the rate.
        """
        low, high = metrics.wilson(len(self.failures), self.cases)
        return {"name": self.name, "kind": self.kind, "cases": self.cases, "failed": len(self.failures),
                "rate": self.rate, "low": low, "high": high, "failures": [vars(one) for one in self.failures]}


@dataclass(frozen=True)
class Behaviour(Shown):
    """What all tests found.

    Args:
        model: What the model is called.
        tests: A `BehaviourTest` of each test, in the order of the cases.
        notes: Sentences on how the cases were made.
    """

    model: str
    tests: list[BehaviourTest]
    notes: tuple[str, ...] = ()

    def page(self) -> str:
        """Return it as a page.

        Returns:
            The HTML (see `report.behaviour`).
        """
        return render_behaviour(self)

    def to_json(self) -> dict[str, Any]:
        """Return the results as JSON.

        Returns:
            {"model", "tests", "notes"}.
        """
        return {"model": self.model, "tests": [test.to_json() for test in self.tests], "notes": list(self.notes)}

    def text(self) -> str:
        """Return the results as lines for a person.

        Returns:
            The lines: a table, and `SHOWN` failures of each test.
        """
        lines = [f"{'test':<32}{'kind':<6}{'failed':>8}{'of':>8}{'rate':>8}   95 % interval"]
        for test in self.tests:
            low, high = metrics.wilson(len(test.failures), test.cases)
            lines.append(f"{test.name:<32}{test.kind:<6}{len(test.failures):>8,}{test.cases:>8,}{test.rate:>8.1%}   "
                         f"{low:.1%} to {high:.1%}")
        for test in self.tests:
            for one in islice(test.failures, SHOWN):
                lines += ["", f"{test.name}: wanted {one.wanted}; got {one.got}", *(f"    {cut(t)}" for t in one.text),
                          *(f" -> {cut(t)}" for t in one.changed)]
        return "\n".join([*lines, "", *self.notes, *([] if not any(test.failures for test in self.tests) else [
            "All failures stand in --json and in the page (--out)."])])


def behave(predictor: Predictor, cases: Sequence[Case], notes: Sequence[str] = ()) -> Behaviour:
    """Ask a model each case, and count those that it fails.

    Args:
        predictor: The model.
        cases: The cases; those of one name are a test.
        notes: Sentences on how the cases were made, which the result repeats.

    Returns:
        The `Behaviour`.

    Raises:
        Error: When a case does not fit the model's task.
    """
    asked = {text: case for case in cases for text in (case.text, case.changed) if text is not None}
    unique = [_checked(predictor.task, case, text) for text, case in asked.items()]
    answers = dict(zip(asked, predictor.predict(unique), strict=True))
    tests: dict[str, tuple[str, list[Any]]] = {}
    for case in cases:
        before, after = answers[case.text], None if case.changed is None else answers[case.changed]
        _, judged = tests.setdefault(case.name, (case.kind, []))
        try:
            judged.append(judge(predictor.task, case, before, after))
        except Error as error:
            raise Error(f"{case.place}: {error}") from None
    results = [BehaviourTest(name, kind, len(judged), [one for one in judged if one is not None])
               for name, (kind, judged) in tests.items()]
    return Behaviour(predictor.version, results, tuple(notes))


def _checked(task, case, text):
    """Return an input of the task; raises `Error` with the place of the case for what is none."""
    try:
        given, = task.check_inputs([text])
    except Error as error:
        raise Error(f"{case.place}: {str(error).removeprefix('Row 1 is ')}") from None
    return given


def judge(task: Any, case: Case, before: dict[str, Any], after: dict[str, Any] | None = None) -> Failure | None:
    """Return how a model fails a case.

    Args:
        task: The model's task.
        case: The case.
        before: Its answer to `case.text`.
        after: Its answer to `case.changed`; None of an mft.

    Returns:
        The `Failure`, or None where the model does what the case asks for.

    Raises:
        Error: When the case asks for what the task does not have, such as a class.
    """
    if case.kind == "mft":
        failed, wanted, got = not _is_right(task, case, before), _label_in_words(case.label), in_words(before)
    elif case.kind == "inv":
        failed, wanted, got = not are_same(task, before, after or {}, case.tolerance), *map(
            in_words, (before, after or {}))
    else:
        target, one, other = _watched(task, case, before, after)
        allowed, sign = case.tolerance or 0.0, 1 if case.direction == "down" else -1
        failed = sign * (other - one) > allowed
        wanted = f"{target} not {'above' if sign > 0 else 'below'} {one + sign * allowed:.3f}"
        got = f"{other:.3f}"
    changed = () if case.changed is None else as_texts(case.changed)
    return Failure(as_texts(case.text), changed, wanted, got) if failed else None


def _is_right(task, case, answer):
    """Return whether an answer is what an mft asks for."""
    label = case.label
    if "label" in answer:
        return answer["label"] == _class(task, label)
    if "labels" in answer:
        return decision(answer) == tuple(sorted(_class(task, one) for one in (
            label if isinstance(label, list) else [label])))
    if "entities" in answer:
        return [(one["text"], one["type"]) for one in answer["entities"]] == [_entity(one) for one in _listed(label)]
    if "answer" in answer:
        return decision(answer) in {metrics.normalize_answer(str(one)) for one in _listed(label)}
    wanted = _number(label)
    return abs(decision(answer) - wanted) <= (tolerance_of(task, case.tolerance) if is_score(answer) else 0)


def _watched(task, case, before, after):
    """Return (what is watched, its number before, its number after) of a dir."""
    if is_score(before):
        return "the score", before["score"], after["score"]
    if "probabilities" not in before:
        raise Error(f"a dir watches a probability or a score, and the task {task.name} answers with neither; use "
                    "mft or inv.")
    if "choice" in before:
        target = before["choice"] if case.target is None else int(_number(case.target))
        if not 0 <= target < min(len(before["probabilities"]), len(after["probabilities"])):
            raise Error(f"target is {target}, which is the number of no ending; count them from 0.")
    elif "label" not in before and case.target is None:
        raise Error("a dir needs a target, the label whose probability is watched, where a text may have several.")
    else:
        target = before["label"] if case.target is None else _class(task, case.target)
    return f"the probability of {target}", before["probabilities"][target], after["probabilities"][target]


def _class(task, name):
    if str(name) not in task.labels:
        raise Error(f"{name!r:.40} is none of the model's labels ({', '.join(task.labels)}); give one of them.")
    return str(name)


def _listed(label):
    return label if isinstance(label, list) else [label]


def _entity(one):
    """Return (text, type) of an entity, written as {"text", "type"} or as [text, type]."""
    pair = (one.get("text"), one.get("type")) if isinstance(one, dict) else tuple(one) if isinstance(one, list) else ()
    if len(pair) != 2 or not all(isinstance(part, str) for part in pair):
        raise Error(f'the label has {one!r:.40}, wanted [["text", "type"], ...].')
    return pair


def _number(label):
    try:
        return float(label)
    except (TypeError, ValueError):
        raise Error(f"{label!r:.40} is no number, as this model's answers are; give one.") from None


def _label_in_words(label):
    return ", ".join(" ".join(map(str, one.values())) if isinstance(one, dict) else
                     " ".join(map(str, one)) if isinstance(one, list) else str(one) for one in _listed(label)) or "none"
