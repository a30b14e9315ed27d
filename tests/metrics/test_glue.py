"""The score of GLUE, by hand."""

import pytest

from bertkit import metrics
from bertkit.errors import Error

NINE = {"CoLA": {"matthews": 0.6}, "SST-2": {"accuracy": 0.9}, "MRPC": {"accuracy": 0.8, "f1": 0.9},
        "STS-B": {"pearson": 0.9, "spearman": 0.8}, "QQP": {"accuracy": 0.9, "f1": 0.7},
        "MNLI": {"accuracy_matched": 0.84, "accuracy_mismatched": 0.82}, "QNLI": {"accuracy": 0.9},
        "RTE": {"accuracy": 0.7}, "WNLI": {"accuracy": 0.65}}


def test_the_score_is_a_mean_of_nine_means():
    found = metrics.glue_score(NINE)
    wanted = {"CoLA": 60, "SST-2": 90, "MRPC": 85, "STS-B": 85, "QQP": 80, "MNLI": 83, "QNLI": 90, "RTE": 70,
              "WNLI": 65}
    assert found["by_task"] == pytest.approx(wanted)
    assert found["score"] == pytest.approx(sum(wanted.values()) / 9)


def test_a_score_without_wnli_as_bert_s_paper_gives_it():
    eight = tuple(name for name in NINE if name != "WNLI")
    assert metrics.glue_score(NINE, eight)["score"] == pytest.approx((60 + 90 + 85 + 85 + 80 + 83 + 90 + 70) / 8)


def test_the_diagnostic_set_may_come_and_does_not_count():
    assert metrics.glue_score({**NINE, "AX": {"matthews": 0.1}}) == metrics.glue_score(NINE)


def test_every_metric_is_one_of_ours():
    for task in metrics.GLUE.values():
        for name in task.metrics:
            assert hasattr(metrics, name.split("_")[0])
        assert ("f1" not in task.metrics) or len(task.labels) == 2


@pytest.mark.parametrize("scores, tasks, words", [
    ({"SST-2": {"accuracy": 0.9}}, ("SST-2", "RTE"), r"\['RTE'\] are missing"),
    ({"SST2": {"accuracy": 0.9}}, ("SST-2",), r"\['SST2'\] unknown"),
    ({"MRPC": {"accuracy": 0.9}}, ("MRPC",), "MRPC lacks 'f1'"),
    ({}, (), "say by `tasks`"),
])
def test_errors_say_what_came(scores, tasks, words):
    with pytest.raises(Error, match=words):
        metrics.glue_score(scores, tasks)
