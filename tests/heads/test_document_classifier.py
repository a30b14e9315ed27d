"""Documents whose windows are read together: against plain numpy, single windows, and any other batch."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.data.features import features_of
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import Classifier, DocumentClassifier
from bertkit.tasks.documents import TOGETHER, Documents
from bertkit.training.scoring import outputs
from tests import tiny
from tests.lazy import Lazy

LABELS = ("0", "1", "2")
TASK = Documents(LABELS, most_windows=3, pooling=TOGETHER)
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


def drawn(model):
    """Give every weight of a model a value that matters."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.normal(scale=0.3, size=variable.shape) + ("gamma" in variable.path))
    return model


def document_classifier(layers):
    return drawn(DocumentClassifier(Encoder(tiny.CONFIG.but(num_layers=1)), LABELS, layers=layers))


MODELS = Lazy(document_classifier, (0, 2))


def features(texts, length=12):
    return features_of(TASK.pack(tiny.tokenizer(), texts, length), tiny.tokenizer())


TEXTS = st.lists(st.lists(st.sampled_from(tiny.WORDS), max_size=24).map(" ".join), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None)
@given(texts=TEXTS, layers=st.sampled_from(sorted(MODELS)))
@pytest.mark.slow
def test_a_document_has_its_logits_whatever_stands_beside_it(texts, layers):
    model, one = MODELS[layers], features(texts)
    together, alone = np.asarray(model(one.batch(range(len(one))))), outputs(model, one, batch_size=1)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(outputs(model, features(texts[::-1])), alone[::-1], atol=1e-5)


@settings(max_examples=8, deadline=None)
@given(texts=TEXTS, more=st.integers(1, 3))
def test_without_layers_it_is_attention_by_hand(texts, more):
    model, batch = MODELS[0], features(texts).batch(range(len(texts)))
    vectors = np.asarray(model.encoder({name: values for name, values in batch.items() if name != "windows"})["pooled"])
    dense, context, head = model.across.dense, model.across.context, model.heads["classify"].logits
    wanted = []
    for numbers in batch["windows"]:
        x = vectors[numbers[numbers >= 0]]
        scores = np.tanh(x @ np.asarray(dense.kernel) + np.asarray(dense.bias)) @ np.asarray(context.kernel)[:, 0]
        shares = np.exp(scores - scores.max())
        pooled = (shares / shares.sum()) @ x
        wanted.append(pooled @ np.asarray(head.kernel) + np.asarray(head.bias))
    np.testing.assert_allclose(model(batch), wanted, atol=1e-5)
    wider = np.pad(batch["windows"], ((0, 0), (0, more)), constant_values=-1)
    np.testing.assert_allclose(model({**batch, "windows": wider}), wanted, atol=1e-5)


def test_without_layers_one_window_is_what_a_classifier_says():
    model = MODELS[0]
    plain = Classifier(model.encoder, LABELS)
    plain.heads["classify"].set_weights(model.heads["classify"].get_weights())
    batch = {"token_ids": np.array([[2, 7, 8, 3], [2, 9, 10, 3]])}
    np.testing.assert_allclose(model(batch), plain(batch), atol=1e-6)


def test_windows_of_another_document_change_nothing_and_ones_own_do():
    model, batch = MODELS[2], features(["good " * 20, "bad film " * 9]).batch([0, 1])
    before = np.asarray(model(batch))
    changed = batch["token_ids"].copy()
    changed[batch["windows"][1][0], 1] = tiny.VOCABULARY.index("warm")
    after = np.asarray(model({**batch, "token_ids": changed}))
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    assert np.abs(after[1] - before[1]).max() > 1e-3


@pytest.mark.parametrize("layers", MODELS)
def test_it_comes_back_whole(layers, tmp_path):
    model, batch = MODELS[layers], features(["good " * 20, "bad"]).batch([0, 1])
    bundle.save(tmp_path / "kept", model, tiny.tokenizer(), Card("kept", TASK.name, bundle.describe(model)), task=TASK)
    again = checkpoints.load(tmp_path / "kept")
    assert isinstance(again, DocumentClassifier) and again.settings() == model.settings()
    np.testing.assert_array_equal(again(batch), model(batch))


def test_every_weight_learns():
    keras.utils.set_random_seed(0)
    model = DocumentClassifier(Encoder(tiny.CONFIG.but(num_layers=1)), LABELS)
    before = [np.asarray(variable) for variable in model.trainable_variables]
    model.compile(keras.optimizers.SGD(1.0), model.loss_function(), jit_compile=False)
    model.train_on_batch(features(["good " * 20, "bad fine " * 9]).batch([0, 1]), np.array([0, 2]))
    still = [variable.path for variable, old in zip(model.trainable_variables, before, strict=True)
             if np.array_equal(np.asarray(variable), old)]
    # a softmax does not feel what is added to all scores
    assert all(path.endswith("attention/key/bias") for path in still), still


@pytest.mark.parametrize("windows", [[[0, 2]], [[-2, 0]], [[-1, -1]], [0, 1], [[0.5]], [[0], [0, 1]]])
def test_windows_that_no_row_is_are_told(windows):
    with pytest.raises(Error, match="wanted for each document the numbers of its rows, one or more of 0 to 1"):
        MODELS[0]({"token_ids": np.array([[2, 7, 3], [2, 8, 3]]), "windows": windows})


@pytest.mark.parametrize("layers", [-1, 101, True, 1.5])
def test_layers_are_a_number_of_them(layers):
    with pytest.raises(Error, match="wanted a whole number of 0 to 100"):
        DocumentClassifier(Encoder(tiny.CONFIG), LABELS, layers=layers)
