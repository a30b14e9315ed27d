"""The data's doctor: what a word, the length or half of a pair tells of the label, and what dev shares with train."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from bertkit.doctor.data_rows import Data
from bertkit.doctor.finding import Measured, healthy, ill, needs, suspect
from bertkit.report.linear import bag, ridge

ENOUGH = 30                 # rows, below which shares say little
STRETCH = 8                 # words in a row that two documents hardly share by chance


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
    base = float(np.mean([label == common for label in dev.labels or ()]))
    views = {"length": _by_length(train, dev)}
    word, views["one_word"] = _by_word(train, dev)
    if len(train.texts[0]) > 1:
        views |= {f"{half}_text_alone": _by_half(train, dev, side) for side, half in enumerate(("first", "second"))}
    best = max(views, key=lambda name: views[name])
    evidence = {**{f"accuracy_by_{name}": value for name, value in views.items()}, "commonest_class": base,
                "best_word": word,
                "limit": base + 0.2}
    said = f"{best.replace('_', ' ')}{f' ({word!r})' if best == 'one_word' else ''}".capitalize()
    message = f"{said} reaches {views[best]:.0%}, the commonest class {base:.0%}."
    if views[best] > 0.95 and views[best] > base + 0.2:
        return ill(message, **evidence)
    if views[best] > base + 0.2:
        return suspect(message, **evidence)
    return healthy(**evidence)


def _rule(keys, labels, asked, wanted):
    """Return (accuracy on what it learnt from, on what it is asked) of the commonest label for each key."""
    counts = defaultdict(Counter)
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
    sets = [[{word for text in texts for word in text.lower().split()} for texts in each.texts]
            for each in (train, dev)]
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
    return word, _rule([word in words for words in sets[0]], train.labels, [word in words for words in sets[1]],
                       dev.labels)[1]


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
        found |= {hash(tuple(words[i:i + STRETCH])) for i in range(len(words) - STRETCH + 1)}
    return found
