"""Tags of words: alignment, windows and entities against definitions by brute force."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.errors import Error
from bertkit.tasks.registry import metadata, task
from bertkit.tasks.tagging import Tagging
from bertkit.text import Tokenizer
from bertkit.text.convention import Convention
from bertkit.text.template import bare, bert, roberta, xlnet
from bertkit.text.windows import windows
from bertkit.text.words import join_words, words

LETTERS = "abcdefgh"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", "'"]
TEMPLATES = {"bert": bert, "roberta": roberta, "xlnet": xlnet, "bare": lambda cls, sep: bare()}
TOKENIZERS = {name: Tokenizer(VOCABULARY, template=template("[CLS]", "[SEP]").settings())
              for name, template in TEMPLATES.items()}
TASK = Tagging(("O", "B-a", "I-a", "B-b", "I-b"), stride=3)
CONVENTION = Convention.learned([["d'", "ef", "."], ["b'cd", "g"]])
NAMES = st.sampled_from(sorted(TEMPLATES))
TAGGED = st.lists(st.tuples(st.text("abc.\u200b", min_size=1, max_size=5), st.sampled_from(TASK.labels)), max_size=12)


def columns(rows):
    return [word for word, _ in rows], [tag for _, tag in rows]


def one_hot(labels):
    return np.eye(len(TASK.labels), dtype="float32")[np.maximum(np.array(labels, int), 0)]


def row_labels(packed):
    """Return the labels of each row."""
    return np.split(packed.token_labels, np.cumsum([len(ids) for ids, _ in packed.rows])[:-1])


def row_lists(packed):
    return [(list(ids), list(segments)) for ids, segments in packed.rows]


def has_pieces(word):
    return word.strip("\u200b") != ""


@given(NAMES, st.lists(TAGGED, max_size=3), st.integers(8, 40))
def test_labels_come_back_as_tags(name, sentences, length):
    parts, targets = [columns(rows)[0] for rows in sentences], [columns(rows)[1] for rows in sentences]
    packed = TASK.pack(TOKENIZERS[name], parts, length, targets)
    found = TASK.predictions([one_hot(labels) for labels in row_labels(packed)] if parts else [], packed)
    assert found == [[tag if has_pieces(word) else "O" for word, tag in rows] for rows in sentences]


@given(NAMES, TAGGED, st.integers(8, 40))
def test_labels_stand_on_first_pieces_alone(name, rows, length):
    tokenizer, (parts, tags) = TOKENIZERS[name], columns(rows)
    packed = TASK.pack(tokenizer, [parts], length, [tags])
    ids, first = [], {}
    for word, tag in rows:
        if has_pieces(word):
            first[len(ids)] = TASK.labels.index(tag)
        ids += tokenizer.ids([word])[0]
    cut = windows(tokenizer, ids, length, stride=3)
    assert row_lists(packed) == [window.row for window in cut]
    for window, labels in zip(cut, row_labels(packed), strict=True):
        wanted = np.full(len(window.row[0]), -1)
        for piece, label in first.items():
            if window.start <= piece < window.end:
                wanted[window.place + piece - window.start] = label
        assert labels.tolist() == wanted.tolist()


@given(NAMES, TAGGED, st.integers(8, 30), st.integers(0, 2**32 - 1))
def test_a_word_is_read_where_it_has_most_context(name, rows, length, seed):
    tokenizer, (parts, _) = TOKENIZERS[name], columns(rows)
    packed, rng = TASK.pack(tokenizer, [parts], length), np.random.default_rng(seed)
    outputs = [rng.normal(size=(len(ids), len(TASK.labels))).astype("float32") for ids, _ in packed.rows]
    text, spans = join_words(parts)
    encoding = tokenizer.encode([text])[0]
    cut = windows(tokenizer, encoding.ids, length, stride=3)
    wanted = []
    for start, end in spans:
        pieces = [i for i, (a, b) in enumerate(encoding.offsets) if a < end and b > start]
        best = max(((min(piece - w.start, w.end - 1 - piece) + 0.01 * (w.end - w.start), -i) for piece in pieces[:1]
                    for i, w in enumerate(cut) if w.start <= piece < w.end), default=None)
        logits = None if best is None else outputs[-best[1]][cut[-best[1]].row_position(pieces[0])]
        wanted.append("O" if best is None else TASK.labels[int(logits.argmax())])
    assert TASK.predictions(outputs, packed) == [wanted]


@given(NAMES, TAGGED, st.integers(8, 30), st.integers(0, 2**32 - 1))
def test_windows_and_the_whole_text_give_the_same_tags(name, rows, length, seed):
    """Of a model that looks at nothing but a token itself."""
    tokenizer, (parts, _) = TOKENIZERS[name], columns(rows)
    table = np.random.default_rng(seed).normal(size=(len(tokenizer), len(TASK.labels)))
    found = []
    for places in (length, 200):
        packed = TASK.pack(tokenizer, [parts], places)
        found.append(TASK.predictions([table[ids] for ids, _ in packed.rows], packed))
    assert len(packed.rows) == 1 and found[0] == found[1]


@given(st.text("ab .'\u00a0\t\u200b\u4eac", max_size=20), st.sampled_from([None, CONVENTION]))
def test_raw_text_is_tagged_as_its_words_are(text, convention):
    task = replace(TASK, convention=convention)
    spans = words(text) if convention is None else convention.words(text)
    parts, raw = [text[start:end] for start, end in spans], task.pack(TOKENIZERS["bert"], [text], 16)
    again = task.pack(TOKENIZERS["bert"], [parts], 16)
    assert row_lists(raw) == row_lists(again)
    if convention is not None or "'" not in text:
        (places, starts, _), others = raw.origin, again.origin
        assert (places.tolist(), starts) == (others[0].tolist(), others[1]) and len(places) == len(spans)


def predicted(task, text, tags, tokenizer=TOKENIZERS["bert"]):
    """Return the entities of a text, where a model gives each entry of the vocabulary a tag of its own, else O."""
    numbers = np.array([task.labels.index(tags.get(entry, "O")) for entry in tokenizer.vocabulary])
    packed = task.pack(tokenizer, [text], 32)
    found = task.predictions([np.eye(len(task.labels))[numbers[ids]] for ids, _ in packed.rows], packed)
    return [(one["text"], one["type"], one["start"]) for one in task.answers([text], found)[0]["entities"]]


@pytest.mark.parametrize(("convention", "text", "tags", "wanted"), [
    (None, "a d'ef.", {"e": "B-a"}, [("ef", "a", 4)]),
    (None, "a d\u2019ef.", {"e": "B-a"}, [("ef", "a", 4)]),
    (None, "a d'ef.", {"d": "B-b", "e": "B-a"}, [("d'ef", "b", 2)]),       # O'Brien, which begins with what has a tag
    (None, "ab'cd", {"##b": "B-a"}, []),
    (CONVENTION, "a d'ef.", {"e": "B-a", "d": "O"}, [("ef", "a", 4)]),
    (CONVENTION, "d'ef d'gh", {"d": "B-a", "e": "I-a"}, [("d'ef", "a", 0), ("d'", "a", 5)]),
    (CONVENTION, "a b'cd", {"c": "B-a"}, []), (CONVENTION, "a b'cd", {"b": "B-a"}, [("b'cd", "a", 2)]),
])
def test_where_an_entity_begins_in_a_word_with_an_apostrophe(convention, text, tags, wanted):
    assert predicted(replace(TASK, convention=convention), text, tags) == wanted


THAI = "\u0e01\u0e02\u0e03\u0e04"
SPACELESS = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *THAI, *(f"##{letter}" for letter in THAI)])


def test_entities_of_a_script_without_blanks():
    one, two, three, four = THAI
    known = replace(TASK, convention=Convention.learned([[one + two, three], [three + four]]))
    assert predicted(known, THAI, {three: "B-a"}, SPACELESS) == [(three + four, "a", 2)]
    tags = {f"##{two}": "B-a", f"##{three}": "B-a", f"##{four}": "B-b"}
    assert predicted(TASK, THAI, tags, SPACELESS) == [(two + three, "a", 1), (four, "b", 3)]


@given(st.text("aB .'\u00a0\t\u4eac\U0001f600", max_size=30), st.data())
def test_entities_are_slices_of_the_line(text, data):
    tags = [data.draw(st.sampled_from(TASK.labels)) for _ in words(text)]
    last, (answer,) = 0, TASK.answers([text], [tags])
    for entity, (kind, first, end) in zip(answer["entities"], metrics.entities(tags), strict=True):
        assert text[entity["start"]:entity["end"]] == entity["text"] == entity["text"].strip() != ""
        assert entity["type"] == kind and last <= entity["start"]
        assert len(words(entity["text"])) <= end - first or "'" in text
        last = entity["end"]


def test_entities_of_words_and_of_bytes():
    tags = [["B-a", "I-a", "O"]]
    assert TASK.answers([["ab", "cd", "."]], tags) == [
        {"entities": [{"text": "ab cd", "type": "a", "start": 0, "end": 5}]}]
    assert TASK.answers([b"ab cd."], tags) == [{"entities": [{"text": "ab cd", "type": "a", "start": 0, "end": 5}]}]


def test_an_empty_line_has_a_row_and_no_entity():
    packed = TASK.pack(TOKENIZERS["bert"], ["", []], 8)
    found = TASK.predictions([np.zeros((len(ids), 5)) for ids, _ in packed.rows], packed)
    assert found == [[], []] and TASK.answers(["", []], found) == [{"entities": []}] * 2


def test_what_does_not_fit_is_an_error():
    with pytest.raises(Error, match="'B-c' is not among"):
        TASK.pack(TOKENIZERS["bert"], [["ab"]], 8, [["B-c"]])
    with pytest.raises(Error, match="1 tags came with 2 words"):
        TASK.pack(TOKENIZERS["bert"], [["ab", "cd"]], 8, [["O"]])
    with pytest.raises(Error, match="Row 2 is 5"):
        TASK.check_inputs([["ab"], 5])
    assert TASK.check_inputs([("ab", "cd"), "ab cd"]) == [["ab", "cd"], "ab cd"]


def test_scores_are_those_of_entities():
    targets, found = [["B-a", "I-a", "O", "B-b"], ["B-x"]], [["B-a", "I-a", "O", "B-a"], ["O"]]
    scores, wanted = TASK.scores(targets, found), metrics.entity_scores(targets, found)
    assert scores == wanted and list(scores)[0] == list(TASK.metrics)[0] == "f1"
    assert scores["f1"] == 2 * 1 / (2 + 3)
    told = TASK.intervals(targets, found)["f1"]
    assert told["low"] <= told["score"] == scores["f1"] <= told["high"]


def test_words_and_tokens_are_counted():
    counts = TASK.confusion([["B-a", "I-a", "O"], ["B-x", "O"]], [["B-a", "O", "O"], ["O", "I-b"]])
    assert counts.tolist() == [[1, 0, 0, 0, 1], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0] * 5, [0] * 5]
    assert TASK.confusion([["B-x"]], [["O"]]) is None
    assert TASK.agreement([np.eye(5), np.eye(5)[:3]], [np.eye(5)[::-1], np.eye(5)[:3]]) == 4 / 8


def test_settings_make_the_task_again():
    assert Tagging(**TASK.settings()) == TASK and TASK.width == 5
    known = replace(TASK, convention=CONVENTION)
    assert task(json.loads(json.dumps(metadata(known)))) == known != TASK
    with pytest.raises(Error, match="has prefixes=5, wanted a list of words"):
        Tagging(("O",), convention={"prefixes": 5})


@pytest.mark.parametrize("labels, text, wanted", [
    (("NOUN", "VERB", "PUNCT"), [1, 1, 0, 2], [("VERB", 0, 1), ("VERB", 2, 3), ("NOUN", 4, 5), ("PUNCT", 6, 7)]),
    (("O", "PER", "LOC"), [1, 0, 2, 2], [("PER", 0, 1), ("LOC", 4, 7)]),
    (("O", "B-X", "I-X", "L-X", "U-X"), [4, 1, 2, 3], [("X", 0, 1), ("X", 2, 7)]),
    (("O", "B_X", "M_X", "E_X", "S_X"), [4, 1, 2, 3], [("X", 0, 1), ("X", 2, 7)])])
def test_labels_of_checkpoints_in_other_schemes_are_understood(labels, text, wanted):
    task, tokenizer = Tagging(labels), TOKENIZERS["bare"]
    packed = task.pack(tokenizer, [["a", "b", "c", "d"]], 8)
    found = task.predictions([np.eye(len(labels))[text]], packed)
    answer, = task.answers([["a", "b", "c", "d"]], found)
    assert [(each["type"], each["start"], each["end"]) for each in answer["entities"]] == wanted
