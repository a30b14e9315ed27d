"""Rows to try an export on."""

import keras
import numpy as np

from bertkit.export import source
from tests import exported, tiny


def test_rows_are_cut_to_their_separator_and_padded():
    tokenizer = tiny.tokenizer()
    whole = source.calibration_rows(exported.bundled(), tokenizer, 12)
    for length in (5, 20):
        rows = source.calibration_rows(exported.bundled(), tokenizer, length)
        assert {name: values.shape for name, values in rows.items()} == dict.fromkeys(rows, (24, length))
        real = rows["padding_mask"] == 1
        assert (rows["token_ids"][~real] == tokenizer.pad_id).all()
        for ids, mask, before in zip(rows["token_ids"], real, whole["token_ids"], strict=True):
            assert ids[mask][-1] == tokenizer.sep_id
            np.testing.assert_array_equal(ids[mask][:-1], before[:mask.sum() - 1])


def test_a_bundle_without_rows_gives_none_and_random_ones_serve():
    assert source.calibration_rows(exported.bundled(calibrated=False), tiny.tokenizer(), 8) is None
    rows = source.random_rows(tiny.tokenizer(), 8)
    assert rows["token_ids"].shape == (source.RANDOM_ROWS, 8)
    assert 0 < rows["padding_mask"].mean() < 1 and rows["token_ids"].max() < len(tiny.VOCABULARY)


def test_a_model_is_exported_in_float32_whatever_this_process_trains_in():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert source.open_predictor(exported.bundled()).model.encoder.compute_dtype == "float32"
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
