"""Masked-language corruption of batches: which words are chosen, what stands in their place, where labels are."""

import time
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs, suspect
from bertkit.doctor.setup import IGNORED, offered
from bertkit.doctor.words import special_ids

SHARE = 0.15                                    # of the words: BERT, section 3.1
KINDS = {"mask": 0.8, "random": 0.1, "kept": 0.1}
SECONDS, ENOUGH = 4.0, 3000                     # that rows are prepared for, and chosen words that are enough


@offered("batches")
def masking(case: Case, setup: dict[str, Any]) -> Measured:
    """Count what was chosen and by what it was replaced, over batches and rows that are prepared again.

    Args:
        case: The case.
        setup: Its training set-up.

    Returns:
        What was measured.
    """
    if setup.get("task") != "mlm":
        return does_not_apply("the task is not masked-language modelling")
    if case.vocabulary is None:
        return needs("vocabulary: the entries of the tokenizer in order")
    names = special_ids(case)
    if "mask" not in names:
        return needs("a vocabulary with a mask token")
    batches = [*setup["batches"], *_prepared(setup)]
    ids, labels, real = (np.concatenate([np.asarray(batch[name]).ravel() for batch in batches])
                         for name in ("token_ids", "labels", "padding_mask"))
    chosen, special = labels != IGNORED, [names[role] for role in ("cls", "sep", "pad") if role in names]
    marks = int((chosen & (np.isin(labels, special) | (real == 0))).sum())
    words = (real > 0) & ~np.isin(np.where(chosen, labels, ids), special)
    count, of = int((chosen & words).sum()), int(words.sum())
    evidence = {"special_tokens_or_padding_chosen": marks, "limit": 0, "share_of_words": count / max(of, 1),
                "wanted": SHARE,
                "words_chosen": count}
    if marks:
        return ill(f"{marks} special tokens or places of padding are among those to be predicted.", **evidence)
    if not count:
        return ill("No word is chosen: there is nothing to learn.", **evidence)
    hidden = int(((ids == names["mask"]) & ~chosen & (real > 0)).sum())
    if hidden > 0.02 * count:
        return ill(f"{hidden} mask tokens have no label.", mask_tokens_without_label=hidden, **evidence)
    if said := _against_the_text(case, setup):
        return ill(said, **evidence)
    return _shares(ids[chosen], labels[chosen], names["mask"], count, of, evidence)


def _shares(ids, labels, mask, count, of, evidence):
    """Judge the share of words that are chosen, and of each way in which they are replaced."""
    found = {"mask": float((ids == mask).mean()), "kept": float((ids == labels).mean())}
    found["random"] = 1 - found["mask"] - found["kept"]
    evidence |= {f"share_{name}": value for name, value in found.items()} | {f"wanted_{k}": v for k, v in KINDS.items()}
    noise = 5 * (SHARE * (1 - SHARE) / max(of, 1)) ** 0.5
    share = count / max(of, 1)
    if not SHARE / 2 - noise <= share <= 2 * SHARE + noise:
        return ill(f"{share:.1%} of the words are chosen instead of 15 %.", **evidence)
    for name, wanted in KINDS.items():
        room = 0.03 + 4 * (wanted * (1 - wanted) / count) ** 0.5
        if abs(found[name] - wanted) > room:
            words = {"mask": "replaced by the mask token", "random": "replaced by random words", "kept": "kept"}[name]
            return ill(f"{found[name]:.0%} of the chosen words are {words}, instead of {wanted:.0%}.", room=room,
                       **evidence)
    if abs(share - SHARE) > 0.02 + noise:
        return suspect(f"{share:.1%} of the words are chosen; BERT takes 15 %.", **evidence)
    return healthy(**evidence)


def _against_the_text(case, setup):
    """Return what prepared rows do to words that have no label, or to labels; None where all is well or not known."""
    if case.tokenizer is None or not setup.get("prepare"):
        return None
    wrong = other = 0
    for row in [row for row in setup.get("train") or () if not hasattr(row, "keys") and isinstance(row[0], str)][:20]:
        batch = {name: np.asarray(value) for name, value in setup["prepare"](row).items()}
        text = np.asarray(case.tokenizer([row[0]], length=batch["token_ids"].shape[1])["token_ids"])
        rest = (batch["labels"] == IGNORED) & (batch["padding_mask"] > 0)
        if text.shape != batch["token_ids"].shape or (text == batch["token_ids"])[rest].mean() < 0.8:
            return None                                     # rows are not made of one text each
        other += int((text != batch["token_ids"])[rest].sum())
        wrong += int((text != batch["labels"])[batch["labels"] != IGNORED].sum())
    if wrong:
        return f"{wrong} labels are not the words that were hidden."
    return f"{other} words without a label were replaced." if other else None


def _prepared(setup):
    """Return more rows, prepared anew, until enough words are chosen or the time is over."""
    if not setup.get("prepare") or not len(setup.get("train") or ()):
        return []
    began, made, chosen, rows = time.monotonic(), [], 0, list(setup["train"])
    while chosen < ENOUGH and time.monotonic() - began < SECONDS:
        batch = setup["prepare"](rows[len(made) % len(rows)])
        found = int((np.asarray(batch["labels"]) != IGNORED).sum())
        if len(made) >= len(rows) and not found and not chosen:
            break
        made.append(batch)
        chosen += found
    return made
