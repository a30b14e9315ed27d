"""Which part of a student follows which part of its teacher: distillation as data, and the lists of four papers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

from bertkit import kinds
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.files.atomic import read_text
from bertkit.files.schema import Maybe, Number, Only, Whole, parse

ANSWERS = "answers"     # the name of what a model gives, beside those of the trace
# What a name of the trace can be compared by; of attention the first two take probabilities, the others projections.
LOSSES = {"hidden": ("mse", "cosine"), "attention": ("kl", "mse", "scores", "queries", "keys", "values"),
          ANSWERS: ("soft",)}
RELATIONS = ("queries", "keys", "values")
PROJECTED = ("scores", *RELATIONS)
NAME = re.compile(r"(hidden|attention)/([0-9]{1,4})")
_SHAPE = Only({"teacher": str, "student": str, "loss": str, "weight": Maybe(Number(0, 1e6)),
               "heads": Maybe((Whole(1, 10**4), None))})
# Where queries, keys and values are made of the vectors that enter a block, or of these behind a norm.
_PLAIN_BLOCKS = (kinds.PostNorm, kinds.GatedPost, kinds.PreNorm)


@dataclass(frozen=True)
class Match:
    """One part of the student that is drawn to one part of the teacher.

    Args:
        teacher: The name of the teacher's part in `encoder(batch, trace=True)["trace"]`: "hidden/0" (the embeddings) to
            "hidden/L", "attention/1" to "attention/L"; or "answers".
        student: The name of the student's part, of the same kind.
        loss: Of hidden vectors "mse" or "cosine"; of attention "kl" or "mse" (its probabilities), "scores" (before the
            softmax), "queries", "keys" or "values" (how alike the tokens are in them); of answers "soft".
        weight: The factor in the sum of all losses.
        heads: A_r, the heads into which queries, keys or values are split for a relation; None takes the teacher's
            where both models have as many, else as many as divide both.

    Example:
        >>> Match("hidden/12", "hidden/6", "cosine", 0.2).loss
        'cosine'
    """

    teacher: str
    student: str
    loss: str
    weight: float = 1.0
    heads: int | None = None

    def __str__(self):
        return f"{self.teacher} -> {self.student} ({self.loss})"

    @property
    def of_tokens(self) -> bool:
        """Whether single tokens are compared, which must be the same pieces of the text to both models."""
        return self.teacher != ANSWERS

    def layer(self, side: str) -> int:
        """Return the number of the layer of a side.

        Args:
            side: "teacher" or "student".

        Returns:
            The number; 0 is that of the embeddings.
        """
        found = NAME.fullmatch(getattr(self, side))
        return int(found[2]) if found else 0

    def check(self, teacher: EncoderConfig, student: EncoderConfig) -> None:
        """Check that both models have the parts, and that these can be compared.

        Args:
            teacher: The `EncoderConfig` of the teacher.
            student: That of the student.

        Raises:
            Error: when they cannot.
        """
        sorts = {self._sort(getattr(self, side), side, config)
                 for side, config in (("teacher", teacher), ("student", student))}
        if len(sorts) != 1 or self.loss not in LOSSES[min(sorts)]:
            known = "; ".join(f"{sort} {', '.join(losses)}" for sort, losses in LOSSES.items())
            raise Error(f"The match {self} compares {' with '.join(sorted(sorts))} by {self.loss}; these are compared: "
                        f"{known}.")
        if sorts == {"attention"} and self.loss not in RELATIONS and teacher.num_heads != student.num_heads:
            raise Error(f"The match {self} compares heads one by one, and the teacher has {teacher.num_heads}, the "
                        f"student {student.num_heads}; give the student as many, or take queries, keys or values.")
        if self.loss in PROJECTED:
            for side, config in (("teacher", teacher), ("student", student)):
                self._check_projections(side, config)
        if self.loss in RELATIONS:
            self.relation_heads(teacher, student)

    def relation_heads(self, teacher: EncoderConfig, student: EncoderConfig) -> int:
        """Return into how many heads queries, keys or values are split.

        Args:
            teacher: The `EncoderConfig` of the teacher.
            student: That of the student.

        Returns:
            The number.

        Raises:
            Error: when `heads` does not divide the width of either side.
        """
        one, other = (config.num_heads * config.head_dim for config in (teacher, student))
        if self.heads is None:
            return teacher.num_heads if teacher.num_heads == student.num_heads else gcd(
                gcd(one, other), teacher.num_heads)
        if one % self.heads or other % self.heads:
            raise Error(f"The match {self} splits {one} and {other} features into {self.heads} heads; give a number "
                        "that divides both.")
        return self.heads

    def _sort(self, name, side, config):
        """Return what a name stands for: "hidden", "attention" or "answers"."""
        found = NAME.fullmatch(name)
        if name == ANSWERS:
            return ANSWERS
        first = 0 if name.startswith("hidden") else 1
        if not found or not first <= int(found[2]) <= config.num_layers:
            raise Error(f"The match {self} names {name!r:.30}, and the {side} has hidden/0 to "
                        f"hidden/{config.num_layers}, attention/1 to attention/{config.num_layers}, and answers.")
        return found[1]

    def _check_projections(self, side, config):
        attention = config.attention_of(self.layer(side) - 1)
        full = isinstance(attention, kinds.Full)
        if not isinstance(config.block, _PLAIN_BLOCKS) or not (full or self.loss != "scores"
                                                               and isinstance(attention, kinds.Rotary)):
            raise Error(f"The match {self} reads the {self.loss} of a {config.family} "
                        f"({type(config.block).__name__}, {type(attention).__name__}), which are not told apart there; "
                        "take its attention by kl, or its hidden vectors.")


def distilbert(teacher: int, student: int) -> list[Match]:
    """Return the matches of DistilBERT: the last hidden vectors, by their cosine.

    The weight is that beside the soft targets in the released command, 1.0 to 5.0 (Sanh et al. 2019, its code).

    Args:
        teacher: The number of the teacher's layers.
        student: That of the student's.

    Returns:
        The matches.

    Example:
        >>> [str(match) for match in distilbert(12, 6)]
        ['hidden/12 -> hidden/6 (cosine)']
    """
    return [Match(f"hidden/{teacher}", f"hidden/{student}", "cosine", 0.2)]


def tinybert(teacher: int, student: int) -> list[Match]:
    """Return the matches of TinyBERT: embeddings, and scores and hidden vectors of layer m with those of m N / M.

    Jiao et al. 2019, section 3.1; where M does not divide N the layer is rounded.

    Args:
        teacher: N, the number of the teacher's layers.
        student: M, that of the student's.

    Returns:
        The matches.

    Example:
        >>> [match.teacher for match in tinybert(12, 4) if match.loss == "mse"]
        ['hidden/0', 'hidden/3', 'hidden/6', 'hidden/9', 'hidden/12']
    """
    places = [(round(layer * teacher / student), layer) for layer in range(student + 1)]
    return [*(Match(f"hidden/{theirs}", f"hidden/{ours}", "mse") for theirs, ours in places),
            *(Match(f"attention/{theirs}", f"attention/{ours}", "scores") for theirs, ours in places[1:])]


def minilm(teacher: int, student: int) -> list[Match]:
    """Return the matches of MiniLM: attention and relations of values of the last layers (Wang et al. 2020, section 3).

    Args:
        teacher: The number of the teacher's layers.
        student: That of the student's.

    Returns:
        The matches.

    Example:
        >>> [match.loss for match in minilm(12, 6)]
        ['kl', 'values']
    """
    return [Match(f"attention/{teacher}", f"attention/{student}", loss) for loss in ("kl", "values")]


def minilmv2(teacher: int, student: int) -> list[Match]:
    """Return the matches of MiniLMv2: relations of queries, keys and values of the last layers.

    Wang et al. 2021 (arXiv 2012.15828), section 3; for large teachers it takes a layer above the middle.

    Args:
        teacher: The number of the teacher's layers.
        student: That of the student's.

    Returns:
        The matches.

    Example:
        >>> [match.loss for match in minilmv2(12, 6)]
        ['queries', 'keys', 'values']
    """
    return [Match(f"attention/{teacher}", f"attention/{student}", loss) for loss in RELATIONS]


def mobilebert(teacher: int, student: int) -> list[Match]:
    """Return the matches of MobileBERT: feature maps and attention of each layer (Sun et al. 2020, section 3.5).

    Args:
        teacher: The number of the teacher's layers.
        student: That of the student's, the same.

    Returns:
        The matches.

    Raises:
        Error: when the numbers differ.

    Example:
        >>> [match.student for match in mobilebert(2, 2)]
        ['hidden/1', 'attention/1', 'hidden/2', 'attention/2']
    """
    if teacher != student:
        raise Error(f"MobileBERT's matches are layer by layer, and the teacher has {teacher} layers, the student "
                    f"{student}; give a student of as many, or tinybert.")
    return [Match(f"{name}/{layer}", f"{name}/{layer}", loss) for layer in range(1, student + 1)
            for name, loss in (("hidden", "mse"), ("attention", "kl"))]


PAPERS = {function.__name__: function for function in (distilbert, tinybert, minilm, minilmv2, mobilebert)}


def matches_of(given: Any, teacher: EncoderConfig, student: EncoderConfig) -> list[Match]:
    """Return the matches that a user gave, checked, with that of the answers where it is not among them.

    Args:
        given: None; a list of `Match`; the name of a paper's list; or a JSON file, a list of {"teacher", "student",
            "loss", "weight", "heads"}.
        teacher: The `EncoderConfig` of the teacher.
        student: That of the student.

    Returns:
        The matches, the answers first.

    Raises:
        Error: when the file holds something else, or a match does not fit the models.
    """
    found = given or []
    if isinstance(given, str) and given in PAPERS:
        found = PAPERS[given](teacher.num_layers, student.num_layers)
    elif isinstance(given, str | Path):
        found = read_matches(given)
    for match in found:
        if not isinstance(match, Match):
            raise Error(f"{match!r:.60} came where a Match was wanted.")
        match.check(teacher, student)
    if len({(match.teacher, match.student, match.loss) for match in found}) < len(found):
        raise Error("A match comes twice; give each once, with its weight.")
    answers = [match for match in found if not match.of_tokens] or [Match(ANSWERS, ANSWERS, "soft")]
    return [*answers, *(match for match in found if match.of_tokens)]


def read_matches(path: str | Path) -> list[Match]:
    """Read matches from a JSON file.

    Args:
        path: A list of objects {"teacher", "student", "loss"}, and "weight" and "heads" where they are not 1 and None.

    Returns:
        The matches.

    Raises:
        Error: when the file holds something else.
    """
    if Path(path).suffix != ".json":
        raise Error(f"matches={path!s:.60} is no .json file, and no list of a paper: {', '.join(PAPERS)}.")
    advice = 'give a list of {"teacher": "hidden/4", "student": "hidden/2", "loss": "mse", "weight": 1}'
    rows: Any = parse(read_text(path), path, [_SHAPE], advice)
    return [Match(**{name: value for name, value in row.items() if value is not None}) for row in rows]


def to_json(matches: Sequence[Match]) -> list[dict[str, Any]]:
    """Return matches as JSON values, which `read_matches` reads.

    Args:
        matches: The matches.

    Returns:
        A list of their fields; `heads` only where it is given.
    """
    return [{name: value for name, value in vars(match).items() if value is not None} for match in matches]
