"""The constant that hides padding: too small a one is seen."""

import numpy as np
import pytest

from bertkit.errors import Error
from bertkit.export import mask, source
from bertkit.layers.attention import EXACT
from tests import exported


@pytest.fixture(scope="module")
def opened():
    bundle = source.open_predictor(exported.bundled())
    return bundle, source.calibration_rows(exported.bundled(), bundle.tokenizer, exported.LENGTH)


@pytest.mark.parametrize("masked_score", [0.0, -1.0, -4.0])
def test_a_constant_that_leaks_is_refused(opened, masked_score):
    bundle, rows = opened
    with pytest.raises(Error, match="Padding leaks"):
        mask.measure_masking(bundle.model, rows, masked_score)


def test_the_chosen_constant_hides_padding_and_is_no_larger_than_it_must_be(opened):
    bundle, rows = opened
    chosen = mask.integer_masked_score(bundle.model, rows)
    found = mask.measure_masking(bundle.model, rows, chosen)
    assert found["leak"] <= mask.LEAK and found["logit_difference"] < 1e-2
    assert mask.LEAK / np.e ** 2 < found["leak"]


def test_the_float_constant_hides_padding_exactly_and_the_model_keeps_its_own(opened):
    bundle, rows = opened
    assert mask.measure_masking(bundle.model, rows, mask.FLOAT)["leak"] == 0
    assert bundle.model.encoder.masked_score == EXACT


def test_the_leak_is_what_attention_gives_to_padding(opened):
    bundle, rows = opened
    batch = {name: values[:8] for name, values in rows.items()}
    batch["padding_mask"] = batch["padding_mask"].copy()
    leak = max(float((p * (1 - keys)).max()) for p, keys in mask._unmasked(bundle.model.encoder, batch))
    unmasked = {**batch, "padding_mask": np.ones_like(batch["padding_mask"])}
    trace = bundle.model.encoder(unmasked, trace=True)["trace"]
    padded, real = batch["padding_mask"] == 0, batch["padding_mask"] == 1
    first = np.asarray(trace["attention/1"]).swapaxes(1, 2)[real]          # layer 1 saw no mask before it
    first = (first * padded[np.nonzero(real)[0]][:, None]).max()
    assert leak >= first > 0
