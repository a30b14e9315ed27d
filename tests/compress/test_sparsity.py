"""The share of zeros follows the cubic schedule of Zhu and Gupta 2017, in fit() as a user calls it."""

import keras
import numpy as np
import pytest

from bertkit.compress import MagnitudePruning
from bertkit.data.pipeline import BatchSampler
from bertkit.errors import Error
from tests import tiny


def zeros(variable):
    return float(np.mean(np.asarray(variable) == 0))


def test_the_schedule_is_that_of_equation_1():
    pruning = MagnitudePruning(final=0.9, begin=10, end=110, initial=0.1, every=10)
    for step in range(0, 130, 7):
        wanted = 0 if step < 10 else 0.9 if step >= 110 else 0.9 + (0.1 - 0.9) * (1 - (step - 10) / 100) ** 3
        assert pruning.sparsity(step) == pytest.approx(wanted)


def test_in_fit_the_smallest_weights_become_zero_and_stay_so(eager):
    model = tiny.classifier(config=tiny.CONFIG.but(num_layers=1))
    sampler = BatchSampler(tiny.features(24), batch_size=8)
    model.compile("sgd", model.loss_function())
    pruning = MagnitudePruning(final=0.5, begin=1, end=4, every=1)
    block = model.encoder.blocks[0]
    largest = np.abs(np.array(block.inner.kernel)).argmax()
    seen, inner = [], block.inner.kernel
    noting = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(zeros(inner)))
    model.fit(sampler.dataset(), epochs=2, steps_per_epoch=3, callbacks=[pruning, noting], verbose=0, shuffle=False)
    wanted = [round(pruning.sparsity(step) * block.inner.kernel.shape[0] * block.inner.kernel.shape[1]) /
              np.size(block.inner.kernel) for step in range(1, 7)]
    np.testing.assert_allclose(seen, wanted, atol=1e-9)
    assert np.ravel(block.inner.kernel)[largest] != 0
    assert zeros(model.encoder.embeddings.token.embeddings) == 0 and zeros(block.inner.bias) < 1


@pytest.mark.slow
def test_another_choice_of_matrices(eager):
    model, sampler = tiny.classifier(), BatchSampler(tiny.features(8), batch_size=8)
    model.compile("sgd", model.loss_function())
    pruning = MagnitudePruning(0.5, 0, 1, prunes=lambda path, _: path.endswith("attention/query/kernel"))
    model.fit(sampler.dataset(), steps_per_epoch=2, callbacks=[pruning], verbose=0, shuffle=False)
    attention = model.encoder.blocks[1].attention
    assert zeros(attention.query.kernel) == 0.5 and zeros(attention.key.kernel) == 0


@pytest.mark.parametrize("options", [{"final": 1.0}, {"final": 0.2, "initial": 0.3}, {"begin": 5, "end": 5},
                                     {"every": 0}, {"begin": -1}])
def test_what_is_no_schedule_is_refused(options):
    with pytest.raises(Error, match="give"):
        MagnitudePruning(**{"final": 0.5, "begin": 0, "end": 10, **options})


def test_a_model_without_such_a_matrix_is_refused(eager):
    model, sampler = tiny.classifier(), BatchSampler(tiny.features(8), batch_size=8)
    model.compile("sgd", model.loss_function())
    with pytest.raises(Error, match="no trained matrix"):
        model.fit(sampler.dataset(), steps_per_epoch=1, verbose=0,
                  callbacks=[MagnitudePruning(0.5, 0, 1, prunes=lambda *_: False)])
