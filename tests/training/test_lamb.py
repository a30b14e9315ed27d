"""LAMB: against the recorded step and against the equations in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.training.lamb import LAMB


def numpy_lamb(weights, gradients, rate, decay, clip, excepted, epsilon=1e-6):
    """The equations of LAMB's docstring, float64; yields the weights after each step."""
    m, v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for t, step in enumerate(gradients, start=1):
        norm = np.sqrt(sum((g ** 2).sum() for g in step))
        for i, g in enumerate(step):
            g = g * min(1.0, clip / norm)
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g ** 2
            u = m[i] / (1 - 0.9 ** t) / (np.sqrt(v[i] / (1 - 0.999 ** t)) + epsilon)
            if i not in excepted:
                u = u + decay * weights[i]
                lengths = np.linalg.norm(weights[i]), np.linalg.norm(u)
                u = u * (lengths[0] / lengths[1] if min(lengths) > 0 else 1)
            weights[i] = weights[i] - rate * u
        yield [w.copy() for w in weights]


def trained(optimizer, weights, gradients, names=("kernel", "bias", "gamma")):
    variables = [keras.Variable(w.astype("float32"), name=name) for w, name in zip(weights, names, strict=True)]
    for step in gradients:
        optimizer.apply([tf.constant(g.astype("float32")) for g in step], variables)
        yield [np.asarray(variable) for variable in variables]


@pytest.fixture
def start():
    rng = np.random.default_rng(0)
    shapes = (4, 3), (3,), (5,)
    gradients = [[rng.normal(size=shape) * scale for shape in shapes] for scale in (0.01, 3, 1, 0.1, 5)]
    return [rng.normal(size=shape) for shape in shapes], gradients


@pytest.mark.parametrize("excepted, equal", [((1, 2), True), ((), False), ((1,), False)])
def test_equals_the_equations(start, excepted, equal):
    """Also the planted faults: a bias or LayerNorm's scale treated as a matrix."""
    weights, gradients = start
    wanted = list(numpy_lamb([w.copy() for w in weights], gradients, 1e-2, 0.1, 1.0, excepted))
    found = list(trained(LAMB(1e-2, weight_decay=0.1), weights, gradients))
    distances = [np.abs(a - b).max() for one, two in zip(found, wanted, strict=True)
                 for a, b in zip(one, two, strict=True)]
    assert (max(distances) < 5e-6) == equal


def test_keras_lamb_is_another(start):
    """Why there is a LAMB of our own: Keras' leaves the decay out of the update whose length is taken."""
    weights, gradients = start
    wanted = list(trained(LAMB(1e-2, weight_decay=0.1), weights, gradients))[-1]
    found = list(trained(keras.optimizers.Lamb(1e-2, weight_decay=0.1, global_clipnorm=1.0), weights, gradients))[-1]
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(found, wanted, strict=True))


def test_equals_the_recorded_step(shared):
    arrays = np.load(shared("checkpoints/objectives.npz"))
    optimizer = LAMB(0.01, weight_decay=0.01, global_clipnorm=None)
    weight = keras.Variable(arrays["adam_p"].astype("float32"), name="kernel")
    optimizer.build([weight])
    optimizer._momentums[0].assign(arrays["adam_m"])
    optimizer._velocities[0].assign(arrays["adam_v"])
    optimizer._iterations.assign(2)
    optimizer.apply([tf.constant(arrays["adam_g"], tf.float32)], [weight])
    np.testing.assert_allclose(np.asarray(weight), arrays["exp/lamb_step3_lr0.01_wd0.01_biascorr"], atol=1e-6)


@pytest.mark.parametrize("weight, gradient, moved", [(0.0, 1.0, 0.1), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
def test_a_norm_of_zero_has_ratio_one(weight, gradient, moved):
    found = list(trained(LAMB(0.1, weight_decay=0.0), [np.full(4, weight)], [[np.full(4, gradient)]], ["kernel"]))
    np.testing.assert_allclose(found[-1][0], weight - moved, atol=1e-5)


def test_accumulated_gradients_are_one_update_of_their_mean(start):
    weights, gradients = start
    means = [[(a + b) / 2 for a, b in zip(*gradients[k:k + 2], strict=True)] for k in (0, 2)]
    wanted = list(trained(LAMB(1e-2), weights, means))
    found = list(trained(LAMB(1e-2, gradient_accumulation_steps=2), weights, gradients[:4]))
    for k, after in enumerate(wanted):
        for a, b in zip(found[2 * k + 1], after, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_pace_of_its_own_is_kept(start):
    """A variable that begins after two updates moves like one that is trained alone from then on."""
    weights, gradients = start
    kernel = keras.Variable(weights[0].astype("float32"), name="kernel")
    optimizer = LAMB(1e-2, global_clipnorm=None, lr_scales={"kernel": 0.5}, lr_starts={"kernel": 2})
    for step in gradients:
        optimizer.apply([tf.constant(step[0].astype("float32"))], [kernel])
    later = [[step[0]] for step in gradients[2:]]
    alone = list(trained(LAMB(5e-3, global_clipnorm=None), weights[:1], later, ["kernel"]))[-1]
    np.testing.assert_allclose(np.asarray(kernel), alone[0], atol=1e-6)
