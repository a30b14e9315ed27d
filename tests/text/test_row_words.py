"""Words in rows of ids: of Chinese, those that a segmenter finds."""

import re
import sys
import types

import numpy as np
import pytest

from bertkit.errors import Error
from bertkit.objectives import MLM, RTD
from bertkit.pretraining import named
from bertkit.text import Tokenizer
from bertkit.text.row_words import RowWords

TEXT = "今天天气很好我们去北京大学图书馆学习"
WORDS = "今天 天气 很 好 我们 去 北京大学 图书馆 学习".split()
TOKENIZER = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(TEXT)), "river", "##s", "。"])


def cut(text):
    """Segment by the longest word of the list that fits."""
    found = []
    while text:
        found.append(next((word for word in sorted(WORDS, key=len)[::-1] if text.startswith(word)), text[0]))
        text = text[len(found[-1]):]
    return found


def test_words_begin_where_the_segmenter_says():
    ids = TOKENIZER.pack([f"rivers {TEXT}。{TEXT[:4]}", "river", ""], length=40)["token_ids"]
    expected = [True] + [True, False]                                       # [CLS] river ##s
    expected += [at == 0 for word in WORDS for at in range(len(word))] + [True] + [True, False] * 2
    found = RowWords(TOKENIZER, cut)(ids)
    assert found[0, :len(expected)].tolist() == expected
    np.testing.assert_array_equal(found[1:], RowWords(TOKENIZER)(ids[1:]))


@pytest.mark.parametrize("make", [lambda: MLM(TOKENIZER, whole_words=True, rate=0.3, segmenter=cut),
                                  lambda: RTD(TOKENIZER, rate=0.3, choice="words", segmenter=cut).hide])
def test_all_characters_of_a_word_are_hidden_together(make):
    batch, hide = TOKENIZER.pack([TEXT] * 4, length=32), make()
    bounds = np.cumsum([1, *map(len, WORDS)])
    hidden = [set(row[weights > 0]) for step in range(40) for found in [hide.corrupt({**batch, "step": step})]
              for row, weights in zip(found["masked_positions"], found["masked_weights"], strict=True)]
    for start, end in zip(bounds, bounds[1:], strict=False):
        parts = [len(row & set(range(start, end))) for row in hidden]
        assert set(parts) <= {0, end - start} and len(set(parts)) == 2


def test_without_a_segmenter_it_is_said_once_and_only_of_chinese(capsys):
    hide, batch = MLM(TOKENIZER, whole_words=True), TOKENIZER.pack([TEXT], length=32)
    hide.corrupt(TOKENIZER.pack(["rivers river"], length=8))
    assert capsys.readouterr().err == ""
    for step in range(3):
        hide.corrupt({**batch, "step": step})
    assert capsys.readouterr().err.count("each Chinese character counts as a word of its own") == 1
    MLM(TOKENIZER).corrupt(batch)
    assert capsys.readouterr().err == ""


def test_jieba_is_asked_by_name_and_its_lack_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "jieba", types.SimpleNamespace(lcut=cut, setLogLevel=lambda level: None))
    ids = TOKENIZER.pack([TEXT], length=32)["token_ids"]
    made, = named.make_objectives(["mlm"], TOKENIZER, whole_words=True, segmenter="jieba")
    np.testing.assert_array_equal(made.words(ids), RowWords(TOKENIZER, cut)(ids))
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(Error, match='needs jieba, which is not installed; run: .* "jieba'):
        RowWords(TOKENIZER, "jieba")


@pytest.mark.parametrize(("make", "message"), [
    (lambda: RowWords(TOKENIZER, "stanza"), "segmenter='stanza' is unknown; give jieba"),
    (lambda: RowWords(TOKENIZER, lambda text: ["x"])(TOKENIZER.pack([TEXT])["token_ids"]), "which joined are the text"),
    (lambda: MLM(TOKENIZER, segmenter=cut), "give whole_words too"),
    (lambda: named.make_objectives(["plm"], TOKENIZER, segmenter="jieba"), "does nothing for plm"),
])
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(Error, match=message):
        make()


def test_jieba_itself_finds_words_of_chinese():
    """Its own examples; the words that begin a row of ids are those of `jieba.lcut`, and the rest begins none."""
    jieba = pytest.importorskip("jieba", reason="jieba is not installed")
    texts = ["我来到北京清华大学", "小明硕士毕业于中国科学院计算所,后在日本京都大学深造。", "乒乓球拍卖完了。"]
    tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set("".join(texts)))])
    ids = tokenizer.pack(texts, length=40)["token_ids"]
    for text, row in zip(texts, RowWords(tokenizer, "jieba")(ids), strict=True):
        wanted = [at == 0 for part in re.split("([,。])", text) for word in jieba.lcut(part) for at in range(len(word))]
        assert row[1:1 + len(text)].tolist() == wanted and not all(wanted)
