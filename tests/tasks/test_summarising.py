"""Extracts: the oracle against every choice, rows that hold whole sentences, characters, centrality in numpy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.oracle import oracle
from bertkit.tasks.registry import metadata, task
from bertkit.tasks.summarising import LexRank, Summarising
from bertkit.text.sentences import sentences
from tests import tiny

SENTENCES = st.lists(st.lists(st.sampled_from(tiny.WORDS), min_size=1, max_size=7), max_size=7).map(
    lambda rows: " ".join(" ".join(row).capitalize() + "." for row in rows))


REFERENCES = SENTENCES.map(lambda text: text.replace(".", ""))


def score(document, spans, chosen, reference):
    """Return ROUGE-1 + ROUGE-2 F1 of sentences, pairs of words counted within them."""
    def grams(texts, n):
        found = {}
        for text in texts:
            words = text.lower().replace(".", "").split()
            for gram in zip(*(words[i:] for i in range(n)), strict=False):
                found[gram] = found.get(gram, 0) + 1
        return found
    total = 0.0
    for n in (1, 2):
        ours, gold = grams([document[slice(*spans[i])] for i in chosen], n), grams([reference], n)
        same, sizes = sum(min(count, gold.get(gram, 0)) for gram, count in ours.items()), sum(ours.values())
        total += 2 * same / max(sizes + sum(gold.values()), 1)
    return total


@settings(max_examples=60, deadline=None)
@given(document=SENTENCES, references=st.lists(REFERENCES, min_size=1, max_size=2), count=st.integers(1, 3))
def test_the_oracle_adds_the_best_sentence_while_it_helps(document, references, count):
    spans = tuple(sentences(document))
    found = oracle(document, spans, tuple(references), count)
    best = []
    for reference in references:
        chosen, value = [], 0.0
        while len(chosen) < count:
            rest = [i for i in range(len(spans)) if i not in chosen]
            going = [(score(document, spans, [*chosen, i], reference), -i) for i in rest]
            if not going or max(going)[0] <= value + 1e-9:
                break
            value, place = max(going)
            chosen.append(-place)
        best.append(value)
    values = [score(document, spans, found, reference) for reference in references]
    assert max(values) == pytest.approx(max(best)) and list(found) == sorted(set(found)) and len(found) <= count


def test_one_sentence_of_the_oracle_is_the_best_of_all():
    document = "The film was bad. A good warm story. The actor was cold and dull. A good film."
    spans = tuple(sentences(document))
    reference = "a good story with a warm film"
    every = [score(document, spans, [i], reference) for i in range(4)]
    assert oracle(document, spans, (reference,), 1) == (int(np.argmax(every)),)
    pairs = {pair: score(document, spans, pair, reference) for pair in itertools.combinations(range(4), 2)}
    assert oracle(document, spans, (reference,), 2) == max(pairs, key=pairs.get)


@settings(max_examples=30, deadline=None)
@given(documents=st.lists(SENTENCES, min_size=1, max_size=3), length=st.integers(6, 30))
def test_rows_hold_whole_sentences_each_once(documents, length):
    tokenizer, made = tiny.tokenizer(), Summarising(2)
    packed = made.pack(tokenizer, documents, length, [["the film"]] * len(documents))
    rows = iter(zip(packed.rows, packed.token_labels, strict=True))
    for document, split in zip(documents, packed.origin, strict=True):
        own = [next(rows) for _ in range(split.rows)]
        assert len(split.places) == len(split.spans) == len(sentences(document))
        labels = [own[row][1][place] for row, place in split.places]
        chosen = oracle(document, split.spans, ("the film",), 2)
        assert [i for i, label in enumerate(labels) if label == 1] == list(chosen)
        assert sum(label != -1 for _, row in own for label in row) == len(labels)
        for (row, place), (start, end) in zip(split.places, split.spans, strict=True):
            wanted = tokenizer.pack_ids(tokenizer.ids([document[start:end]])[0], None, length)[0]
            assert own[row][0][0][place:place + len(wanted)] == wanted
        for (ids, segments), _ in own:
            assert len(ids) == len(segments) <= length and segments[0] == 0
            turns = np.cumsum(np.array(ids) == tokenizer.cls_id) - 1
            assert (np.array(segments) == turns % 2).all()


def outputs_for(packed, scores):
    """Return outputs whose sentences have these scores."""
    found = [np.zeros((len(ids), 2), "float32") for ids, _ in packed.rows]
    (split,) = packed.origin
    for (row, place), value in zip(split.places, scores, strict=True):
        found[row][place] = (1.0, 1.0 + value)
    return found


def test_the_best_sentences_come_in_order_and_stand_in_the_text():
    document = "  First it was\n cold. Then Mr. Fox came! \n\nNobody knew why. The end"
    made = Summarising(2)
    packed = made.pack(tiny.tokenizer(), [document], 16)
    (found,) = made.predictions(outputs_for(packed, [0.1, 3.0, -1.0, 5.0]), packed)
    (answer,) = made.answers([document], [found])
    assert answer["summary"] == "Then Mr. Fox came! The end"
    assert [document[part["start"]:part["end"]] for part in answer["sentences"]] == ["Then Mr. Fox came!", "The end"]


@pytest.mark.parametrize("made", [Summarising(3), LexRank(3)])
def test_what_has_few_sentences_or_none_is_its_own_summary(made):
    packed = made.pack(tiny.tokenizer(), ["", "One film."], 16)
    outputs = [np.ones((len(ids), 2) if made.each_token else 4, "float32") for ids, _ in packed.rows]
    assert [answer["summary"] for answer in made.answers([], made.predictions(outputs, packed))] == ["", "One film."]


def test_central_sentences_are_those_most_like_the_others():
    document = ("The film was very good here. Good film. The story was bad and dull. A warm actor came in late. "
                "One more of it.")
    made = LexRank(2, least=4)
    packed = made.pack(tiny.tokenizer(), [document], 32)
    vectors = np.random.default_rng(0).standard_normal((5, 6)) + 0.5
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.array([sum(units[i] @ units[j] for j in range(5)) for i in range(5)])
    long = [0, 2, 3, 4]                                     # "Good film." has too few words
    wanted = sorted(sorted(long, key=lambda i: -scores[i])[:2])
    assert list(made.predictions(list(vectors), packed)[0].chosen) == wanted


def test_scores_stand_beside_lead_and_oracle():
    document = "The film was bad. A good warm story. The actor was cold."
    made = Summarising(1)
    packed = made.pack(tiny.tokenizer(), [document], 32)
    found = made.predictions(outputs_for(packed, [0.0, 0.0, 1.0]), packed)
    references = ["a good story", "good warm"]
    told = made.scores([references], found)
    texts = {"": "The actor was cold.", "lead_": "The film was bad.", "oracle_": "A good warm story."}
    for prefix, text in texts.items():
        wanted = metrics.rouge([references], [text], ("rouge1", "rouge2", "rougeL"))
        assert {kind: told[prefix + kind] for kind in wanted} == {kind: part["f1"] for kind, part in wanted.items()}


@pytest.mark.parametrize("made", [Summarising(4), LexRank(4, least=2)])
def test_a_task_is_its_facts(made):
    assert task(metadata(made)) == made


def test_no_sentence_is_no_summary():
    with pytest.raises(Error, match="count=0"):
        Summarising(0)
