"""Whatever JSON holds in the place of what was written, a reader takes it or raises one `Error`, nothing else."""

import json
import shutil
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from bertkit import checkpoints, family, ondevice
from bertkit.annotation import annotate
from bertkit.annotation.sheet import Key
from bertkit.card import Card
from bertkit.checkpoints import architectures, bundle
from bertkit.checkpoints.huggingface import weights
from bertkit.checkpoints.pooling import pooling
from bertkit.config import EncoderConfig
from bertkit.corpus import shards
from bertkit.corpus.segments import segments
from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.files.schema import check_sum, signed
from bertkit.ondevice import runner
from bertkit.predictor import Predictor
from bertkit.retrieval import ExactIndex, stored
from bertkit.tasks.registry import task
from bertkit.text import Tokenizer
from bertkit.training.config import TrainConfig
from bertkit.training.resume import Resume
from tests import exported, tiny

VALUES = [None, True, 0, -1, 3, 2**40, 10**200, 0.5, -1e300, "", "a", "\ud800", "\x00", [], [[]], [1], ["a", "a"], {},
          {"a": {}}, {"kind": "Full"}, [{"kind": []}]]
RAW = ["NaN", "Infinity", "1e999", "9" * 5000, "[" * 3000, "{\"a\":" * 3000, "\"\\u0000", ""]


def bundles(place):
    bundle.save(place, tiny.classifier(), tiny.tokenizer(), Card("film", "classify", {}),
                tiny.features(8).batch(range(4)), length=16)
    return place / "bundle.json", lambda: _bundle(place)


def _bundle(place):
    values = bundle.read_metadata(place)
    bundle.task(values)
    bundle.tokenizer(place, values)
    pooling(place)
    EncoderConfig.from_json(values["config"])


def phones(place):
    shutil.copytree(exported.phone(), place, dirs_exist_ok=True)
    path = place / "ondevice.json"

    def read():
        metadata = read_json(path, runner.SHAPE, signed=True)
        task(metadata["task"])
        Tokenizer.restore(place, metadata["tokenizer"])

    return path, read


def corpora(place):
    words = tiny.tokenizer()
    shards.write_shards(place, segments(words, [[text] for text in tiny.texts(6)[0]], 12), lambda: {
        "length": 12, "vocabulary": {"entries": len(words), "sha256": ""}, "text": ["a.txt"]}, shard_bytes=200)
    return place / "manifest.json", lambda: shards.Shards(place).check()


def indexes(place):
    stored.save(place, ExactIndex(["sun", "sea"], [[0.0, 1.0], [2.0, 1.0]], "dot"))
    return place / "index.json", lambda: stored.load(place)


def cards(place):
    scores = {"dev": {"f1": {"score": 0.5, "low": 0.2, "high": 0.7}, "rows": 4}}
    write_json(place / "card.json", Card("film", "classify", {"a": 1}, scores=scores,
                                         data={"dev": {"file": "a", "rows": 4}}, notes=("b",)).to_json())
    return place / "card.json", lambda: Card.read(place / "card.json").text()


def keys(place):
    for name in ("ours", "theirs"):
        (place / f"{name}.txt").write_text("a\nb\n")
    annotate([place / "ours.txt", place / "theirs.txt"], place / "sheet.csv")
    return place / "sheet.key.json", lambda: Key.read(place / "sheet.key.json")


def tunings(place):
    write_json(place / "tuning.json", {"patience": 2, "precision": "float32", "lora": 0, "skip_bad_rows": True})
    return place / "tuning.json", lambda: TrainConfig.read(place / "tuning.json")


def states(place):
    model = tiny.classifier()
    model.compile("sgd", model.loss_function())
    written = Resume(place, {"seed": 0})
    written.set_model(model)
    model.optimizer.build(model.trainable_variables)
    written.save(1)
    return next(place.glob("state-*.json")), lambda: Resume(place, {"seed": 0}, others="refuse").restore(model)


def configs(place):
    values = {"model_type": "bert", "vocab_size": 70, "hidden_size": 48, "num_hidden_layers": 2,
              "num_attention_heads": 4, "intermediate_size": 64, "id2label": {"0": "a", "1": "b"},
              "architectures": ["BertForSequenceClassification"]}
    write_json(place / "config.json", values)

    def read():
        values = read_json(place / "config.json")
        architectures.encoder_config(values, family.of_huggingface(values), place / "config.json")

    return place / "config.json", read


def tables(place):
    write_json(place / "model.safetensors.index.json", {"weight_map": {"a": "model-1.safetensors"}})
    save_file({"a": np.zeros(1, "float32")}, place / "model-1.safetensors")
    return place / "model.safetensors.index.json", lambda: weights(place)


def modules(place):
    (place / "1_Pooling").mkdir()
    write_json(place / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    write_json(place / "modules.json", [{"type": "sentence_transformers.models.Transformer", "path": ""},
                                        {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}])
    return place / "modules.json", lambda: pooling(place)


def vocabularies(place):
    write_json(place / "vocabulary.json", {"vocabulary": ["<unk>", "a", "b"], "scores": [0.0, -1.0, -2.0],
                                           "charsmap": ""})
    return place / "vocabulary.json", lambda: Tokenizer.restore(place, {
        "kind": "unigram", "special": {"unk": "<unk>", **dict.fromkeys(("cls", "sep", "pad", "mask"))}})


KINDS = {made.__name__: made for made in (bundles, phones, corpora, indexes, cards, keys, tunings, states, configs,
                                          tables, modules, vocabularies)}


def places(value, place=()):
    """Return the paths of all values inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(path for key, part in inside for path in places(part, (*place, key)))]


def changed(value, place, new):
    """Return a JSON value in which another one stands at a place; no `new` removes it."""
    if not place:
        return new[0] if new else {}
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(place) == 1 and not new:
        del copy[place[0]]
    else:
        copy[place[0]] = changed(copy[place[0]], place[1:], new)
    return copy


@st.composite
def mutations(draw, values):
    """Draw the text of a file in which one to three things are not what was written."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(values)))
        values = changed(values, place, draw(st.sampled_from([(), *((value,) for value in VALUES)])))
        if not places(values):
            break
    text = json.dumps(signed(values) if isinstance(values, dict) and draw(st.booleans()) else values)
    end = draw(st.sampled_from([None, None, None, draw(st.integers(0, len(text)))]))
    return text[:end] + draw(st.sampled_from(["", "", "", *RAW]))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_file_is_read_or_is_one_error(kind, tmp_path_factory, data):
    path, read = _made(kind, tmp_path_factory)
    whole = path.read_bytes()
    values = json.loads(whole)
    text = data.draw(mutations(check_sum(values, path) if isinstance(values, dict) else values))
    path.write_text(text)
    try:
        read()
    except Error as error:
        assert len(str(error)) > 20 and "Error:" not in str(error)
    finally:
        path.write_bytes(whole)
    read()


MADE: dict = {}


def _made(kind, tmp_path_factory):
    if kind not in MADE:
        MADE[kind] = KINDS[kind](tmp_path_factory.mktemp(kind))
    return MADE[kind]


@contextmanager
def rewritten(path, data):
    """Change a JSON file for a while; bertkit's own error, which says something, is an answer too."""
    whole = path.read_bytes()
    try:
        path.write_text(data.draw(mutations(check_sum(json.loads(whole), path))))
        yield
    except Error as error:
        assert len(str(error)) > 20
    finally:
        path.write_bytes(whole)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_bundle_with_a_changed_manifest_answers_or_is_one_error(tmp_path_factory, data):
    path, _ = _made("bundles", tmp_path_factory)
    with rewritten(path, data):
        answer, = Predictor(path.parent).predict(["a good film"])
        assert np.isfinite(list(answer.get("probabilities", {"": 0}).values())).all()
        checkpoints.load(path.parent)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_phone_with_a_changed_manifest_answers_or_is_one_error(tmp_path_factory, data):
    path, _ = _made("phones", tmp_path_factory)
    with rewritten(path, data):
        ondevice.load(path.parent).predict(["a good film"])
