"""Rules that make integers: each hits, and what it names is int8 afterwards."""

import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils

from bertkit.checkpoints import bundle
from bertkit.errors import Error
from bertkit.export.quantize import RULES, Rule, check_integers, quantize
from tests import exported


def content(precision):
    return (exported.phone(precision) / "model.tflite").read_bytes()


def test_a_rule_that_hits_nothing_is_refused():
    with pytest.raises(Error, match="CONV_2D hits nothing"):
        quantize(content("float32"), (Rule("dynamic", "CONV_2D"),))


@pytest.mark.slow
def test_weights_that_stayed_in_float_are_seen():
    check_integers(content("int8"), RULES["int8"])
    with pytest.raises(Error, match="stayed in float"):
        check_integers(content("float32"), RULES["int8"])


def test_the_table_is_exact_to_half_a_step_for_every_token():
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content("int8")))
    wanted = np.asarray(bundle.load(exported.bundled()).encoder.embeddings.token.embeddings)
    tables = [tensor for tensor in model.subgraphs[0].tensors if list(tensor.shape) == list(wanted.shape)]
    assert len(tables) == 1
    scale = np.array(tables[0].quantization.scale)[:, None]
    assert scale.shape == (len(wanted), 1) and not np.any(tables[0].quantization.zeroPoint)
    integers = np.frombuffer(bytes(model.buffers[tables[0].buffer].data), np.int8).reshape(wanted.shape)
    assert (np.abs(integers * scale - wanted) <= 0.501 * scale).all()
