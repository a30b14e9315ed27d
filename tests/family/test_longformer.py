"""Longformer's page: its counts, windows and global tokens, and the reference's numbers."""

import numpy as np
import pytest

from bertkit.checkpoints.architectures import encoder_config
from bertkit.cost import cost, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import longformer, published
from bertkit.kinds import HeadConfig, Summed, Window
from tests.family import checks, long_texts
from tests.layers.drawn import drawn

# family-spec, section 5: with the pooler, and without it but with the head for masked words.
COUNTS = {"longformer-base-4096": (148_659_456, 148_711_257), "longformer-large-4096": (434_600_960, 434_653_273)}
SMALL = {"vocabulary_size": 31, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12,
         "max_sequence_length": 40, "attention": (Window(4), Window(6))}
CONFIG = longformer.CONFIG.but(**SMALL)
MODELS = checks.models(CONFIG, drawn)
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    head = config.hidden_dim ** 2 + 3 * config.hidden_dim + config.vocabulary_size
    assert (parameters(config), parameters(config.but(pooler=None)) + head) == COUNTS[name]
    assert config.max_length == 4096


def test_a_small_one_has_as_many():
    checks.assert_counts(CONFIG)
    checks.assert_counts(CONFIG.but(pooler=None, num_layers=3))


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], longformer.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(MODELS))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG, 2 if head == "choose" else None), tmp_path)


def test_arithmetic_grows_with_the_length_and_not_with_its_square():
    flops = [cost("longformer-base-4096", length)["flops"] for length in (1024, 2048, 4096)]
    assert flops[2] - flops[1] == 2 * (flops[1] - flops[0])
    kept = [cost("longformer-base-4096", length)["activation_bytes"] for length in (1024, 2048)]
    assert kept[1] == 2 * kept[0] < cost("roberta-base", 2048)["activation_bytes"]


# <s> question </s> </s> text </s> <pad>, and the same with other lengths.
IDS = np.array([[0, 7, 8, 2, 2, 9, 10, 11, 2, 1], [0, 12, 2, 2, 13, 14, 15, 16, 17, 2]])
REAL = (IDS != 1).astype("int32")
GLOBAL = {"classify": [[1] + 9 * [0]] * 2,
          "answer": [[1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
          "choose": [[0, 0, 0, 0, 0, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]],
          "tag": [10 * [0]] * 2, "mlm": [10 * [0]] * 2}


@pytest.mark.parametrize("head", GLOBAL)
def test_a_head_says_which_tokens_are_global(head):
    """Unless the batch does; what a head says is what the same mask in the batch gives, and not what none does."""
    model, several = MODELS[head], head == "choose"

    def outputs(**masks):
        batch = {"token_ids": IDS, "padding_mask": REAL, **masks}
        return checks.computed(model, {name: values[None] if several else values for name, values in batch.items()})

    left, said, none = outputs(), outputs(global_mask=np.array(GLOBAL[head])), outputs(global_mask=np.zeros_like(IDS))
    for name, array in left.items():
        np.testing.assert_array_equal(array, said[name])
        assert (np.abs(array - none[name]).max() > 1e-3) == (np.array(GLOBAL[head]).sum() > 0)


def test_a_separator_is_needed_to_find_the_question():
    encoder = Encoder(CONFIG.but(inputs=Summed(), pooler=None))
    model = checks.QuestionAnswering(encoder, head_config=longformer.HEADS["answer"])
    with pytest.raises(Error, match=r"the encoder's config names none: inputs=Summed\(separator"):
        model({"token_ids": IDS})
    assert model({"token_ids": IDS, "global_mask": REAL})["start_logits"].shape == (2, 10)
    with pytest.raises(Error, match="A readout watches 'all'; bertkit has first, question, choice"):
        checks.QuestionAnswering(encoder, head_config=HeadConfig("each", watch="all"))


@pytest.mark.parametrize("given, wanted", [
    (8, Window(8)), ([8, 8, 8], Window(8)), ([2, 512, 6], (Window(2), Window(512), Window(6)))])
def test_windows_are_one_number_or_one_for_each_layer(given, wanted):
    config = encoder_config({"num_hidden_layers": 3, "attention_window": given}, longformer, "config.json")
    assert config.attention == wanted
    written = longformer.HUGGINGFACE.write(config)["attention_window"]
    assert written == [config.attention_of(i).size for i in range(3)]


@pytest.mark.parametrize("given", [5, 0, -2, "512", True, None, 4.0, [4, 4], [4, 4, 3], []])
def test_other_windows_are_refused_by_their_key(given):
    with pytest.raises(Error, match=r"config.json: attention_window=.*wanted an even number .* 3 layers"):
        encoder_config({"num_hidden_layers": 3, "attention_window": given}, longformer, "config.json")


def test_keys_that_are_missing_mean_what_the_class_says():
    config = encoder_config({"hidden_size": 24}, longformer, "config.json")
    assert (config.max_sequence_length, config.num_segments, config.layer_norm_epsilon) == (512, 2, 1e-12)
    assert (config.positions.pad_id, config.vocabulary_size, config.attention, config.inputs.separator) == (
        1, 30522, Window(512), 2)


@pytest.mark.parametrize("key", ["pad_token_id", "sep_token_id"])
def test_a_wrong_id_is_told_by_its_key(key):
    with pytest.raises(Error, match=f"config.json: {key}='x'; wanted a whole number"):
        encoder_config({key: "x"}, longformer, "config.json")


@pytest.mark.parametrize("folder", checks.encoders_alone([
    *(f"longformer/{head}" for head in ("base", "seqcls", "mc", "qa", "tokcls", "mlm")),
    "longformer_mixed/base", "longformer_mixed/mlm"]))
def test_recorded_references(shared, folder):
    assert long_texts.worst(shared(f"checkpoints/{folder}")) < 2e-5
