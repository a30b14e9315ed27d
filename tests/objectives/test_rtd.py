"""Replaced-token detection: what is hidden, drawn, asked and learnt, against numpy and the published sizes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bertkit.cost import parameters
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import electra, xlnet
from bertkit.kinds import Absolute
from bertkit.objectives import RTD, Pretrainer
from bertkit.objectives.rtd import Generator, generator_config
from tests import tiny

CONFIG = tiny.CONFIG.but(family="electra", num_layers=1, pooler=None, embedding_dim=8, dropout=0.0,
                         attention_dropout=0.0)
ROWS, LENGTH = 64, 16


def batch(rows=ROWS, seed=0, step=0):
    ids = np.random.default_rng(seed).integers(5, len(tiny.VOCABULARY), (rows, LENGTH))
    mask = (np.arange(LENGTH) < np.random.default_rng(seed).integers(4, LENGTH + 1, rows)[:, None]).astype("int32")
    ids = np.where(mask, ids, 0)
    ids[:, 0] = 2
    return {"token_ids": ids.astype("int32"), "segment_ids": 0 * mask, "padding_mask": mask,
            "keys": np.arange(rows) + step * rows}


def pretrainer(config=CONFIG, seed=0, **options):
    keras.utils.set_random_seed(seed)
    return Pretrainer(Encoder(config), [RTD(tiny.tokenizer(), seed=3, **options)])


def softmax(logits):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


# ----------------------------------------------------------------------------------------------- what is hidden


def test_hidden_tokens_are_behind_the_mask_or_as_they_are():
    masked, count, objective = 0, 0, RTD(tiny.tokenizer())
    for step in range(60):
        before = batch(step=step)
        found = objective.corrupt(before)
        real = found["masked_weights"] > 0
        wanted = np.maximum(1, np.round(0.15 * before["padding_mask"].sum(1)))
        np.testing.assert_array_equal(real.sum(1), wanted)
        now = np.take_along_axis(found["token_ids"], found["masked_positions"], 1)[real]
        assert ((now == 4) | (now == found["masked_labels"][real])).all()             # none behind a random entry
        masked, count = masked + (now == 4).sum(), count + len(now)
    assert abs(masked / count - 0.85) < 4 * np.sqrt(0.85 * 0.15 / count)


def test_hidden_tokens_are_a_function_of_seed_and_keys():
    first, again, other, next_step = (RTD(tiny.tokenizer(), seed=seed).corrupt(batch(step=step))["token_ids"]
                                      for seed, step in ((0, 0), (0, 0), (1, 0), (0, 1)))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and (first != next_step).any()


# ------------------------------------------------------------------------------------------------ what is drawn


@pytest.mark.parametrize("bare", [False, True])
def test_guesses_stand_where_tokens_were_hidden_and_right_ones_are_original(bare):
    """Against a plain loop; without special tokens the first place may be hidden, where empty slots point too."""
    rng, objective, before = np.random.default_rng(2), RTD(tiny.tokenizer()), batch()
    if bare:
        before["token_ids"][:, 0] = 7
    found = objective.corrupt(before)
    guesses = np.where(rng.random(found["masked_labels"].shape) < 0.5, found["masked_labels"],
                       rng.integers(0, len(tiny.VOCABULARY), found["masked_labels"].shape)).astype("int32")
    seen, own = objective.prepare_features(found, lambda features, training: ("logits", guesses))
    ids, labels = before["token_ids"].copy(), np.zeros_like(before["token_ids"])
    for row in range(ROWS):
        for slot, place in enumerate(found["masked_positions"][row]):
            if found["masked_weights"][row, slot]:
                ids[row, place] = guesses[row, slot]
                labels[row, place] = guesses[row, slot] != before["token_ids"][row, place]
    assert bare == bool((found["masked_positions"] * found["masked_weights"] < found["masked_weights"]).any())
    np.testing.assert_array_equal(seen["token_ids"], ids)
    np.testing.assert_array_equal(own["rtd_labels"], labels)
    np.testing.assert_array_equal(labels, ids != before["token_ids"])
    assert own["generator_logits"] == "logits" and 0 < labels.sum() < found["masked_weights"].sum()


def test_guesses_are_drawn_by_their_probability():
    keras.utils.set_random_seed(0)
    generator, counts, draws = Generator(Encoder(CONFIG), 0.25, 1), np.zeros(len(tiny.VOCABULARY)), 0
    generator.model.heads["mlm"].bias.assign(np.random.default_rng(0).normal(size=len(tiny.VOCABULARY)) * 2)
    features = {"token_ids": np.full((400, 8), 9, "int32"), "masked_positions": np.full((400, 4), 2, "int32")}
    for _ in range(5):
        logits, guesses = generator(features, training=True)
        counts += np.bincount(np.ravel(guesses), minlength=len(counts))
        draws += np.size(guesses)
    p = softmax(np.asarray(logits, "float64"))[0, 0]
    assert p.max() > 0.1 and np.abs(counts / draws - p).max() < 4.5 * np.sqrt(p.max() / draws)
    chi = ((counts - draws * p) ** 2 / (draws * p)).sum()
    assert chi < len(p) + 5 * np.sqrt(2 * len(p))


def test_the_share_of_replaced_tokens_is_what_the_generator_is_unsure_of():
    model, replaced, wanted, variance = pretrainer(), 0.0, 0.0, 0.0
    head = model.parts["0"].model.heads["mlm"]
    head.bias.assign(np.where(np.arange(len(tiny.VOCABULARY)) == 11, 5.0, 0.0))         # sure of one entry
    for step in range(8):
        found = model.corrupt(batch(seed=step, step=step) | {"token_ids": np.where(
            batch(seed=step)["padding_mask"], 11, 0).astype("int32")})
        outputs = model(found)
        p = softmax(np.asarray(outputs["generator_logits"], "float64"))
        chance = (1 - np.take_along_axis(p, found["masked_labels"][..., None], 2)[..., 0]) * found["masked_weights"]
        replaced += np.sum(outputs["rtd_labels"])
        wanted, variance = wanted + chance.sum(), variance + (chance * (1 - chance)).sum()
    assert 0.1 < wanted / variance and abs(replaced - wanted) < 4 * np.sqrt(variance)


def test_draws_are_part_of_the_state():
    model = pretrainer()
    found = model.corrupt(batch())
    state = model.parts["0"].draws.state
    assert any(variable is state for variable in model.variables)
    before = np.array(state)
    first, second = (np.asarray(model(found, training=True)["rtd_labels"]) for _ in range(2))
    assert (first != second).any()
    state.assign(before)
    np.testing.assert_array_equal(model(found, training=True)["rtd_labels"], first)
    left = np.array(state)
    looks = [np.asarray(model(found)["rtd_labels"]) for _ in range(2)]          # to look draws nothing from the state
    np.testing.assert_array_equal(*looks)
    np.testing.assert_array_equal(state, left)


# -------------------------------------------------------------------------------------------------- what is lost


def numpy_losses(outputs, features):
    p = np.take_along_axis(softmax(outputs["generator_logits"]), features["masked_labels"][..., None], 2)[..., 0]
    labels, chance = outputs["rtd_labels"], 1 / (1 + np.exp(-outputs["rtd_logits"]))
    each = -labels * np.log(chance) - (1 - labels) * np.log(1 - chance)
    return {"mlm": -(np.log(p) * features["masked_weights"]).sum() / features["masked_weights"].sum(),
            "rtd": each[features["padding_mask"] > 0].mean()}


def test_losses_are_means_over_slots_and_over_real_tokens():
    rng = np.random.default_rng(0)
    outputs = {"generator_logits": rng.normal(size=(3, 2, 7)), "rtd_logits": rng.normal(size=(3, 5)) * 3,
               "rtd_labels": rng.integers(0, 2, (3, 5))}
    features = {"masked_labels": rng.integers(0, 7, (3, 2)), "masked_weights": np.array([[1, 1], [1, 0], [1, 0]]),
                "padding_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])}
    found = RTD(tiny.tokenizer()).losses(outputs, features)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        numpy_losses(outputs, features), rel=1e-5)
    shares = RTD(tiny.tokenizer()).accuracies(outputs, features)
    real, told = features["padding_mask"] > 0, (outputs["rtd_logits"] > 0) == outputs["rtd_labels"]
    guessed = outputs["generator_logits"].argmax(2) == features["masked_labels"]
    assert float(shares["rtd_accuracy"]) == pytest.approx(told[real].mean())
    assert float(shares["masked_accuracy"]) == pytest.approx(guessed[features["masked_weights"] > 0].mean())


def test_losses_are_the_recorded_ones(shared):
    recorded = np.load(shared("checkpoints/objectives.npz"))
    features = {"padding_mask": recorded["mask"], "masked_labels": np.maximum(recorded["labels"], 0),
                "masked_weights": recorded["labels"] >= 0}
    found = RTD(tiny.tokenizer()).losses({
        "generator_logits": recorded["student_logits"], "rtd_logits": recorded["electra_disc_logits"],
        "rtd_labels": recorded["electra_disc_labels"]}, features)
    assert float(found["rtd"]) == pytest.approx(recorded["exp/electra_disc"], rel=1e-6)
    total = sum(RTD.weights[name] * float(value) for name, value in found.items())
    assert total == pytest.approx(recorded["exp/electra_total_gen1_disc50"], rel=1e-6)


# -------------------------------------------------------------------------------------------------- what learns


@pytest.mark.parametrize(("size", "config", "heads", "hidden", "inner", "count"), [
    (1 / 3, electra.BASE, 4, 256, 1024, 33_511_168), (1 / 4, electra.LARGE, 4, 256, 1024, 50_999_552),
    (1 / 4, electra.CONFIG, 1, 64, 256, None), (1 / 4, CONFIG, 1, 4, 8, None)])
def test_generators_have_the_published_sizes(size, config, heads, hidden, inner, count):
    found = generator_config(config, size)
    assert (found.num_heads, found.hidden_dim, found.intermediate_dim) == (heads, hidden, inner)
    assert found.head_dim == config.head_dim and found.embedding_dim == (config.embedding_dim or config.hidden_dim)
    assert found.num_layers == config.num_layers
    assert count is None or parameters(found) == count


@pytest.mark.parametrize("config", [CONFIG, CONFIG.but(embedding_dim=None), tiny.CONFIG,
                                    CONFIG.but(num_segments=0, positions=Absolute(pad_id=0))])
def test_embeddings_are_those_of_the_discriminator_and_nothing_is_left_behind(config):
    model = pretrainer(config)
    ours, theirs = model.encoder.embeddings, model.parts["0"].model.encoder.embeddings
    assert all(one is other for one, other in zip(ours.tables, theirs.tables, strict=True))
    assert theirs.projection is not ours.projection
    tables = sum(layer.count_params() for layer in ours.tables if layer is not None)
    narrow = generator_config(config, 0.25)
    width = narrow.embedding_dim
    guesser = parameters(narrow) + narrow.hidden_dim * width + 3 * width + config.vocabulary_size
    teller = parameters(config) - (config.hidden_dim + 1) * config.hidden_dim * (config.pooler is not None)
    teller += (config.hidden_dim + 1) * config.hidden_dim + config.hidden_dim + 1
    assert sum(np.prod(variable.shape) for variable in model.trainable_variables) == guesser + teller - tables
    assert len({variable.path for variable in model.trainable_variables}) == len(model.trainable_variables)


def test_a_generator_as_wide_as_the_discriminator_needs_no_projection():
    assert Generator(Encoder(CONFIG.but(embedding_dim=None)), 1, 0).model.encoder.embeddings.projection is None


def test_each_learns_from_its_own_loss_and_the_embeddings_from_both():
    model = pretrainer()
    found = {name: tf.constant(value) for name, value in model.corrupt(batch()).items()}
    objective = model.objectives[0]
    with tf.GradientTape(persistent=True) as tape:
        losses = objective.losses(model(found), found)
        total = sum(objective.weights[name] * value for name, value in losses.items())
    variables = [variable.value for variable in model.trainable_variables]

    def touched(loss):
        gradients = tape.gradient(loss, variables)
        return {variable.path for variable, g in zip(model.trainable_variables, gradients, strict=True)
                if g is not None and np.abs(tf.convert_to_tensor(g)).max() > 0}

    tables = {variable.path for layer in model.encoder.embeddings.tables for variable in layer.variables}
    own = {variable.path for variable in model.model.trainable_variables} - tables
    guesser = {variable.path for variable in model.parts["0"].trainable_variables} - tables
    assert touched(losses["mlm"]) == tables | guesser                 # no gradient from the one into the other
    assert touched(losses["rtd"]) == tables | own
    assert own | guesser | tables == {variable.path for variable in model.trainable_variables}
    token = model.encoder.embeddings.token.embeddings.value
    parts = [tf.convert_to_tensor(tape.gradient(losses[name], token)) for name in ("mlm", "rtd")]
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(total, token)), parts[0] + 50 * parts[1], atol=1e-4)


def trained(model, steps):
    for step in steps:
        model.train_on_batch(model.corrupt(batch(8, step=step)))
    return model


def state(model):
    return [*model.variables, *model.optimizer.variables]


def test_a_run_goes_on_from_its_state_to_the_same_weights():
    config = CONFIG.but(dropout=0.1, attention_dropout=0.1)
    randint, second = pretrainer(config), pretrainer(config, seed=5)
    for model in (randint, second):
        model.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
        model.optimizer.build(model.trainable_variables)
    trained(randint, [0])
    for there, here in zip(state(second), state(randint), strict=True):
        there.assign(here)
    trained(randint, [1])
    assert any((np.asarray(there) != np.asarray(here)).any()
               for there, here in zip(state(second), state(randint), strict=True))
    trained(second, [1])
    for there, here in zip(state(second), state(randint), strict=True):
        np.testing.assert_array_equal(there, here)


@pytest.mark.slow
def test_both_losses_fall_and_the_discriminator_is_what_is_shipped():
    model, rows = pretrainer(), tiny.tokenizer().pack(tiny.texts(64)[0], length=12)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    steps = [model.corrupt(rows | {"keys": np.arange(64) + 64 * step}) for step in range(10)]
    slices = {name: np.stack([found[name] for found in steps]) for name in steps[0]}

    def losses():
        found = {name: np.concatenate(list(parts)) for name, parts in slices.items()}
        return {name: float(value) for name, value in model.objectives[0].losses(model(found), found).items()}

    before = losses()
    logs = model.fit(tf.data.Dataset.from_tensor_slices(slices).repeat(), steps_per_epoch=80, verbose=0).history
    after = losses()
    assert after["mlm"] < before["mlm"] - 1 and after["rtd"] < before["rtd"] - 0.2
    assert {"loss", "mlm", "rtd"} <= set(logs)
    assert logs["loss"][0] == pytest.approx(logs["mlm"][0] + 50 * logs["rtd"][0], rel=1e-5)
    assert list(model.model.heads) == ["rtd"] and model.model.encoder is model.encoder
    assert model.model(rows)["rtd_logits"].shape == (64, 12)


# ------------------------------------------------------------------------------------------------ what is refused


def test_sizes_and_encoders_that_do_not_fit():
    for size in (0, -1, 1.5):
        with pytest.raises(Error, match="is no share of the discriminator's width"):
            RTD(tiny.tokenizer(), size=size)
    config = xlnet.CONFIG.but(vocabulary_size=31, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=12)
    with pytest.raises(Error, match=r"inputs=Bare\(.*give an encoder whose inputs are Summed"):
        Pretrainer(Encoder(config), [RTD(tiny.tokenizer())])
