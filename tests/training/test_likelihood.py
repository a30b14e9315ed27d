"""Likelihoods of tokens against a loop over places, one row at a time."""

import functools

import keras
import numpy as np
import pytest

from bertkit import metrics
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import LanguageModel
from bertkit.kinds import Full
from bertkit.training import likelihood
from bertkit.training.likelihood import causal_log_likelihoods, pseudo_log_likelihoods
from tests import tiny
from tests.lazy import Lazy

TEXTS = ["the film was good", "", "stories bcd.", "a warm actor with a cold story, and old"]


def model(**changes):
    keras.utils.set_random_seed(0)
    made = LanguageModel(Encoder(tiny.CONFIG.but(num_layers=1, **changes)))
    for weight in made.weights:
        weight.assign(np.asarray(weight) + 0.2 * np.random.default_rng(0).standard_normal(weight.shape))
    return made


MODELS = Lazy(lambda name: model(attention=Full(causal=name == "causal")), ("masked", "causal"))
TOKENIZER = tiny.tokenizer()


def log_softmax(logits):
    logits = np.asarray(logits, "float64")
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@functools.cache
def looped(text, words=None):
    """Return log P of each token with it masked, and with what `words` says is masked beside it."""
    ids = TOKENIZER.ids([text])[0]
    found = []
    for place, token in enumerate(ids):
        row = [2, *ids, 3]
        for other in ([place] if words is None else words[place]):
            row[1 + other] = 4
        found.append(log_softmax(MODELS["masked"]({"token_ids": np.array([row])}))[0, 1 + place, token])
    return found


@pytest.mark.parametrize("chunk", [3, 1 << 14])
def test_each_token_is_masked_once(monkeypatch, chunk):
    monkeypatch.setattr(likelihood, "CHUNK", chunk)
    found = pseudo_log_likelihoods(MODELS["masked"], TOKENIZER, TEXTS, 32, batch_size=4)
    for scored, text in zip(found, TEXTS, strict=True):
        np.testing.assert_allclose(scored.logs, looped(text), atol=1e-5)
        assert scored.ids == TOKENIZER.ids([text])[0] and len(scored.logs) == len(scored.ids)


def test_within_words_the_later_pieces_are_masked_too():
    text = "bcd films."
    tokens = TOKENIZER.encode([text])[0].tokens
    assert tokens == ["b", "##c", "##d", "film", "##s", "."]
    words = ((0, 1, 2), (1, 2), (2,), (3, 4), (4,), (5,))
    (found,) = pseudo_log_likelihoods(MODELS["masked"], TOKENIZER, [text], 32, within_words=True)
    np.testing.assert_allclose(found.logs, looped(text, words), atol=1e-5)
    assert np.abs(found.logs - np.array(looped(text))).max() > 1e-3


def test_a_causal_model_foretells_from_what_came_before():
    found = causal_log_likelihoods(MODELS["causal"], TOKENIZER, TEXTS, 32, batch_size=2)
    for scored, text in zip(found, TEXTS, strict=True):
        ids = TOKENIZER.ids([text])[0]
        wanted = [log_softmax(MODELS["causal"]({"token_ids": np.array([[2, *ids[:place]]])}))[0, -1, token]
                  for place, token in enumerate(ids)]
        np.testing.assert_allclose(scored.logs, wanted, atol=1e-5)


def test_the_metrics_take_them():
    found = pseudo_log_likelihoods(MODELS["masked"], TOKENIZER, TEXTS, 32)
    wanted = np.exp(-sum(sum(looped(text)) for text in TEXTS) / sum(len(one.ids) for one in found))
    told = metrics.pseudo_perplexity([one.logs.sum() for one in found], [len(one.ids) for one in found])
    assert told == pytest.approx(wanted, rel=1e-4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(Error, match="Text 3 has 11 tokens, and 8 hold 6"):
        pseudo_log_likelihoods(MODELS["masked"], TOKENIZER, TEXTS, 8)
    with pytest.raises(Error, match="Text 3 has"):
        causal_log_likelihoods(MODELS["causal"], TOKENIZER, TEXTS, 8)
    with pytest.raises(Error, match="not causal"):
        causal_log_likelihoods(MODELS["masked"], TOKENIZER, TEXTS, 32)
