"""Run the checks of the table over a case, and let nothing that a subject does stop the others."""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bertkit.config import EncoderConfig
from bertkit.doctor.case import Batch, Case, Weights
from bertkit.doctor.checks import CHECKS, TABLE, Check
from bertkit.doctor.finding import Finding, Measured, failed, needs
from bertkit.doctor.settings import complete, without_prefix
from bertkit.doctor.subjects import Subject, own_weights, rebuilt, undisturbed
from bertkit.errors import Error


def examine(subject: Any, config: Mapping[str, Any] | EncoderConfig | str | Path, *, weights: Weights | None = None,
            build: Callable[..., Any] | None = None, tokenizer: Callable[..., Batch] | None = None,
            vocabulary: list[str] | None = None, training: Callable[[], Mapping[str, Any]] | None = None,
            against: Any = None, precision: str = "float32", only: Iterable[str] | None = None,
            seed: int = 0) -> list[Finding]:
    """Examine an implementation of an encoder from outside.

    Args:
        subject: A Keras model, a torch module with the signature of transformers, or a callable `batch -> outputs`;
            None where only what else is given is to be examined.
        config: The entries of a Hugging Face config.json, an `EncoderConfig`, or the path of a config.json.
        weights: {name under Hugging Face names: array of any shape and dtype}, what the subject claims to compute with.
            A torch module and a bertkit encoder bring their own.
        build: `build(weights)` -> the same implementation with other weights of the same shapes.
        tokenizer: `tokenizer(first, second=None, length=N)` -> batch.
        vocabulary: The tokenizer's entries in order.
        training: A function that gives a fresh mapping that describes training, the same at each call.
        against: A second subject that should answer the same.
        precision: What the subject computes in: "float32", "float16", "bfloat16" or "int8".
        only: The checks to make; None makes all.
        seed: All that is drawn follows from it.

    Returns:
        The findings, one for each check, in the order of `CHECKS`.

    Raises:
        Error: When an argument is not what it should be.
    """
    entries = complete(config)
    if weights is None:
        weights = own_weights(subject)
    one = Subject.of(subject)
    case = Case(one, entries, without_prefix(weights, entries), rebuilt(build, weights, entries),
                tokenizer, vocabulary, training, Subject.of(against), precision, seed=seed,
                kind="none" if one is None else one.kind)
    with undisturbed(subject, against):
        return examine_case(case, only)


def examine_case(case: Case, only: Iterable[str] | None = None) -> list[Finding]:
    """Make the checks of the table.

    Args:
        case: What is examined.
        only: The checks to make; None makes all.

    Returns:
        The findings, one for each check, in the order of `CHECKS`.

    Raises:
        Error: When `only` names a check that there is not.
    """
    asked = set(CHECKS if only is None else only)
    if wrong := sorted(asked - set(CHECKS)):
        raise Error(f"There is no check {', '.join(wrong)}; the checks are {', '.join(CHECKS)}.")
    return [_finding(check, _measured(check, case) if check.name in asked
                     else needs("to be asked for: only= leaves it out"))
            for check in TABLE]


def assert_healthy(subject: Any, config: Mapping[str, Any] | EncoderConfig | str | Path, *,
                   accept: Iterable[str] = (), **given: Any) -> None:
    """Fail a test unless nothing of a subject is ill.

    Args:
        subject: As for `examine`.
        config: As for `examine`.
        accept: Checks that may be ill.
        **given: Further arguments of `examine`.

    Raises:
        AssertionError: When a check is ill; the message says which, and what was measured.
        Error: When an argument is not what it should be.
    """
    found = [finding for finding in examine(subject, config, **given)
             if finding.verdict == "ill" and finding.check not in set(accept)]
    assert not found, "\n".join(f"{each.check} is ill: {each.message} {each.remedy} {each.evidence}" for each in found)


def _measured(check: Check, case: Case) -> Measured:
    """Return what a check says; what is raised in it is said, too."""
    function = check.function()
    if function is None:
        return needs("a newer bertkit: this one does not make this check")
    try:
        with np.errstate(all="ignore"):
            return function(case)
    except Exception as error:
        return failed(error)


def _finding(check: Check, measured: Measured) -> Finding:
    """Return the finding of a check: its own words, and what was measured as JSON can hold it."""
    evidence = {name: _plain(value) for name, value in measured.evidence.items()}
    message = measured.message or {"healthy": f"Within the limit: {check.measures}."}.get(measured.verdict, "")
    return Finding(check.name, measured.verdict, message, evidence, check.cost, measured.remedy or check.remedy,
                   check.source)


def _plain(value: Any) -> Any:
    """Return a number, text or list that JSON can hold; what is not finite becomes text."""
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, bool | int | float | str) else str(value)
