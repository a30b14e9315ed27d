"""The words of every script: those of rouge-score in English, and none is lost elsewhere."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertkit import metrics
from bertkit.metrics.script_words import english_words, is_english, script_words
from bertkit.tasks.oracle import oracle
from bertkit.tasks.summarising import Summarising
from bertkit.text.sentences import sentences

DOCUMENTS = {"Russian": "Дождь шёл весь вечер. Мэр открыл новый мост. Поезд опоздал на час.",
             "Greek": "Η βροχή έπεφτε όλο το βράδυ. Ο δήμαρχος άνοιξε τη γέφυρα.",
             "Hindi": "बारिश पूरी शाम हुई। मेयर ने नया पुल खोला।",
             "Chinese": "整晚都在下雨。市长开放了新桥。", "Thai": "ฝนตกตลอดเย็น นายกเทศมนตรีเปิดสะพานใหม่",
             "Arabic": "هطل المطر طوال المساء. افتتح رئيس البلدية الجسر.",
             "French": "L'été a été étouffant. Le café a fermé."}


@given(st.text(st.characters(max_codepoint=127)))
def test_of_ascii_letters_the_words_are_those_of_rouge_score(text):
    tokenize = pytest.importorskip("rouge_score.tokenize").tokenize
    assert script_words(text) == english_words(text) == tokenize(text, None)


@given(st.text())
def test_no_letter_is_lost_or_added(text):
    found = script_words(text)
    assert all(word and word == word.lower() for word in found)
    whole = unicodedata.normalize("NFC", text.lower())
    assert sum(map(str.isalnum, "".join(found))) == sum(map(str.isalnum, whole))


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_text_is_like_itself_and_unlike_another(document):
    pytest.importorskip("rouge_score")
    assert not is_english([document])
    same, other = (metrics.rouge([document], [text]) for text in (document, "x y z"))
    for kind in same:
        assert same[kind]["f1"] == 1 and other[kind]["f1"] == 0
    spans = tuple(sentences(document))
    for place, (start, end) in enumerate(spans):
        assert oracle(document, spans, (document[start:end],), 1) == (place,)


def test_english_numbers_are_those_of_rouge_score():
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    gold = "The film about the café was said to be \u201cwarm\u201d and running long, wrote a critic who saw it twice."
    said = "A critic said that the long film about a café runs on, and is warm."
    found, wanted = metrics.rouge([gold], [said], ("rouge1", "rougeL"), stem=True), scorer.score(gold, said)
    for kind, score in found.items():
        assert tuple(score.values()) == pytest.approx(tuple(wanted[kind]))


def test_it_is_said_whose_words_were_counted():
    assert Summarising().decision([["The film was warm."]]) == ""
    assert "in 1 of 2 rows, found by bertkit's own tokenizer" in Summarising().decision([["Дождь шёл."], ["The film."]])
