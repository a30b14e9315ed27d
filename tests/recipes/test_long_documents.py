"""`bertkit long_documents`: all ways from a folder of texts to their table, and what each leaves."""

import io
import json

import keras
import numpy as np
import pytest

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.data.features import features_of
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.export import export
from bertkit.heads import Classifier, DocumentClassifier
from bertkit.predictor import Predictor
from bertkit.training.scoring import outputs
from tests import tiny

WAYS = ("cut", "windows", "hierarchical", "sparse")
LENGTH = 12
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")]


def document(number, mood):
    """Return a text of some 4 to 60 words, the last of which tell its class."""
    rng = np.random.default_rng([number, mood])
    words = rng.choice(["film", "story", "scene", "the", "a", "was", "with"], 4 + 14 * (number % 5))
    return " ".join([*words, *(["good", "fine"] if mood else ["bad", "dull"])])


@pytest.fixture(scope="module")
def place(steps, tmp_path_factory):
    """Return a folder with an encoder, a corpus, and the bundles of all ways."""
    folder = tmp_path_factory.mktemp("documents")
    keras.utils.set_random_seed(1)
    encoder = Encoder(tiny.CONFIG.but(num_layers=1))
    bundle.save(folder / "encoder", encoder, tiny.tokenizer(), Card("encoder", "encode", bundle.describe(encoder)))
    for number in range(24):
        for mood, name in enumerate(("bad", "good")):
            file = folder / "corpus" / name / f"text{number}_{mood}{mood}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(document(number, mood))
    assert learn(folder, "all", "--strategy", "all") == 0
    return folder


def learn(place, out, *more):
    knobs = {"model": place / "encoder", "train": place / "corpus", "out": place / out, "epochs": 1, "length": LENGTH,
             "batch-size": 12, "most-windows": 4, "most-tokens": 64, "learning-rate": 1e-2, "held-back": 0.3}
    return main(["long_documents", *(str(part) for name, value in knobs.items() for part in (f"--{name}", value)),
                 *more])


@pytest.mark.parametrize("way", WAYS)
def test_pairs_are_told_before_anything_is_computed(place, way, capsys):
    (place / "pairs.tsv").write_text("sentence1\tsentence2\tlabel\na\tb\t0\nc\td\t1\n")
    words = ["--train", place / "pairs.tsv", "--dev", place / "pairs.tsv", "--strategy", way, "--model", "hf://nobody/nothing"]
    assert main(["long_documents", *map(str, words), "--out", str(place / "never")]) == 1
    assert "Documents are single texts, and pairs came" in capsys.readouterr().err


def test_the_table_has_a_row_for_each_way(place):
    header, *rows = [line.split("\t") for line in (place / "all" / "table.tsv").read_text().splitlines()]
    assert header == ["", "accuracy", "low", "high", "seconds", "tokens_read", "share_read", "read_whole"]
    assert [row[0] for row in rows] == list(WAYS)
    table = {row[0]: dict(zip(header[1:], map(float, row[1:]), strict=True)) for row in rows}
    for way, row in table.items():
        card = Card.read(place / "all" / way / "card.json")
        assert row["accuracy"] == pytest.approx(card.scores["dev"]["accuracy"]["score"], rel=1e-3)
        assert row["low"] <= row["accuracy"] <= row["high"]
        assert card.data["train"]["rows"] + card.data["dev"]["rows"] == 48 and card.data["dev"]["rows"] % 2 == 0
    texts = [document(number, mood) for number in range(24) for mood in (0, 1)]
    assert table["cut"]["tokens_read"] <= LENGTH - 2 < table["windows"]["tokens_read"] < table["sparse"]["tokens_read"]
    assert table["windows"]["share_read"] == table["hierarchical"]["share_read"] < 1 == table["sparse"]["read_whole"]
    assert max(len(ids) for ids in tiny.tokenizer().ids(texts)) == 62


def test_each_way_has_its_model(place):
    models = {way: Predictor(place / "all" / way) for way in WAYS}
    assert [type(found.model) for found in models.values()] == [Classifier, Classifier, DocumentClassifier, Classifier]
    names = ["classify", "long_documents", "long_documents", "classify"]
    assert [found.task.name for found in models.values()] == names
    assert [found.length for found in models.values()] == [LENGTH, LENGTH, LENGTH, 64]
    assert models["sparse"].model.kinds["classify"].watch == "first"


@pytest.mark.parametrize("way", WAYS)
def test_batches_and_padding_change_nothing(place, way):
    found = Predictor(place / "all" / way)
    packed = found.task.pack(found.tokenizer, [document(number, 0) for number in range(7)], found.length)
    features = features_of(packed, found.tokenizer)
    one, many = outputs(found.model, features, batch_size=1), outputs(found.model, features, batch_size=64)
    np.testing.assert_allclose(one, many, atol=1e-5)
    if way != "hierarchical":
        rows = features.single_rows
        padded = [found.model(rows.batch([row], found.length))[0] for row in range(len(rows))]
        np.testing.assert_allclose(one, padded, atol=1e-5)


def test_what_fits_one_window_is_predicted_as_if_cut(place):
    """With the same weights: those of the model that learnt windows."""
    windows, cut = Predictor(place / "all" / "windows"), Predictor(place / "all" / "cut")
    cut.model = windows.model
    texts = ["good film", "", "a bad story with the actor", "the " * 10, "the " * 11]
    ones, others = (found.predictions(texts) for found in (windows, cut))
    np.testing.assert_allclose(ones[:4], others[:4], atol=1e-6)
    assert np.abs(np.array(ones[4]) - others[4]).max() > 1e-6


@pytest.mark.parametrize("way", ["windows", "hierarchical"])
def test_what_is_evaluated_is_what_is_predicted(place, way, capsys, monkeypatch):
    texts = [document(number, mood) for number in range(24) for mood in (0, 1)]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("".join(f"{text}\n" for text in texts).encode())))
    assert main(["predict", str(place / "all" / way)]) == 0
    given = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert main(["evaluate", str(place / "all" / way), "--data", str(place / "corpus"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 48 and found["accuracy"] == pytest.approx(
        np.mean([label == ("bad", "good")[i % 2] for i, label in enumerate(given)]))


def test_windows_that_are_read_together_are_not_exported(place, tmp_path):
    for to in ("tflite", "saved_model"):
        with pytest.raises(Error, match="reads all windows of a document together, and what is exported takes one row"):
            export(place / "all" / "hierarchical", to, tmp_path / "out")
    with pytest.raises(Error, match="export it to tflite"):
        export(place / "all" / "windows", "saved_model", tmp_path / "out")


@pytest.mark.slow
def test_a_device_pools_the_windows(place, tmp_path):
    card = export(place / "all" / "windows", out=tmp_path / "phone", precision="float32", dev=place / "corpus")
    assert card.parity["dev"]["agreement"] == 1
    texts = [document(number, 1) for number in range(5)]
    device, model = (Predictor(place / "all" / "windows", tflite=file)
                     for file in (tmp_path / "phone/model.tflite", None))
    np.testing.assert_allclose(device.predictions(texts), model.predictions(texts), atol=1e-5)


@pytest.mark.parametrize("flags, words", [
    (("--strategy", "windows", "--most-windows", "0"), "most_windows=0 reads nothing"),
    (("--held-back", "0"), "would be held back at held_back=0.0"),
    (("--strategy", "cut", "--length", "64"), "length=64 does not fit: this encoder takes 3 to 32 tokens"),
    (("--strategy", "sparse", "--most-tokens", "0"), "most_tokens=0 reads nothing")])
def test_knobs_that_do_not_fit_are_told(place, capsys, flags, words):
    assert learn(place, "never", *flags) == 1
    assert words in capsys.readouterr().err
