"""What one check says of a subject, and the words in which it says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["healthy", "suspect", "ill", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One check of the contract, with its verdict and what was measured.

    Args:
        check: Its name, one of `bertkit.doctor.CHECKS`.
        verdict: `"ill"`: sure, and it is this. `"suspect"`: a sign that has other explanations, or a choice that is
            rarely right. `"healthy"`: looked, found within the limit. `"unknown"`: not
            looked; `evidence["reason"]` says why.
        message: One sentence.
        evidence: The measured numbers with the limits they are held to, texts or lists; JSON can hold it.
        cost: What it costs the user.
        remedy: What to do.
        source: The paper or file that it is judged by.
    """
    check: str
    verdict: Verdict
    message: str
    evidence: dict[str, Any]
    cost: str = ""
    remedy: str = ""
    source: str = ""


@dataclass(frozen=True)
class Measured:
    """What the function of a check returns: a verdict, a sentence and numbers; the rest stands in the table.

    Args:
        verdict: As in `Finding`.
        message: One sentence; empty where healthy says all.
        evidence: Numbers (finite), texts, or lists of them.
        remedy: What to do, where it is more exact than the table's own remedy.
    """
    verdict: Verdict
    message: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""


def healthy(message: str = "", /, **evidence: Any) -> Measured:
    """Looked, and found within the limit.

    Args:
        message: One sentence, or empty.
        **evidence: What was measured, with the limit.

    Returns:
        The verdict.
    """
    return Measured("healthy", message, evidence)


def suspect(message: str, remedy: str = "", /, **evidence: Any) -> Measured:
    """A sign that has other explanations, or a choice that is rarely right.

    Args:
        message: One sentence.
        remedy: What to do, where the table's own remedy is too general.
        **evidence: What was measured, with the limit.

    Returns:
        The verdict.
    """
    return Measured("suspect", message, evidence, remedy)


def ill(message: str, remedy: str = "", /, **evidence: Any) -> Measured:
    """Sure, and it is this.

    Args:
        message: One sentence.
        remedy: What to do, where the table's own remedy is too general.
        **evidence: What was measured, with the limit.

    Returns:
        The verdict.
    """
    return Measured("ill", message, evidence, remedy)


def needs(what: str) -> Measured:
    """Not looked, because something was not given.

    Args:
        what: What to give.

    Returns:
        The verdict.
    """
    return Measured("unknown", "", {"reason": f"needs {what}"})


def does_not_apply(why: str) -> Measured:
    """Not looked, because the subject has no such part.

    Args:
        why: A few words.

    Returns:
        The verdict.
    """
    return Measured("unknown", "", {"reason": f"does not apply: {why}"})


def failed(error: Exception) -> Measured:
    """Not looked, because the subject raised an error.

    Args:
        error: What was raised.

    Returns:
        The verdict.
    """
    said = " ".join(str(error).split())[:300]
    return Measured("unknown", "", {"reason": f"failed: {type(error).__name__}: {said}"})
