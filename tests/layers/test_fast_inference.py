"""The graph that a `Predictor` computes with equals the model, whatever the head, the length and the padding."""

import keras
import numpy as np
import pytest

from bertkit import heads
from bertkit.errors import Error
from bertkit.family import modernbert
from bertkit.predictor import Predictor
from bertkit.training.inference import frozen_inference
from tests import exported, tiny

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is TensorFlow's")

HEADS = {"classify": lambda encoder: heads.Classifier(encoder, ["a", "b", "c"]), "answer": heads.QuestionAnswering,
         "tag": lambda encoder: heads.TokenClassifier(encoder, ["O", "B-X"]), "embed": heads.SentenceEmbedder}


@pytest.mark.parametrize("name", HEADS)
def test_each_head_answers_as_it_is(name):
    model = exported.spread(HEADS[name](tiny.classifier().encoder), 5.0)
    fast, rows = frozen_inference(model), tiny.features(12, length=16)
    for batch in (rows.batch(range(12)), rows.batch([3]), rows.batch([5, 1], length=15)):
        found, wanted = fast(batch), model(model.select_entries(batch), training=False)
        assert type(found) is dict or type(found) is np.ndarray
        for ours, theirs in zip(keras.tree.flatten(found), keras.tree.flatten(wanted), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)
    assert model.encoder.all_blocks is None


def test_what_cannot_be_frozen_is_refused_by_name():
    model = tiny.classifier()
    config = modernbert.CONFIG.but(**{name: getattr(tiny.CONFIG, name) for name in (
        "vocabulary_size", "num_layers", "num_heads", "hidden_dim", "intermediate_dim")})
    for other, wrong in ((heads.MultipleChoice(model.encoder), "MultipleChoice reads several rows"),
                         (model.encoder, "Encoder reads several rows"),
                         (tiny.classifier(config=config), "its blocks are not BERT's")):
        with pytest.raises(Error, match=wrong):
            frozen_inference(other)
    with pytest.raises(Error, match="frozen is for the model of a bundle"):
        Predictor(model, tiny.tokenizer(), frozen=True)


def test_a_frozen_bundle_answers_as_it_does():
    texts = tiny.texts(40)[0]
    np.testing.assert_allclose(Predictor(exported.bundled(), frozen=True).predictions(texts),
                               Predictor(exported.bundled()).predictions(texts), atol=1e-5)
