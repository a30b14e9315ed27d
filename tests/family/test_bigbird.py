"""BigBird's page: its counts, its two kinds of attention, its head for answers, and the reference's numbers."""

import numpy as np
import pytest

from bertkit.checkpoints.architectures import encoder_config
from bertkit.checkpoints.tensors import variables
from bertkit.cost import cost, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import bigbird, published
from bertkit.heads import QuestionAnswering
from bertkit.kinds import Full, Sparse, Summed
from tests.family import checks, long_texts
from tests.layers.drawn import dense, drawn, layer_norm

# family-spec, section 5: with the pooler, then also with the head for masked words, with those of pre-training.
COUNTS = {"bigbird-roberta-base": (127_468_800, 128_111_286, 128_112_824),
          "bigbird-roberta-large": (359_123_968, 360_225_974, 360_228_024)}
SMALL = {"vocabulary_size": 31, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "intermediate_dim": 12,
         "max_sequence_length": 40, "attention": Sparse(1, 1)}
CONFIG = bigbird.CONFIG.but(**SMALL)
MODELS = checks.models(CONFIG)
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    words = config.hidden_dim ** 2 + 3 * config.hidden_dim + config.vocabulary_size
    encoder, sentences = parameters(config), 2 * config.hidden_dim + 2
    assert (encoder, encoder + words, encoder + words + sentences) == COUNTS[name]


def test_a_small_one_has_as_many():
    for config in (CONFIG, CONFIG.but(qkv_bias=False), CONFIG.but(attention=Full(), pooler=None)):
        checks.assert_counts(config)


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], bigbird.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone(MODELS))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG, 2 if head == "choose" else None), tmp_path)


def test_arithmetic_grows_with_the_length_and_not_with_its_square():
    """Short rows attend in full, so they cost what BERT's do."""
    flops = [cost("bigbird-roberta-base", length)["flops"] for length in (1024, 2048, 4096)]
    assert flops[2] - flops[1] < 2.05 * (flops[1] - flops[0])
    ours, full = ({length: cost(bigbird.CONFIG.but(attention=kind), length)["flops"] for length in (704, 2048)}
                  for kind in (Sparse(), Full()))
    assert ours[704] == full[704] and ours[2048] < full[2048]


# [CLS] question [SEP] text [SEP] [PAD], and a row without a separator.
IDS = np.array([[5, 7, 8, 6, 9, 10, 6, 0], [5, 11, 12, 13, 14, 15, 16, 17]])
REAL = (IDS != 0).astype("int32")


def answerer():
    config = CONFIG.but(inputs=Summed(early_dropout=True, separator=6), pooler=None)
    return drawn(QuestionAnswering(Encoder(config)))


def test_answers_are_read_off_a_block_of_the_heads_own_and_never_in_the_question():
    model, batch = answerer(), {"token_ids": IDS, "padding_mask": REAL, "segment_ids": np.zeros_like(IDS)}
    w = {name.removeprefix("answer/"): np.asarray(weight, "float64") for name, weight in variables(model).items()}
    x = np.asarray(model.encoder(batch)["sequence"], "float64")
    inner = dense(w, "inner", x)
    inner = inner / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner ** 3)))
    wanted = dense(w, "logits", layer_norm(w, "norm", x + dense(w, "outer", inner), 1e-12))
    wanted[0, 1:4] -= 1e6                               # of the second row only the first token is the question's
    found = model(batch)
    for i, name in enumerate(("start_logits", "end_logits")):
        np.testing.assert_allclose(found[name], wanted[..., i], rtol=1e-6, atol=2e-5)


def test_the_question_is_segment_0_and_what_follows_1_unless_the_batch_says():
    model, batch = answerer(), {"token_ids": IDS, "padding_mask": REAL}
    split = np.array([[0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1, 1, 1]])
    left, said, none = (np.asarray(model(batch | more)["start_logits"]) for more in (
        {}, {"segment_ids": split}, {"segment_ids": np.zeros_like(split)}))
    np.testing.assert_array_equal(left, said)
    assert np.abs(left - none)[REAL > 0].max() > 1e-3


def test_the_question_needs_a_separator():
    with pytest.raises(Error, match="names none"):
        QuestionAnswering(Encoder(CONFIG.but(inputs=Summed(), pooler=None)))({"token_ids": IDS})


@pytest.mark.parametrize("values, wanted", [
    ({}, Sparse(64, 3)), ({"block_size": 16, "num_random_blocks": 0}, Sparse(16, 0)),
    ({"attention_type": "original_full"}, Full()),
    ({"attention_type": "original_full", "is_decoder": True}, Full(causal=True))])
def test_attention_is_of_blocks_or_full(values, wanted):
    config = encoder_config(values, bigbird, "config.json")
    assert config.attention == wanted
    assert encoder_config(bigbird.HUGGINGFACE.write(config), bigbird, "config.json").attention == wanted


@pytest.mark.parametrize("values, words", [
    ({"attention_type": "sparse"}, "attention_type='sparse' is unknown; bertkit has block_sparse, original_full"),
    ({"block_size": 0}, "block_size=0; wanted a whole number from 1"),
    ({"num_random_blocks": -1}, "num_random_blocks=-1; wanted"),
    ({"use_bias": "no"}, "use_bias='no'; wanted true or false"),
    ({"rescale_embeddings": 1}, "rescale_embeddings=1; wanted true or false"),
    ({"sep_token_id": "x"}, "sep_token_id='x'; wanted a whole number"),
    ({"is_decoder": True}, "is_decoder=true came with attention_type=block_sparse, whose blocks attend")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: {words}"):
        encoder_config(values, bigbird, "config.json")


def test_settings_survive_the_way_there_and_back(tmp_path):
    values = {"use_bias": False, "rescale_embeddings": True, "sep_token_id": 9, "hidden_act": "relu"}
    config = encoder_config(values, bigbird, "config.json").but(**SMALL)
    assert (config.qkv_bias, config.inputs, config.activation) == (False, Summed(True, True, 9), "relu")
    checks.assert_survives(checks.models(config)["answer"], checks.batch(config), tmp_path)


@pytest.mark.parametrize("folder", checks.encoders_alone([
    *(f"bigbird/{head}" for head in ("base", "mc", "mlm", "pretraining", "qa", "seqcls", "tokcls")),
    "bigbird_full/base", "bigbird_full/mlm", "bigbird_r3/base", "bigbird_r3/mlm"]))
def test_recorded_references(shared, folder):
    assert long_texts.worst(shared(f"checkpoints/{folder}")) < 2e-5


def test_recorded_attention_is_the_definitions(shared):
    """Beyond block 0, which stands for random blocks too: it has the sum, and in the record what one listing gets."""
    folder = shared("checkpoints/bigbird/base")
    batch, _ = long_texts.read(folder / "ref_padded.npz")
    found, real = checks.checkpoints.load(folder)(batch, trace=True)["trace"], batch["padding_mask"] > 0
    for i in range(2):
        wanted = np.load(folder / "ref_padded.npz")[f"out/attentions.{i}"].swapaxes(1, 2)[real]
        ours = np.asarray(found[f"attention/{i + 1}"]).swapaxes(1, 2)[real]
        np.testing.assert_allclose(ours[..., 3:], wanted[..., 3:], atol=2e-6)
        np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-6)
