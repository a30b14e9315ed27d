"""`bertkit distill` from a teacher to a student: its shape, what it begins with, what it learns, what the card says."""

import json

import keras
import numpy as np
import pytest

import bertkit
from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.cli import main
from bertkit.compress import Distillation, Progressive, TaughtRows, distill
from bertkit.compress.matches import PAPERS, Match, matches_of, read_matches, to_json
from bertkit.compress.student_sizes import StudentSizes, spread
from bertkit.compress.width import keep_features
from bertkit.data.pipeline import BatchSampler
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.tasks.classification import Classification
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from bertkit.text import Tokenizer
from tests import tiny
from tests.compress.test_alignment import SMALL, TURNED
from tests.compress.test_slim import KNOBS, saved
from tests.compress.test_teacher_answers import Teacher
from tests.killed import kill_after_a_save, same_weights
from tests.recipes.written import FILES

WIDE = tiny.CONFIG.but(initializer_range=0.2)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a teacher, a student of another vocabulary, and files."""
    folder = tmp_path_factory.mktemp("distill")
    for seed, (name, rows) in enumerate({"train": 32, "dev": 20}.items()):
        tiny.write_rows(folder / f"{name}.tsv", rows, seed)
    saved(folder / "teacher", tiny.classifier(config=WIDE), Classification(("0", "1")))
    saved(folder / "other", Encoder(tiny.CONFIG.but(num_layers=1, hidden_dim=12, max_sequence_length=14)),
          tokenizer=Tokenizer(TURNED))
    (folder / "more.tsv").write_text("sentence\tlabel\n" + "".join(
        f"{text}\tno such label\n" for text in tiny.texts(16, 5)[0]))
    return folder


def made(place, out, student, **options):
    return distill(place / "teacher", student, place / "train.tsv", place / out, place / "dev.tsv",
                   **{**KNOBS, **options})


def test_sizes_are_those_that_were_asked_and_the_card_tells_of_the_teacher(place, steps):
    card = made(place, "sized", "layers=1,hidden=8,intermediate=12,vocabulary=60", unlabelled=place / "more.tsv")
    student, teacher = checkpoints.load(place / "sized"), checkpoints.load(place / "teacher")
    config = student.encoder.config
    assert (config.num_layers, config.hidden_dim, config.intermediate_dim, config.vocabulary_size) == (1, 8, 12, 60)
    assert (config.num_heads, config.head_dim) == (2, 4)
    said = Card.read(place / "sized" / "card.json").training["distill"]
    assert said["teacher"] == "teacher" and said["unlabelled"] == 16 and 0 <= said["bag_of_words"] <= 1
    assert said["parameters"] == {"teacher": teacher.count_params(), "student": student.count_params()}
    assert said["student"]["layers"] == [0] and said["student"]["new"] == 0
    assert said["removed"] == {"layers": [1], "entries": len(tiny.VOCABULARY) - 60, "rows": 20, "features": 8}
    assert any("removed: the layers 1, 20 feed-forward rows of each layer, 8 features of a token" in note
               for note in card.notes)
    assert said["after"] == card.scores["dev"]["accuracy"]["score"] and card.recipe == "distill"
    assert said["matches"] == [{"teacher": "answers", "student": "answers", "loss": "soft", "weight": 1.0}]
    assert any("its teacher teacher" in note for note in card.notes)
    before = bertkit.Predictor(place / "teacher").evaluate(place / "dev.tsv")
    assert said["before"] == pytest.approx(before["accuracy"])
    texts = ["quixotic zebras film"]
    assert "[UNK]" not in Tokenizer.load(place / "sized").encode(texts)[0].tokens


@pytest.mark.slow
def test_a_checkpoint_reads_by_its_own_tokenizer_and_its_positions_set_the_length(place, steps):
    card = made(place, "of_other", place / "other", matches="distilbert", length=None)
    found = bertkit.Predictor(place / "of_other")
    assert found.tokenizer.vocabulary == tuple(TURNED) and card.knobs["length"] == 14
    assert found.model.encoder.config.num_layers == 1 and type(found.model).__name__ == "Classifier"
    assert len(found.model.weights) == len(tiny.classifier(config=found.model.encoder.config).weights)
    again = made(place, "again", place / "of_other", length=14, unlabelled=["a good film", "so dull"])
    assert again.training["distill"]["unlabelled"] == 2
    assert again.training["distill"]["student"] == {"checkpoint": str(place / "of_other"), "head": "its own"}


@pytest.mark.parametrize("student, words", [
    ("layers=0", "whole number"), ("layers=-1", "whole number"), ("layers=two", "whole number"),
    ("hidden=-8", "whole number"), ("layers=3", "more than the teacher's 2"), ("hidden=17", "more than"),
    ("vocabulary=99999", "more than"), ("colour=red", "is no size"), ("layers=2,,hidden", "empty part"),
    ("layers=1,layers=2", "comes twice"), ("layers=", "missing"), ("no/such/folder", "does not exist")])
def test_what_is_no_student_is_refused_in_one_sentence(place, student, words):
    with pytest.raises(Error, match=words) as caught:
        made(place, "never", student)
    assert "\n" not in str(caught.value) and not (place / "never").exists()


def test_too_few_entries_are_refused(place):
    with pytest.raises(Error, match="vocabulary=2 is too few"):
        made(place, "never", "vocabulary=2")


def test_sizes_of_heads_and_layers():
    assert StudentSizes.parse("hidden=10").heads_for(tiny.CONFIG.but(num_heads=4, hidden_dim=16)) == 2
    assert StudentSizes.parse("hidden=12,heads=3").heads_for(tiny.CONFIG.but(num_heads=4, hidden_dim=16)) == 3
    assert spread(12, 6) == [0, 2, 4, 7, 9, 11] and spread(12, 4) == [0, 4, 7, 11] and spread(4, 4) == [0, 1, 2, 3]


def test_a_narrower_model_begins_with_the_parts_it_keeps():
    model = tiny.classifier(2, config=WIDE.but(num_heads=2, hidden_dim=16))
    features = [0, 1, 2, 5, 7, 8, 11, 15]
    small, new = keep_features(model, features)
    one, other = model.encoder.blocks[1], small.encoder.blocks[1]
    assert new == 0 and small.encoder.config.head_dim == 4
    np.testing.assert_array_equal(other.inner.kernel, np.asarray(one.inner.kernel)[features])
    np.testing.assert_array_equal(other.output_norm.gamma, np.asarray(one.output_norm.gamma)[features])
    np.testing.assert_array_equal(small.encoder.embeddings.token.embeddings,
                                  np.asarray(model.encoder.embeddings.token.embeddings)[:, features])
    query, key = (np.asarray(side.kernel) for side in (one.attention.query, one.attention.key))
    strength = (np.linalg.norm(query, axis=0) * np.linalg.norm(key, axis=0)).reshape(2, 8)
    kept = [8 * head + column for head in range(2) for column in sorted(np.argsort(-strength[head])[:4])]
    np.testing.assert_array_equal(other.attention.query.kernel, query[features][:, kept])
    np.testing.assert_array_equal(other.attention.key.kernel, key[features][:, kept])
    value, output = np.asarray(one.attention.value.kernel), np.asarray(one.attention.output_dense.kernel)
    strength = (np.linalg.norm(value, axis=0) * np.linalg.norm(output, axis=1)).reshape(2, 8)
    kept = [8 * head + column for head in range(2) for column in sorted(np.argsort(-strength[head])[:4])]
    np.testing.assert_array_equal(other.attention.value.kernel, value[features][:, kept])
    np.testing.assert_array_equal(other.attention.output_dense.kernel, output[kept][:, features])


def test_all_features_are_the_same_model():
    model = tiny.classifier(2, config=WIDE)
    rows = {"token_ids": np.array([[2, 7, 9, 3]], "int32")}
    np.testing.assert_allclose(keep_features(model, range(16))[0](rows), model(rows), atol=1e-6)


@pytest.mark.parametrize("match, words", [
    (Match("hidden/3", "hidden/1", "mse"), "the teacher has hidden/0 to hidden/2"),
    (Match("attention/0", "attention/1", "kl"), "attention/1 to attention/2"),
    (Match("hidden/1", "attention/1", "kl"), "compares attention with hidden"),
    (Match("hidden/1", "hidden/1", "kl"), "hidden by kl"), (Match("pooled", "pooled", "mse"), "names 'pooled'"),
    (Match("attention/1", "attention/1", "kl"), "the teacher has 2, the student 4"),
    (Match("attention/1", "attention/1", "values", heads=3), "into 3 heads")])
def test_a_match_that_does_not_fit_is_refused_by_its_name(match, words):
    with pytest.raises(Error, match=words):
        matches_of([match], tiny.CONFIG, tiny.CONFIG.but(num_heads=4))


def test_matches_are_read_from_a_file(tmp_path):
    rows = [{"teacher": "hidden/2", "student": "hidden/1", "loss": "mse", "weight": 2},
            {"teacher": "answers", "student": "answers", "loss": "soft", "weight": 0}]
    (tmp_path / "matches.json").write_text(json.dumps(rows))
    found = matches_of(str(tmp_path / "matches.json"), tiny.CONFIG, tiny.CONFIG)
    assert found == [Match("answers", "answers", "soft", 0), Match("hidden/2", "hidden/1", "mse", 2)]
    assert to_json(read_matches(tmp_path / "matches.json")) == rows
    for wrong in ('{"teacher": 1}', '[{"teacher": "hidden/1"}]', '[{"teacher":"a","student":"b","loss":"c","x":1}]',
                  '[{"teacher":"a","student":"b","loss":"c","weight":-1}]'):
        (tmp_path / "wrong.json").write_text(wrong)
        with pytest.raises(Error, match="give a list of"):
            read_matches(tmp_path / "wrong.json")
    with pytest.raises(Error, match="comes twice"):
        matches_of([Match("hidden/1", "hidden/1", "mse")] * 2, tiny.CONFIG, tiny.CONFIG)


def test_the_lists_of_the_papers_fit_the_models():
    for name, paper in PAPERS.items():
        layers = (2, 2) if name == "mobilebert" else (4, 2)
        for match in paper(*layers):
            match.check(*(tiny.CONFIG.but(num_layers=count) for count in layers))
    with pytest.raises(Error, match="layer by layer"):
        PAPERS["mobilebert"](4, 2)


def taught(vocabulary=TURNED, matches=(), hidden=16, **options):
    """Return (student, its `Distillation`, a sampler of its rows), untrained."""
    teacher = Teacher(tiny.classifier(3, config=WIDE.but(dropout=0.0)), Classification(("0", "1")))
    texts, labels = tiny.texts(24)
    student = tiny.classifier(5, config=tiny.CONFIG.but(num_layers=1, hidden_dim=hidden, dropout=0.0,
                                                        attention_dropout=0.0))
    loss = Distillation(student, matches=matches, teacher=teacher.model, **options)
    rows = TaughtRows(teacher, Tokenizer(vocabulary), 32, texts, labels[:16], loss.temperature, matches=loss.inside)
    student.compute_loss = loss
    student.compile(keras.optimizers.Adam(0.01), student.loss_function())
    return student, loss, BatchSampler(rows.features, 8, beside=rows.beside), teacher


def test_the_loss_is_alpha_of_the_labels_of_those_that_have_one():
    student, loss, sampler, _ = taught(alpha=0.25, temperature=3.0)
    batch, y = sampler.keras_batch(1)
    outputs = student(batch)
    p, q = (np.exp(np.asarray(x, "float64") / 3) for x in (y["answers"], outputs))
    p, q = (x / x.sum(-1, keepdims=True) for x in (p, q))
    log = np.asarray(outputs, "float64")
    log -= np.log(np.exp(log).sum(-1, keepdims=True))
    hard = -(log[np.arange(8), y["labels"]] * y["labelled"]).mean()
    assert 0 < y["labelled"].sum() < 8
    assert float(loss(batch, y, outputs)) == pytest.approx(0.25 * hard + 0.75 * 9 * (p * np.log(p / q)).sum(-1).mean(),
                                                           rel=1e-4)
    with pytest.raises(Error, match="without a teacher's answers"):
        loss(batch, y["labels"], outputs)


@pytest.mark.parametrize("vocabulary", [TURNED, [entry for entry in tiny.VOCABULARY if entry != "scene"]])
def test_matches_compare_the_tokens_of_the_same_characters(vocabulary):
    """The matched tokens, found here by their text, in numpy; the teacher reads its own ids."""
    matches = [Match("answers", "answers", "soft", 0.0), Match("hidden/2", "hidden/1", "mse", 2.0)]
    student, loss, sampler, teacher = taught(vocabulary, matches)
    batch, y = sampler.keras_batch(0)
    outputs = student(batch, training=True)
    theirs = np.asarray(teacher.model.encoder(
        {name.removeprefix("teacher/"): value for name, value in y.items() if name.startswith("teacher/")},
        trace=True)["trace"]["hidden/2"])
    ours, sides = np.asarray(loss.kept.values["hidden/1"]), [Tokenizer(vocabulary), tiny.tokenizer()]
    squares = []
    for i, row in enumerate(sampler.rows(0)):
        mine, other = (side.encode([tiny.texts(24)[0][row]])[0].offsets for side in sides)
        pairs = [(0, 0), (len(mine) + 1, len(other) + 1)]
        pairs += [(t + 1, other.index(span) + 1) for t, span in enumerate(mine) if span in other]
        squares += [((ours[i, t] - theirs[i, place]) ** 2).mean() for t, place in pairs]
    assert float(loss(batch, y, outputs)) == pytest.approx(2 * np.mean(squares), rel=1e-3)
    assert len(squares) < batch["padding_mask"].sum() or vocabulary is TURNED


@pytest.mark.slow
def test_a_fit_of_ones_own_learns_from_what_lies_inside_and_ends_plain(steps):
    student, loss, sampler, _ = taught(TURNED, [Match("answers", "answers", "soft", 0.0), *PAPERS["tinybert"](2, 1)], 8)
    plain = len(tiny.classifier(config=student.encoder.config).weights)
    assert len(student.weights) == plain + 2
    history = student.fit(sampler.epoch_dataset(), epochs=3, verbose=0).history["loss"]
    assert history[-1] < 0.9 * history[0]
    loss.finish()
    assert len(student.weights) == plain
    assert "trace" not in student.encoder({"token_ids": np.array([[2, 3]])}, training=True)


@pytest.mark.slow
def test_a_student_with_its_teachers_weights_has_no_loss_but_where_ids_are_mixed_up():
    """The same model under other ids: each match is 0, and far from it where the teacher is given the student's ids."""
    config = WIDE.but(dropout=0.0, attention_dropout=0.0)
    teacher, student = (tiny.classifier(3, config=config) for _ in range(2))
    order = [tiny.VOCABULARY.index(entry) for entry in TURNED]
    table = student.encoder.embeddings.token.embeddings
    table.assign(np.asarray(table)[order])
    matches = [Match(f"hidden/{i}", f"hidden/{i}", loss) for i in range(3) for loss in ("mse", "cosine")] + [
        Match(f"attention/{i}", f"attention/{i}", loss) for i in (1, 2)
        for loss in ("kl", "mse", "scores", "queries", "keys", "values")]
    texts, labels = tiny.texts(8)
    for match in matches:
        loss = Distillation(student, matches=[Match("answers", "answers", "soft", 0.0), match], teacher=teacher)
        rows = TaughtRows(Teacher(teacher, Classification(("0", "1"))), Tokenizer(TURNED), 16, texts, labels,
                          matches=loss.inside)
        batch = rows.features.batch(range(8))
        y = rows.beside(np.arange(8), batch["token_ids"].shape[1])
        student(batch, training=True)
        assert abs(float(loss.matched(y))) < 1e-5, match
        assert float(loss.matched({**y, "teacher/token_ids": batch["token_ids"]})) > 1e-3, match
        loss.finish()


def test_progress_is_layer_by_layer_and_then_the_answers():
    _, loss, _, _ = taught(TURNED, [*PAPERS["tinybert"](2, 1), Match("answers", "answers", "soft", 3.0)])
    stages = Progressive(loss, 2)
    assert stages.before_answers == 4 and [match.student for match in loss.matches] == [
        "answers", "hidden/0", "hidden/1", "attention/1"]
    found = []
    for epoch in range(6):
        stages.on_epoch_begin(epoch)
        found.append(np.asarray(loss.weights).tolist())
    assert found == [[0, 1, 0, 0]] * 2 + [[0, 0, 1, 1]] * 2 + [[3, 0, 0, 0]] * 2
    with pytest.raises(Error, match="matches such as mobilebert"):
        Progressive(taught()[1], 1)


@pytest.mark.slow
def test_what_does_not_learn_to_answer_keeps_its_last_epoch(place, steps, monkeypatch):
    from bertkit.training.best_weights import BestWeights
    kept = []
    monkeypatch.setattr(BestWeights, "on_train_end", lambda self, logs=None: kept.append(self.epoch))
    inside = [Match("answers", "answers", "soft", 0.0), Match("hidden/2", "hidden/1", "mse")]
    made(place, "inside", "layers=1", matches=inside, epochs=3)
    assert kept == [2]


@pytest.mark.slow
def test_the_command_goes_all_the_way_and_a_student_follows_its_teacher(place, capsys, steps):
    (place / "matches.json").write_text(json.dumps([{"teacher": "hidden/2", "student": "hidden/1", "loss": "cosine"}]))
    words = ["distill", place / "teacher", "--student", "layers=1", "--train", place / "train.tsv", "--dev",
             place / "dev.tsv", "--epochs", 2, "--progressive", 1, "--augment", 2,
             "--matches", place / "matches.json", "--unlabelled", place / "more.tsv",
             "--out", place / "commanded", "--json"]
    assert main(list(map(str, words))) == 0
    said = json.loads(capsys.readouterr().out)["training"]["distill"]
    assert [match["loss"] for match in said["matches"]] == ["soft", "cosine"] and 0 < said["augmented"] <= 64
    assert main(["distill", str(place / "absent"), "--student", "layers=1", "--train", "a", "--out", "b"]) == 1
    assert "is no bundle" in capsys.readouterr().err


TASKS = {"tag": lambda e: (TokenClassifier(e, ["B-PLACE", "B-WORK", "O"]), Tagging(("B-PLACE", "B-WORK", "O"))),
         "score": lambda e: (tiny.Classifier(e, ["score"]), Regression(True, 2.5, 2.5)),
         "choose": lambda e: (MultipleChoice(e), None), "answer": lambda e: (QuestionAnswering(e), None)}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_taught_by_a_teacher_of_other_pieces(task, tmp_path, steps):
    suffix, write = FILES[task]
    for seed, part in enumerate(("train", "dev", "more")):
        write(tmp_path / f"{part}.{suffix}", 24, seed)
    model, own = TASKS[task](Encoder(tiny.CONFIG))
    saved(tmp_path / "teacher", model, own or bundle.task_of(bundle.describe(model), tiny.CONFIG))
    saved(tmp_path / "other", Encoder(tiny.CONFIG.but(vocabulary_size=len(SMALL), hidden_dim=12)),
          tokenizer=Tokenizer(SMALL))
    files = [tmp_path / f"{part}.{suffix}" for part in ("train", "dev", "more")]
    students = (tmp_path / "other", {}), ("layers=1,hidden=8", {"matches": "tinybert"})
    for number, (student, options) in enumerate(students):
        card = distill(tmp_path / "teacher", student, files[0], tmp_path / f"student{number}", files[1], files[2],
                       **KNOBS, **options)
        assert card.task == task and card.training["distill"]["unlabelled"] == 24
    bertkit.export(tmp_path / "student1", to="tflite", out=tmp_path / "phone", precision="float32", length=16)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [16, 8])
def test_an_embedder_teaches_vectors_of_its_width_and_of_others(hidden, tmp_path, steps):
    texts = tiny.texts(48)[0]
    lines = [f"{one}\t{other}\t{float(i % 5)}\n" for i, (one, other) in enumerate(zip(texts, texts[1:], strict=False))]
    (tmp_path / "pairs.tsv").write_text("sentence1\tsentence2\tscore\n" + "".join(lines))
    (tmp_path / "more.tsv").write_text("sentence1\tsentence2\n" + "".join(
        line.rpartition("\t")[0] + "\n" for line in lines[:9]))
    model = SentenceEmbedder(Encoder(tiny.CONFIG))
    saved(tmp_path / "teacher", model, bundle.task_of(bundle.describe(model), tiny.CONFIG))
    card = distill(tmp_path / "teacher", f"hidden={hidden}", tmp_path / "pairs.tsv", tmp_path / "student",
                   tmp_path / "pairs.tsv", tmp_path / "more.tsv", **KNOBS)
    assert card.training["distill"]["metric"] == "pearson" and card.training["distill"]["unlabelled"] == 9


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(place, steps, monkeypatch):
    options = {"student": "layers=1,hidden=8", "matches": "tinybert", "epochs": 2}
    made(place, "straight", **options)
    kill_after_a_save(monkeypatch, lambda: made(place, "killed", **options))
    made(place, "killed", **options)
    same_weights(place / "straight", place / "killed")
