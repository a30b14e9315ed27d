"""The examination of a path, as the command gives it: findings, a table for a terminal, a page, an exit code."""

import json
import shutil
import textwrap
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertkit.doctor.checks import CHECKS
from bertkit.doctor.finding import Finding
from bertkit.doctor.folders import case_of, kind_of
from bertkit.errors import Error
from bertkit.files.atomic import read_text

# What needs no model and less than a second.
QUICK = ("finite", "labels", "vocabulary", "special-ids", "casing", "accents", "tokens", "truncation")
ILL = 3                     # the exit code where something is ill
# The organs under which findings stand: each name is that of the first check of its part of the list.
ORGANS = {"reference": "Mathematics of the encoder", "padding": "Masks, rows and lengths",
          "gradients": "Gradients and numbers",
          "tensors": "Files", "vocabulary": "Tokenizer", "weight-decay": "Training", "cost": "Cost and peers"}
ORDER = {"ill": 0, "suspect": 1, "healthy": 2, "unknown": 3}


@dataclass(frozen=True)
class Examination:
    """What an examination of a path found.

    Args:
        subject: "kind", "family", "parameters" and others; what is not known is None.
        findings: One for each check, in the order of `CHECKS`.
        data: Those of the rows, or None without rows.
        seconds: How long it took.
        accepted: Checks that are known and do not change the exit code.
    """
    subject: dict[str, Any]
    findings: list[Finding]
    data: list[Finding] | None
    seconds: float
    accepted: frozenset[str] = frozenset()

    @property
    def ill(self) -> list[Finding]:
        """The findings that are ill, accepted ones too."""
        return [finding for finding in (*self.findings, *(self.data or ())) if finding.verdict == "ill"]

    @property
    def exit_code(self) -> int:
        """0, or 3 where something is ill that was not accepted."""
        return ILL if any(finding.check not in self.accepted for finding in self.ill) else 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON values.

        Returns:
            {"subject", "findings", "data" where there are rows, "seconds"}.
        """
        rows = {} if self.data is None else {"data": [asdict(finding) for finding in self.data]}
        return {"subject": self.subject, "findings": [asdict(finding) for finding in self.findings], **rows,
                "seconds": round(self.seconds, 3)}

    def groups(self) -> list[tuple[str, list[Finding]]]:
        """Return the findings by organ, the worst first in each.

        Returns:
            (name of the organ, its findings).
        """
        found: list[tuple[str, list[Finding]]] = []
        for finding in self.findings:
            if finding.check in ORGANS or not found:
                found.append((ORGANS.get(finding.check, "Checks"), []))
            found[-1][1].append(finding)
        if self.data is not None:
            found.append(("Data", list(self.data)))
        return [(name, sorted(part, key=lambda finding: ORDER[finding.verdict])) for name, part in found]

    def summary(self) -> str:
        """Return what was found, in a sentence or two.

        Returns:
            The text.
        """
        every = [*self.findings, *(self.data or ())]
        counts = {verdict: sum(finding.verdict == verdict for finding in every) for verdict in ORDER}
        if self.ill:
            names = ", ".join(f"{finding.check}{' (accepted)' if finding.check in self.accepted else ''}"
                              for finding in self.ill)
            begin = f"Ill: {names}."
        else:
            begin = "Nothing is ill."
        return (f"{begin} {counts['suspect']} suspect, {counts['healthy']} healthy, {counts['unknown']} not looked at; "
                f"{self.seconds:.0f} s.")

    def text(self) -> str:
        """Return a table that fits a terminal.

        Returns:
            The lines.
        """
        width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 140))
        kind, family, parameters = (self.subject[name] for name in ("kind", "family", "parameters"))
        lines = [f"{kind}, {family or 'family unknown'}, "
                 f"{'parameters unknown' if parameters is None else f'{parameters:,} parameters'}"]
        for name, part in self.groups():
            lines += ["", name]
            for finding in part:
                lines += _lines(finding, width, finding.check in self.accepted)
        return "\n".join([*lines, "", *textwrap.wrap(self.summary(), width)])


def _lines(finding, width, accepted):
    """Return the lines of a finding: its name and verdict, then its message; the remedy of what is not healthy."""
    said = finding.message or str(finding.evidence.get("reason", ""))
    if finding.verdict in ("ill", "suspect"):
        said = f"{said} {finding.remedy}"
    begin = f"  {finding.check:<20} {finding.verdict + ('*' if accepted and finding.verdict == 'ill' else ''):<9}"
    return textwrap.wrap(said, width, initial_indent=begin, subsequent_indent=" " * len(begin)) or [begin.rstrip()]


def examine_path(path: str | Path, against: str | Path | None = None, train: str | Path | None = None,
                 dev: str | Path | None = None, only: Iterable[str] | None = None, accept: str | Path | None = None,
                 seed: int = 0) -> Examination:
    """Examine what a path holds, and data files.

    Args:
        path: A bundle, a folder of Hugging Face or Google, a preset, a SavedModel, or a .tflite.
        against: Another form of the same model, or None.
        train: A file of training rows, or None.
        dev: A file of dev rows, or None.
        only: The checks to make; None makes all.
        accept: A file with a check a line, known and accepted, or None.
        seed: All that is drawn follows from it.

    Returns:
        The `Examination`.

    Raises:
        Error: When there is no model, a data file cannot be read, or there is no such check.
    """
    began = time.monotonic()
    for place in (path, *([] if against is None else [against])):
        kind_of(place)
    from bertkit.doctor.data_checks import DATA
    known = [*CHECKS, *DATA]
    only = None if only is None else _known(list(only), known, "--only")
    accepted = frozenset(_known(_listed(accept), known, str(accept)) if accept is not None else ())
    rows = _rows(train, dev)
    from bertkit.doctor.data_checks import examine_data
    from bertkit.doctor.examiner import examine_case
    case = case_of(path, against, seed, {name: part.rows for name, part in rows.items()})
    findings = examine_case(case, None if only is None else [name for name in only if name in CHECKS])
    data = examine_data(case, rows["train"], rows.get("dev")) if "train" in rows else None
    return Examination(_subject(case), findings, data, time.monotonic() - began, accepted)


def look_at(path: str | Path) -> list[Finding]:
    """Examine the files of a folder that was just written: weights, labels and tokenizer; no model is made of them.

    Args:
        path: A bundle or a folder of Hugging Face.

    Returns:
        The findings that are ill, as a rule none.

    Raises:
        Error: When there is no model.
    """
    from bertkit.doctor.examiner import examine_case
    from bertkit.doctor.folders import case_of_files
    return [finding for finding in examine_case(case_of_files(path), QUICK) if finding.verdict == "ill"]


def _rows(train, dev):
    """Return {"train": rows, "dev": rows} of the files that were given."""
    if train is None and dev is None:
        return {}
    if train is None:
        raise Error("--dev is compared with training rows; give them with --train.")
    from bertkit.doctor.data_rows import read_rows
    return {name: read_rows(file) for name, file in (("train", train), ("dev", dev)) if file is not None}


def _listed(path):
    """Return the names in a file: one a line, without what follows a #."""
    lines = (line.split("#")[0].strip() for line in read_text(path).splitlines())
    return [line for line in lines if line]


def _known(names: Sequence[str], known: Sequence[str], where: str) -> list[str]:
    wrong = [name for name in names if name not in known]
    if wrong:
        raise Error(f"{where} names {wrong[0]!r}, which is no check; the checks are {', '.join(known)}.")
    return list(names)


def _subject(case):
    """Return what is known of the subject."""
    written = case.kind not in ("saved_model", "tflite") and (case.subject is not None
                                                              or case.memory.get("config.json"))
    weights = None if case.weights is None else sum(int(value.size) for value in case.weights.values())
    return json.loads(json.dumps({
        "kind": case.kind, "family": case.config.get("model_type") if written else None, "parameters": weights,
        "precision": case.precision, "path": str(case.folder)}))
