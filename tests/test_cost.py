"""The closed forms, counted again on the model itself."""

import numpy as np
import pytest
import tensorflow as tf

import bertkit.cost
from bertkit.config import EncoderConfig
from bertkit.cost import cost, flops, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error

SIZES = {"vocabulary_size": 50, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 24}
CONFIGS = [
    EncoderConfig(**SIZES),
    EncoderConfig(**SIZES, pooler=None),
    EncoderConfig(**{**SIZES, "num_layers": 3, "num_heads": 3, "hidden_dim": 12, "intermediate_dim": 5},
                  max_sequence_length=33, num_segments=4),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_parameters_are_those_of_the_built_model(config):
    encoder = Encoder(config)
    assert parameters(config) == sum(weight.value.shape.num_elements() for weight in encoder.weights)
    in_tables = sum(weight.value.shape.num_elements() for weight in encoder.embeddings.weights)
    assert cost(config)["embedding_parameters"] == in_tables


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("length", [1, 7])
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
def test_flops_are_those_of_the_graphs_matrix_products(config, length):
    """Each product of [..., m, k] and [..., k, n] takes 2·m·k·n operations."""
    encoder = Encoder(config)
    graph = tf.function(lambda ids: encoder({"token_ids": ids})).get_concrete_function(
        tf.TensorSpec((1, length), tf.int32)).graph
    counted = 0
    for operation in graph.get_operations():
        if operation.type in ("MatMul", "BatchMatMulV2"):
            transposed = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
            common = operation.inputs[0].shape[-2 if transposed else -1]
            counted += 2 * int(np.prod(operation.outputs[0].shape)) * common
    assert counted == flops(config, length) > 0


def test_a_planted_fault_is_seen(monkeypatch):
    monkeypatch.setattr(bertkit.cost, "dense_parameters", lambda inputs, outputs, bias=True: inputs * outputs)
    with pytest.raises(AssertionError):
        test_parameters_are_those_of_the_built_model(CONFIGS[0])


def test_memory_follows_from_the_counts():
    one, many = cost(CONFIGS[0], length=16), cost(CONFIGS[0], length=16, batch=5)
    count = one["parameters"]
    assert (one["bytes_float32"], one["bytes_float16"], one["bytes_int8"]) == (4 * count, 2 * count, count)
    assert one["training_bytes"] == 16 * count      # weight, gradient, and Adam's two moments, 4 bytes each
    assert many["flops"] == 5 * one["flops"] and many["activation_bytes"] == 5 * one["activation_bytes"]
    assert (many["length"], many["batch"], many["parameters"]) == (16, 5, count)


def test_a_name_costs_what_its_config_does():
    assert cost("bert-base-uncased")["parameters"] == 109_482_240
    assert cost("google-bert/bert-base-uncased") == cost("bert-base-uncased")


@pytest.mark.parametrize("name", ["bert-base-uncase", "", None, 7])
def test_an_unknown_name_is_one_sentence(name):
    with pytest.raises(Error, match="No published checkpoint is called .*; close names are .*bert"):
        cost(name)


def test_the_cost_of_every_number_is_whole():
    assert all(isinstance(value, int) for value in cost("bert-tiny").values())
