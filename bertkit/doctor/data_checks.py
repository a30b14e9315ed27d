"""The data's doctor: what rows alone show, before anything is trained on them."""

from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.checks import Check
from bertkit.doctor.data_cues import ENOUGH, cues, split
from bertkit.doctor.data_rows import Data, DataRows
from bertkit.doctor.finding import Finding, Measured, does_not_apply, failed, healthy, ill, needs, suspect
from bertkit.doctor.leakage import exact_key
from bertkit.report.linear import bag, ridge

FOLDS = 5
SHOWN = 8                   # rows that a finding names
TABLE = (
    Check("label-conflicts", "data_checks", "one text with two labels", "No model can be right on such rows.",
          "Decide which label is right, or remove the rows.", "Northcutt et al. 2021, arXiv 2103.14749"),
    Check("label-errors", "data_checks", "labels that a model trained on the other rows contradicts",
          "The model learns wrong labels, and scores are measured with them.",
          "Read the rows that are named, and correct them.",
          "Northcutt et al. 2021, arXiv 1911.00068 (confident learning)"),
    Check("classes", "data_checks", "how many rows each class has", "Rare classes are never predicted.",
          "Collect more rows of rare classes, merge classes, or report macro F1.",
          "He and Garcia 2009, IEEE TKDE 21(9)"),
    Check("cut-texts", "data_checks", "texts longer than the encoder reads", "What is cut off is not seen.",
          "Use `bertkit long_documents`, or a longer --length.", "Devlin et al. 2018, arXiv 1810.04805"),
    Check("unknown-tokens", "data_checks", "the share of [UNK] among the tokens", "Such words carry nothing.",
          "Use a checkpoint of the language and case of the texts.", "Rust et al. 2021, arXiv 2012.15613"),
    Check("cues", "data_checks", "what one word, the length or one half of a pair reaches alone",
          "The model learns the cue in place of the task.",
          "Balance the cue over the classes, or test on rows without it.",
          "Gururangan et al. 2018, arXiv 1803.02324; McCoy et al. 2019, arXiv 1902.01007"),
    Check("split", "data_checks", "dev rows of the same documents or authors as train",
          "The score says nothing of new documents.", "Split by document or author.",
          "Geva et al. 2019, arXiv 1908.07898"),
)
DATA = tuple(check.name for check in TABLE)


def examine_data(case: Case, train: DataRows, dev: DataRows | None = None) -> list[Finding]:
    """Make the checks of data.

    Args:
        case: The case, for its tokenizer and its length.
        train: The training rows.
        dev: The dev rows, or None.

    Returns:
        The findings in the order of `DATA`.
    """
    data, found = Data(case, train, dev), []
    for check in TABLE:
        try:
            said = CHECKS[check.name](data)
        except Exception as error:                          # as of the other checks, one does not stop the rest
            said = failed(error)
        message = said.message or (f"Within the limit: {check.measures}." if said.verdict == "healthy" else "")
        found.append(Finding(check.name, said.verdict, message, dict(said.evidence), check.cost,
                             said.remedy or check.remedy, check.source))
    return found


def label_conflicts(data: Data) -> Measured:
    """Find texts with two labels.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    train = data.train
    if train.labels is None:
        return needs("rows with one label each")
    groups = defaultdict(list)
    for i, row in enumerate(train.rows):
        groups[tuple(text.strip() for text in exact_key(row))].append(i)
    rows = sorted(i for group in groups.values() if len({train.labels[i] for i in group}) > 1 for i in group)
    share = len(rows) / max(len(train.rows), 1)
    evidence = {"share_of_rows": share, "limit": 0.01, "rows": len(rows),
                "lines": [train.lines[i] for i in rows[:SHOWN]]}
    message = f"{len(rows)} of {len(train.rows)} rows have a text that stands there with another label, too."
    return ill(message, **evidence) if share >= 0.01 else suspect(message, **evidence) if rows else healthy(**evidence)


def label_errors(data: Data) -> Measured:
    """Find labels that out-of-fold probabilities contradict, by confident learning.

    A row counts where its likeliest class, among those whose probability is at least the mean that rows of that class
    have, is another than its label.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    train = data.train
    if train.labels is None or len(train.labels) < ENOUGH or min(Counter(train.labels).values()) < FOLDS:
        return needs(f"at least {ENOUGH} rows with one label each, and {FOLDS} of each class")
    names = sorted(set(train.labels))
    if not 2 <= len(names) <= 50:
        return does_not_apply(f"there are {len(names)} labels")
    labels = np.array([names.index(label) for label in train.labels])
    chances = _out_of_fold(train.texts, labels, len(names), data.case.seed)
    wrong, by = _contradicted(labels, chances)
    share = len(wrong) / len(labels)
    evidence = {"share_of_rows": share, "limit": 0.05, "rows": len(wrong),
                "lines": [train.lines[i] for i in wrong[:SHOWN]],
                "accuracy_of_the_estimate": float((chances.argmax(1) == labels).mean()), "estimated_by": by}
    if share > 0.05:
        return suspect(f"{len(wrong)} of {len(labels)} labels are contradicted by a model of the other rows.",
                       **evidence)
    return healthy(**evidence)


def _out_of_fold(texts, labels, count, seed):
    """Return probabilities [rows, classes] of rows that a linear model of their words did not learn from."""
    order = np.random.default_rng(seed).permutation(len(labels))
    found = np.zeros((len(labels), count))
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        rest = np.setdiff1d(order, held)
        learned, asked = bag([texts[i] for i in rest]), bag([texts[i] for i in held])
        for i in range(count):
            found[held, i] = ridge(learned, labels[rest] == i, asked, penalty=3.0)
    found = np.clip(found, 1e-6, 1)
    return found / found.sum(1, keepdims=True)


def _contradicted(labels, chances):
    """Return (rows whose labels are contradicted, the surest first; what found them)."""
    try:
        from cleanlab.filter import find_label_issues
        issues = find_label_issues(labels, chances, return_indices_ranked_by="self_confidence", n_jobs=1)
        return [int(i) for i in issues], "cleanlab"
    except ImportError:
        pass
    limits = np.array([chances[labels == i, i].mean() for i in range(chances.shape[1])])
    sure = np.where(chances >= limits, chances, 0)
    likely = sure.argmax(1)
    wrong = np.flatnonzero((sure.max(1) > 0) & (likely != labels))
    own = chances[wrong, labels[wrong]] - chances[wrong, likely[wrong]]
    return [int(i) for i in wrong[np.argsort(own)]], "confident learning on a ridge classifier of words"


def classes(data: Data) -> Measured:
    """Count the rows of each class.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    if data.train.labels is None:
        return needs("rows with one label each")
    counts = Counter(data.train.labels)
    most, least = max(counts.values()), min(counts.values())
    evidence = {"classes": len(counts), "commonest_share": most / len(data.train.labels), "limit": 0.9,
                "rarest_rows": least,
                "wanted_rows": 8, "rows_of_each": [f"{name}: {count}" for name, count in counts.most_common(20)]}
    if len(counts) < 2:
        return ill("All rows have the same label: there is nothing to learn.", **evidence)
    new = sorted(set(data.dev.labels) - set(counts)) if data.dev is not None and data.dev.labels else []
    if new:
        return ill(f"Dev has the class {new[0]!r}, which no training row has.", new_in_dev=len(new), **evidence)
    alike = Counter("".join(name.split()).casefold() for name in counts)
    if (twice := [name for name, count in alike.items() if count > 1]):
        return suspect(f"Classes differ in case or spaces alone: {twice[0]}.", **evidence)
    if most / len(data.train.labels) > 0.9 or least < 8:
        return suspect(f"The commonest class has {most} rows, the rarest {least}.", **evidence)
    return healthy(**evidence)


def cut_texts(data: Data) -> Measured:
    """Count texts that are longer than the encoder reads.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    lengths = _lengths(data)
    if lengths is None:
        return needs("a tokenizer in the folder")
    most = _most(data.case)
    share = float((lengths > most).mean())
    evidence = {"share_of_rows": share, "limit": 0.05, "length": most, "longest_row": int(lengths.max()),
                "median_row": float(np.median(lengths))}
    if share > 0.05:
        return suspect(f"{share:.0%} of the rows have more than {most} tokens, and are cut.", **evidence)
    return healthy(**evidence)


def _most(case):
    return case.longest or min(int(case.config.get("max_position_embeddings") or 512), 512)


def _encoded(data):
    """Return (ids, mask) of up to 2,000 rows, four times as long as the encoder reads; None without a tokenizer."""
    if data.case.tokenizer is None:
        return None

    def made():
        every = max(1, len(data.train.texts) // 2000)
        texts = data.train.texts[::every]
        second = [row[1] for row in texts] if len(texts[0]) > 1 else None
        batch = data.case.tokenizer([row[0] for row in texts], second, length=4 * _most(data.case))
        return np.asarray(batch["token_ids"]), np.asarray(batch["padding_mask"]) > 0
    return data.case.once("encoded rows", made)


def _lengths(data):
    found = _encoded(data)
    return None if found is None else found[1].sum(1)


def unknown_tokens(data: Data) -> Measured:
    """Count [UNK] among the tokens of the rows.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    from bertkit.doctor.words import special_ids
    found = _encoded(data)
    if found is None or not data.case.vocabulary:
        return needs("a tokenizer in the folder")
    unknown = special_ids(data.case).get("unk")
    if unknown is None:
        return does_not_apply("the vocabulary has no entry for unknown words")
    ids, real = found
    share = float((ids[real] == unknown).mean())
    evidence = {"share_of_tokens": share, "limit": 0.2, "limit_of_a_sign": 0.02, "tokens": int(real.sum())}
    message = f"{share:.1%} of the tokens are unknown to the vocabulary."
    if share > 0.2:
        return ill(message, **evidence)
    return suspect(message, **evidence) if share > 0.02 else healthy(**evidence)


CHECKS: dict[str, Callable[[Data], Measured]] = {
    "label-conflicts": label_conflicts, "label-errors": label_errors, "classes": classes, "cut-texts": cut_texts,
    "unknown-tokens": unknown_tokens, "cues": cues, "split": split}
