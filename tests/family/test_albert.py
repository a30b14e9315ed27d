"""ALBERT's page: shared blocks, narrow tables, the order of sentences, and its release."""


import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertkit import checkpoints
from bertkit.checkpoints import huggingface
from bertkit.checkpoints.architectures import encoder_config
from bertkit.checkpoints.tensors import variables
from bertkit.cost import flops, parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import albert, published
from bertkit.heads import PretrainingModel
from bertkit.kinds import Shared
from bertkit.layers.trunk import block_order
from tests.family import checks, releases

pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")

# family-spec, section 5: with the pooler; with the head for masked words and without the pooler; with both heads.
COUNTS = {
    "albert-base-v2": (11_683_584, 11_221_680, 11_813_810), "albert-large-v2": (17_683_968, 16_795_824, 17_847_474),
    "albert-xlarge-v2": (58_724_864, 54_821_040, 59_021_490),
    "albert-xxlarge-v2": (222_595_584, 206_368_944, 223_158_450),
}
CONFIG = albert.CONFIG.but(vocabulary_size=31, num_layers=3, num_heads=2, hidden_dim=8, intermediate_dim=12,
                           embedding_dim=6, max_sequence_length=16, shared=Shared(groups=2, inner=2))
MODELS = checks.models(CONFIG)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name):
    config = published(name)
    width, narrow = config.hidden_dim, config.embedding_dim
    words, order_of_two = width * narrow + 3 * narrow + config.vocabulary_size, 2 * width + 2
    found = (parameters(config), parameters(config.but(pooler=None)) + words, parameters(config) + words + order_of_two)
    assert found == COUNTS[name] and parameters(published(name.replace("v2", "v1"))) == found[0]


@pytest.mark.parametrize("config", [CONFIG, CONFIG.but(embedding_dim=8), CONFIG.but(embedding_dim=None),
                                    CONFIG.but(shared=Shared(1, 1), pooler=None)])
def test_a_small_one_has_as_many(config):
    checks.assert_counts(config)


def test_small_heads_have_as_many():
    assert checks.head_parameters(MODELS["mlm"]) == 8 * 6 + 3 * 6 + 31
    assert checks.head_parameters(MODELS["sop"]) == 2 * 8 + 2


def test_shared_blocks_cost_arithmetic_each_time():
    """Six passes through four blocks."""
    plain = CONFIG.but(shared=None, num_layers=6)
    assert flops(CONFIG, 7) == flops(plain, 7) and parameters(CONFIG) < parameters(plain)


@pytest.mark.parametrize("head", MODELS)
def test_every_variable_has_its_own_name(head):
    checks.assert_own_names(MODELS[head], albert.HUGGINGFACE)


@pytest.mark.parametrize("head", checks.first_alone([head for head in MODELS if head not in ("choose", "sop")]))
def test_heads_come_back_whole(head, tmp_path):
    checks.assert_survives(MODELS[head], checks.batch(CONFIG), tmp_path)


def test_pretraining_heads_come_back_whole(tmp_path):
    checks.assert_survives(PretrainingModel(Encoder(CONFIG), albert.PRETRAINING), checks.batch(CONFIG), tmp_path)


def test_seven_layers_in_three_groups():
    """⌊i / (7/3)⌋ of layers 0 to 6, and both blocks of a group each time."""
    groups = [0, 0, 0, 1, 1, 2, 2]
    assert block_order(CONFIG.but(num_layers=7, shared=Shared(groups=3, inner=2))) == [
        2 * group + inner for group in groups for inner in (0, 1)]


@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_order_passes_groups_in_turn(layers, groups, inner):
    found = block_order(CONFIG.but(num_layers=layers, shared=Shared(groups, inner)))
    assert len(found) == layers * inner and found[::inner] == sorted(found[::inner])
    assert set(found) <= set(range(groups * inner))


def test_equals_a_bert_whose_blocks_are_copies():
    """Layers 0 and 1 use group 0, layer 2 group 1: ⌊i / 1.5⌋."""
    plain = Encoder(CONFIG.but(shared=None, num_layers=6))
    encoder = MODELS["sop"].encoder
    shared, copies = variables(encoder), variables(plain)
    for path, variable in copies.items():
        for i, number in enumerate([0, 1, 0, 1, 2, 3]):
            path = path.replace(f"block_{i}/", f"block_{number // 2}_{number % 2}/") if f"/block_{i}/" in path else path
        variable.assign(shared[path])
    rows = checks.batch(CONFIG)
    one, two = encoder(rows, trace=True), plain(rows, trace=True)
    np.testing.assert_array_equal(one["pooled"], two["pooled"])
    assert set(one["trace"]) == set(two["trace"]) and len(one["trace"]) == 7 + 6
    for name in one["trace"]:
        np.testing.assert_array_equal(one["trace"][name], two["trace"][name])


def test_heads_drop_what_the_encoder_does_not(tmp_path):
    assert CONFIG.dropout == 0 and MODELS["classify"].dropout == MODELS["sop"].dropout == 0.1
    huggingface.save(tmp_path, MODELS["classify"])
    assert checkpoints.load(checks.unnamed(tmp_path, classifier_dropout_prob=0.35)).dropout == 0.35


@pytest.mark.parametrize("values, words", [
    ({"num_hidden_groups": 0}, "num_hidden_groups=0; wanted a whole number from 1"),
    ({"inner_group_num": 1.5}, "inner_group_num=1.5"), ({"embedding_size": "x"}, "embedding_size='x'"),
    ({"hidden_size": 100}, "hidden_size=100 is not a multiple of num_attention_heads=64")])
def test_a_wrong_value_is_told_by_its_key(values, words):
    with pytest.raises(Error, match=f"config.json: {words}"):
        encoder_config(values, albert, "config.json")


def test_keys_that_are_missing_mean_what_the_class_says():
    """transformers' AlbertConfig() is the widest of them."""
    assert encoder_config({}, albert, "config.json") == published("albert-xxlarge-v2")


def _release(folder, projected, narrow=8, heads=True, pooler=True):
    """Write a tiny release as google-research/albert names it."""
    rng = np.random.default_rng(5)
    parts = ("attention_1", "LayerNorm", "ffn_1/intermediate/dense", "ffn_1/intermediate/output/dense", "LayerNorm_1")
    arrays = releases.embeddings("bert/embeddings", 31, 16, 2, narrow, rng)
    arrays |= releases.dense("bert/pooler/dense", 8, 8, rng) if pooler else {}
    if projected:
        arrays |= releases.dense("bert/encoder/embedding_hidden_mapping_in", narrow, 8, rng)
    for group in range(2):
        for inner in range(2):
            scope = f"bert/encoder/transformer/group_{group}/inner_group_{inner}"
            arrays |= releases.layer(scope, 8, 12, parts, rng)
    if heads:
        arrays |= releases.dense("cls/predictions/transform/dense", 8, narrow, rng)
        arrays |= releases.norm("cls/predictions/transform/LayerNorm", narrow, rng)
        arrays |= {"cls/predictions/output_bias": rng.normal(0, 1, 31).astype("float32"),
                   "cls/seq_relationship/output_weights": rng.normal(0, 1, (2, 8)).astype("float32"),
                   "cls/seq_relationship/output_bias": rng.normal(0, 1, 2).astype("float32")}
    values = {"vocab_size": 31, "embedding_size": narrow, "hidden_size": 8, "num_hidden_layers": 3, "gap_size": 0,
              "hidden_act": "gelu", "num_attention_heads": 2, "num_hidden_groups": 2, "inner_group_num": 2,
              "intermediate_size": 12, "max_position_embeddings": 16, "net_structure_type": 0}
    return releases.write(folder, "albert_config.json", values, arrays), arrays


@pytest.mark.parametrize("projected", [True, False])
def test_a_release_of_equal_widths_is_projected_only_if_the_file_says_so(projected, tmp_path):
    folder, arrays = _release(tmp_path / "release", projected)
    model = checkpoints.load(folder)
    assert isinstance(model, PretrainingModel) and list(model.kinds) == ["mlm", "sop"]
    assert model.encoder.config.embedding_dim == (8 if projected else None)
    assert model.encoder.config.activation == "gelu_tanh" and model.encoder.config.shared == Shared(2, 2)
    np.testing.assert_array_equal(model.heads["sop"].logits.kernel, arrays["cls/seq_relationship/output_weights"].T)
    scope = "bert/encoder/transformer/group_1/inner_group_0/"
    np.testing.assert_array_equal(model.encoder.blocks[2].outer.kernel,
                                  arrays[scope + "ffn_1/intermediate/output/dense/kernel"])
    np.testing.assert_array_equal(model.encoder.blocks[2].attention_norm.gamma, arrays[scope + "LayerNorm/gamma"])
    if not projected:
        with pytest.raises(Error, match="always projects its embeddings"):
            huggingface.save(tmp_path, model)


def test_a_release_without_heads_is_an_encoder_and_one_without_its_projection_is_refused(tmp_path):
    assert isinstance(checkpoints.load(_release(tmp_path / "encoder", True, narrow=6, heads=False)[0]), Encoder)
    with pytest.raises(Error, match="missing: bert/encoder/embedding_hidden_mapping_in/bias"):
        checkpoints.load(_release(tmp_path / "lacking", False, narrow=6)[0])


def test_a_release_without_a_pooler_has_none_until_somebody_may_need_it(tmp_path, caplog):
    folder, _ = _release(tmp_path / "bare", True, heads=False, pooler=False)
    assert set(checkpoints.load(folder)(checks.batch(CONFIG))) == {"sequence"} and not caplog.records
    assert checkpoints.load(folder, part="encoder").pooler is not None
    assert "holds no bert/pooler/dense/kernel, bert/pooler/dense/bias; newly initialised" in caplog.text


@pytest.mark.parametrize("folder", checks.encoders_alone([
    "albert/base", "albert/pretraining", "albert/mc", "albert_groups/base", "albert_groups/mlm",
    "albert_square/base", "formats/albert_tf1", "formats/albert_groups_tf1"]))
def test_recorded_references(shared, folder):
    assert checks.largest_difference(shared(f"checkpoints/{folder}")) < 2e-5
