"""Pre-training from shards to a bundle: killed at any step, it ends with the weights of an undisturbed run."""

import json
import shutil

import numpy as np
import pytest

import bertkit
from bertkit.config import EncoderConfig
from bertkit.corpus import shards as files
from bertkit.errors import Error
from bertkit.pretraining import named
from bertkit.pretraining.config import PretrainConfig
from tests import tiny
from tests.pretraining.runs import run, run_and_kill, same, sized, weights

# The others' ways to a corpus, heads and draws are among those of these three.
OBJECTIVES = ("mlm,nsp", *(pytest.param(name, marks=pytest.mark.slow) for name in ("rtd", "plm", "mlm,sop", "mlm,sbo")))


@pytest.mark.slow
@pytest.mark.parametrize("objectives", OBJECTIVES)
def test_a_killed_run_ends_with_the_same_weights(corpus, tmp_path, monkeypatch, objectives):
    found = run(corpus, tmp_path / "whole", **sized(objectives))
    run_and_kill(monkeypatch, 5, corpus, tmp_path / "cut", **sized(objectives))
    assert not (tmp_path / "cut" / "bundle.json").exists()
    assert run(corpus, tmp_path / "cut", **sized(objectives)) == pytest.approx(found)
    assert same(tmp_path / "whole", tmp_path / "cut")
    assert {path.name for path in (tmp_path / "cut").iterdir()} <= {
        "bundle.json", "card.json", "weights.safetensors", "vocab.txt", "logs", "report.html"}


@pytest.fixture(scope="module")
def plain(steps, corpus, tmp_path_factory):
    """Return the folder of a run with the default knobs."""
    folder = tmp_path_factory.mktemp("plain") / "out"
    run(corpus, folder)
    return folder


@pytest.fixture(scope="module")
def killed(steps, corpus, tmp_path_factory):
    """Return the folder of a run with the default knobs that was killed in its eighth step, after states 3 and 6."""
    folder = tmp_path_factory.mktemp("killed") / "cut"
    with pytest.MonkeyPatch.context() as monkeypatch:
        run_and_kill(monkeypatch, 8, corpus, folder)
    return folder


@pytest.fixture
def cut(killed, tmp_path):
    """Return a copy of the killed run's folder."""
    return shutil.copytree(killed, tmp_path / "cut")


@pytest.mark.slow
@pytest.mark.parametrize("knobs", [{"ema": 0.9, "accumulate": 2, "masks": 2, "pack": True},
                                   {"optimizer": "lamb", "precision": "bfloat16", "whole_words": True},
                                   {"selection": "independent"}])
def test_every_knob_is_resumed_exactly(corpus, tmp_path, monkeypatch, plain, knobs):
    found = run(corpus, tmp_path / "whole", knobs=PretrainConfig(**knobs))
    run_and_kill(monkeypatch, 7, corpus, tmp_path / "cut", knobs=PretrainConfig(**knobs))
    assert run(corpus, tmp_path / "cut", knobs=PretrainConfig(**knobs)) == pytest.approx(found)
    assert same(tmp_path / "whole", tmp_path / "cut") and not same(tmp_path / "whole", plain)


@pytest.mark.slow
def test_graphs_compute_what_the_steps_do(corpus, tmp_path, plain, steps):
    import tensorflow as tf
    tf.config.run_functions_eagerly(steps == "graph")
    run(corpus, tmp_path / "other")
    tf.config.run_functions_eagerly(steps == "eager")
    for one, other in zip(weights(plain), weights(tmp_path / "other"), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_the_comparison_can_fail(corpus, tmp_path, plain):
    run(corpus, tmp_path / "other", seed=4)
    assert not same(plain, tmp_path / "other")


@pytest.mark.parametrize("damage", ["flipped", "metadata"])
@pytest.mark.slow
def test_a_damaged_newest_state_is_named_and_the_one_before_is_used(corpus, cut, capsys, plain, damage):
    _, newest = sorted(cut.glob("state-*.safetensors"))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 16
    if damage == "metadata":
        newest.with_suffix(".json").write_text("{")
    else:
        newest.write_bytes(content)
    run(corpus, cut)
    said = capsys.readouterr().err
    assert f"{newest.with_suffix('.json') if damage == 'metadata' else newest} is damaged" in said
    assert "Resuming after step 3." in said and same(plain, cut)


@pytest.mark.slow
def test_a_damaged_state_takes_no_place_among_those_that_are_kept(corpus, cut, monkeypatch):
    """Saved at other steps than before, its number is never written again."""
    (cut / "state-00000006.safetensors").write_bytes(b"damaged")
    run_and_kill(monkeypatch, 6, corpus, cut, save_every=5)
    assert {path.stem for path in cut.glob("state-*")} == {"state-00000003", "state-00000005"}


@pytest.mark.slow
def test_the_same_command_after_the_end_changes_nothing(corpus, tmp_path, monkeypatch):
    found = run(corpus, tmp_path / "out", dev=str(corpus / "dev"))
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (tmp_path / "out" / "state-00000006.safetensors").write_bytes(b"left by a kill")
    assert run(corpus, tmp_path / "out", dev=str(corpus / "dev")) == found
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    with pytest.raises(Error, match="holds a finished run with other knobs"):
        run(corpus, tmp_path / "out", seed=4)


def test_a_run_under_way_is_not_overwritten_by_another(corpus, cut):
    with pytest.raises(Error, match="holds a run with learning_rate 0.0005, and 0.001 came"):
        run(corpus, cut, learning_rate=1e-3)
    assert list(cut.glob("state-*"))


def test_a_vocabulary_that_is_not_there_is_said(corpus, tmp_path):
    with pytest.raises(Error, match=r"none\.txt is missing; give the vocabulary"):
        run(corpus, tmp_path / "out", vocabulary=str(tmp_path / "none.txt"))
    assert not (tmp_path / "out").exists()


def test_what_is_in_the_way_stays(corpus, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(Error, match="letter.txt"):
        run(corpus, tmp_path)
    with pytest.raises(Error, match="is a file"):
        run(corpus, tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "dear"


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_keeps_the_last_state(corpus, cut, monkeypatch, plain):
    for path in cut.glob("state-00000006.*"):       # so that it is to be written
        path.unlink()
    kept = {path: path.read_bytes() for path in cut.glob("state-*")}

    def full(path, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("bertkit.training.resume.write_bytes", full)
        with pytest.raises(Error, match="No space left on device.*free some room"):
            run(corpus, cut)
    assert kept == {path: path.read_bytes() for path in cut.glob("state-*")}
    run(corpus, cut)
    assert same(plain, cut)


@pytest.mark.slow
def test_a_damaged_record_is_named(corpus, tmp_path):
    shutil.copytree(corpus / "shards", tmp_path / "shards")
    shard = tmp_path / "shards" / "shard-00000.tfrecord"
    content = bytearray(shard.read_bytes())
    content[-20] ^= 1
    shard.write_bytes(content)
    last = len(files.Shards(tmp_path / "shards")) - 1
    with pytest.raises(Error, match=f"{shard}: record {last} is damaged"):
        run(corpus, tmp_path / "out", data=[str(tmp_path / "shards")], steps=[40])


@pytest.mark.slow
def test_phases_follow_each_other_with_one_schedule(corpus, tmp_path, monkeypatch):
    knobs = {"data": [str(corpus / "shards"), str(corpus / "dev")], "steps": [4, 5], "batch_size": [4, 2]}
    found = run(corpus, tmp_path / "whole", **knobs)
    run_and_kill(monkeypatch, 7, corpus, tmp_path / "cut", **knobs)
    assert run(corpus, tmp_path / "cut", **knobs) == pytest.approx(found) and found["steps"] == 9
    assert same(tmp_path / "whole", tmp_path / "cut")
    with pytest.raises(Error, match="2 corpora came with 1 numbers of steps"):
        run(corpus, tmp_path / "other", **(knobs | {"steps": [9]}))


@pytest.mark.slow
def test_it_goes_on_from_a_checkpoint_with_its_heads(corpus, tmp_path, capsys):
    run(corpus, tmp_path / "first", objectives="mlm,nsp")
    run(corpus, tmp_path / "second", model=str(tmp_path / "first"), learning_rate=1e-30, steps=[1])
    first, second = bertkit.load(str(tmp_path / "first")), bertkit.load(str(tmp_path / "second"))
    batch = tiny.tokenizer().pack(["a good film"], length=12)
    np.testing.assert_allclose(second(batch), first(batch)["mlm_logits"], atol=1e-5)
    assert "starts with new weights" not in capsys.readouterr().err
    run(corpus, tmp_path / "third", model=str(tmp_path / "second"), objectives="mlm,sop", steps=[1])
    assert "no head for sop, which starts with new weights" in capsys.readouterr().err
    (tmp_path / "other.txt").write_text("".join(f"{entry}\n" for entry in [*tiny.VOCABULARY[:-1], "~"]))
    with pytest.raises(Error, match="made with another vocabulary|trained with another vocabulary"):
        run(corpus, tmp_path / "fourth", model=str(tmp_path / "first"), vocabulary=str(tmp_path / "other.txt"))


@pytest.mark.slow
def test_what_was_measured_is_in_the_logs_and_the_report(corpus, tmp_path):
    found = run(corpus, tmp_path / "out", dev=str(corpus / "dev"), objectives="mlm,nsp",
                knobs=PretrainConfig(log_every=2, watch_every=4))
    assert {"mlm", "nsp", "masked_accuracy", "nsp_accuracy", "perplexity"} <= set(found["held_out"])
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    tags = set(EventAccumulator(str(tmp_path / "out" / "logs")).Reload().Tags()["tensors"])
    layers = {f"{what}/layer_{i}" for what in ("gradient_norm", "weight_norm", "update_ratio", "attention_entropy",
                                               "activation_outliers") for i in (1, 2)}
    assert {"loss", "mlm", "nsp", "perplexity", "rate", "gradient_norm", "tokens_per_second", "utilisation",
            "dev/masked_accuracy", "filled_in", "gradient_norm/embeddings", "gradient_norm/head"} | layers <= tags
    said = (tmp_path / "out" / "logs" / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "projector/vectors.tsv"' in said and 'metadata_path: "projector/words.tsv"' in said
    assert (tmp_path / "out" / "logs" / "projector" / "words.tsv").read_text().split("\n")[2] == "[CLS]"
    assert "Training" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(("text", "said"), [("mlm,nonsense", "no objective nonsense"), ("", "no objective in ''"),
                                            ("rtd,nsp", "rtd stands alone"), ("nsp", "teaches no words"),
                                            ("mlm,nsp,sop", "different pairs")])
def test_objectives_that_do_not_go_together_are_refused(text, said):
    with pytest.raises(Error, match=said):
        named.split_names(text)


def test_configurations_are_names_and_files(corpus, tmp_path):
    assert named.read_config("small", ("mlm",), 99).but(num_layers=4).hidden_dim == 512
    assert named.read_config("tiny", ("rtd",), 99).family == "electra"
    assert named.read_config(str(corpus / "tiny.json"), ("mlm",), 99) == tiny.CONFIG
    (tmp_path / "hf.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 70, "hidden_size": 48,
                                                  "num_hidden_layers": 2, "num_attention_heads": 4,
                                                  "intermediate_size": 96}))
    assert named.read_config(str(tmp_path / "hf.json"), ("mlm",), 99) == EncoderConfig(70, 2, 4, 48, 96)
    with pytest.raises(Error, match="config=huge is no size and no file"):
        named.read_config("huge", ("mlm",), 99)
