"""AdamW: against Keras' own update and against the equations in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.errors import Error
from bertkit.training.optimizer import AdamW, adamw
from bertkit.training.schedules import WarmupLinear
from tests import tiny


def numpy_adamw(weights, gradients, rate, decay, clip, beta_1=0.9, beta_2=0.999, epsilon=1e-6):
    """The equations of AdamW's docstring, float64; yields the weights after each step."""
    m, v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for t, step in enumerate(gradients, start=1):
        norm = np.sqrt(sum((g ** 2).sum() for g in step))
        for i, g in enumerate(step):
            g = g * min(1.0, clip / norm)
            m[i] = beta_1 * m[i] + (1 - beta_1) * g
            v[i] = beta_2 * v[i] + (1 - beta_2) * g ** 2
            scale = rate * np.sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t)
            weights[i] = weights[i] * (1 - rate * decay[i]) - scale * m[i] / (np.sqrt(v[i]) + epsilon)
        yield [w.copy() for w in weights]


def trained(optimizer, weights, gradients):
    layers = [keras.Variable(w.astype("float32"), name=name)
              for w, name in zip(weights, ("kernel", "bias"), strict=True)]
    for step in gradients:
        optimizer.apply([tf.constant(g.astype("float32")) for g in step], layers)
        yield [np.asarray(layer) for layer in layers]


@pytest.mark.parametrize("fused", [True, False])
def test_equals_the_equations(fused):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(4, 3)), rng.normal(size=3)]
    gradients = [[rng.normal(size=(4, 3)) * scale, rng.normal(size=3) * scale] for scale in (0.01, 3, 1, 0.1, 5)]
    optimizer = AdamW(1e-2, weight_decay=0.1, global_clipnorm=1.0)
    optimizer.fused = fused
    expected = numpy_adamw([w.copy() for w in weights], gradients, 1e-2, (0.1, 0.0), 1.0)
    for found, wanted in zip(trained(optimizer, weights, gradients), expected, strict=True):
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-6)


def test_gradients_of_unknown_variables_are_an_error():
    with pytest.raises(ValueError, match="must already be built"):
        AdamW(1e-2).apply([tf.constant([1.0])])


def test_a_wrong_decay_is_seen():
    """The planted fault: bias decayed too. The comparison above must notice."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(4, 3)), rng.normal(size=3)]
    gradients = [[rng.normal(size=(4, 3)), rng.normal(size=3)]] * 3
    wrong = list(numpy_adamw([w.copy() for w in weights], gradients, 1e-2, (0.1, 0.1), 1.0))[-1]
    found = list(trained(AdamW(1e-2, weight_decay=0.1), weights, gradients))[-1]
    assert np.abs(found[1] - wrong[1]).max() > 1e-4
    np.testing.assert_allclose(found[0], wrong[0], atol=2e-6)


def test_biases_and_norms_of_a_model_are_not_decayed():
    """The rule of BERT's optimizer: gradients of zero shrink the matrices and tables, and nothing else."""
    variables = tiny.classifier().trainable_variables
    for variable in variables:
        variable.assign(tf.ones(variable.shape))
    AdamW(0.1, weight_decay=0.5).apply([tf.zeros(variable.shape) for variable in variables], variables)
    names = {shrunk: {variable.name for variable in variables if (np.asarray(variable) < 1).all() == shrunk}
             for shrunk in (True, False)}
    assert names == {True: {"kernel", "embeddings"}, False: {"bias", "gamma", "beta"}}


@pytest.mark.parametrize("fused", [True, False])
def test_the_norm_sums_rows_that_occur_twice(fused):
    table = keras.Variable(np.zeros((5, 2), "float32"), name="embeddings")
    optimizer = AdamW(1e-3, global_clipnorm=None)
    optimizer.fused = fused
    gradient = tf.IndexedSlices(tf.constant([[3.0, 0.0], [1.0, 0.0]]), tf.constant([2, 2]), tf.constant([5, 2]))
    optimizer.apply([gradient], [table])
    assert float(optimizer.gradient_norm) == pytest.approx(4.0)


@pytest.mark.parametrize("fused", [True, False])
def test_a_gradient_that_is_not_finite_shows(fused):
    weights = keras.Variable(np.ones(2, "float32"), name="kernel")
    optimizer = AdamW(1e-3)
    optimizer.fused = fused
    optimizer.apply([tf.constant([np.inf, 1.0])], [weights])
    assert np.isnan(np.asarray(weights)).any()


def test_gradients_of_zero_move_nothing_but_decay():
    weights = keras.Variable(np.ones(3, "float32"), name="kernel")
    AdamW(0.1, weight_decay=0.5).apply([tf.zeros(3)], [weights])
    np.testing.assert_allclose(np.asarray(weights), 0.95)


def test_schedule_equals_its_formula():
    steps, peak = 50, 3e-4
    schedule = WarmupLinear(peak, steps, 0.1)
    for t in range(60):
        wanted = peak * (t / 5 if t < 5 else max(0, (steps - t) / 45))
        assert float(schedule(t)) == pytest.approx(wanted, rel=1e-5, abs=1e-12)


def test_adamw_follows_the_schedule():
    optimizer = adamw(1e-3, steps=10, warmup=0.5)
    weights = keras.Variable(np.ones(3, "float32"), name="kernel")
    optimizer.build([weights])
    assert float(optimizer.learning_rate) == 0
    optimizer.apply([tf.ones(3)], [weights])
    np.testing.assert_array_equal(np.asarray(weights), 1)          # the first step has rate 0
    assert float(optimizer.learning_rate) == pytest.approx(2e-4)


def numpy_paced(weights, gradients, rate, decay, paces, beta_1=0.9, beta_2=0.999, epsilon=1e-6):
    """AdamW without clipping where weight i has its own rate and first update; yields the weights after each step."""
    m, v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for t, step in enumerate(gradients):
        for i, (g, (factor, start)) in enumerate(zip(step, paces, strict=True)):
            if t >= start:
                own = t - start + 1
                m[i] = beta_1 * m[i] + (1 - beta_1) * g
                v[i] = beta_2 * v[i] + (1 - beta_2) * g ** 2
                unbiased = (m[i] / (1 - beta_1 ** own)) / (np.sqrt(v[i]) + epsilon) * np.sqrt(1 - beta_2 ** own)
                weights[i] = weights[i] * (1 - rate * factor * decay[i]) - rate * factor * unbiased
        yield [w.copy() for w in weights]


def paced(paces, fused, weights, gradients, **options):
    """Return the weights after each step of an AdamW with these paces."""
    variables = [keras.Variable(w.astype("float32"), name=name)
                 for w, name in zip(weights, ("kernel", "bias"), strict=True)]
    scales, starts = ({variable.path: pace[i] for variable, pace in zip(variables, paces, strict=True)} for i in (0, 1))
    optimizer = AdamW(1e-2, weight_decay=0.1, lr_scales=scales, lr_starts=starts, **options)
    optimizer.fused = fused
    for step in gradients:
        optimizer.apply([tf.constant(g.astype("float32")) for g in step], variables)
        yield [np.asarray(variable) for variable in variables]


PACES = ((0.5, 2), (0.25, 0))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("paces, equal", [(PACES, True), (((0.5, 1), (0.25, 0)), False),
                                          (((0.4, 2), (0.25, 0)), False)])
def test_paces_equal_the_equations(fused, paces, equal):
    """Also the planted faults: another start, another rate."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(4, 3)), rng.normal(size=3)]
    gradients = [[rng.normal(size=(4, 3)), rng.normal(size=3)] for _ in range(6)]
    wanted = list(numpy_paced([w.copy() for w in weights], gradients, 1e-2, (0.1, 0.0), PACES))
    found = list(paced(paces, fused, weights, gradients, global_clipnorm=None))
    assert max(np.abs(a - b).max() for one, two in zip(found, wanted, strict=True)
               for a, b in zip(one, two, strict=True)) < 2e-6 or not equal
    assert equal or np.abs(found[-1][0] - wanted[-1][0]).max() > 1e-4


@pytest.mark.parametrize("fused", [True, False])
def test_what_has_not_begun_counts_for_no_norm(fused):
    table, kernel = (keras.Variable(np.zeros(shape, "float32"), name=name)
                     for shape, name in (((5, 2), "table"), ((2,), "kernel")))
    optimizer = AdamW(1e-3, lr_starts={"table": 1})
    optimizer.fused = fused
    sparse = tf.IndexedSlices(tf.constant([[30.0, 40.0]]), tf.constant([2]), tf.constant([5, 2]))
    norms = []
    for _ in range(2):
        optimizer.apply([sparse, tf.constant([3.0, 4.0])], [table, kernel])
        norms.append(float(optimizer.gradient_norm))
    assert norms == pytest.approx([5, np.hypot(50, 5)])


@pytest.mark.parametrize("knob", ["lr_scales", "lr_starts"])
def test_a_path_that_no_variable_has_is_an_error(knob):
    optimizer, kernel = AdamW(1e-3, **{knob: {"kernle": 1}}), keras.Variable(np.ones(3), name="kernel")
    with pytest.raises(Error, match="names kernle, and no variable that is trained has this path.* such as kernel"):
        optimizer.apply([tf.ones(3)], [kernel])


def test_accumulated_gradients_are_one_update_of_their_mean():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(4, 3)), rng.normal(size=3)]
    gradients = [[rng.normal(size=(4, 3)), rng.normal(size=3)] for _ in range(6)]
    means = [[np.mean([step[i] for step in gradients[k:k + 2]], axis=0) for i in range(2)] for k in (0, 2, 4)]
    wanted = list(paced(PACES, True, weights, means))
    found = list(paced(PACES, True, weights, gradients, gradient_accumulation_steps=2))
    for k, after in enumerate(wanted):
        for a, b in zip(found[2 * k + 1], after, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
        assert k == 0 or (found[2 * k][1] == found[2 * k - 1][1]).all()


def test_schedules_count_updates():
    optimizer = adamw(1e-3, steps=3, warmup=0.0, gradient_accumulation_steps=2)
    weights, rates = keras.Variable(np.ones(3, "float32"), name="kernel"), []
    for _ in range(6):
        optimizer.apply([tf.ones(3)], [weights])
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([1e-3, 2e-3 / 3, 2e-3 / 3, 1e-3 / 3, 1e-3 / 3, 0], abs=1e-9)
