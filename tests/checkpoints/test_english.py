"""The encoder that ships with bertkit: what it weighs, what it knows, where it comes from."""

import inspect

import numpy as np
import pytest

import bertkit
from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.text import Tokenizer
from recipes import classify, tag

MEGABYTE = 10**6


@pytest.fixture(scope="module")
def vectors():
    """Return texts -> the mean of each one's token vectors."""
    encoder, tokenizer = load(DEFAULT, part="encoder"), Tokenizer.load(local_folder(DEFAULT))

    def found(texts):
        batch = tokenizer.pack(texts, length=32)
        weights = batch["padding_mask"][:, :, None]
        return (np.asarray(encoder(batch)["sequence"]) * weights).sum(axis=1) / weights.sum(axis=1)

    return found


def test_it_is_small_enough_to_come_along():
    sizes = {path.name: path.stat().st_size for path in local_folder(DEFAULT).iterdir()}
    assert 10 * MEGABYTE < sizes["weights.safetensors"] < sum(sizes.values()) < 20 * MEGABYTE


def test_texts_that_mean_alike_are_near(vectors):
    dog, puppy, bank = vectors(["The dog sleeps on the sofa.", "A puppy is asleep on the couch.",
                                "The bank raised its interest rates."])

    def cosine(x, y):
        return x @ y / np.linalg.norm(x) / np.linalg.norm(y)

    assert cosine(dog, puppy) > 0.5 > cosine(dog, bank) + 0.2


def test_every_text_has_ids():
    tokenizer = Tokenizer.load(local_folder(DEFAULT))
    assert "[UNK]" not in tokenizer.encode(["Zyxwv qwertzuiop, 1997!"])[0].tokens


def test_its_card_says_whose_it_is():
    notes = " ".join(Card.read(local_folder(DEFAULT) / "card.json").notes)
    assert "Apache-2.0" in notes and "OpenStax" in notes and "CC BY 4.0" in notes


def test_recipes_begin_with_it():
    for recipe in (classify, tag):
        assert inspect.signature(recipe.main).parameters["model"].default == DEFAULT


def test_another_name_is_refused_by_what_there_is():
    with pytest.raises(bertkit.Error, match="bertkit://klingon does not ship with bertkit; there is bertkit://english"):
        load("bertkit://klingon")
