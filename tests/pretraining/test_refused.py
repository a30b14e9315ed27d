"""What a run is told before its first step, and what it does not depend on."""

import json
import shutil

import pytest

import bertkit
from bertkit.corpus import shards as files
from bertkit.corpus.make import fingerprint
from bertkit.corpus.rows import check_pairs, next_sentence, one_segment, sentence_order
from bertkit.corpus.sampler import CorpusSampler
from bertkit.corpus.segments import segments
from bertkit.errors import Error
from bertkit.pretraining.config import PretrainConfig
from bertkit.pretraining.eval_split import held_out
from tests import json_files, tiny
from tests.pretraining.runs import LENGTH, run, run_and_kill, same, sized


def test_a_config_or_a_checkpoint_that_changed_is_another_run(corpus, tmp_path, monkeypatch):
    shutil.copy(corpus / "tiny.json", tmp_path / "own.json")
    run_and_kill(monkeypatch, 5, corpus, tmp_path / "cut", config=str(tmp_path / "own.json"))
    (tmp_path / "own.json").write_text(json.dumps(tiny.CONFIG.but(dropout=0.3).to_json()))
    with pytest.raises(Error, match="holds a run whose config held something else; give the same command"):
        run(corpus, tmp_path / "cut", config=str(tmp_path / "own.json"))


@pytest.mark.slow
def test_looking_more_often_changes_no_weights(corpus, tmp_path):
    """The generator draws: what it draws for a look must not be missing afterwards."""
    dev = str(corpus / "dev")
    for name, knobs in (("seldom", PretrainConfig()), ("often", PretrainConfig(watch_every=2))):
        run(corpus, tmp_path / name, dev=dev, steps=[5], knobs=knobs, **sized("rtd"))
    assert same(tmp_path / "seldom", tmp_path / "often")


def test_held_out_rows_that_do_not_fit_are_refused_before_the_first_step(corpus, tmp_path):
    (tmp_path / "narrow.json").write_text(json.dumps(tiny.CONFIG.but(max_sequence_length=LENGTH).to_json()))
    (tmp_path / "long").mkdir()
    metadata = {"length": 2 * LENGTH, "vocabulary": fingerprint(tiny.tokenizer()), "text": ["long"]}
    long = segments(tiny.tokenizer(), [["good film. " * 50]], 2 * LENGTH)
    files.write_shards(tmp_path / "long", long, lambda: metadata)
    with pytest.raises(Error, match=f"{2 * LENGTH}"):
        run(corpus, tmp_path / "out", config=str(tmp_path / "narrow.json"), dev=str(tmp_path / "long"))


def test_all_held_out_rows_count(corpus):
    class Seen:
        def corrupt(self, batch):
            return batch

        def scores(self, batch):
            return {"mlm": float(batch["keys"].mean())}

    sampler = CorpusSampler(files.Shards(corpus / "dev"), tiny.tokenizer(), 8)
    rows = len(sampler.shards)
    assert rows % 8 and held_out(Seen(), sampler)["mlm"] == pytest.approx((rows - 1) / 2)


def test_a_corpus_of_one_document_has_no_other_for_nsp(corpus, tmp_path):
    shutil.copytree(corpus / "shards", tmp_path / "shards")
    json_files.change(tmp_path / "shards" / "manifest.json", documents=1)
    with pytest.raises(Error, match="holds one document, and nsp takes random texts of others"):
        run(corpus, tmp_path / "out", data=[str(tmp_path / "shards")], objectives="mlm,nsp")


@pytest.mark.slow
def test_dropout_is_a_new_encoder_s_and_no_checkpoint_s(corpus, tmp_path):
    run(corpus, tmp_path / "out", knobs=PretrainConfig(dropout=0.0))
    made = bertkit.load(str(tmp_path / "out"), part="encoder").config
    assert (made.dropout, made.attention_dropout) == (0, 0) != (tiny.CONFIG.dropout, tiny.CONFIG.attention_dropout)
    with pytest.raises(Error, match=r"dropout=0.0 does nothing for .*out, which has its own"):
        run(corpus, tmp_path / "more", model=str(tmp_path / "out"), knobs=PretrainConfig(dropout=0.0))


@pytest.mark.parametrize("arrange", [next_sentence, sentence_order])
def test_a_corpus_of_single_sentences_has_few_pairs_and_says_so(tmp_path, capsys, arrange):
    metadata = {"length": 32, "vocabulary": fingerprint(tiny.tokenizer()), "text": ["a"], "documents": 31}
    documents = [["good films are rare."]] * 30 + [["good films.", "rare films.", "good."]]
    files.write_shards(tmp_path, segments(tiny.tokenizer(), documents, 32, short=0), lambda: metadata)
    check_pairs(files.Shards(tmp_path), arrange)
    assert "at most 2 of 31 segments have a second sentence" in capsys.readouterr().err
    check_pairs(files.Shards(tmp_path), one_segment)
    assert capsys.readouterr().err == ""


def test_a_corpus_of_several_sentences_is_trained_on_without_a_word(corpus, capsys):
    check_pairs(files.Shards(corpus / "shards"), next_sentence)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("objectives, knobs, said", [
    ("plm", {"rate": 0.3}, "rate=0.3 does nothing for plm"), ("plm", {"whole_words": True}, "whole_words does nothing"),
    ("mlm,span", {"whole_words": True}, "whole_words does nothing for mlm,span"),
    ("mlm", {"dropout": 0.95}, "dropout=0.95 lies outside 0 to 0.9"),
    ("rtd", {"selection": "independent"}, "selection=independent does nothing for rtd"),
    ("mlm", {"selection": "independent", "whole_words": True}, "selection='independent' of words is unknown")])
def test_knobs_that_would_do_nothing_are_refused(corpus, tmp_path, objectives, knobs, said):
    with pytest.raises(Error, match=said):
        run(corpus, tmp_path / "out", knobs=PretrainConfig(**knobs), **sized(objectives))
