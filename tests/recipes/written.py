"""Small files of each task, learnable by the tiny encoder, in the forms that are published."""

import json

import numpy as np

from tests import tiny

NAMES = {"film": "WORK", "story": "WORK", "scene": "PLACE"}


def sentences(count, seed):
    """Return (words, tags) of sentences whose names are told by the word itself."""
    rows = [text.split() for text in tiny.texts(count, seed)[0]]
    return [(words, [f"B-{NAMES[word]}" if word in NAMES else "O" for word in words]) for words in rows]


def tag(path, count, seed):
    """Write CoNLL columns."""
    path.write_text("".join("".join(f"{word}\t{name}\n" for word, name in zip(*row, strict=True)) + "\n"
                            for row in sentences(count, seed)))


def score(path, count, seed):
    """Write STS-B-like pairs, scored by the mood of the second text."""
    texts, classes = tiny.texts(count, seed)
    lines = [f"{texts[i]}\t{texts[-1 - i]}\t{5.0 * classes[-1 - i]}\n" for i in range(count)]
    path.write_text("sentence1\tsentence2\tscore\n" + "".join(lines))


def choose(path, count, seed):
    """Write SWAG-like JSON lines: the good ending is right."""
    rng, rows = np.random.default_rng(seed), []
    for text in tiny.texts(count, seed)[0]:
        right = int(rng.integers(3))
        endings = [rng.choice(["good", "fine"] if i == right else ["bad", "dull"]) for i in range(3)]
        rows.append({"prompt": text, **{f"ending{i}": str(word) for i, word in enumerate(endings)}, "label": right})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def answer(path, count, seed, impossible=False):
    """Write SQuAD: the answer to "the film" is the mood; with `impossible`, version 2.0, one in four has none."""
    paragraphs = []
    for number, text in enumerate(tiny.texts(count, seed)[0]):
        mood = text.split()[-2]
        lacking = impossible and number % 4 == 0
        context = text.replace(mood, "was") if lacking else text
        question = {"id": f"{seed}-{number}", "question": "the film",
                    "answers": [] if lacking else [{"text": mood, "answer_start": context.index(mood)}]}
        paragraphs.append({"context": context, "qas": [question | ({"is_impossible": lacking} if impossible else {})]})
    path.write_text(json.dumps({"data": [{"title": "films", "paragraphs": paragraphs}]}))


FILES = {"tag": ("conll", tag), "score": ("tsv", score), "choose": ("jsonl", choose), "answer": ("json", answer)}
