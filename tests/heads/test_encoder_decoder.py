"""Writing: the decoder against transformers and against itself, what it may see, warm starts, bundles."""

from pathlib import Path

import keras
import numpy as np
import pytest

from bertkit import checkpoints, kinds
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints.tensors import Tensors, WeightMapping, assign, variables, weight_mapping
from bertkit.config import EncoderConfig
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import bert
from bertkit.heads import EncoderDecoder, LanguageModel
from tests import tiny

GOLDEN = Path(__file__).parents[1] / "golden" / "writer" / "bert2bert.npz"
LEAVES = {"kernel": ".weight", "bias": ".bias", "gamma": ".weight", "beta": ".bias", "embeddings": ".weight"}
BATCH = {"token_ids": np.array([[2, 5, 9, 11, 3], [2, 7, 3, 0, 0]]),
         "padding_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])}


def writer(seed=0, config=tiny.CONFIG, **settings):
    """Return a warm writer whose weights, the cross-attention's too, are large enough to show."""
    keras.utils.set_random_seed(seed)
    made = EncoderDecoder.from_encoder(Encoder(config), (2, 3), **{"longest": 7, **settings})
    rng = np.random.default_rng(seed)
    for weight in made.decoder.weights:
        weight.assign(np.asarray(weight) + 0.3 * rng.standard_normal(weight.shape))
    return made


@pytest.fixture(scope="module")
def warm():
    return writer()


def theirs(path):
    """Return our name of an encoder's weight that stands where one of the decoder does, and what else differs there."""
    return path.replace("decoder/", "encoder/").replace("cross_norm", "attention_norm").replace("cross/", "attention/")


def golden_slots(model):
    """Return where transformers keeps each of our weights."""
    paths, table = variables(model), {**bert.HUGGINGFACE.names, "mlm/bias": "cls.predictions.bias"}
    found = weight_mapping([theirs(path) for path in paths], table, LEAVES, transposed=True)
    placed = {}
    for path in paths:
        slot = found[theirs(path)]
        name = slot.name if path.startswith("encoder/") or "mlm" in path else f"bert.{slot.name}"
        name = f"encoder.{name}" if path.startswith("encoder/") else f"decoder.{name}"
        placed[path] = WeightMapping(name.replace(".attention.", ".crossattention.") if "cross" in path else name,
                            slot.transposed)
    return placed


@pytest.fixture(scope="module")
def golden():
    """Return (a writer with transformers' weights, the recorded arrays)."""
    arrays = dict(np.load(GOLDEN))
    config = EncoderConfig(30, num_layers=2, num_heads=2, hidden_dim=8, intermediate_dim=16, max_sequence_length=12)
    made = EncoderDecoder(Encoder(config), (2, 31 - 2), longest=8)
    held = {name: value for name, value in arrays.items() if not name.startswith(("in/", "out/"))}
    assign(made, Tensors(GOLDEN, {name: value.shape for name, value in held.items()}, held.get), golden_slots(made),
           ignored=("decoder.cls.predictions.decoder.",))
    return made, arrays


def test_logits_are_those_of_transformers(golden):
    made, arrays = golden
    found = made({name: arrays[f"in/{name}"] for name in ("token_ids", "padding_mask", "target_ids")})
    np.testing.assert_allclose(found, arrays["out/logits"], atol=2e-5)


def test_greedy_search_writes_what_transformers_would(golden):
    made, arrays = golden
    found = np.asarray(made({name: arrays[f"in/{name}"] for name in ("token_ids", "padding_mask")}))
    np.testing.assert_array_equal(found, arrays["out/greedy"])      # no row of which holds the end, 29


def test_no_token_sees_a_later_one(warm):
    target = np.array([[2, 5, 6, 7, 8], [2, 9, 10, 11, 12]])
    plain = np.asarray(warm({**BATCH, "target_ids": target}))
    for place in range(1, 5):
        other = target.copy()
        other[:, place] = 20
        found = np.asarray(warm({**BATCH, "target_ids": other}))
        np.testing.assert_allclose(found[:, :place], plain[:, :place], atol=1e-6)
        assert np.abs(found[:, place:] - plain[:, place:]).max() > 1e-2


def test_padding_of_what_is_read_changes_nothing_and_reading_does(warm):
    target = np.array([[2, 5, 6], [2, 9, 10]])
    plain = np.asarray(warm({**BATCH, "target_ids": target}))
    wide = {"token_ids": np.pad(BATCH["token_ids"], ((0, 0), (0, 3)), constant_values=9),
            "padding_mask": np.pad(BATCH["padding_mask"], ((0, 0), (0, 3)))}
    np.testing.assert_allclose(warm({**wide, "target_ids": target}), plain, atol=1e-5)
    read = {**BATCH, "token_ids": np.where(BATCH["token_ids"] == 7, 8, BATCH["token_ids"]), "target_ids": target}
    assert np.abs(np.asarray(warm(read))[1] - plain[1]).max() > 1e-3


def test_kept_keys_and_values_give_what_the_whole_text_does(warm):
    target = np.array([[2, 5, 6, 7], [2, 9, 10, 11]])
    whole = np.asarray(warm({**BATCH, "target_ids": target}))
    memory, past = warm.encode(BATCH), warm.decoder.empty_cache(2, 6, "float32")
    for place in range(4):
        x, past = warm.decoder.step(target[:, place:place + 1], place, past, memory)
        np.testing.assert_allclose(warm.token_logits(x)[:, 0], whole[:, place], atol=1e-5)


@pytest.mark.parametrize("beams", [1, 2])
def test_what_is_written_is_what_recomputing_finds(beams):
    made = writer(config=tiny.CONFIG.but(num_layers=1), beams=beams, longest=3, penalty=0.0)
    found = np.asarray(made(BATCH))
    for row in range(2):
        one = {name: value[row:row + 1] for name, value in BATCH.items()}
        np.testing.assert_array_equal(found[row], recomputed(made, one, beams, 3))


def recomputed(model, batch, beams, longest):
    """Return the text that a plain beam search finds, the whole text computed anew for each token."""
    kept = [((), 0.0)]
    for _ in range(longest):
        going = []
        for text, score in kept:
            if 3 in text:
                going.append((text, score))
                continue
            logits = np.asarray(model({**batch, "target_ids": np.array([[2, *text]])}), "float64")[0, -1]
            chances = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            going += [((*text, token), score + chances[token]) for token in range(len(chances))]
        kept = sorted(going, key=lambda pair: -pair[1])[:beams]
    best = max(kept, key=lambda pair: pair[1])[0]
    return [*best, *[3] * (longest - len(best))]


def test_a_warm_start_is_the_checkpoint_but_for_the_attention_between():
    keras.utils.set_random_seed(1)
    start = LanguageModel(Encoder(tiny.CONFIG))
    for weight in start.weights:
        weight.assign(np.random.default_rng(1).standard_normal(weight.shape))
    made = variables(EncoderDecoder.from_encoder(start, (2, 3), longest=5))
    given = variables(start)
    for path, weight in made.items():
        if "/cross" in path:
            assert np.abs(np.asarray(weight)).max() <= 1        # as drawn, or LayerNorm's 1
        elif path.startswith("decoder/"):
            np.testing.assert_array_equal(weight, given[path.replace("decoder/", "encoder/")])
        else:
            np.testing.assert_array_equal(weight, given[path])


def test_a_bundle_writes_the_same_again(tmp_path):
    made = writer(config=tiny.CONFIG.but(num_layers=1), beams=2, penalty=0.5)
    bundle.save(tmp_path / "writer", made, tiny.tokenizer(), Card("writer", "write", bundle.describe(made)))
    again = checkpoints.load(tmp_path / "writer")
    assert (again.ends, again.longest, again.beams, again.penalty) == ((2, 3), 7, 2, 0.5)
    np.testing.assert_array_equal(again(BATCH), made(BATCH))


def test_positions_after_the_padding_id_are_counted_from_there():
    config = tiny.CONFIG.but(positions=kinds.Absolute(pad_id=1), family="roberta")
    made = writer(config=config)
    target, memory = np.array([[2, 5, 6]]), made.encode({"token_ids": np.array([[2, 5, 3]])})
    past = made.decoder.empty_cache(1, 4, "float32")
    whole = made.decoder(target, memory)
    for place in range(3):
        x, past = made.decoder.step(target[:, place:place + 1], place, past, memory)
        np.testing.assert_allclose(x[:, 0], whole[:, place], atol=1e-5)


@pytest.mark.parametrize(("settings", "words"), [
    ({"longest": 0}, "longest=0"), ({"longest": 33}, "1 to 32 tokens"), ({"beams": 0}, "beams=0"),
    ({"config": tiny.CONFIG.but(attention=kinds.Window(4))}, "made of BERT's blocks"),
    ({"config": tiny.CONFIG.but(shared=kinds.Shared(1, 1))}, "each with its own weights")])
def test_what_cannot_write_is_refused(settings, words):
    with pytest.raises(Error, match=words):
        writer(**settings)


def test_ids_without_a_row_are_named(warm):
    with pytest.raises(Error, match="token_ids holds 999"):
        warm({**BATCH, "target_ids": [[2, 999], [2, 3]]})
