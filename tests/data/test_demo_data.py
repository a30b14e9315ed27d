"""The embedded data of the demo: no leakage between its splits."""

import re
from collections import Counter
from itertools import combinations, product
from pathlib import Path

import pytest

import bertkit

DEMO = Path(bertkit.__file__).parent / "data" / "demo"
SPLITS = ("train", "dev", "test")
LABELS = {"food", "health", "money", "travel"}
NON_ASCII = set("£èéíñóû")

# The closed word classes of English: what is left of a sentence when its content is taken out.
FUNCTION_WORDS = frozenset("""
    a an the this that these those some any no every each both either neither all half such other
    another enough many much more most few less least
    i you he she it we they me him her us them my your his its our their mine yours ours theirs
    myself yourself himself herself itself themselves someone somebody something anyone anybody
    anything nobody nothing everyone everybody everything one
    i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll
    we're we've we'd we'll they're they've they'd they'll that's there's let's
    who whom whose which what when where why how who's what's where's how's
    whoever whatever whenever wherever
    be am is are was were been being have has had having do does did done doing can could will
    would shall should may might must
    isn't aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't can't couldn't won't
    wouldn't shouldn't mustn't
    of at by for with about against between into through during before after above below to from
    up down in on off over under out as than without within since until till near behind past
    around along across round
    and or but nor so yet if because while though although unless once whether
    not only then there here too very just still again also ever never now please
""".split())


def words_of(text):
    """Split a sentence into lower-cased words; a word may hold apostrophes, points and colons."""
    return re.findall(r"[^\W_]+(?:['.,:][^\W_]+)*", text.lower())


def runs_of(words, length):
    """Return the set of all sequences of `length` consecutive words."""
    return {tuple(words[i:i + length]) for i in range(len(words) - length + 1)}


def skeleton_of(words):
    """Return the sequence of function words that is left when the content words are removed."""
    return tuple(word for word in words if word in FUNCTION_WORDS)


def shared_frame(a, b):
    """Return what makes two sentences (lists of words) share a frame, or None."""
    if a[:3] == b[:3]:
        return "opening"
    if runs_of(a, 5) & runs_of(b, 5):
        return "run"
    if len(skeleton_of(a)) >= 4 and skeleton_of(a) == skeleton_of(b):
        return "skeleton"
    if len(set(a) & set(b)) > 0.5 * len(set(a) | set(b)):
        return "overlap"
    return None


def frames_across(splits):
    """Return (reason, sentence, sentence) for each pair of different splits that share a frame."""
    return [(reason, " ".join(a), " ".join(b))
            for one, other in combinations(splits, 2) for a, b in product(one, other)
            if (reason := shared_frame(a, b))]


def read_split(split):
    """Read the (text, label) rows below the header."""
    lines = (DEMO / f"{split}.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "text\tlabel"
    return [tuple(line.split("\t")) for line in lines[1:]]


@pytest.fixture(scope="module")
def rows():
    return {split: read_split(split) for split in SPLITS}


@pytest.fixture(scope="module")
def sentences(rows):
    return {split: [words_of(text) for text, _ in rows[split]] for split in SPLITS}


@pytest.mark.parametrize("split, size", [("train", 488), ("dev", 80), ("test", 80)])
def test_size_and_balance(rows, split, size):
    counts = Counter(label for _, label in rows[split])
    assert counts == dict.fromkeys(LABELS, size // 4)


@pytest.mark.parametrize("split", SPLITS)
def test_the_order_tells_nothing_of_the_label(rows, split):
    labels = [label for _, label in rows[split]]
    same = sum(a == b for a, b in zip(labels, labels[1:], strict=False))
    assert same < len(labels) / 2


def test_no_duplicates(rows):
    texts = [" ".join(words_of(text)) for split in SPLITS for text, _ in rows[split]]
    assert len(set(texts)) == len(texts)


def test_lengths_vary_from_4_to_25_words(rows):
    lengths = {len(text.split()) for split in SPLITS for text, _ in rows[split]}
    assert set(range(4, 19)) <= lengths <= set(range(4, 26)) and max(lengths) > 22


def test_text_is_clean(rows):
    for text, _ in sum(rows.values(), []):
        assert text == text.strip() and "  " not in text
        assert not text.startswith('"'), "a reader of quoted TSV would swallow the quote"
        strange = {c for c in text if not " " <= c <= "~"} - NON_ASCII
        assert not strange, (text, strange)


def test_no_frame_occurs_in_two_splits(sentences):
    assert frames_across([sentences[split] for split in SPLITS]) == []


@pytest.mark.parametrize("reason, a, b", [
    ("opening", "How much is a taxi to Oslo?", "how much is that cheese"),
    ("run", "Quick, what time does the bank close?", "Tell me what time does the bank open"),
    ("skeleton", "Send the invoice to the office by Monday.", "Bring the soup to the table by six"),
    ("overlap", "Pay Anna fifty euros today", "pay Anna sixty euros today!"),
    (None, "Is there a baker on the square?", "Why does my bread come out flat?"),
    (None, "Pay Anna today.", "Pay the plumber, Anna!"),
])
def test_frame_detector_on_single_pairs(reason, a, b):
    assert shared_frame(words_of(a), words_of(b)) == reason


def test_frame_detector_finds_a_planted_pair(sentences):
    planted = [*sentences["train"], words_of("Where in Lyon did the woman with the hat buy bread?")]
    twin = [*sentences["test"], words_of("Where in Cork did the doctor with the dog find gold?")]
    assert [reason for reason, *_ in frames_across([planted, sentences["dev"], twin])] == [
        "skeleton"]


def test_frame_detector_finds_test_sentences_with_their_content_replaced(sentences):
    words = next(w for w in sentences["test"] if len(skeleton_of(w)) >= 6)
    copy = [w if w in FUNCTION_WORDS else f"slot{i}" for i, w in enumerate(words)]
    assert ("skeleton", " ".join(copy), " ".join(words)) in frames_across(
        [[*sentences["train"], copy], sentences["test"]])
