"""The loss of soft targets against numpy, for what each kind of model answers."""

import keras
import numpy as np
import pytest

from bertkit.compress.soft_targets import SoftTargets, divergence_of_classes, divergence_of_labels
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.training.contrastive import InfoNCE
from tests import tiny

CONFIG = tiny.CONFIG.but(num_layers=1, initializer_range=0.5)
ROWS = {"token_ids": np.array([[2, 7, 9, 3], [2, 11, 3, 0]], "int32"),
        "padding_mask": np.array([[1, 1, 1, 1], [1, 1, 1, 0]], "int32")}
GROUPS = {name: np.stack([value, value[::-1]], axis=1) for name, value in ROWS.items()}


def softmax(x, temperature):
    x = np.asarray(x, "float64") / temperature
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def divergence(teacher, student, temperature):
    p, q = softmax(teacher, temperature), softmax(student, temperature)
    return temperature**2 * (p * np.log(p / q)).sum(-1)


def bernoulli(teacher, student, temperature):
    p, q = (1 / (1 + np.exp(-np.asarray(x, "float64") / temperature)) for x in (teacher, student))
    return temperature**2 * (p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))


def cosine(a, b):
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


TAGS = np.array([[-1, 0, 1, -1], [-1, 1, -1, -1]], "int32")
CASES = {
    "classes": (lambda: tiny.classifier(1, ("a", "b", "c"), CONFIG), ROWS, np.array([0, 2], "int32"),
                lambda t, s: divergence(t, s, 2.0).mean()),
    "several": (lambda: tiny.classifier(1, ("a", "b", "c"), CONFIG, multi_label=True), ROWS,
                np.array([[0, 1, 1], [0, 0, 1]], "float32"), lambda t, s: bernoulli(t, s, 2.0).mean()),
    "score": (lambda: tiny.classifier(1, ("score",), CONFIG), ROWS, np.array([0.5, -1], "float32"),
              lambda t, s: ((np.asarray(t) - np.asarray(s))**2).mean()),
    "tags": (lambda: TokenClassifier(Encoder(CONFIG), ["O", "B-X"]), ROWS, TAGS,
             lambda t, s: divergence(t, s, 2.0)[TAGS >= 0].mean()),
    "answer": (lambda: QuestionAnswering(Encoder(CONFIG)), ROWS, np.array([[1, 2], [1, 1]], "int32"),
               lambda t, s: sum(divergence(t[n], s[n], 2.0).mean() for n in ("start_logits", "end_logits")) / 2),
    "choose": (lambda: MultipleChoice(Encoder(CONFIG)), GROUPS, np.array([1, 0], "int32"),
               lambda t, s: divergence(t, s, 2.0).mean()),
    "embed": (lambda: SentenceEmbedder(Encoder(CONFIG)), GROUPS, np.array([[0, 1], [2, 3]], "int32"),
              lambda t, s: (1 - cosine(t, s)).mean()),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in ("classes", "tags") else pytest.mark.slow)
                                  for name in CASES])
def test_the_loss_is_alpha_of_the_own_and_the_rest_of_the_distance(name):
    make, rows, labels, distance = CASES[name]
    student, teacher = make(), make()
    for weight, other in zip(teacher.weights, student.weights, strict=True):
        weight.assign(np.asarray(other) + np.random.default_rng(3).normal(0, 0.3, other.shape))
    own = InfoNCE() if name == "embed" else student.loss_function()
    student.compile("sgd", own)
    soft = SoftTargets(student, teacher, alpha=0.3)
    outputs = student(rows)
    wanted = 0.3 * float(own(labels, outputs)) + 0.7 * distance(teacher(rows), outputs)
    assert float(soft(rows, labels, outputs)) == pytest.approx(wanted, rel=1e-4)
    assert distance(teacher(rows), outputs) > 1e-5
    assert float(SoftTargets(student, teacher, alpha=1.0)(rows, labels, outputs)) == pytest.approx(
        float(own(labels, outputs)), rel=1e-5)


def test_the_teacher_reads_its_own_ids_and_weights_weigh_rows():
    student, teacher = tiny.classifier(1, config=CONFIG), tiny.classifier(2, config=CONFIG)
    student.compile("sgd", student.loss_function())
    ids = np.random.default_rng(0).permutation(CONFIG.vocabulary_size).astype("int32")
    outputs, labels = student(ROWS), np.array([0, 1], "int32")
    given = teacher({**ROWS, "token_ids": ids[ROWS["token_ids"]]})
    soft = SoftTargets(student, teacher, ids, alpha=0.0)
    each = divergence(given, outputs, 2.0)
    assert float(soft(ROWS, labels, outputs)) == pytest.approx(each.mean(), rel=1e-4)
    assert float(soft(ROWS, labels, outputs, np.array([2.0, 0.0], "float32"))) == pytest.approx(each[0], rel=1e-4)


@pytest.mark.slow
def test_fit_is_led_by_the_teacher_alone_where_alpha_is_0():
    student, teacher = (tiny.classifier(seed, config=CONFIG.but(dropout=0.0)) for seed in (1, 2))
    frozen = [np.array(weight) for weight in teacher.weights]
    student.compute_loss = SoftTargets(student, teacher, alpha=0.0)
    student.compile(keras.optimizers.Adam(0.02), student.loss_function())
    before = divergence(teacher(ROWS), student(ROWS), 2.0).mean()
    student.fit(ROWS, np.array([0, 0], "int32"), epochs=30, verbose=0)
    assert divergence(teacher(ROWS), student(ROWS), 2.0).mean() < before / 2
    for weight, value in zip(teacher.weights, frozen, strict=True):
        np.testing.assert_array_equal(weight, value)
    assert len(student.weights) == len(teacher.weights)


def test_divergences_are_0_of_equal_sides_and_hold_large_logits():
    x = np.array([[100.0, -100.0], [0.0, 3.0]], "float32")
    for function in (divergence_of_classes, divergence_of_labels):
        np.testing.assert_allclose(function(x, x, 2.0), 0, atol=1e-6)
        assert np.isfinite(np.asarray(function(x, -x, 1.0))).all()


@pytest.mark.parametrize("options", [{"alpha": -0.1}, {"alpha": 2}, {"temperature": 0}, {"temperature": float("nan")}])
def test_what_is_no_share_is_refused(options):
    with pytest.raises(Error, match="give an alpha from 0 to 1"):
        SoftTargets(tiny.classifier(), None, **options)


def test_a_model_without_a_distance_is_refused():
    with pytest.raises(Error, match="What a Other answers cannot be learnt"):
        SoftTargets(type("Other", (), {"compute_loss": None})(), None)
