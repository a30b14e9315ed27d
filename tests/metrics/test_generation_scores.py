"""Scores of generated texts: recorded values of the libraries, and ours against brute force."""

import itertools
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error

TEXT = st.lists(st.sampled_from("abc"), max_size=7).map(" ".join)
LIBRARIES = {"bleu": "sacrebleu", "chrf": "sacrebleu", "ter": "sacrebleu", "rouge": "rouge_score", "meteor": "nltk"}


@pytest.fixture(scope="module")
def rouge_score():
    """Skip without the library, and pay for its import before the clock of a test runs."""
    return pytest.importorskip("rouge_score.rouge_scorer")


def test_recorded_values_of_sacrebleu(recorded):
    pytest.importorskip("sacrebleu")
    case = recorded["generation"]
    sides = case["references"], case["predictions"]
    for name, knobs in (("bleu", {}), ("chrf", {}), ("chrf++", {"word_order": 2}), ("ter", {})):
        found, wanted = getattr(metrics, name.rstrip("+"))(*sides, **knobs), case["sacrebleu"][name]
        assert found[name.rstrip("+")] == pytest.approx(wanted["score"], abs=1e-9)
        assert found["signature"].split("|version")[0] == wanted["signature"].split("|version")[0]


def test_recorded_values_of_rouge_score(recorded, rouge_score):
    case = recorded["generation"]
    for name, stem in (("plain", False), ("stem", True)):
        found = metrics.rouge(case["references"], case["lines"], stem=stem)
        for kind, wanted in case["rouge"][name].items():
            assert list(found[kind].values()) == pytest.approx(wanted, abs=1e-12)


def test_recorded_value_of_meteor(recorded):
    pytest.importorskip("nltk")
    case = recorded["generation"]
    found = metrics.meteor(case["references"], case["predictions"], synonyms=False)
    assert found == {"meteor": pytest.approx(case["meteor"]), "matches": ["exact", "stem"]}


def test_meteor_by_hand():
    pytest.importorskip("nltk")
    found = metrics.meteor(["The cats sat on mats"], ["the cat sat"], synonyms=False)["meteor"]
    precision, recall, chunks, matches = 3 / 3, 3 / 5, 1, 3
    f = precision * recall / (0.9 * precision + 0.1 * recall)
    assert found == pytest.approx(f * (1 - 0.5 * (chunks / matches) ** 3))
    assert metrics.meteor(["red"], ["blue"], synonyms=False)["meteor"] == 0


def test_meteor_says_whether_synonyms_counted():
    wordnet = pytest.importorskip("nltk.corpus").wordnet
    try:
        wordnet.ensure_loaded()
    except LookupError:
        assert metrics.meteor(["a car"], ["an automobile"])["matches"] == ["exact", "stem"]
        with pytest.raises(Error, match="nltk.downloader wordnet"):
            metrics.meteor(["a car"], ["an automobile"], synonyms=True)
    else:
        found = metrics.meteor(["car"], ["automobile"])
        assert found["matches"] == ["exact", "stem", "synonym"] and found["meteor"] > 0


def test_meteor_matches_synonyms_where_wordnet_is(monkeypatch):
    corpus = pytest.importorskip("nltk.corpus")

    class Word:
        """A set of synonyms with two names."""

        def ensure_loaded(self):
            """Be there."""

        def synsets(self, word):
            """Know one word."""
            return [self] if word == "automobil" else []        # nltk looks up the stem

        def lemmas(self):
            """Name the other."""
            return [self]

        def name(self):
            """Return the synonym."""
            return "car"

    monkeypatch.setattr(corpus, "wordnet", Word())
    found = metrics.meteor(["car"], ["automobile"])
    assert found == {"meteor": pytest.approx(0.5), "matches": ["exact", "stem", "synonym"]}
    assert metrics.meteor(["car"], ["automobile"], synonyms=False)["meteor"] == 0


def brute(gold, found, distance, unigrams):
    """Return P, R, F1 of skip-bigrams with at most `distance` words between, by lists."""
    def grams(text):
        words = text.split()
        pairs = [(words[i], words[j]) for i, j in itertools.combinations(range(len(words)), 2) if j - i - 1 <= distance]
        return pairs + ([(word,) for word in words] if unigrams else [])

    one, two = grams(gold), grams(found)
    left, common = list(one), 0
    for gram in two:
        if gram in left:
            left.remove(gram)
            common += 1
    if not common:
        return [0, 0, 0]
    precision, recall = common / len(two), common / len(one)
    return [precision, recall, 2 * precision * recall / (precision + recall)]


@given(gold=TEXT, found=TEXT, distance=st.sampled_from([0, 1, 4, math.inf]), unigrams=st.booleans())
def test_skip_bigrams_equal_brute_force(rouge_score, gold, found, distance, unigrams):
    kind = f"rougeS{'U' if unigrams else ''}{'' if distance == math.inf else distance}"
    scores = metrics.rouge([gold], [found], kinds=(kind,))
    assert list(scores[kind].values()) == pytest.approx(brute(gold, found, distance, unigrams))


@given(gold=TEXT, found=TEXT)
def test_a_skip_of_no_words_is_a_bigram(rouge_score, gold, found):
    scores = metrics.rouge([gold], [found], kinds=("rouge2", "rougeS0"))
    assert scores["rougeS0"] == pytest.approx(scores["rouge2"])


def test_the_best_reference_counts_and_texts_are_averaged(rouge_score):
    kinds = ("rouge1", "rougeSU4")
    both = metrics.rouge([["x y", "a b c"], "q r"], ["a b c", "none"], kinds)
    assert {kind: row["f1"] for kind, row in both.items()} == dict.fromkeys(kinds, 0.5)
    assert list(both) == list(kinds)


@given(texts=st.lists(TEXT, max_size=5), n=st.integers(1, 3))
def test_distinct_counts_n_grams(texts, n):
    grams = [tuple(words[i:i + n]) for words in map(str.split, texts) for i in range(len(words)) if i + n <= len(words)]
    assert metrics.distinct(texts, n) == (len({*grams}) / len(grams) if grams else 0)


@pytest.mark.parametrize("name", LIBRARIES)
def test_perfect_empty_and_wrong_texts(name):
    pytest.importorskip(LIBRARIES[name])
    knobs = {"synonyms": False} if name == "meteor" else {}

    def score(prediction):
        found = getattr(metrics, name)(["the quick brown fox jumped over it"], [prediction], **knobs)
        return found["rouge1"]["f1"] if name == "rouge" else found[name]

    ends = {"bleu": (100, 0), "chrf": (100, 0), "ter": (0, 100), "rouge": (1, 0), "meteor": (1, 0)}[name]
    assert score("the quick brown fox jumped over it") == pytest.approx(ends[0], rel=0.01)
    assert score("") == pytest.approx(ends[1])


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_missing_library_is_told_with_its_remedy(name, monkeypatch):
    def import_module(module):
        raise ImportError(module)

    monkeypatch.setattr("importlib.import_module", import_module)
    with pytest.raises(Error, match=f'pip install "{LIBRARIES[name].replace("_", "-")}>='):
        getattr(metrics, name)(["a"], ["a"])


def test_importing_the_room_imports_none_of_the_libraries():
    code = ("import sys, bertkit.metrics; print(sorted({'sacrebleu', 'rouge_score', 'nltk', 'scipy', 'sklearn', "
            "'tensorflow', 'keras'} & set(sys.modules)))")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("call, words", [
    (lambda: metrics.bleu("a", "a"), "one text came"),
    (lambda: metrics.bleu(["a"], ["a", "b"]), "1 references and 2"),
    (lambda: metrics.ter([], []), "at least 1"),
    (lambda: metrics.chrf([[]], ["a"]), "Row 0"),
    (lambda: metrics.chrf(["a", 3], ["a", "b"]), "Row 1"),
    (lambda: metrics.bleu(["a"], [None]), "Row 0"),
    (lambda: metrics.rouge(["a"], ["a"], kinds=("rouge0",)), "'rouge0'"),
    (lambda: metrics.rouge(["a"], ["a"], kinds=()), "rouge1 to rouge9"),
    (lambda: metrics.distinct("a b"), "str"),
    (lambda: metrics.distinct(["a b"], 0), "n=0"),
])
def test_errors_say_what_came(call, words):
    pytest.importorskip("sacrebleu")
    pytest.importorskip("rouge_score")
    with pytest.raises(Error, match=words):
        call()
