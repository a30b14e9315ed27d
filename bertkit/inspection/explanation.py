"""Why a model answers as it does: the words that speak for and against, and whether they are to be believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from bertkit import metrics
from bertkit.errors import Error
from bertkit.inspection import heads
from bertkit.inspection.answers import in_words
from bertkit.inspection.attribution import WordScores, attributed
from bertkit.inspection.comparison import as_texts, cut
from bertkit.inspection.faithfulness import Faithfulness, faithfulness
from bertkit.predictor import Predictor
from bertkit.report.explanation import render_explanation
from bertkit.report.shown import Shown

SHOWN, WORDS = 20, 5        # rows, and words of each, that a screen shows
ENOUGH = 10                 # rows from which on a sentence on a method is more than an anecdote
PARTS = ("label", "labels", "entity", "answer", "start", "score", "beside")        # of an answer, in JSON
COMPARED = ("integrated_gradients", "gradient_x_input", "occlusion", "lime", "rollout")


@dataclass(frozen=True)
class Explained:
    """An answer with the words that speak for it.

    Args:
        texts: What the model reads.
        answer: Its answer, as `predict` gives it.
        target: The label that is explained; None for a score.
        scores: The scores of the words.
        own: How true the scores are of the model.
        random: The same of random scores.
        against: The label in place of which the target was given; None where none was named.
    """

    texts: tuple[str, ...]
    answer: dict[str, Any]
    target: str | None
    scores: WordScores
    own: Faithfulness
    random: Faithfulness
    against: str | None = None

    @property
    def of(self) -> str:
        """What is explained, in words: the target, or "A and not B"."""
        return f"{self.target}" if self.against is None else f"{self.target} and not {self.against}"

    @property
    def unread(self) -> int:
        """How many words the model does not read: they stand behind its longest row, or are no characters to it."""
        return int((~self.scores.row.read).sum())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON.

        Returns:
            {"text", of a pair "second", "label" (of several "labels", of a score "score", of a tagger "entity", of an
            answerer "answer", "start", "score", of an embedder "score", "beside"), "target", "words": [{"text",
            "start", "end", "score", of a pair "part"}], "unread", "completeness", "faithfulness"}, and "against" where
            a label was named.
        """
        paired = len(self.texts) > 1
        words = [{"text": word, "start": start, "end": end, "score": float(score), **({"part": part} if paired else {})}
                 for word, (start, end), part, score in zip(self.scores.words, self.scores.offsets, self.scores.parts,
                                                            self.scores, strict=True)]
        answered: dict[str, Any] = {name: self.answer[name] for name in PARTS if name in self.answer}
        return {"text": self.texts[0], **({"second": self.texts[1]} if paired else {}), **answered,
                "target": self.target, **({} if self.against is None else {"against": self.against}), "words": words,
                "unread": self.unread,
                "completeness": self.scores.completeness,
                "faithfulness": {**vars(self.own), "random": vars(self.random)}}


@dataclass(frozen=True)
class Trust:
    """How much better a method's order of words is than a random one, over rows.

    Args:
        method: The name of the method.
        own: The mean of each measure.
        random: The same of random orders.
        gain: (mean, lower end, upper end) of comprehensiveness − that of random orders, the 95 % bootstrap interval.
        rows: How many rows.
    """

    method: str
    own: Faithfulness
    random: Faithfulness
    gain: tuple[float, float, float]
    rows: int

    @classmethod
    def of(cls, method: str, rows: Sequence[Explained]) -> "Trust":
        """Average rows.

        Args:
            method: The name of the method.
            rows: Its explanations, one or more.

        Returns:
            The `Trust`.
        """
        own, random = (Faithfulness(*(float(np.mean([vars(one)[name] for one in side])) for name in vars(side[0])))
                       for side in ([row.own for row in rows], [row.random for row in rows]))
        gains = np.array([row.own.comprehensiveness - row.random.comprehensiveness for row in rows])
        low, high = metrics.bootstrap(np.mean, gains)
        return cls(method, own, random, (float(gains.mean()), float(low), float(high)), len(rows))

    @property
    def is_better(self) -> bool:
        """Whether it beats random orders by more than chance: its words matter more, and fewer of them suffice."""
        return self.gain[1] > 0 and self.own.sufficiency < self.random.sufficiency


@dataclass(frozen=True)
class Explanation(Shown):
    """Answers of a model with their words.

    Args:
        model: What the model is called.
        method: How the scores were computed.
        rows: The answers.
        trusts: What was measured of `method`, and of the others where they were asked for.
        heads: Of rollout, the heads in numbers (`heads.mean_statistics`); else empty.
    """

    model: str
    method: str
    rows: list[Explained]
    trusts: list[Trust]
    heads: list[dict[str, float]]

    def page(self) -> str:
        """Return it as a page.

        Returns:
            The HTML (see `report.explanation`).
        """
        return render_explanation(self)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON.

        Returns:
            {"model", "method", "rows", "methods": [{"method", the measures, "random", "gain", "low", "high"}],
            "verdict", of rollout "heads": [{"layer", "head", "entropy", "distance", "special"}]}.
        """
        found = [{"method": one.method, **vars(one.own), "random": vars(one.random),
                  **dict(zip(("gain", "low", "high"), one.gain, strict=True))} for one in self.trusts]
        return {"model": self.model, "method": self.method, "rows": [row.to_json() for row in self.rows],
                "methods": found, "verdict": self.verdict(), **({"heads": self.heads} if self.heads else {})}

    def verdict(self) -> str:
        """Return in sentences which scores to believe.

        Returns:
            The sentences.
        """
        if not self.trusts:
            return "There is no row, so nothing was measured."
        count = self.trusts[0].rows
        if count < ENOUGH:
            return (f"Of {count} {'row' if count == 1 else 'rows'} nobody can tell whether a method is true of this "
                    f"model; give {ENOUGH} rows or more with --data, and --compare.")
        best = max(self.trusts, key=lambda one: one.gain[0])
        if not best.is_better:
            return (f"Believe none of these scores: on {count:,} rows no measured method finds words that matter "
                    "more to this model than words drawn at random.")
        others = [one.method for one in self.trusts if one is not best and not one.is_better]
        doubt = f" Do not believe {', '.join(others)}: no better than words drawn at random." if others else ""
        own = "" if len(self.trusts) > 1 else " Other methods were not measured; --compare does it."
        mean, low, high = best.gain
        return (f"For this model believe {best.method} first: on {count:,} rows, hiding its words costs the answer "
                f"{mean:.3f} more than hiding random ones (95 % interval {low:.3f} to {high:.3f}).{doubt}{own}")

    def text(self) -> str:
        """Return it as lines for a person.

        Returns:
            The lines: the strongest words of the first `SHOWN` rows, and what was measured.
        """
        lines = [f"{self.method} on {self.model}"]
        for row in islice(self.rows, SHOWN):
            lines += ["", *map(cut, row.texts), f"  {in_words(row.answer)}" + (
                f"; the scores are for {row.of}" if row.target is not None else "")]
            strongest = np.argsort(-np.abs(row.scores), kind="stable")[:WORDS]
            lines += [f"  {row.scores[number]:>+9.4f}  {cut(row.scores.words[number])}" for number in strongest]
        if len(self.rows) > SHOWN:
            lines += ["", f"{len(self.rows) - SHOWN:,} more rows stand in the page (--out) and in --json."]
        names = ("comprehensiveness", "sufficiency", "deletion", "insertion")
        lines += ["", f"{'':<22}" + "".join(f"{name:>19}" for name in names)]
        orders = [(one.method, one.own) for one in self.trusts]
        orders += [("random words", one.random) for one in self.trusts[:1]]     # the same beside each method
        lines += [f"{label:<22}" + "".join(f"{vars(side)[name]:>19.4f}" for name in names) for label, side in orders]
        return "\n".join([*lines, "", self.verdict()])


def explain(model: Any, inputs: Sequence[Any], method: str = "integrated_gradients", target: str | None = None,
            compare: bool = False, seed: int = 0, against: str | None = None) -> Explanation:
    """Explain answers of a model, and measure whether the explanation is true of it.

    Args:
        model: The folder of a bundle, or a `Predictor`.
        inputs: Texts, or pairs of texts.
        method: "integrated_gradients", "gradient_x_input", "occlusion", "lime", "shap" or "rollout".
        target: The label that is explained; None takes the model's answer to each input.
        compare: Whether the other methods are measured too.
        seed: Of all that is drawn.
        against: A label in place of which the answer was given: why that one, and not this one.

    Returns:
        The `Explanation`.

    Raises:
        Error: When there is no such method or label, or the model's task has no explanations.
    """
    predictor = model if isinstance(model, Predictor) else Predictor(model)
    if isinstance(inputs, str):
        raise Error("One text came in place of a list; put it in a list: [text].")
    rows = _explained(predictor, inputs, method, target, seed, against)
    others = [name for name in COMPARED if compare and name != method and not (against and name == "rollout")]
    measured = {method: rows} | {name: _explained(predictor, inputs, name, target, seed, against) for name in others}
    seen = [(row.scores.logit.batch, row.scores.row.owners) for row in rows if method == "rollout"]
    return Explanation(predictor.version, method, rows,
                       [Trust.of(name, found) for name, found in measured.items() if found],
                       heads.mean_statistics(predictor.model, seen))


def _explained(predictor, inputs, method, target, seed, against):
    scores, answers = attributed(predictor, inputs, method, target, seed, against)
    return [Explained(as_texts(one.row.texts), answer, one.logit.target, one, *faithfulness(one.logit, one, seed),
                      against) for one, answer in zip(scores, answers, strict=True)]
