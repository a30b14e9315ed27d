"""The graph that a `Predictor` computes with equals the model, whatever the head, the length and the padding."""

import keras
import numpy as np
import pytest

from bertkit import heads
from bertkit.predictor import Predictor
from bertkit.training.inference import faster_inference
from tests import exported, tiny

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow's")

HEADS = {"classify": lambda encoder: heads.Classifier(encoder, ["a", "b", "c"]), "answer": heads.QuestionAnswering,
         "tag": lambda encoder: heads.TokenClassifier(encoder, ["O", "B-X"]), "embed": heads.SentenceEmbedder}


@pytest.mark.parametrize("name", HEADS)
def test_each_head_answers_as_it_is(name):
    model = exported.spread(HEADS[name](tiny.classifier().encoder), 5.0)
    fast, rows = faster_inference(model), tiny.features(12, length=16)
    for batch in (rows.batch(range(12)), rows.batch([3]), rows.batch([5, 1], length=15)):
        found, wanted = fast(batch), model(model.select_entries(batch), training=False)
        assert type(found) is dict or type(found) is np.ndarray
        for ours, theirs in zip(keras.tree.flatten(found), keras.tree.flatten(wanted), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)
    assert model.encoder.together is None


def test_models_of_several_rows_an_example_and_in_memory_stay_with_keras():
    model = tiny.classifier()
    assert faster_inference(heads.MultipleChoice(model.encoder)) is None and faster_inference(model.encoder) is None
    assert Predictor(model, tiny.tokenizer())._compute is None
    assert Predictor(exported.bundled())._compute is not None
