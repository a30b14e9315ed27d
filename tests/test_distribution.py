"""Training on several devices equals training on one; a lost worker ends the run, which goes on."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from bertkit.distribution import Place, across_devices, scope, sum_over_devices
from bertkit.errors import Error
from bertkit.objectives.objective import mean
from tests import worker

ROOT = Path(__file__).resolve().parents[1]


def started(folder, kind, *arguments, **environment):
    """Return a running worker."""
    return subprocess.Popen([sys.executable, "-m", "tests.worker", str(folder), kind, *map(str, arguments)],
                            cwd=ROOT, env={**os.environ, "CUDA_VISIBLE_DEVICES": "", **environment}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def among_two(folder, *dies):
    """Run two workers, of which the second dies after a step; return [(exit code, losses, said)]."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("localhost", 0))
        two.bind(("localhost", 0))
        workers = [f"localhost:{place.getsockname()[1]}" for place in (one, two)]
    tasks = [json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}}) for i in (0, 1)]
    second = started(folder, "workers", *dies, TF_CONFIG=tasks[1])
    first = started(folder, "workers", TF_CONFIG=tasks[0])
    try:
        return [ended(first), ended(second)]
    finally:
        first.kill()
        second.kill()


def ended(process):
    """Return (exit code, {step: losses}, standard error) of a worker that ends."""
    out, said = process.communicate(timeout=500)
    rows = [json.loads(line) for line in out.splitlines()]
    return process.returncode, {row.pop("step"): row for row in rows}, said


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The losses of one process."""
    code, losses, said = ended(started(tmp_path_factory.mktemp("alone"), "none"))
    assert code == 0, said
    assert list(losses) == list(range(worker.STEPS))
    assert losses[0]["mlm"] != losses[1]["mlm"]
    return losses


def check_equal(found, wanted):
    for step, losses in found.items():
        assert losses == pytest.approx(wanted[step], rel=1e-5), step


@pytest.mark.slow
def test_two_devices_equal_one(alone, tmp_path):
    code, losses, said = ended(started(tmp_path, "devices"))
    assert code == 0, said
    assert len(losses) == worker.STEPS
    check_equal(losses, alone)


@pytest.mark.slow
def test_two_workers_equal_one_and_go_on_where_one_was_killed(alone, tmp_path):
    (code, losses, said), (other, _, _) = among_two(tmp_path, 4)
    assert (code, other) == (1, -9), said
    assert said.splitlines()[-1].startswith("bertkit: A worker of this run was lost; start the same command again")
    assert list(losses) == [0, 1, 2, 3, 4]
    check_equal(losses, alone)
    for code, losses, said in among_two(tmp_path):
        assert code == 0, said
        assert list(losses) == [3, 4, 5, 6, 7]      # after the state of step 3
        check_equal(losses, alone)


@pytest.mark.parametrize("said", [None, "", "{", "[]", '{"cluster": {}, "task": {"type": "worker", "index": 0}}',
                                  '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
                                  '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
                                  '{"cluster": {"worker": ["a:1"]}}'])
def test_a_tf_config_that_says_nothing_is_refused(said, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if said is not None:
        monkeypatch.setenv("TF_CONFIG", said)
    with pytest.raises(Error, match="TF_CONFIG is .*; to train among workers"), scope("workers"):
        pass


def test_an_unknown_kind_is_refused():
    with pytest.raises(Error, match="distribute=gpus is unknown; give one of none, devices, workers"), scope("gpus"):
        pass


def test_alone_nothing_is_summed():
    with scope() as place, across_devices():
        assert place == Place((0, 1)) and place.chief
        assert sum_over_devices([3.0, None]) == [3.0, None]


def test_the_mean_is_weighted_and_its_gradient_that_of_its_part(monkeypatch):
    """The other device has a sum of 10 and a weight of 6: stood in for, so that value and gradient are seen apart."""
    sums = iter([np.float32(6), np.float32(10 / 8)])
    monkeypatch.setattr("bertkit.objectives.objective.sum_over_devices", lambda values: [values[0] + next(sums)])
    values = keras.Variable(np.array([1, 2, 4], "float32"))
    import tensorflow as tf
    with tf.GradientTape() as tape:
        found = mean(ops.convert_to_tensor(values), np.array([1, 0, 1]))
    assert float(found) == pytest.approx((1 + 4 + 10) / (2 + 6))
    np.testing.assert_allclose(tape.gradient(found, values.value), [1 / 8, 0, 1 / 8])


@pytest.fixture
def model():
    layer = keras.Sequential([keras.layers.Dense(2), keras.layers.Dropout(0.5)])
    layer.build((None, 3))
    return layer


def test_workers_begin_alike_and_draw_unlike(model, monkeypatch):
    """The other worker is stood in for: it says what this one says, or nothing."""
    seeds, = [variable for variable in model.variables if "kernel" not in variable.path and "bias" not in variable.path]
    seed, kernel = np.array(seeds), np.array(model.layers[0].kernel)
    monkeypatch.setattr("bertkit.distribution.sum_over_devices", lambda values: [values[0] + values[0][::-1]])
    Place((1, 2)).begin(model, 3)
    np.testing.assert_array_equal(seeds, seed + [1, 0])
    np.testing.assert_array_equal(model.layers[0].kernel, kernel)
    monkeypatch.setattr("bertkit.distribution.sum_over_devices", lambda values: values)
    with pytest.raises(Error, match=r"begin at the steps \[0, 3\]"):
        Place((1, 2)).begin(model, 3)


def test_one_process_draws_as_ever(model):
    before = [np.array(variable) for variable in model.variables]
    Place().begin(model, 0)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
