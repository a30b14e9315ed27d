"""Runs of the recipe on tiny texts: whole, or killed at a step."""

import pytest

import bertkit
from bertkit.recipes import pretrain
from bertkit.training.progress import Progress

STEPS, EVERY, LENGTH = 9, 3, 24


class Killed(BaseException):
    pass


def run(corpus, out, **knobs):
    defaults = {"data": [str(corpus / "shards")], "vocabulary": str(corpus / "vocab.txt"), "steps": [STEPS],
                "batch_size": [4], "save_every": EVERY, "seed": 3, "config": str(corpus / "tiny.json")}
    return pretrain.main(**(defaults | {"out": str(out)} | knobs))


def run_and_kill(monkeypatch, step, *arguments, **knobs):
    def killing(progress, batch, logs=None):
        progress.step += 1
        if progress.step == step:
            raise Killed
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Progress, "on_train_batch_end", killing)
        run(*arguments, **knobs)


def weights(folder):
    return bertkit.load(str(folder)).get_weights()


def same(one, other):
    return all((a == b).all() for a, b in zip(weights(one), weights(other), strict=True))


def sized(objectives):
    """Return the knobs for a tiny model of the family whose paper has the objectives."""
    return {"objectives": objectives} | ({"config": "tiny"} if objectives in ("rtd", "plm", "mlm,sbo") else {})
