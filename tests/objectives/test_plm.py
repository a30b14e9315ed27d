"""Permutation language model: n-grams and masks against plain loops, and what the query stream really sees."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bertkit.corpus.randomness import uniform
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.family import xlnet
from bertkit.objectives import PLM, Pretrainer
from bertkit.objectives.plm import contexts, permutation_mask
from bertkit.text import Tokenizer, template
from tests import tiny

CONFIG = xlnet.CONFIG.but(vocabulary_size=len(tiny.VOCABULARY), num_layers=2, num_heads=2, hidden_dim=16,
                          intermediate_dim=32, dropout=0.0, attention_dropout=0.0, initializer_range=0.2)
XLNET, BERT = template.xlnet("[CLS]", "[SEP]"), template.bert("[CLS]", "[SEP]")
pytestmark = pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")


def tokenizer(rules=XLNET):
    return Tokenizer(tiny.VOCABULARY, template=rules.settings())


def batch(rows=64, length=40, rules=XLNET, shortest=1, step=0):
    """Return rows of random pieces, packed as the template says, with keys."""
    packer, rng = tokenizer(rules), np.random.default_rng(step)
    texts = [rng.integers(5, len(tiny.VOCABULARY), rng.integers(shortest, length - 1)).tolist() for _ in range(rows)]
    return packer.batch([packer.pack_ids(ids, None, length) for ids in texts], length) | {
        "keys": np.arange(rows) + step * rows}


def places(found):
    """Return which tokens are asked for, bool [B,T]."""
    return found["target_mapping"].sum(axis=1) > 0


# ---------------------------------------------------------------------------------------------- which are chosen


def looped(seed, key, words, first, alpha, beta):
    """The n-grams of one row, by the loop of the authors' _sample_mask, with our draws in place of its."""
    width, cumulated = len(words), np.cumsum([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]) / sum(1 / n for n in range(1, 6))
    draws = [uniform(seed, purpose, [key], width)[0] for purpose in ("lengths", "contexts")]
    chosen, now, number = np.zeros(width, bool), first, 0
    while now < width:
        n = next(i for i in range(1, 6) if draws[0][number] < cumulated[i - 1])
        around = n * alpha // beta
        left = int(draws[1][number] * around)
        begin = now + left
        while begin < width and not words[begin]:
            begin += 1
        if begin >= width:
            break
        end, count = begin + 1, 1
        while end < width:
            count += words[end]
            if count > n:
                break
            end += 1
        if end >= width:
            break
        chosen[begin:end] = True
        now, number = end + around - left, number + 1
    return chosen


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 70), st.integers(0, 20), st.floats(0.2, 1), st.sampled_from(
    [(6, 1), (5, 1), (3, 2), (1, 1), (1, 3)]))
def test_ngrams_are_those_of_the_loop(key, width, empty, share, context):
    rng = np.random.default_rng(key % 1000)
    real = np.arange(width) >= min(empty, width - 1)
    words = real & (rng.random(width) < share)
    found = contexts(3, [key], real[None], words[None], *context)[0]
    np.testing.assert_array_equal(found, looped(3, key, words, np.argmax(real), *context))


@pytest.mark.parametrize(("alpha", "beta"), [(6, 1), (4, 2)])
def test_one_of_seven_words_is_chosen(alpha, beta):
    """n words of every n + n·alpha/beta: the share is beta / (alpha + beta), save in a row's last context."""
    rows, width = 60, 3000
    every = np.ones((rows, width), bool)
    counts = np.concatenate([contexts(seed, np.arange(rows) + 1000 * step, every, every, alpha, beta).sum(axis=1)
                             for seed in (0, 1) for step in (0, 1)])
    most = 5 + 5 * alpha // beta
    assert (np.abs(counts * (alpha + beta) / beta - width) <= most).all(), counts


def test_ngrams_have_lengths_of_weights_one_over_n_and_stand_anywhere_in_their_context():
    """Of the first 20 of each row, which 20 contexts of 35 tokens or less surely hold."""
    rows, weights, kept = 1000, 1 / np.arange(1, 6), 20
    every = np.ones((rows, kept * 35 + 10), bool)
    steps = np.diff(np.pad(contexts(4, np.arange(rows), every, every, 6, 1), ((0, 0), (1, 1))).astype(int), axis=1)
    begins, ends = (np.array([np.flatnonzero(row == sign)[:kept] for row in steps]) for sign in (1, -1))
    lengths, expected = np.bincount(np.ravel(ends - begins), minlength=6), weights / weights.sum()
    assert lengths[0] == 0 and len(lengths) == 6
    bound = 4 * np.sqrt(expected * (1 - expected) / lengths.sum())
    assert (np.abs(lengths[1:] / lengths.sum() - expected) < bound).all()
    shares = begins[:, 0] / (6 * (ends - begins)[:, 0])            # 0/6n ... (6n − 1)/6n, all alike
    mean = 0.5 - (expected / np.arange(1, 6)).sum() / 12
    assert shares.max() < 1 and abs(shares.mean() - mean) < 4 * 0.29 / rows**0.5


# -------------------------------------------------------------------------------------------------- what is seen


def mask_by_definition(order, chosen, functional):
    """training-spec, 2.6, one pair of tokens after the other."""
    length, targets = len(order), chosen & ~functional
    rev = [order[i] if chosen[i] or functional[i] else -1 for i in range(length)]
    own = [rev[i] if targets[i] else rev[i] + 1 for i in range(length)]
    return np.array([[float(own[i] <= rev[j] and (chosen[j] or functional[j])) for j in range(length)]
                     for i in range(length)])


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(9)), arrays(int, 9, elements=st.integers(0, 2)))
def test_masks_are_those_of_the_definition(order, kinds):
    order, chosen, functional = np.array(order), kinds == 1, kinds == 2
    found = permutation_mask(order[None], chosen[None], functional[None])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0], mask_by_definition(order, chosen, functional))


@pytest.mark.parametrize("rules", [XLNET, BERT], ids=["left", "right"])
def test_a_batch_asks_for_whole_words_and_says_where_they_are(rules):
    pieces, cut = np.array([entry.startswith("##") for entry in tiny.VOCABULARY]), 0
    for step in range(4):
        before = batch(rules=rules, step=step)
        found, ids = PLM(tokenizer(rules)).corrupt(before), before["token_ids"]
        chosen, ordinary = places(found), (before["padding_mask"] > 0) & (ids >= 5)
        np.testing.assert_array_equal(found["token_ids"], ids)
        assert "masked_positions" not in found                     # the query stream is of the targets alone
        assert not (chosen & ~ordinary).any() and chosen.any()
        first = ordinary & ~np.pad(ordinary, ((0, 0), (1, 0)))[:, :-1]
        begins, cut = ~pieces[ids] | first, cut + (chosen & first & pieces[ids]).sum()
        edges = chosen[:, 1:] != chosen[:, :-1]
        assert begins[:, 1:][edges].all()                          # no word is cut
        for row in range(len(ids)):
            real = int(found["masked_weights"][row].sum())
            np.testing.assert_array_equal(found["masked_labels"][row][:real], ids[row][chosen[row]])
            np.testing.assert_array_equal(found["target_mapping"][row],
                                          np.pad(np.eye(ids.shape[1])[chosen[row]],
                                                 ((0, found["target_mapping"].shape[1] - real), (0, 0))))
        assert found["masked_weights"].dtype == found["target_mapping"].dtype == np.float32
        assert found["masked_labels"].dtype == np.int32
    assert cut > 0                                                 # a text may begin in the middle of a word


def test_no_target_sees_itself_and_each_sees_something():
    """Half the texts are of a few pieces, where all that is ordinary could be chosen."""
    for alpha, step in ((6, 0), (1, 1), (1, 2)):
        before = batch(400, 8, step=step)
        found = PLM(tokenizer(), alpha=alpha).corrupt(before)
        chosen, real = places(found), before["padding_mask"] > 0
        seen = (found["permutation_mask"] == 0) & real[:, None]
        assert chosen.any() and not np.einsum("btt->bt", seen)[chosen].any()
        assert seen.any(axis=2)[chosen].all()
        both = chosen[:, :, None] & chosen[:, None] & ~np.eye(8, dtype=bool)
        assert (seen != seen.swapaxes(1, 2))[both].all()           # of two targets one sees the other


def test_a_row_is_the_same_on_either_side_of_its_padding_and_in_a_wider_batch():
    def row(rules, length):
        packer = tokenizer(rules)
        ids = np.random.default_rng(0).integers(5, 20, 30).tolist()
        found = PLM(packer, seed=2).corrupt(
            packer.batch([packer.pack_ids(ids, None, 32), packer.pack_ids(ids, None, 32)], length) | {"keys": [7, 8]})
        text = (found["token_ids"] >= 5)[0]
        return places(found)[:, text], found["permutation_mask"][:, text][:, :, text], found["masked_labels"]

    for one, other in zip(row(XLNET, 32), row(XLNET, 45), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(row(BERT, 32), row(BERT, 45), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (row(XLNET, 32)[0][0] != row(XLNET, 32)[0][1]).any()


def test_a_pure_function_of_seed_and_keys():
    def masks(seed, step):
        return PLM(tokenizer(), seed=seed).corrupt(batch() | {"keys": np.arange(64) + step * 64})["permutation_mask"]

    np.testing.assert_array_equal(masks(0, 0), masks(0, 0))
    assert (masks(0, 0) != masks(1, 0)).any() and (masks(0, 0) != masks(0, 1)).any()


# ------------------------------------------------------------------------------------------------- what is learnt


def test_a_guess_depends_on_what_comes_before_it_and_on_nothing_else():
    """Change one target's token: its own guess and those earlier in the order stay, to the last bit of a mask."""
    keras.utils.set_random_seed(0)
    model = Pretrainer(Encoder(CONFIG), [PLM(tokenizer())])
    found = model.corrupt(batch(6, 30, shortest=20))
    before, blind = np.asarray(model(found)["mlm_logits"]), 0
    rows = np.arange(len(before))
    for slot in range(found["masked_weights"].sum(axis=1).astype(int).min()):
        place = found["target_mapping"][:, slot].argmax(axis=1)
        ids = found["token_ids"].copy()
        ids[rows, place] = 5 + (ids[rows, place] + 3) % 20
        after = np.asarray(model(found | {"token_ids": ids})["mlm_logits"])
        moved = np.abs(after - before).max(axis=2) > 1e-5
        sees = np.einsum("bmt,btj->bmj", found["target_mapping"], found["permutation_mask"])[rows, :, place] == 0
        real = found["masked_weights"] > 0
        np.testing.assert_array_equal(moved[real], sees[real])
        assert not moved[rows, slot].any()
        blind += (~sees & real).sum() - len(rows)
    assert blind > 0


def test_loss_is_the_mean_over_real_targets():
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(2, 3, 7)).astype("float32"), np.array([[1, 2, 0], [3, 0, 0]])
    weights = np.array([[1.0, 1, 0], [1, 0, 0]], "float32")
    each = np.log(np.exp(logits).sum(-1)) - np.take_along_axis(logits, labels[..., None], 2)[..., 0]
    found = PLM(tokenizer()).losses({"mlm_logits": logits}, {"masked_labels": labels, "masked_weights": weights})
    assert float(found["plm"]) == pytest.approx((each * weights).sum() / 3, rel=1e-5)


@pytest.mark.slow
def test_pretraining_learns():
    keras.utils.set_random_seed(0)
    model = Pretrainer(Encoder(CONFIG.but(num_layers=1)), [PLM(tokenizer())])
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    rows = tokenizer().pack(tiny.texts(64)[0], length=12)
    steps = [model.corrupt(rows | {"keys": np.arange(64) + 64 * step}) for step in range(6)]
    width = max(found["masked_labels"].shape[1] for found in steps)

    def widened(name, value):
        missing = width - value.shape[1] if name in ("target_mapping", "masked_labels", "masked_weights") else 0
        return np.pad(value, [(0, 0), (0, missing), *[(0, 0)] * (value.ndim - 2)])

    slices = {name: np.stack([widened(name, found[name]) for found in steps]) for name in steps[0]}
    randint = {name: np.concatenate(list(parts)) for name, parts in slices.items()}

    def loss():
        return float(model.objectives[0].losses(model(randint), randint)["plm"])

    before = loss()
    model.fit(tf.data.Dataset.from_tensor_slices(slices).repeat(), steps_per_epoch=60, verbose=0)
    assert loss() < before - 1.5
    assert list(model.model.heads) == ["mlm"] and model.model.heads["mlm"].dense is None


def test_the_published_tokenizer(shared):
    found = Tokenizer.load(shared("checkpoints/xlnet/base"))
    text = "the quick brown fox jumps over the lazy dog and runs away from all of us " * 3
    before = found.pack([text] * 50, length=100) | {"keys": np.arange(50)}
    after = PLM(found).corrupt(before)
    begins = np.array([found.vocabulary[i].startswith("▁") or found.vocabulary[i].startswith("<")
                       for i in range(len(found))])[before["token_ids"]]
    chosen = places(after)
    assert chosen.any()
    assert begins[:, 1:][chosen[:, 1:] != chosen[:, :-1]].all()


# ------------------------------------------------------------------------------------------------ what is refused


def test_encoders_without_a_query_stream_and_empty_contexts():
    with pytest.raises(Error, match="needs an encoder with a query stream, which block=PostNorm"):
        Pretrainer(Encoder(tiny.CONFIG), [PLM(tokenizer())])
    for options in ({"alpha": 0}, {"beta": 0}):
        with pytest.raises(Error, match="give whole numbers of 1 or more"):
            PLM(tokenizer(), **options)
