"""ONNX: Hugging Face's names, any number of rows of any length, the model's own numbers, in float and in integers."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tokenizers

from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.checkpoints import load as load_checkpoint
from bertkit.checkpoints.pooling import read_pooling
from bertkit.cli import main
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.export import export, export_onnx, source
from bertkit.export.onnx import folder as onnx_folder
from bertkit.export.onnx import model_file, operations, precision, runner
from bertkit.export.onnx.graph import Graph
from bertkit.export.onnx.trace import traced
from bertkit.heads import Classifier, MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from tests import exported, tiny

FAMILIES = Path(__file__).resolve().parents[1] / "golden" / "families"
NAMES = {"token_ids": "input_ids", "padding_mask": "attention_mask", "segment_ids": "token_type_ids"}


@pytest.fixture
def ort():
    return pytest.importorskip("onnxruntime", reason="onnxruntime is not installed, so no file is run")


def session(ort, content):
    return ort.InferenceSession(str(content) if isinstance(content, Path) else content,
                                providers=["CPUExecutionProvider"])


def asked(session, batch):
    given = {each.name: np.asarray(batch[ours], "int64") for each in session.get_inputs()
             for ours, theirs in NAMES.items() if theirs == each.name}
    return dict(zip((each.name for each in session.get_outputs()), session.run(None, given), strict=True))


def drawn(rows, tokens, vocabulary, seed=0):
    """Return rows of random ids whose last ones have padding, the second half of each row in segment 1."""
    chance = np.random.default_rng(seed)
    mask = (np.arange(tokens) < np.maximum(1, tokens - 3 * np.arange(rows))[:, None]).astype("int32")
    return {"token_ids": chance.integers(5, vocabulary, (rows, tokens)).astype("int32") * mask, "padding_mask": mask,
            "segment_ids": (np.arange(tokens) > tokens // 2).astype("int32") * mask}


def saved(place, model, task, length=exported.LENGTH):
    exported.spread(model, 8.0)
    bundle.save(place, model, tiny.tokenizer(), Card("tiny", task.name, bundle.describe(model)), length=length,
                task=task)
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder that the tiny classifier was exported to, scored on its dev rows where that can be done."""
    out = tmp_path_factory.mktemp("onnx") / "films"
    export_onnx(exported.bundled(), out, exported.dev(), max_drop=100)
    return out


# --------------------------------------------------------------------------------------------- the folder


def test_the_folder_is_what_others_read(made):
    found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert found == {"onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/model_fp16.onnx", "config.json",
                     "tokenizer.json", "tokenizer_config.json", "card.json"}
    config = json.loads((made / "config.json").read_text())
    assert config["id2label"] == {str(i): label for i, label in enumerate(exported.LABELS)}
    assert config["problem_type"] == "single_label_classification" and config["model_type"] == "bert"
    assert json.loads((made / "tokenizer_config.json").read_text())["model_max_length"] == exported.LENGTH
    assert set(Card.read(made / "card.json").bytes) == found - {"card.json"}


def test_tokenizer_json_gives_the_ids_and_segments_of_the_bundle(made):
    theirs, ours = tokenizers.Tokenizer.from_file(str(made / "tokenizer.json")), tiny.tokenizer()
    for text in source.PROBES[:5]:
        pair = theirs.encode(text, "a Warm, film!")
        wanted = ours.pack([text], ["a Warm, film!"], 128)
        real = wanted["padding_mask"][0] == 1
        assert pair.ids == wanted["token_ids"][0][real].tolist()
        assert pair.type_ids == wanted["segment_ids"][0][real].tolist()


def test_onnx_itself_finds_no_fault(made):
    onnx = pytest.importorskip("onnx", reason="the package onnx is not installed, so no file is checked by it")
    for path in sorted((made / "onnx").iterdir()):
        onnx.checker.check_model(onnx.load(str(path)), full_check=True)


@pytest.mark.parametrize(("rows", "tokens"), [(1, 1), (3, 9), (5, 30)])
def test_the_file_gives_the_models_logits_for_any_rows(ort, made, rows, tokens):
    model, batch = load_checkpoint(exported.bundled()), drawn(rows, tokens, len(tiny.VOCABULARY))
    found = asked(session(ort, made / "onnx/model.onnx"), batch)
    assert list(found) == ["logits"]
    np.testing.assert_allclose(found["logits"], model.predict_on_batch(batch), atol=1e-5)


def test_the_reference_of_onnx_agrees(made):
    reference = pytest.importorskip("onnx.reference", reason="the package onnx is not installed")
    model, batch = load_checkpoint(exported.bundled()), drawn(3, 9, len(tiny.VOCABULARY))
    wanted, given = model.predict_on_batch(batch), {NAMES[name]: values.astype("int64")
                                                    for name, values in batch.items()}
    for name, most in (("model", 1e-4), ("model_fp16", 0.1), ("model_quantized", 1.0)):
        (found,) = reference.ReferenceEvaluator(str(made / f"onnx/{name}.onnx")).run(None, given)
        assert np.abs(found - wanted).max() < most * np.ptp(wanted)


def test_the_card_says_how_near_the_files_are(ort, made):
    parity = Card.read(made / "card.json").parity
    assert list(parity) == ["onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/model_fp16.onnx"]
    assert parity["onnx/model.onnx"]["dev"]["drop_points"]["drop"] == 0
    assert parity["onnx/model.onnx"]["dev"]["largest_drift"] < 1e-4
    assert parity["onnx/model_quantized.onnx"]["dev"]["agreement"] > 0.95
    assert parity["onnx/model_quantized.onnx"]["verdict"].startswith("Within the 100 points allowed")


def test_without_onnxruntime_the_card_says_that_nothing_was_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(onnx_folder, "is_installed", lambda: False)
    assert main(["export", str(exported.bundled()), "--to", "onnx", "--out", str(tmp_path / "out")]) == 0
    said = Card.read(tmp_path / "out/card.json").parity["verdict"]
    assert said.startswith("The files were not run. Comparing them with the model needs onnxruntime, which is not")
    assert "were not run" in capsys.readouterr().err
    assert main(["export", str(exported.bundled()), "--to", "onnx", "--out", str(tmp_path / "out")]) == 0, \
        "its own folder is replaced"


# --------------------------------------------------------------------------------------------- every task


def encoder(seed=0):
    keras.utils.set_random_seed(seed)
    return Encoder(tiny.CONFIG)


TASKS = {
    "score": lambda: (Classifier(encoder(), ["score"]), Regression(pairs=True, mean=2.0, spread=3.0)),
    "tag": lambda: (TokenClassifier(encoder(), ["O", "B-x", "I-x"]), Tagging(labels=("O", "B-x", "I-x"))),
    "answer": lambda: (QuestionAnswering(encoder()), Answering()),
    "choose": lambda: (MultipleChoice(encoder()), Choosing()),
    "rank": lambda: (Classifier(encoder(), ["grade"]), Ranking()),
}
OUTPUTS = {"answer": ["start_logits", "end_logits"]}


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=() if name in ("score", "choose") else pytest.mark.slow) for name in TASKS])
def test_every_task_has_its_outputs(ort, tmp_path, name):
    model, task = TASKS[name]()
    card = export_onnx(saved(tmp_path / "bundle", model, task), tmp_path / "out")
    assert card.inputs["outputs"] == OUTPUTS.get(name, ["logits"])
    float32 = card.parity["onnx/model.onnx"]["calibration"]
    assert float32["agreement"] == 1 and float32["largest_drift"] < 1e-4
    found = session(ort, tmp_path / "out/onnx/model.onnx")
    assert [len(each.shape) for each in found.get_inputs()] == [3 if name == "choose" else 2] * 3
    if name == "score":
        batch = drawn(4, 8, len(tiny.VOCABULARY))
        wanted = 2.0 + 3.0 * np.asarray(model.predict_on_batch(batch))
        np.testing.assert_allclose(asked(found, batch)["logits"], wanted, atol=1e-4)
    if name == "choose":
        batch = {key: values.reshape(2, 3, 8) for key, values in drawn(6, 8, len(tiny.VOCABULARY)).items()}
        np.testing.assert_allclose(asked(found, batch)["logits"], model.predict_on_batch(batch), atol=1e-4)


@pytest.mark.slow
def test_several_labels_of_pairs(ort, tmp_path):
    card = export_onnx(exported.bundled(**exported.PAIRS), tmp_path / "out")
    assert json.loads((tmp_path / "out/config.json").read_text())["problem_type"] == "multi_label_classification"
    assert card.parity["onnx/model.onnx"]["calibration"]["largest_drift"] < 1e-4
    assert card.parity["onnx/model_quantized.onnx"]["calibration"]["agreement"] > 0.9


@pytest.mark.parametrize("pooling", ["mean", *(
    pytest.param(name, marks=pytest.mark.slow) for name in ("cls+max", "weightedmean", "lasttoken", "mean+cls"))])
def test_vectors_and_the_modules_that_make_them(ort, tmp_path, pooling):
    wide = {"width": 12, "activation": "tanh", "bias": True}
    model = SentenceEmbedder(encoder(), pooling, normalize=True, projections=[wide] * (pooling == "mean"))
    card = export_onnx(saved(tmp_path / "bundle", model, Embedding(model.width, prompt="query: ")), tmp_path / "out")
    batch = drawn(4, 9, len(tiny.VOCABULARY))
    found = asked(session(ort, tmp_path / "out/onnx/model.onnx"), batch)
    np.testing.assert_allclose(found["sentence_embedding"], model.predict_on_batch(batch), atol=1e-5)
    np.testing.assert_allclose(found["last_hidden_state"], model.encoder(batch)["sequence"], atol=1e-4)
    assert "query: " in " ".join(card.notes)
    if pooling == "mean+cls":                   # sentence-transformers joins them in another order
        assert "no modules for this pooling" in " ".join(card.notes) and not (tmp_path / "out/modules.json").exists()
        return
    said = read_pooling(tmp_path / "out")
    assert (said.pooling, said.normalize, said.length) == (pooling, True, exported.LENGTH)
    assert said.prompts == {"prompt": "query: "} and list(said.projections) == [wide] * (pooling == "mean")


# --------------------------------------------------------------------------------------------- integers


def product(rows, weights):
    """Return the graph of x W and its integer form."""
    graph = Graph()
    graph.inputs.append(("x", np.dtype("float32"), ("rows", len(weights))))
    graph.add_output(graph.add("MatMul", "x", graph.constant(weights, "W")), "y", np.dtype("float32"),
                     ("rows", weights.shape[1]))
    return graph, precision.int8(graph)


def test_integers_never_overflow_sixteen_bits_and_stay_near(ort):
    chance = np.random.default_rng(0)
    weights = chance.normal(size=(33, 20)).astype("float32")
    weights[:, 3], weights[7, 5] = 0, 40
    _, graph = product(5, weights)
    integers = graph.constants["W/columns"].astype("int32")
    pairs = np.abs(np.pad(integers, ((0, 1), (0, 0)))).reshape(-1, 2, 20).sum(axis=1)
    assert pairs.max() * 255 < 2**15
    x = chance.normal(size=(5, 33)).astype("float32")
    x[1], x[2, 4] = 0, 1000
    run = session(ort, model_file.content(graph, {}))
    (found,) = run.run(None, {"x": x})
    worst = np.abs(found - x @ weights).max(axis=1)
    bound = np.abs(x).max(axis=1) * np.abs(weights).sum(axis=0).max() / 100
    assert (worst <= bound).all() and worst[1] == 0
    (alone,) = run.run(None, {"x": x[:1]})
    np.testing.assert_array_equal(alone, found[:1])         # what stands beside a row does not change it


def test_int8_is_a_quarter_and_float16_a_half(tmp_path):
    config = tiny.CONFIG.but(hidden_dim=128, intermediate_dim=512)
    model = Classifier(Encoder(config), ["0", "1"])
    graph = traced(model, lambda batch: {"logits": model(batch, training=False)}, NAMES, ("rows", "tokens"))
    whole, small, half = (len(model_file.content(each, {})) for each in (
        graph, precision.int8(graph), precision.float16(graph)))
    assert small < 0.35 * whole and half < 0.55 * whole


# --------------------------------------------------------------------------------------------- refusals


def test_what_computes_another_model_is_refused(ort, tmp_path, monkeypatch):
    monkeypatch.setitem(operations.OPERATIONS, "Erfc", lambda graph, _, x: graph.add("Erf", x))
    with pytest.raises(Error, match="computes something else than the model"):
        export_onnx(exported.bundled(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_operation_that_is_not_known_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(operations.OPERATIONS, "Erfc")
    assert main(["export", str(exported.bundled()), "--to", "onnx", "--out", str(tmp_path / "out")]) == 1
    assert "The model computes Erfc" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_file_that_loses_too_much_is_refused(ort, tmp_path, monkeypatch):
    monkeypatch.setattr(runner.OnnxModel, "predict_on_batch",
                        lambda self, batch: np.ones((len(batch["token_ids"]), 3), "float32"))
    monkeypatch.setattr("bertkit.export.parity.check_file", lambda *_: None)
    with pytest.raises(Error, match=r"onnx/model.onnx loses .* points of accuracy on dev .*; give a larger --max-drop"):
        export_onnx(exported.bundled(), tmp_path / "out", exported.dev())
    assert list(tmp_path.iterdir()) == []


def test_options_of_other_targets_and_other_tasks_are_refused(tmp_path, monkeypatch, capsys):
    with pytest.raises(Error, match="precision='int8' is no option of onnx"):
        export(exported.bundled(), to="onnx", out=tmp_path / "out", precision="int8")
    assert main(["export", str(exported.bundled()), "--to", "onnx", "--length", "8", "--out", str(tmp_path / "o")]) == 1
    assert "length=8 is no option of onnx" in capsys.readouterr().err
    monkeypatch.setattr(onnx_folder, "TASKS", ("tag",))
    with pytest.raises(Error, match="The task classify has no form in an ONNX folder"):
        export_onnx(exported.bundled(), tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr(onnx_folder, "UNFIT", (("bert", ("classify",), "of a reason"),))
    with pytest.raises(Error, match="A bert model of the task classify .* because of a reason"):
        export_onnx(exported.bundled(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------------------- every family


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.name for path in FAMILIES.iterdir() if path.is_dir()))
def test_every_family_computes_the_same(ort, name):
    model = load_checkpoint(FAMILIES / name)
    config = model.encoder.config
    names = {ours: theirs for ours, theirs in NAMES.items() if ours != "segment_ids" or config.reads_segments}

    def compute(batch):
        return {"logits": model(batch, training=False)}

    if name == "reformer":
        with pytest.raises(Error, match="StatelessRandom"):
            traced(model, compute, names, ("rows", "tokens"))
        return
    run = session(ort, model_file.content(traced(model, compute, names, ("rows", "tokens")), {}))
    for rows, tokens in ((1, 1), (1, 7), (3, 20), (5, 33), (2, 70)):
        if not config.max_length or tokens <= config.max_length - 2:
            batch = drawn(rows, tokens, config.vocabulary_size, seed=tokens)
            batch = {ours: batch[ours] for ours in names}
            np.testing.assert_allclose(asked(run, batch)["logits"], model.predict_on_batch(batch), atol=1e-5)
