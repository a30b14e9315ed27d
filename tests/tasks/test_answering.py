"""Answers cut from contexts: decoding against brute force, gold answers there and back, thresholds."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.data.squad import read_squad
from bertkit.errors import Error
from bertkit.tasks.answering import Answering, Span
from bertkit.text import Tokenizer
from bertkit.text.template import bare, bert, roberta, xlnet
from bertkit.text.windows import max_context, windows

LETTERS = "abcdefgh"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", "'"]
TEMPLATES = {"bert": bert, "roberta": roberta, "xlnet": xlnet, "bare": lambda cls, sep: bare()}
TOKENIZERS = {name: Tokenizer(VOCABULARY, template=template("[CLS]", "[SEP]").settings())
              for name, template in TEMPLATES.items()}
NAMES = st.sampled_from(sorted(TEMPLATES))
CONTEXTS = st.text("abc. \u00a0\u200b", max_size=30)


def random_outputs(packed, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(len(ids), 2)).astype("float32") for ids, _ in packed.rows]


def gold_outputs(packed):
    """Return logits that are large where the labels are."""
    outputs = [np.zeros((len(ids), 2), "float32") for ids, _ in packed.rows]
    for logits, places in zip(outputs, packed.labels, strict=True):
        logits[places, [0, 1]] = 9
    return outputs


def decoded(task, tokenizer, question, context, length, outputs):
    """Return the best (text, start, score) and the null score, spelt out from the description of run_squad."""
    encoding = tokenizer.encode([context])[0]
    cut = windows(tokenizer, encoding.ids, length, tokenizer.ids([question])[0][:task.query], task.stride)
    chosen, tried, nulls = max_context(cut, len(encoding.ids)), [], []
    for number, (window, logits) in enumerate(zip(cut, outputs, strict=True)):
        origin = {window.row_position(token): token for token in range(window.start, window.end)}
        starts, ends = (sorted(range(len(logits)), key=lambda i: -side[i])[:task.most] for side in logits.T)
        nulls.append(float(logits[window.cls, 0]) + float(logits[window.cls, 1]) if len(logits) else 0.0)
        for start, end in itertools.product(starts, ends):
            if (start in origin and end in origin and start <= end < start + task.longest
                    and chosen[origin[start]] == number):
                tried.append((float(logits[start, 0]) + float(logits[end, 1]), origin[start], origin[end]))
    if not tried:
        return "", -1, -math.inf, min(nulls)
    score, first, last = max(tried)
    start, end = encoding.offsets[first][0], encoding.offsets[last][1]
    return context[start:end], start, score, min(nulls)


@given(NAMES, st.text("abc ", max_size=12), CONTEXTS, st.integers(12, 40), st.integers(1, 9), st.integers(1, 6),
       st.integers(0, 2**32 - 1))
def test_decoding_is_that_of_run_squad(name, question, context, length, most, longest, seed):
    task = Answering(query=4, stride=3, longest=longest, most=most)
    packed = task.pack(TOKENIZERS[name], [(question, context)], length)
    outputs = random_outputs(packed, seed)
    (found,) = task.predictions(outputs, packed)
    assert tuple(found) == decoded(task, TOKENIZERS[name], question, context, length, outputs)


@given(NAMES, st.lists(st.tuples(st.text("ab ", max_size=9), CONTEXTS), max_size=4), st.integers(0, 2**32 - 1))
def test_each_question_is_decoded_from_its_own_windows(name, inputs, seed):
    task = Answering(query=4, stride=3)
    packed = task.pack(TOKENIZERS[name], inputs, 12)
    outputs = random_outputs(packed, seed)
    found, rest = task.predictions(outputs, packed), iter(outputs)
    for pair, span in zip(inputs, found, strict=True):
        rows = len(task.pack(TOKENIZERS[name], [pair], 12).rows)
        assert tuple(span) == decoded(task, TOKENIZERS[name], *pair, 12, list(itertools.islice(rest, rows)))
    assert next(rest, None) is None


def span_of(context, a, b):
    """Return an answer (text, start) of a context that is not empty."""
    start, end = sorted((a % len(context), b % len(context)))
    return context[start:end + 1], start


@given(NAMES, st.text("abc. ", min_size=1, max_size=30), st.integers(0, 99), st.integers(0, 99), st.integers(12, 40))
def test_labels_cover_the_answer_in_each_window_that_holds_it(name, context, a, b, length):
    task, tokenizer, answer = Answering(query=4, stride=3), TOKENIZERS[name], span_of(context, a, b)
    packed = task.pack(tokenizer, [("ab", context)], length, [[answer, ("not this", 0)]])
    ((_, offsets, cut, _),) = packed.origin
    characters = set(range(answer[1], answer[1] + len(answer[0])))
    pieces = [i for i, (start, end) in enumerate(offsets) if set(range(start, end)) & characters]
    for window, places in zip(cut, packed.labels.tolist(), strict=True):
        whole = pieces and window.start <= pieces[0] and pieces[-1] < window.end
        answer = [window.row_position(pieces[0]), window.row_position(pieces[-1])] if whole else [window.cls] * 2
        assert places == answer


@given(NAMES, st.text("abc. ", min_size=1, max_size=30), st.integers(0, 99), st.integers(0, 99), st.integers(12, 40))
def test_gold_answers_come_back(name, context, a, b, length):
    task, tokenizer, (text, start) = Answering(query=4, stride=3), TOKENIZERS[name], span_of(context, a, b)
    packed = task.pack(tokenizer, [("ab", context)], length, [[(text, start)]])
    (found,), ((_, offsets, cut, chosen),) = task.predictions(gold_outputs(packed), packed), packed.origin
    pieces = [i for i, piece in enumerate(offsets) if piece[0] < start + len(text) and piece[1] > start]
    # The answer must be whole in the window that counts for its start.
    if pieces and pieces[-1] < cut[chosen[pieces[0]]].end:
        assert found.score == 18 and text.strip() in found.text
        edges = {edge for piece in offsets for edge in piece}
        stripped = start + len(text) - len(text.lstrip())
        if stripped in edges and stripped + len(text.strip()) in edges:
            assert (found.text, found.start) == (text.strip(), stripped)
    else:
        assert found.score < 18


@pytest.mark.parametrize("name", TEMPLATES)
def test_windows_and_the_whole_context_give_the_same_answer(name):
    """Of a model that looks at nothing but a token itself."""
    task, rng = Answering(query=4, stride=3, longest=3), np.random.default_rng(1)
    for _ in range(40):
        table, context = rng.normal(size=(len(VOCABULARY), 2)), "".join(rng.choice(list("abcdefgh "), 30))
        found = []
        for length in (16, 60):
            packed = task.pack(TOKENIZERS[name], [("ab", context)], length)
            outputs = [table[ids] for ids, _ in packed.rows]
            for logits, window in zip(outputs, packed.origin[0].windows, strict=True):
                logits[window.place:window.row_position(window.end)] += 9   # so that the best are tokens of the context
            found += task.predictions(outputs, packed)
        assert len(packed.rows) == 1 and found[0].text == found[1].text and found[0].score == found[1].score


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_every_line_has_an_answer(name, version):
    inputs = [("ab", ""), ("", ""), ("", "ab"), ("ab", " \u200b"), ("a" * 90, ""), ("a", "b" * 90)]
    task = Answering(version)
    packed = task.pack(TOKENIZERS[name], inputs, 12)
    answers = task.answers(inputs, task.predictions(random_outputs(packed, 0), packed))
    assert len(answers) == len(inputs) and all(0 <= answer["score"] <= 1 for answer in answers)
    for i in (0, 1, 3, 4):
        assert answers[i] == {"answer": "", "start": -1, "score": 1.0}


def test_the_score_is_the_chance_of_what_is_answered():
    spans = [Span("x", 0, score, 1.0) for score in (-800.0, 0.5, 1.0, 1.5, 900.0)]
    first = Answering("1.1").answers(spans, spans)
    assert [row["answer"] for row in first] == ["x"] * 5
    assert [row["score"] for row in first] == sorted(row["score"] for row in first)
    second = Answering("2.0").answers(spans, spans)
    assert [(row["answer"], row["start"]) for row in second] == [("", -1)] * 2 + [("x", 0)] * 3
    assert second[1]["score"] == 1 - first[1]["score"] == pytest.approx(1 / (1 + math.exp(-0.5)))


def made(rows):
    """Return targets and predictions of (answers, text, score), null scores 0."""
    return ([[(text, 0) for text in golds] for golds, *_ in rows],
            [Span(text, 0 if text else -1, score if text else -math.inf, 0.0) for _, text, score in rows])


GUESSES = st.lists(st.tuples(st.lists(st.sampled_from(["red", "blue sky", "sky"]), max_size=2),
                             st.sampled_from(["red", "blue", "sky", ""]), st.integers(-300, 300).map(lambda n: n / 50)),
                   min_size=1, max_size=8, unique_by=lambda row: row[2])


@given(GUESSES)
def test_no_threshold_is_better_than_the_tuned_one(rows):
    targets, found = made(rows)
    task = Answering("2.0")
    tuned = task.tuned(targets, found)
    if len({bool(golds) for golds, *_ in rows}) == 1:
        assert tuned == task and "nothing was learnt" in task.decision(targets)
        return
    assert f"above {tuned.threshold:.4f}: so dev has the best f1" in tuned.decision(targets)
    ends = np.unique([0.0, 1.0, *(span.null_chance for span in found)])
    assert tuned.threshold in (ends[:-1] + ends[1:]) / 2, "a threshold lies halfway between two questions"
    every = [Answering("2.0", threshold).scores(targets, found)["f1"]
             for threshold in [0.0, 1.0, *(span.null_chance for span in found)]]
    assert tuned.scores(targets, found)["f1"] == pytest.approx(max(every))
    assert tuned.scores(targets, found)["best_f1"] == pytest.approx(max(every))


@given(GUESSES, st.sampled_from(["1.1", "2.0"]), st.floats(0, 1))
def test_scores_are_those_of_what_is_answered(rows, version, threshold):
    rows = rows if version == "2.0" else [(golds or ["red"], *rest) for golds, *rest in rows]
    targets, found = made(rows)
    task = Answering(version, threshold)
    dataset = {"data": [{"paragraphs": [{"qas": [
        {"id": i, "answers": [{"text": text} for text, _ in golds]} for i, golds in enumerate(targets)]}]}]}
    given = {i: answer["answer"] for i, answer in enumerate(task.answers(found, found))}
    wanted, scores = metrics.squad(dataset, given, version), task.scores(targets, found)
    assert {name: scores[name] for name in wanted} == pytest.approx(wanted)
    sides = task.metric_inputs(targets, found)
    assert {name: metric(*sides) for name, metric in task.metrics.items()} == pytest.approx(
        {"f1": wanted["f1"], "exact": wanted["exact"]})
    assert list(scores)[:2] == list(task.metrics) == ["f1", "exact"]


@pytest.mark.parametrize("file", ["squad/dev-v1.1.json", "squad/dev-v2.0.json", "xquad/xquad.zh.json"])
def test_scores_of_a_file_are_those_of_its_json(shared, file):
    path = shared(f"data/{file}")
    questions = read_squad(path)
    spans = [Span(context[i % 7:i % 7 + 20] if i % 3 or not golds else golds[-1][0], 0, i % 11, i % 5)
             for i, (context, golds) in enumerate(zip(questions.contexts, questions.answers, strict=True))]
    task = Answering(questions.version)
    given = dict(zip(questions.ids, (row["answer"] for row in task.answers(spans, spans)), strict=True))
    wanted = metrics.squad(json.loads(path.read_text(encoding="utf-8")), given, questions.version)
    scores = task.scores(questions.answers, spans)
    assert {name: scores[name] for name in wanted} == pytest.approx(wanted)


def test_gold_answers_of_published_files_come_back(shared):
    tokenizer = Tokenizer.load(shared("data/vocab/bert-base-uncased/vocab.txt"))
    questions = read_squad(shared("data/squad/train-v1.1.json"), limit=600)
    inputs, task = list(zip(questions.questions, questions.contexts, strict=True)), Answering()
    packed = task.pack(tokenizer, inputs, 192, questions.answers)
    found = task.predictions(gold_outputs(packed), packed)
    same = 0
    for span, ((text, start), *_) in zip(found, questions.answers, strict=True):
        # Some answers end within a piece ("Luckett and Rober", which says "Roberson").
        assert text in span.text and span.start <= start or len(tokenizer.ids([text])[0]) > task.longest
        same += span.text == text
    assert same >= 0.98 * len(found)


def test_settings_make_the_task_again():
    task = Answering("2.0", 0.25, 30, 64, 15, 10)
    assert Answering(**task.settings()) == task and Answering(**json.loads(json.dumps(task.settings()))) == task
    assert task.input("who\tit") == ("who", "it") and Answering().tuned([], []) == Answering()
    with pytest.raises(Error, match="version='3'"):
        Answering("3")
    with pytest.raises(Error, match="question, tab, context"):
        task.input("who it")


@pytest.mark.parametrize("name", ["albert", "camembert", "reformer", "roberta", "xlnet"])
def test_answers_of_every_tokenizer_are_slices_without_blanks_around_them(shared, name):
    """Pieces of SentencePiece begin with the blank before them, some of byte-level pairs are nothing else."""
    tokenizer, task = Tokenizer.load(shared(f"checkpoints/{name}/base")), Answering(stride=8)
    rng = np.random.default_rng(2)
    inputs = [("Who?", f"  She {'went ' * n} to New  York, \u6771\u4eac \u00b4 caf\u00e9 ") for n in range(30)]
    packed = task.pack(tokenizer, inputs, 40)
    answers = task.answers(inputs, task.predictions([rng.normal(size=(len(ids), 2)) for ids, _ in packed.rows], packed))
    for (_, context), answer in zip(inputs, answers, strict=True):
        text, start = answer["answer"], answer["start"]
        assert text == text.strip() and (context.startswith(text, start) if text else start == -1)
    assert sum(answer["answer"] != "" for answer in answers) > 25
