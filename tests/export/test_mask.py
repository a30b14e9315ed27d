"""The constant that hides padding: too small a one is seen."""

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


def test_the_float_constant_hides_padding_exactly_and_the_model_keeps_its_own(opened):
    bundle, rows = opened
    assert mask.measure_masking(bundle.model, rows, mask.FLOAT)["leak"] == 0
    assert bundle.model.encoder.masked_score == EXACT

