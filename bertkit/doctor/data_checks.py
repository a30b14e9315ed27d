"""The data's doctor: what rows alone show, before anything is trained on them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertkit.doctor.case import Case
from bertkit.doctor.checks import Check
from bertkit.doctor.data_rows import DataRows
from bertkit.doctor.finding import Finding, Measured, does_not_apply, failed, healthy, ill, needs, suspect
from bertkit.doctor.leakage import exact_key
from bertkit.report.linear import bag, ridge

ENOUGH = 30                 # rows, below which shares say little
FOLDS = 5
SHOWN = 8                   # rows that a finding names
TABLE = (
    Check("label-conflicts", "data_checks", "one text with two labels", "No model can be right on such rows.",
          "Decide which label is right, or remove the rows.", "Northcutt et al. 2021, arXiv 2103.14749"),
    Check("label-errors", "data_checks", "labels that a model trained on the other rows contradicts",
          "The model learns wrong labels, and scores are measured with them.", "Read the rows that are named, and correct them.",
          "Northcutt et al. 2021, arXiv 1911.00068 (confident learning)"),
    Check("classes", "data_checks", "how many rows each class has", "Rare classes are never predicted.",
          "Collect more rows of rare classes, merge classes, or report macro F1.", "He and Garcia 2009, IEEE TKDE 21(9)"),
    Check("cut-texts", "data_checks", "texts longer than the encoder reads", "What is cut off is not seen.",
          "Use `bertkit long_documents`, or a longer --length.", "Devlin et al. 2018, arXiv 1810.04805"),
    Check("unknown-tokens", "data_checks", "the share of [UNK] among the tokens", "Such words carry nothing.",
          "Use a checkpoint of the language and case of the texts.", "Rust et al. 2021, arXiv 2012.15613"),
    Check("cues", "data_checks", "what one word, the length or one half of a pair reaches alone",
          "The model learns the cue in place of the task.", "Balance the cue over the classes, or test on rows without it.",
          "Gururangan et al. 2018, arXiv 1803.02324; McCoy et al. 2019, arXiv 1902.01007"),
    Check("split", "data_checks", "dev rows of the same documents or authors as train",
          "The score says nothing of new documents.", "Split by document or author.", "Geva et al. 2019, arXiv 1908.07898"),
)
DATA = tuple(check.name for check in TABLE)


@dataclass(frozen=True)
class Data:
    """What a check of data sees.

    Args:
        case: The case, for its tokenizer and its length.
        train: The training rows.
        dev: The dev rows, or None.
    """
    case: Case
    train: DataRows
    dev: DataRows | None


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
        function: Callable[[Data], Measured] = globals()[check.name.replace("-", "_")]
        try:
            said = function(data)
        except Exception as error:                          # as of the other checks, one does not stop the rest
            said = failed(error)
        message = said.message or (f"Within the limit: {check.measures}." if said.verdict == "healthy" else "")
        found.append(Finding(check.name, said.verdict, message, dict(said.evidence), check.cost, said.remedy or check.remedy,
                             check.source))
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
    evidence = {"share_of_rows": share, "limit": 0.01, "rows": len(rows), "lines": [train.lines[i] for i in rows[:SHOWN]]}
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
    evidence = {"share_of_rows": share, "limit": 0.05, "rows": len(wrong), "lines": [train.lines[i] for i in wrong[:SHOWN]],
                "accuracy_of_the_estimate": float((chances.argmax(1) == labels).mean()), "estimated_by": by}
    if share > 0.05:
        return suspect(f"{len(wrong)} of {len(labels)} labels are contradicted by a model of the other rows.", **evidence)
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
        return [int(i) for i in find_label_issues(labels, chances, return_indices_ranked_by="self_confidence")], "cleanlab"
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
    evidence = {"classes": len(counts), "commonest_share": most / len(data.train.labels), "limit": 0.9, "rarest_rows": least,
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
    return ill(message, **evidence) if share > 0.2 else suspect(message, **evidence) if share > 0.02 else healthy(**evidence)


def cues(data: Data) -> Measured:
    """Score what one word, the length, or one half of a pair says of the label: learnt on train, scored on dev.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    train, dev = data.train, data.dev if data.dev is not None and data.dev.labels else data.train
    if train.labels is None or len(train.labels) < ENOUGH:
        return needs(f"at least {ENOUGH} rows with one label each")
    common = Counter(train.labels).most_common(1)[0][0]
    base = float(np.mean([label == common for label in dev.labels]))
    views = {"length": _by_length(train, dev)}
    word, views["one_word"] = _by_word(train, dev)
    if len(train.texts[0]) > 1:
        views |= {f"{half}_text_alone": _by_half(train, dev, side) for side, half in enumerate(("first", "second"))}
    best = max(views, key=lambda name: views[name])
    evidence = {**{f"accuracy_by_{name}": value for name, value in views.items()}, "commonest_class": base, "best_word": word,
                "limit": base + 0.2}
    message = f"{best.replace('_', ' ')}{f' ({word!r})' if best == 'one_word' else ''} reaches {views[best]:.0%}, the commonest " \
              f"class {base:.0%}."
    if views[best] > 0.95 and views[best] > base + 0.2:
        return ill(message[0].upper() + message[1:], **evidence)
    if views[best] > base + 0.2:
        return suspect(message[0].upper() + message[1:], **evidence)
    return healthy(**evidence)


def _rule(keys: Sequence[Any], labels: Sequence[str], asked: Sequence[Any], wanted: Sequence[str]) -> tuple[float, float]:
    """Return (accuracy on what it learnt from, on what it is asked) of the commonest label for each key."""
    counts: dict[Any, Counter] = defaultdict(Counter)
    for key, label in zip(keys, labels, strict=True):
        counts[key][label] += 1
    common = Counter(labels).most_common(1)[0][0]
    best = {key: each.most_common(1)[0][0] for key, each in counts.items()}
    return (sum(each.most_common(1)[0][1] for each in counts.values()) / len(labels),
            float(np.mean([best.get(key, common) == label for key, label in zip(asked, wanted, strict=True)])))


def _by_length(train, dev):
    sizes = [sum(map(len, texts)) for texts in train.texts]
    edges = np.quantile(sizes, np.linspace(0, 1, 6)[1:-1])
    parts = [np.searchsorted(edges, [sum(map(len, texts)) for texts in each.texts]).tolist() for each in (train, dev)]
    return _rule(parts[0], train.labels, parts[1], dev.labels)[1]


def _by_word(train, dev):
    """Return (the word that says most of the label in train, its accuracy on dev)."""
    sets = [[{word for text in texts for word in text.lower().split()} for texts in each.texts] for each in (train, dev)]
    counts = Counter(word for words in sets[0] for word in words)
    labels, by_word = Counter(train.labels), defaultdict(Counter)
    for words, label in zip(sets[0], train.labels, strict=True):
        for word in words:
            by_word[word][label] += 1

    def right(word):
        inside = by_word[word]
        return max(inside.values()) + max((labels[name] - inside[name] for name in labels), default=0)
    frequent = [word for word, count in counts.items() if count >= 5]
    if not frequent:
        return "", 0.0
    word = max(frequent, key=lambda each: (right(each), each))
    return word, _rule([word in words for words in sets[0]], train.labels, [word in words for words in sets[1]], dev.labels)[1]


def _by_half(train, dev, side):
    """Return the accuracy of a linear model that sees one text of each pair."""
    names = sorted(set(train.labels))
    learned, asked = bag([(row[side],) for row in train.texts[:5000]]), bag([(row[side],) for row in dev.texts])
    scores = np.stack([ridge(learned, np.array(train.labels[:5000]) == name, asked) for name in names], 1)
    return float(np.mean([names[i] == label for i, label in zip(scores.argmax(1), dev.labels, strict=True)]))


def split(data: Data) -> Measured:
    """Look for dev rows of the documents or authors of train, by columns that name them and by long shared stretches.

    Args:
        data: The rows.

    Returns:
        What was measured.
    """
    train, dev = data.train, data.dev
    if dev is None:
        return needs("--dev")
    evidence: dict[str, Any] = {"train_rows": len(train.rows), "dev_rows": len(dev.rows), "limit": 0.1}
    for name in train.origins.keys() & dev.origins.keys():
        known = set(train.origins[name]) - {""}
        share = float(np.mean([value in known for value in dev.origins[name]]))
        evidence[f"share_with_a_{name}_of_train"] = share
        if share > 0.1:
            return suspect(f"{share:.0%} of the dev rows have a {name} that training rows have, too.", **evidence)
    parts = [[_stretches(texts) for texts in each.texts] for each in (train, dev)]
    counts = Counter(part for row in parts[0] for part in row)
    usual = float(np.mean([any(counts[part] > 1 for part in row) for row in parts[0]]))
    share = float(np.mean([any(part in counts for part in row) for row in parts[1]]))
    evidence |= {"share_with_eight_words_of_train": share, "usual_share_in_train": usual}
    if share > 0.1 and share > 1.5 * usual:
        return suspect(f"{share:.0%} of the dev rows have eight words in a row that stand in train.", **evidence)
    return healthy(**evidence)


def _stretches(texts):
    """Return hashes of each eight words in a row."""
    found = set()
    for text in texts:
        words = text.lower().split()
        found |= {hash(tuple(words[i:i + 8])) for i in range(len(words) - 7)}
    return found
