"""The doctor's checks of training: a sound set-up is left in peace, and each fault makes ill its own check alone."""

import importlib

import numpy as np
import pytest

from bertkit.doctor.case import Case
from bertkit.doctor.checks import TABLE
from bertkit.doctor.leakage import leakage
from tests.doctor.courses import SPECIAL, VOCABULARY, Course, Masking, Tagging

CONFIG = {"model_type": "bert", "vocab_size": len(VOCABULARY), "hidden_dropout_prob": 0.1,
          "attention_probs_dropout_prob": 0.1, "hidden_size": 6, "intermediate_size": 12, "num_attention_heads": 2}
HOMES = ("gradients", "optimizers", "schedule", "dropout", "losses", "masking", "label_alignment", "leakage",
         "padding_waste")
CHECKS = [check for check in TABLE if check.home in HOMES]


def verdicts(kind):
    """Return {check: Measured} of a set-up."""
    case = Case(None, CONFIG, tokenizer=kind().tokenizer.pack, vocabulary=VOCABULARY, training=lambda: kind().mapping())
    found = {}
    for check in CHECKS:
        module = importlib.import_module(f"bertkit.doctor.{check.home}")
        found[check.name] = getattr(module, check.name.replace("-", "_"))(case)
    return found


@pytest.mark.parametrize(("kind", "silent"), [(Course, {"masking", "label-alignment"}), (Tagging, {"masking"}),
                                              (Masking, {"label-alignment"})])
def test_a_sound_set_up_is_healthy(kind, silent):
    found = verdicts(kind)
    assert {name: said.verdict for name, said in found.items() if said.verdict != "healthy"} == dict.fromkeys(
        silent, "unknown"), {name: said for name, said in found.items() if said.verdict in ("ill", "suspect")}


def changed(kind, **methods):
    """Return a set-up with some methods or values of its own."""
    return type("Changed", (kind,), methods)


def inside_adam(self, gradients):
    gradients = {name: slope + self.decay * self.values[name] * (slope.ndim > 1) for name, slope in gradients.items()}
    rate, self.done = self.learning_rate(self.done), self.done + 1
    for name, slope in gradients.items():
        self.values[name] = self.values[name] - rate * self.moved(name, slope)


def softmax_twice(self, batch, training=False):
    logits = Course.logits(self, batch, training)
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def leaking(self):
    train, dev = Course.rows(self)
    return train + [(f"  {text.upper()}!", label) for text, label in dev[:6]], dev


def seen_labels(self, batch):
    batch = Course.corrupt(self, batch)
    return batch | {"labels": np.where(batch["labels"] == -100, -100, batch["token_ids"])}


SICK = {
    "decay on biases": ("weight-decay", changed(Course, decays=lambda self, name, value: True)),
    "decay inside Adam": ("weight-decay", changed(Course, apply=inside_adam)),
    "a weight that grows": ("weight-decay", changed(Course, decay=-0.01)),
    "a constant rate": ("schedule", changed(Course, learning_rate=lambda self, step: self.peak)),
    "a schedule twice as long as the run": ("schedule", changed(
        Course, learning_rate=lambda self, step: self.peak * min(step / 10,
                                                                 (2 * self.steps - step) / (2 * self.steps)))),
    "a schedule half as long as the run": ("schedule", changed(
        Course, learning_rate=lambda self, step: self.peak * max(0, min(step / 10, 1 - step / 50)))),
    "a rate below 0": ("schedule", changed(
        Course, learning_rate=lambda self, step: self.peak * min(step / 10, 1 - step / 60))),
    "an optimiser without the schedule": ("schedule", changed(Course, apply=lambda self, gradients: [
        self.values.update({name: self.values[name] - self.peak * (np.sign(slope) + self.decay * self.values[name] * (
            slope.ndim > 1))}) for name, slope in gradients.items()])),
    "a rate that is too high": ("learning-rate", changed(Course, peak=1e-3)),
    "a rate that is too low": ("learning-rate", changed(Course, peak=1e-9)),
    "a table that is not trained": ("frozen", changed(Course, trained=lambda self: ["classifier.weight",
                                                                                    "classifier.bias"])),
    "no dropout": ("dropout", changed(Course, drop=lambda self, x, training: x)),
    "dropout in evaluation": ("dropout", changed(Course, forward=lambda self, batch, training: {
        "logits": self.logits(batch, True)})),
    "probabilities for logits": ("loss", changed(Course, logits=softmax_twice)),
    "labels at padding": ("loss-mask", changed(Tagging, padded=lambda self, labels: labels + [0] * (16 - len(labels)))),
    "class 0 ignored": ("loss-mask", changed(Tagging, counted=lambda self, labels: labels > 0)),
    "divided by all positions": ("loss-mask", changed(
        Tagging, weights=lambda self, labels: self.counted(labels) / labels.size)),
    "the sum of parts": ("accumulation", changed(Course, accumulate=lambda self, batches: {
        name: sum(self.gradients(batch)[name] for batch in batches) for name in self.values})),
    "the mean of means": ("accumulation", changed(Masking, accumulate=lambda self, batches: {
        name: sum(self.gradients(batch)[name] for batch in batches) / len(batches) for name in self.values})),
    "special tokens chosen": ("masking", changed(Masking, corrupt=lambda self, batch: Course.corrupt(
        self, batch, special=[0]))),
    "half of the words": ("masking", changed(Masking, corrupt=lambda self,
                                             batch: Course.corrupt(self, batch, share=0.5))),
    "labels that are what the model sees": ("masking", changed(Masking, corrupt=seen_labels)),
    "-100 counted as class 0": ("loss-mask", changed(Tagging, counted=lambda self, labels: labels < 99)),
    "mask tokens alone": ("masking", changed(Masking, corrupt=lambda self,
                                             batch: Course.corrupt(self, batch, mask=1.0))),
    "each piece begins a name": ("label-alignment", changed(Tagging, spread=lambda self, label,
                                                            pieces: [label] * pieces)),
    "the last piece has the label": ("label-alignment", changed(
        Tagging, spread=lambda self, label, pieces: [-100] * (pieces - 1) + [label])),
    "dev rows in train": ("leakage", changed(Course, rows=leaking)),
    "no gradient of the table": ("gradient-flow", changed(Course, gradients=lambda self, batch: {
        name: slope for name, slope in Course.gradients(self, batch).items() if name.startswith("classifier")})),
    "a gradient that is not finite": ("gradient-flow", changed(Course, gradients=lambda self, batch: {
        name: slope * (np.nan if slope.ndim == 1 else 1) for name, slope in Course.gradients(self, batch).items()})),
    "a gradient of another function": ("gradients", changed(Course, gradients=lambda self, batch: {
        name: slope * 1.01 if name == "classifier.weight" else slope
        for name, slope in Course.gradients(self, batch).items()})),
}
# What necessarily follows from a fault.
FOLLOWS = {"-100 counted as class 0": {"accumulation"}, "class 0 ignored": {"accumulation"},
           "divided by all positions": {"accumulation"},
           "a schedule half as long as the run": {"learning-rate"}, "probabilities for logits": {"gradients"},
           "no gradient of the table": {"accumulation"}, "a gradient that is not finite": {"accumulation"}}


@pytest.mark.parametrize("fault", SICK)
def test_a_fault_is_named_and_nothing_else(fault):
    check, kind = SICK[fault]
    found = {name: said for name, said in verdicts(kind).items() if said.verdict == "ill"}
    assert check in found and set(found) <= {check} | FOLLOWS.get(fault, set()), found


def test_what_is_not_offered_is_needed():
    case = Case(None, CONFIG, training=lambda: {"task": "classify"})
    for check in CHECKS:
        said = getattr(importlib.import_module(f"bertkit.doctor.{check.home}"), check.name.replace("-", "_"))(case)
        assert said.verdict == "unknown" and said.evidence["reason"].startswith(("needs ", "does not apply: ")), check


def test_rows_that_repeat_themselves_everywhere_are_no_leakage():
    rows = [(f"text {i % 5}", 0) for i in range(100)]
    assert leakage(Case(None, CONFIG, rows={"train": rows[:80], "dev": rows[80:]})).verdict == "healthy"
    unlike = [(f"text {i}", 0) for i in range(100)]
    assert leakage(Case(None, CONFIG, rows={"train": unlike[:80] + unlike[90:], "dev": unlike[80:]})).verdict == "ill"


def test_special_tokens_of_the_vocabulary_are_known():
    assert [VOCABULARY[i] for i in SPECIAL] == ["[PAD]", "[CLS]", "[SEP]"]
