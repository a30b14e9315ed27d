"""Copies of texts with other words: only whole words change, each by a candidate, as the seed says."""

import numpy as np
import pytest

from bertkit.compress.augmentation import MaskedModel, NearestWords, augmented
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import LanguageModel
from tests import tiny
from tests.compress.test_slim import saved


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    model = LanguageModel(Encoder(tiny.CONFIG.but(initializer_range=0.5)))
    return saved(tmp_path_factory.mktemp("masked") / "model", model)


def test_candidates_of_a_masked_model_are_its_likeliest_whole_words_there(masked):
    found = MaskedModel(masked)
    text = "good film, zzz bad"
    words = found([text, "story"])
    assert sorted(words[0]) == [(0, 4), (5, 9), (15, 18)] and list(words[1]) == [(0, 5)]     # zzz is three pieces
    batch = found.tokenizer.pack([text], length=12)
    batch["token_ids"][0, 2] = found.tokenizer.mask_id
    logits = np.asarray(found.model(batch))[0, 2]
    entries = [i for i, entry in enumerate(tiny.VOCABULARY) if entry in tiny.WORDS and len(entry) > 1]
    wanted = sorted(entries, key=lambda i: -logits[i])[:15]
    assert words[0][5, 9] == [tiny.VOCABULARY[i] for i in wanted]


def test_nearest_words_are_those_of_the_largest_cosine():
    model = tiny.classifier(1)
    table = np.asarray(model.encoder.embeddings.token.embeddings)
    entries = [i for i, entry in enumerate(tiny.VOCABULARY) if entry in tiny.WORDS and len(entry) > 1]
    film = tiny.VOCABULARY.index("film")
    cosines = {i: table[i] @ table[film] / np.linalg.norm(table[i]) for i in entries if i != film}
    wanted = sorted(cosines, key=lambda i: -cosines[i])[:15]
    (found,) = NearestWords(model, tiny.tokenizer())(["a film"])
    assert found[2, 6] == [tiny.VOCABULARY[i] for i in wanted] and (0, 1) in found


def test_copies_change_words_alone_and_are_the_same_again():
    words = lambda texts: [{(0, 4): ["x"], (9, 12): ["yy", "z"]} for _ in texts]         # noqa: E731
    made = augmented(["good big bad", ("good big bad", "good big bad"), ["good", "big", "bad"]], 40, words, seed=3)
    texts = [each for each in made if isinstance(each, str)]
    assert set(texts) == {"x big bad", "good big yy", "good big z", "x big yy", "x big z"}
    assert 10 < len(texts) < 36                             # 0.64 of 40, those that changed
    pairs, lists = ([each for each in made if isinstance(each, kind)] for kind in (tuple, list))
    assert all(len(each) == 2 for each in pairs) and all(len(each) == 3 and each[1] == "big" for each in lists)
    assert made == augmented(["good big bad", ("good big bad", "good big bad"), ["good", "big", "bad"]], 40, words, 3)
    assert made != augmented(["good big bad", ("good big bad", "good big bad"), ["good", "big", "bad"]], 40, words, 4)


def test_what_is_no_masked_model_is_refused(tmp_path):
    with pytest.raises(Error, match="is no masked language model"):
        MaskedModel(saved(tmp_path / "encoder", Encoder(tiny.CONFIG)))
