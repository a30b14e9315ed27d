"""The model that `fit()` trains: its losses are those of the step, and it ships what it trained."""

import numpy as np
import pytest

from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import LanguageModel, PretrainingModel
from bertkit.objectives import MLM, NSP, RTD, SOP, Pretrainer
from bertkit.training.optimizer import adamw
from tests import tiny

PAIRS = [("a good film", "the old story"), ("dull", "a warm scene with the actor"), ("bad", "cold")]


class Rows:
    """The same three pairs at each step, under other keys."""

    def batch(self, step):
        first, second = zip(*PAIRS, strict=True)
        return {**tiny.tokenizer().pack(first, second, length=16), "keys": np.arange(3) + 3 * step,
                "pair_labels": np.array([0, 1, 1], "int32")}


def pretrainer(*objectives):
    return Pretrainer(Encoder(tiny.CONFIG.but(dropout=0.0, attention_dropout=0.0)), objectives)


def cross_entropy(logits, labels):
    logits = np.asarray(logits, "float64")
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -np.take_along_axis(logs, np.asarray(labels)[..., None], axis=-1)[..., 0]


@pytest.mark.parametrize("pairs", [NSP, SOP])
def test_losses_and_accuracies_are_those_of_numpy(pairs):
    model, name = pretrainer(MLM(tiny.tokenizer()), pairs()), pairs.__name__.lower()
    batch = model.corrupt(Rows().batch(5))
    outputs = {key: np.asarray(value) for key, value in model(batch, training=False).items()}
    weights = batch["masked_weights"]
    words = (cross_entropy(outputs["mlm_logits"], batch["masked_labels"]) * weights).sum() / weights.sum()
    texts = cross_entropy(outputs[f"{name}_logits"], batch["pair_labels"]).mean()
    found = model.scores(batch)
    assert found["mlm"] == pytest.approx(words, rel=1e-5) and found[name] == pytest.approx(texts, rel=1e-5)
    assert found["loss"] == pytest.approx(words + texts, rel=1e-5)
    told = (outputs[f"{name}_logits"].argmax(axis=-1) == batch["pair_labels"]).mean()
    assert found[f"{name}_accuracy"] == pytest.approx(told)
    right = ((outputs["mlm_logits"].argmax(axis=-1) == batch["masked_labels"]) * weights).sum() / weights.sum()
    assert found["masked_accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.slow
def test_logs_are_the_step_s_own(eagerly):
    model = pretrainer(MLM(tiny.tokenizer()), NSP())
    model.compile(adamw(1e-30, 3, warmup=0), run_eagerly=eagerly)
    wanted = [model.scores(model.corrupt(Rows().batch(step))) for step in range(3)]
    history = model.fit(model.dataset(Rows()), steps_per_epoch=1, epochs=3, verbose=0, shuffle=False).history
    for name in ("loss", "mlm", "nsp"):
        assert history[name] == pytest.approx([row[name] for row in wanted], rel=1e-5)
    assert history["tokens"] == [Rows().batch(0)["padding_mask"].sum()] * 3


def test_the_shipped_model_has_the_objectives_heads():
    assert isinstance(pretrainer(MLM(tiny.tokenizer())).model, LanguageModel)
    both = pretrainer(MLM(tiny.tokenizer()), SOP()).model
    assert isinstance(both, PretrainingModel) and list(both.heads) == ["mlm", "sop"]


def test_objectives_that_contradict_each_other_are_refused():
    with pytest.raises(Error, match="Two objectives have a loss of the name 'mlm'"):
        pretrainer(MLM(tiny.tokenizer()), RTD(tiny.tokenizer()))
    with pytest.raises(Error, match="next_sentence and sentence_order need different rows"):
        _ = pretrainer(MLM(tiny.tokenizer()), NSP(), SOP()).arrange
