"""Tagged sentences of annotation tools, each the same two sentences, and what cannot be read of them."""

import json

import pytest

from bertkit.data.columns import Columns
from bertkit.data.spans import Span, tagged_words
from bertkit.data.tagged import read_tagged
from bertkit.errors import Error

TEXTS = ["Anna left New York.", "No names"]
SPANS = [[0, 4, "PER"], [10, 18, "LOC"]]
WORDS = [["Anna", "left", "New", "York", "."], ["No", "names"]]
TAGS = [["B-PER", "O", "B-LOC", "I-LOC", "O"], ["O", "O"]]


def jsonl(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def studio(text, spans, **more):
    values = [{"value": {"start": a, "end": b, "text": text[a:b], "labels": [kind]}, "type": "labels", "id": str(a)}
              for a, b, kind in spans]
    return {"id": 1, "data": {"text": text, "source": "f"}, "annotations": [{"result": values, "was_cancelled": False}],
            **more}


def objects(spans, start="start", end="end"):
    return [{start: a, end: b, "label": kind} for a, b, kind in spans]


def spacy_tokens(words, tags):
    return {"tokens": [{"orth": word, "ner": tag} for word, tag in zip(words, tags, strict=True)]}


BILOU = ["U-PER", "O", "B-LOC", "L-LOC", "O"]
BMES = ["S-PER", "O", "B-LOC", "E-LOC", "O"]
WEBANNO = """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue


#Text=Anna left New York.
1-1\t0-4\tAnna\t_\tPER\tNNP\t
1-2\t5-9\tleft\t_\t_\tVBD\t
1-3\t10-13\tNew\t*[1]\tLOC[1]\tNNP\t
1-4\t14-18\tYork\t*[1]\tLOC[1]\tNNP\t
1-5\t18-19\t.\t_\t_\t.\t

#Text=No names
2-1\t20-22\tNo\t_\t_\tDT\t
2-2\t23-28\tnames\t_\t_\tNNS\t
"""

FILES = {
    "doccano": ("f.jsonl", jsonl({"id": 1, "text": TEXTS[0], "label": SPANS},
                                 {"id": 2, "text": TEXTS[1], "label": []})),
    "doccano, of relations": ("f.jsonl", jsonl(
        {"text": TEXTS[0], "entities": objects(SPANS, "start_offset", "end_offset"), "relations": []},
        {"text": TEXTS[1], "entities": []})),
    "Prodigy": ("f.jsonl", jsonl(
        {"text": TEXTS[0], "spans": objects(SPANS), "tokens": [{"text": "Anna", "start": 0}], "answer": "accept"},
        {"text": TEXTS[0], "spans": [], "answer": "reject"}, {"text": TEXTS[1], "spans": [], "answer": "accept"})),
    "Label Studio": ("f.json", json.dumps([
        studio(TEXTS[0], SPANS), {**studio(TEXTS[0], []), "annotations": [{"result": [], "was_cancelled": True}]},
        studio(TEXTS[1], [])])),
    "Label Studio, short": ("f.json", json.dumps([
        {"text": TEXTS[0], "id": 1, "label": [{"start": a, "end": b, "text": TEXTS[0][a:b], "labels": [kind]}
                                              for a, b, kind in SPANS]},
        {"text": TEXTS[1], "id": 2, "label": []}])),
    "spaCy 2": ("f.json", json.dumps([[TEXTS[0], {"entities": SPANS}], [TEXTS[1], {"entities": []}]])),
    "spaCy, trained by its command": ("f.json", json.dumps([{"id": 0, "paragraphs": [{"raw": "x", "sentences": [
        spacy_tokens(WORDS[0], BILOU), spacy_tokens(WORDS[1], ["O", "-"])]}]}])),
    "Hugging Face": ("f.jsonl", jsonl(*({"id": "0", "tokens": words, "ner_tags": tags}
                                        for words, tags in zip(WORDS, TAGS, strict=True)))),
    "lists in cells": ("f.csv", "tokens,ner_tags\n" + "".join(f'"{words}","{tags}"\n' for words, tags in zip(
        WORDS, TAGS, strict=True))),
    "simpletransformers": ("f.csv", "sentence_id,words,labels\n" + "".join(
        f"{number},{word},{tag}\n" for number in (0, 1)
        for word, tag in zip(WORDS[number], TAGS[number], strict=True))),
    "Kaggle": ("f.csv", "Sentence #,Word,POS,Tag\n" + "".join(
        f"{f'Sentence: {number}' if at == 0 else ''},{word},X,{tag}\n" for number in (0, 1)
        for at, (word, tag) in enumerate(zip(WORDS[number], TAGS[number], strict=True)))),
    "WebAnno": ("f.tsv", WEBANNO),
    "BMES": ("f.conll", "".join(f"{word} {tag}\n" for word, tag in zip(WORDS[0], BMES, strict=True))
             + "\nNo O\nnames O\n"),
    "without prefixes": ("f.conll", "Anna PER\nleft O\nNew LOC\nYork LOC\n. O\n\nNo O\nnames O\n"),
    "prefixes with _": ("f.conll", "Anna B_PER\nleft O\nNew B_LOC\nYork I_LOC\n. O\n\nNo O\nnames O\n"),
    "a header": ("f.tsv", "token\tpos\tner_tag\n" + "".join(
        f"{word}\tX\t{tag}\n" for word, tag in zip(WORDS[0], TAGS[0], strict=True)) + "\nNo\tX\tO\nnames\tX\tO\n"),
    "CoNLL-U": ("f.conllu", "# text = x\n1\tAnna\tB-PER\t_\n2-3\tleft New\t_\t_\n2\tleft\tO\t_\n3\tNew\tB-LOC\t_\n"
                            "4\tYork\tI-LOC\t_\n5\t.\tO\t_\n\n1\tNo\tO\t_\n2\tnames\tO\t_\n"),
}


@pytest.mark.parametrize("name", FILES)
def test_every_tool_says_the_same(written, name):
    found = read_tagged(written(*FILES[name]))
    assert (found.words, found.tags) == (WORDS, TAGS)
    assert len(found.skipped) == (name in ("Prodigy", "Label Studio")) and found.source.form


def test_a_folder_of_brat(tmp_path):
    (tmp_path / "a.txt").write_text("Anna left\nNew York.\n\nNo names\n")
    (tmp_path / "a.ann").write_text("T1\tPER 0 4\tAnna\nT2\tLOC 10 18\tNew York\nR1\tOrigin Arg1:T1 Arg2:T2\n")
    found = read_tagged(tmp_path)
    assert found.words == [["Anna", "left"], ["New", "York", "."], ["No", "names"]]
    assert found.tags == [["B-PER", "O"], ["B-LOC", "I-LOC", "O"], ["O", "O"]]
    (tmp_path / "a.ann").write_text("T1\tPER 0 4;10 13\tAnna New\n")
    with pytest.raises(Error, match=r"a.ann: 'T1.*is no entity of one piece"):
        read_tagged(tmp_path)


def test_words_are_parted_where_an_entity_ends():
    assert tagged_words(1, "dell'Italia", [Span(5, 11, "LOC")]) == (["dell'", "Italia"], ["O", "B-LOC"])
    assert tagged_words(1, "a  Rome ", [Span(1, 8, "LOC")]) == (["a", "Rome"], ["O", "B-LOC"])


def test_places_that_count_an_emoji_as_two_are_understood():
    text = "\U0001f600 Anna"
    assert tagged_words(1, text, [Span(3, 7, "PER", "Anna")])[1][-1] == "B-PER"
    with pytest.raises(Exception, match="'Bert' does not stand at character 3"):
        tagged_words(1, text, [Span(3, 7, "PER", "Bert")])


@pytest.mark.parametrize("name, content, words", [
    ("f.jsonl", jsonl({"text": "Anna Berg", "label": [[0, 9, "PER"], [5, 9, "LOC"]]}), ["line 1", "overlap", "'Berg'"]),
    ("f.jsonl", jsonl({"text": "Anna", "label": [[0, 9, "PER"]]}), ["from 0 to 9", "4 characters"]),
    ("f.jsonl", jsonl({"text": "Anna", "label": [["PER"]]}), ["no entity with start, end and label"]),
    ("f.jsonl", jsonl({"tokens": ["a"], "ner_tags": [0]}), ["holds numbers", "Parquet"]),
    ("f.jsonl", jsonl({"tokens": ["a"], "ner_tags": ["O", "O"]}), ["two lists of one length"]),
    ("f.csv", "word,label\na,O\n", ["sentence_id", "--word"]),
    ("f.jsonl", jsonl({"text": "a film", "label": "good"}), ["'text', 'label'", "--tag"]),
    ("f.spacy", b"DocBin", ["is no .spacy file", "not packed with zlib"]),
    ("f.json", '{"data": []}', ["is JSON"]),
    ("f.tsv", WEBANNO.replace("_\tPER", "_\tPER|ORG"), ["line 7", "several annotations"]),
])
def test_what_cannot_be_read_is_named(written, name, content, words):
    with pytest.raises(Error) as told:
        read_tagged(written(name, content))
    assert all(word in str(told.value) for word in words), told.value


def test_several_layers_are_for_the_user_to_choose(written):
    path = written("f.tsv", WEBANNO.replace("NamedEntity", "Mine").replace("*[1]", "Q1[1]"))
    with pytest.raises(Error, match=r"4 \(Mine.identifier\), 5 \(Mine.value\), 6 \(POS.PosValue\).*--tag NUMBER"):
        read_tagged(path)
    assert read_tagged(path, Columns(tag="5")).tags == TAGS
    assert read_tagged(path, Columns(tag="value")).tags == TAGS
