"""`bertkit slim` from a bundle to a smaller one: what is left, what the card says, what goes on with it."""

import json

import numpy as np
import pytest

import bertkit
from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.compress import slim
from bertkit.compress.sizes import Sizes
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from tests import tiny
from tests.killed import kill_after_a_save, same_weights
from tests.recipes.written import FILES

KNOBS = {"epochs": 1, "batch_size": 16, "learning_rate": 1e-2, "length": 16}


def saved(folder, model, task=None, tokenizer=None):
    card = Card(folder.name, "classify", bundle.describe(model))
    bundle.save(folder, model, tokenizer or tiny.tokenizer(), card, length=16, task=task)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a bundle of two classes and its files."""
    folder = tmp_path_factory.mktemp("slim")
    for seed, (name, rows) in enumerate({"train": 32, "dev": 20}.items()):
        tiny.write_rows(folder / f"{name}.tsv", rows, seed)
    saved(folder / "whole", tiny.classifier(config=tiny.CONFIG.but(initializer_range=0.2)),
          Classification(("0", "1"), threshold=0.4))
    return folder


def made(place, out, folder="whole", **options):
    return slim(place / folder, place / "train.tsv", place / out, place / "dev.tsv", **options)


def test_heads_rows_and_layers_are_gone_and_the_card_says_which(place, steps):
    card = made(place, "narrow", heads=1, intermediate=9, layers="1", **KNOBS)
    model, whole = checkpoints.load(place / "narrow"), checkpoints.load(place / "whole")
    config = model.encoder.config
    assert (config.num_heads, config.head_dim, config.intermediate_dim, config.num_layers) == (1, 8, 9, 1)
    said = Card.read(place / "narrow" / "card.json").training["slim"]
    assert said["removed"]["layers"] == [0] and said["removed"]["rows"] == {"1": 23}
    assert list(said["removed"]["heads"]) == ["1"] and len(said["removed"]["heads"]["1"]) == 1
    assert said["parameters"] == {"before": whole.count_params(), "after": model.count_params()}
    assert said["drop"]["low"] <= said["drop"]["drop"] <= said["drop"]["high"] and said["of"] == "whole"
    assert said["drop"]["drop"] == pytest.approx(100 * (said["before"] - said["after"]), abs=1e-3)
    assert said["after"] == card.scores["dev"]["accuracy"]["score"] and 0 <= said["bag_of_words"] <= 1
    assert any("feed-forward rows" in note for note in card.notes) and card.recipe == "slim"
    score = bertkit.Predictor(place / "whole").evaluate(place / "dev.tsv")
    assert said["before"] == pytest.approx(score["accuracy"])


@pytest.mark.slow
def test_without_training_what_is_left_is_the_bundles(place):
    card = made(place, "cut", layers=[0], epochs=0)
    one, other = (checkpoints.load(place / name) for name in ("cut", "whole"))
    np.testing.assert_array_equal(one.encoder.blocks[0].inner.kernel, other.encoder.blocks[0].inner.kernel)
    assert card.knobs["epochs"] == 0 and bundle.calibration(place / "cut") is not None


def test_used_entries_change_no_answer_and_nothing_is_learnt(place):
    made(place, "used", vocabulary="used")
    texts = [line.split("\t")[0] for name in ("train", "dev")
             for line in (place / f"{name}.tsv").read_text().splitlines()[1:]]
    one, other = (bertkit.Predictor(place / name) for name in ("whole", "used"))
    assert len(other.tokenizer) < len(one.tokenizer) == one.model.encoder.config.vocabulary_size
    assert other.model.encoder.config.vocabulary_size == len(other.tokenizer)
    assert one.predict(texts) == other.predict(texts) and one.task == other.task
    said = json.loads((place / "used" / "card.json").read_text())["training"]["slim"]
    assert said["drop"] == {"drop": 0.0, "low": 0.0, "high": 0.0}
    assert said["removed"]["entries"] == len(one.tokenizer) - len(other.tokenizer)
    with pytest.raises(Error, match="nothing to train"):
        made(place, "never", vocabulary="used", epochs=2)


def test_a_trim_that_is_not_lossless_is_refused(place, monkeypatch):
    monkeypatch.setattr("bertkit.compress.reduced.used_entries",
                        lambda tokenizer, *_: [i for i, e in enumerate(tokenizer.vocabulary) if e != "film"])
    with pytest.raises(Error, match="are split into other pieces"):
        made(place, "lossy", vocabulary="used")
    assert not (place / "lossy").exists()


@pytest.mark.parametrize("options, words", [
    ({}, "Nothing says what to remove"), ({"heads": 3}, "has 2 heads a layer"), ({"heads": 0}, "1 or more"),
    ({"intermediate": 33}, "has 32 rows"), ({"layers": "0,2"}, "the layers 0 to 1"), ({"layers": "first"}, "0,2,5"),
    ({"layers": ""}, "0,2,5"), ({"vocabulary": "some"}, "or used"), ({"vocabulary": 10**6}, "entries"),
    ({"heads": True}, "1 or more"), ({"heads": 2}, "Nothing would be removed"), ({"layers": (0, 1)}, "Nothing would"),
    ({"heads": 1, "alpha": 2.0}, "give an alpha")])
def test_what_cannot_be_left_is_refused_before_anything_is_read(place, options, words):
    with pytest.raises(Error, match=words):
        slim(place / "whole", "absent.tsv", place / "never", "absent.tsv", **options)
    assert not (place / "never").exists()


def test_a_bundle_of_another_task_and_an_encoder_are_refused(place, tmp_path):
    encoder = saved(tmp_path / "encoder", Encoder(tiny.CONFIG))
    with pytest.raises(Error, match="without a task"):
        slim(encoder, "a", "b", heads=1)


def test_the_sizes_of_a_user():
    assert Sizes.of(2, layers=[0, 3]) == Sizes(2, layers=(0, 3)) == Sizes.of(2, layers="0, 3")
    assert not Sizes.of(vocabulary="used", heads=1).is_lossless


@pytest.mark.slow
def test_the_command_goes_all_the_way(place, capsys, steps):
    words = ["slim", place / "whole", "--train", place / "train.tsv", "--dev", place / "dev.tsv", "--heads", 1,
             "--vocabulary", 70, "--epochs", 1, "--length", 16, "--out", place / "commanded", "--json"]
    assert main(list(map(str, words))) == 0
    said = json.loads(capsys.readouterr().out)["training"]["slim"]
    assert len(said["removed"]["heads"]) == 2 and said["removed"]["entries"] == len(tiny.VOCABULARY) - 70
    goes_on = ["classify", "--model", place / "commanded", "--train", place / "train.tsv", "--dev", place / "dev.tsv",
               "--epochs", 1, "--length", 16, "--out", place / "more"]
    assert main(list(map(str, goes_on))) == 0
    assert checkpoints.load(place / "more").encoder.config == checkpoints.load(place / "commanded").encoder.config


@pytest.mark.slow
def test_hugging_face_takes_what_it_can_say(place, tmp_path, steps):
    made(place, "sayable", intermediate=9, layers="0", vocabulary=70, **KNOBS)
    bertkit.convert(place / "sayable", tmp_path / "theirs", to="huggingface")
    again = bertkit.load(tmp_path / "theirs")
    rows = {"token_ids": np.array([[2, 7, 9, 3]], "int32")}
    np.testing.assert_allclose(again(rows), checkpoints.load(place / "sayable")(rows), atol=1e-6)
    made(place, "headless", heads=1, epochs=0)
    with pytest.raises(Error, match="head_size=8"):
        bertkit.convert(place / "headless", tmp_path / "never", to="huggingface")


TASKS = {"tag": lambda e: (TokenClassifier(e, ["B-PLACE", "B-WORK", "O"]), Tagging(("B-PLACE", "B-WORK", "O"))),
         "score": lambda e: (tiny.Classifier(e, ["score"]), Regression(True, 2.5, 2.5)),
         "choose": lambda e: (MultipleChoice(e), None), "answer": lambda e: (QuestionAnswering(e), None)}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_slimmed_and_exported(task, tmp_path, steps):
    suffix, write = FILES[task]
    for seed, part in enumerate(("train", "dev")):
        write(tmp_path / f"{part}.{suffix}", 24, seed)
    model, own = TASKS[task](Encoder(tiny.CONFIG))
    saved(tmp_path / "whole", model, own or bundle.task_of(bundle.describe(model), tiny.CONFIG))
    files = [tmp_path / f"{part}.{suffix}" for part in ("train", "dev")]
    slim(tmp_path / "whole", files[0], tmp_path / "used", files[1], vocabulary="used")
    card = slim(tmp_path / "used", files[0], tmp_path / "slim", files[1], heads=1, intermediate=8, layers="1",
                vocabulary=60, **KNOBS)
    assert card.task == task and checkpoints.load(tmp_path / "slim").encoder.config.num_heads == 1
    bertkit.export(tmp_path / "slim", to="tflite", out=tmp_path / "phone", precision="float32", length=16)
    assert (tmp_path / "phone" / "model.tflite").is_file()


@pytest.mark.slow
def test_an_embedder_is_slimmed(tmp_path, steps):
    texts = tiny.texts(48)[0]
    lines = [f"{one}\t{other}\t{float(i % 5)}\n" for i, (one, other) in enumerate(zip(texts, texts[1:], strict=False))]
    (tmp_path / "pairs.tsv").write_text("sentence1\tsentence2\tscore\n" + "".join(lines))
    model = SentenceEmbedder(Encoder(tiny.CONFIG))
    saved(tmp_path / "whole", model, bundle.task_of(bundle.describe(model), tiny.CONFIG))
    card = slim(tmp_path / "whole", tmp_path / "pairs.tsv", tmp_path / "slim", tmp_path / "pairs.tsv", heads=1,
                intermediate=8, **KNOBS)
    assert card.training["slim"]["metric"] == "pearson" and card.training["slim"]["bag_of_words"] is None


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(place, steps, monkeypatch):
    options = {"heads": 1, **KNOBS, "epochs": 2}
    made(place, "straight", **options)
    kill_after_a_save(monkeypatch, lambda: made(place, "killed", **options))
    made(place, "killed", **options)
    same_weights(place / "straight", place / "killed")
