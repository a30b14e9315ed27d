"""Words of raw text as the training data part them: learned from the words alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit.data.conll import read_conll
from bertkit.text.convention import Convention, plain
from bertkit.text.words import join_words

ITALIAN = ["il nord dell' Italia .", "L' Olanda piace a Carla .", "va a Roma , Sig. Rossi .", "l' isola d' Elba"]
FRENCH = ["le nord de l' Espagne .", "il vient d' Irlande aujourd'hui .", "Jean-Pierre dit qu' il va ."]
ENGLISH = ["Anna 's U.S. office doesn't say .", "the O'Brien 's well-known case .", "I 'm in Washington-based AT&T"]
PARTED = ["Jean - Pierre va / vient .", "A & B"]
THAI = ["แอนนา อยู่ ที่ กรุงเทพ", "เธอ ไป เชียงใหม่", "ที่ นี่"]
CHINESE = ["安娜 住 在 北京 大学", "我 去 上海 。"]
CHARACTERS = [" ".join("安娜住在北京")]


@pytest.mark.parametrize(("data", "text", "wanted"), [
    (ITALIAN, "il nord dell'Italia.", "il nord dell' Italia ."), (ITALIAN, "NELL\u2019AUSTRIA", "NELL\u2019 AUSTRIA"),
    (ITALIAN, "L'Elba, dell'isola", "L' Elba , dell' isola"), (ITALIAN, "il Sig. Rossi.", "il Sig. Rossi ."),
    (FRENCH, "Aujourd'hui l'Inde.", "Aujourd'hui l' Inde ."), (FRENCH, "qu'il Anne-Marie", "qu' il Anne-Marie"),
    (ENGLISH, "Bill's U.S. trip", "Bill 's U.S. trip"), (ENGLISH, "he doesn't, I'm", "he doesn't , I 'm"),
    (ENGLISH, "O'Brien's well-made", "O'Brien 's well-made"), (ENGLISH, "AT&T", "AT&T"),
    (PARTED, "Anne-Marie et/ou C&A", "Anne - Marie et / ou C & A"), (PARTED, "3.5 1,000 a@b.c", "3.5 1,000 a@b.c"),
    (THAI, "แอนนาอยู่ที่เชียงใหม่", "แอนนา อยู่ ที่ เชียงใหม่"), (THAI, "เธอไปภูเก็ต", "เธอ ไป ภูเก็ต"),
    (CHINESE, "我住在上海。", "我 住 在 上海 。"), (CHINESE, "北京人", "北京 人"),
    (CHARACTERS, "我在北京", "我 在 北 京"), (ENGLISH, "北京", "北 京"),
    (ENGLISH, "Rome\U0001f642\U0001f642 I\u2764\ufe0fParis", "Rome \U0001f642\U0001f642 I \u2764\ufe0f Paris"),
    ([], "Anna's dell'Italia", "Anna 's dell'Italia")])
def test_words_are_parted_as_the_data_do(data, text, wanted):
    made = Convention.learned(line.split() for line in data)
    assert [text[start:end] for start, end in made.words(text)] == wanted.split()
    assert Convention(**json.loads(json.dumps(made.to_json()))) == made


DATA = [*ITALIAN, *FRENCH, *ENGLISH, *THAI, *CHINESE]


LETTERS = "aB9 .,'\u2019-&กเ\u0e39北京\u3042\U0001f642\ufe0f\u200b\n"


@given(st.text(st.sampled_from(LETTERS) | st.characters(), max_size=30), st.lists(st.sampled_from(DATA), max_size=4))
def test_words_are_all_that_is_not_blank(text, data):
    spans = Convention.learned(line.split() for line in data).words(text)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    ends = [0, *(end for _, end in spans)]
    assert all(before <= start < end for before, (start, end) in zip(ends, spans, strict=False))


@pytest.mark.parametrize(("file", "share"), [("wikineural/en/val.conllu", 0.995),
                                             ("uner_english_ewt/en_ewt-ud-dev.iob2", 0.99)])
def test_the_words_of_published_data_are_found_again(shared, file, share):
    sentences = read_conll(shared(f"data/ner/{file}"), limit=2000).words
    made, same, total = Convention.learned(sentences), 0, 0
    for sentence in sentences:
        text, spans = join_words(sentence)
        same += len(set(spans) & set(made.words(text)))
        total += len(spans)
    assert same / total >= share


def test_words_are_compared_without_case_and_kinds_of_apostrophes():
    assert plain("DELL\u2019") == "dell'" and len(plain("\u0130\u02bc")) == 2
