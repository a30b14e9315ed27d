"""Pre-training with a teacher: the loss at masked places against numpy, and a run that is killed and goes on."""

import numpy as np
import pytest

import bertkit
from bertkit.compress.following import FollowTeacher, follow
from bertkit.compress.matches import Match
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import LanguageModel
from bertkit.objectives import MLM, Pretrainer
from bertkit.pretraining.config import PretrainConfig
from bertkit.text import Tokenizer
from tests import tiny
from tests.compress.test_alignment import TURNED
from tests.compress.test_slim import saved
from tests.pretraining.runs import run, run_and_kill, same

WIDE = tiny.CONFIG.but(initializer_range=0.3)


def pretrainer(objective, **changes):
    made = Pretrainer(Encoder(tiny.CONFIG.but(dropout=0.0, attention_dropout=0.0, **changes)),
                      [MLM(tiny.tokenizer(), seed=1), objective])
    objective.share(made)
    return made


def test_the_loss_is_the_divergence_at_the_masked_places():
    teacher = LanguageModel(Encoder(WIDE))
    objective = FollowTeacher(teacher, alpha=0.25, temperature=2.0,
                              matches=[Match("hidden/2", "hidden/1", "mse", 0.5)])
    made = pretrainer(objective, num_layers=1, hidden_dim=8)
    assert made.factors == {"mlm": 0.25, "soft": 0.75, "matches": 1.0}
    batch = made.corrupt(tiny.features(4).batch(range(4)))
    outputs = made(batch, training=True)
    p, q = (np.asarray(side, "float64") / 2 for side in (teacher(teacher.select_entries(batch)), outputs["mlm_logits"]))
    p, q = (side - np.log(np.exp(side).sum(-1, keepdims=True)) for side in (p, q))
    wanted = (4 * (np.exp(p) * (p - q)).sum(-1) * batch["masked_weights"]).sum() / batch["masked_weights"].sum()
    found = objective.losses(outputs, batch)
    assert float(found["soft"]) == pytest.approx(wanted, rel=1e-4)
    rows = {name: batch[name] for name in ("token_ids", "segment_ids", "padding_mask")}
    theirs = np.asarray(teacher.encoder(rows, trace=True)["trace"]["hidden/2"])
    projection = made.parts["1"]
    ours = np.asarray(projection(made.encoder(rows, trace=True)["trace"]["hidden/1"]))
    squares = ((ours - theirs) ** 2).mean(-1)[rows["padding_mask"] == 1]
    made(batch, training=True)
    assert float(objective.losses(outputs, batch)["matches"]) == pytest.approx(0.5 * squares.mean(), rel=1e-4)
    assert len(made.model.weights) == len(LanguageModel(Encoder(made.encoder.config)).weights)
    made(batch, training=False)
    assert float(objective.losses(outputs, batch)["matches"]) == 0
    objective.finish()
    assert "trace" not in made.encoder(rows, training=True)


def test_what_there_is_nothing_to_follow_of_is_refused(tmp_path):
    with pytest.raises(Error, match="nothing to follow"):
        FollowTeacher(Encoder(WIDE))
    assert FollowTeacher(Encoder(WIDE), matches="minilm").weights == {"matches": 1.0}
    other = saved(tmp_path / "other", LanguageModel(Encoder(WIDE)), tokenizer=Tokenizer(TURNED))
    with pytest.raises(Error, match="ids of another one"):
        follow(other, tiny.tokenizer(), ("mlm",), 0.5, 2.0)
    with pytest.raises(Error, match="rtd has none"):
        follow(other, tiny.tokenizer(), ("rtd",), 0.5, 2.0)
    with pytest.raises(Error, match="are with a teacher"):
        PretrainConfig(matches="minilm")
    with pytest.raises(Error, match="on one device"):
        PretrainConfig(teacher="a", matches="minilm", distribute="devices")


@pytest.mark.slow
def test_a_killed_run_with_a_teacher_ends_with_the_same_weights(corpus, tmp_path, monkeypatch, steps):
    teacher = saved(tmp_path / "teacher", LanguageModel(Encoder(WIDE)))
    knobs = {"knobs": PretrainConfig(teacher=str(teacher), matches="tinybert"), "dev": str(corpus / "dev")}
    found = run(corpus, tmp_path / "whole", **knobs)
    run_and_kill(monkeypatch, 5, corpus, tmp_path / "cut", **knobs)
    again = run(corpus, tmp_path / "cut", **knobs)
    assert again["held_out"] == pytest.approx(found["held_out"]) and again["held_out"]["soft"] > 0
    assert again["last_loss"] == pytest.approx(found["last_loss"])
    assert same(tmp_path / "whole", tmp_path / "cut")
    assert type(bertkit.load(tmp_path / "whole")).__name__ == "LanguageModel"
