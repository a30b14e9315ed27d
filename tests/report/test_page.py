"""A report is one file that is whole, safe whatever the data holds, and readable by everyone."""

import base64
import hashlib
import re

import numpy as np
import pytest

from bertkit import report
from bertkit.card import Card
from bertkit.errors import Error
from bertkit.report import partial_input
from bertkit.tasks.answering import Answering, Span
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Judged, Ranking
from bertkit.tasks.regression import Regression
from bertkit.tasks.tagging import Tagging
from bertkit.training.config import TrainConfig
from tests.report.reading import read

HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\ud83d \0 \u202e"
TEXTS = [f"{HOSTILE} {word} one two three" for word in "abcdef"]
PAIRS = [(text, HOSTILE) for text in TEXTS]
LABELS = (HOSTILE, "b", "c")
THREE = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.9, 0.1, 0.0]])
TYPE = "<i>&\ud83d"
VECTORS = [np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]]) for angle in range(6)]

RUNS = {
    "classify": (Classification(LABELS), TEXTS, [0, 1, 2, 1, 2, 1], THREE),
    "classify pairs": (Classification(LABELS, pairs=True), PAIRS, [0, 1, 2, 1, 2, 1], THREE),
    "multi-label": (Classification(LABELS, multi_label=True), TEXTS, np.eye(3, dtype=int)[[0, 1, 2, 1, 2, 1]], THREE),
    "many classes": (Classification(tuple(map(str, range(30)))), TEXTS, [0, 1, 2, 1, 2, 1],
                     np.eye(30)[[0, 5, 9, 1, 2, 3]]),
    "score": (Regression(), PAIRS, [0.0, 1, 2, 3, 4, 5], [0.5, 1, 2, 3, 1, 5]),
    "tag": (Tagging(("O",)), [TEXTS[0].split(), ["a", "b"], "Anna left."],
            [["B-" + TYPE] * len(TEXTS[0].split()), ["B-X", "I-X"], ["B-X", "O", "O"]],
            [["O"] * len(TEXTS[0].split()), ["B-X", "O"], ["B-" + TYPE, "O", "B-X"]]),
    "answer": (Answering(), PAIRS, [[("one", text.find("one"))] for text in TEXTS],
               [Span("one", text.find("one"), 1.0, 0.0) for text, _ in PAIRS[:4]] + [Span(HOSTILE, 0, 1.0, 0.0)] * 2),
    "answer 2.0": (Answering("2.0"), PAIRS, [[(HOSTILE, 0)], [], [], [("two", 3)], [], []],
                   [Span(HOSTILE, 0, float(i), 2.5) for i in range(5)] + [Span("", -1, -np.inf, 0.0)]),
    "choose": (Choosing(), [(HOSTILE, *TEXTS[:3])] * 6, [0, 1, 2, 0, 1, 2], list(THREE)),
    "embed": (Embedding(2), PAIRS, [0.0, 1, 2, 3, 4, 5], VECTORS),
    "rank": (Ranking(), [(HOSTILE, *TEXTS[:3])] * 3,
             [Judged((HOSTILE, "b", "c"), {"b": 1, "z": 2}), Judged(("a", "b", "c"), {"z": 1}),
              Judged(("a", "b", "c"), {"a": 0})], [np.array([0.1, 0.2, 0.3])] * 3),
}
HISTORY = [*({"step": step, "loss": 1 / step, "rate": 1e-5} for step in range(1, 20)),
           {"step": 10, "epoch": 1, "dev_loss": 0.5, "dev_accuracy": 0.7, "dev_mse": 3.5, "dev_by_type": {"a": 1}},
           {"step": 20, "epoch": 2, "dev_loss": float("nan"), "dev_accuracy": 0.8, "dev_mse": 2.5}]


def made(name, found=None):
    task, inputs, targets, predictions = RUNS[name]
    metric = next(iter(task.metrics))
    card = Card(name=HOSTILE, task=task.name, model={"encoder": {HOSTILE: [HOSTILE, 1]}}, recipe=HOSTILE,
                knobs={"train": HOSTILE, "limit": None, "tuning": {"warmup": 0.1}}, notes=(HOSTILE,),
                data={"train": {"file": HOSTILE, "rows": 6}},
                scores={"dev": {metric: {"score": 0.8, "low": 0.7, "high": 0.9}, "rows": 6},
                        "test": {metric: {"score": 0.6}}})
    dev = {"inputs": inputs, "targets": targets, "predictions": predictions}
    return report.render_report(card, task, dev, HISTORY, found)


def probed(name):
    task, inputs, targets, _ = RUNS[name]
    return partial_input.probe(task, (inputs, targets), (inputs, targets))


def names_of(page):
    """Return the names of all elements of a page."""
    return set(re.findall(r"<([A-Za-z0-9]+)", page))


@pytest.fixture(scope="module", params=RUNS)
def page(request):
    return made(request.param, probed(request.param))


def test_it_is_whole_and_well_nested(page):
    assert page.startswith("<!DOCTYPE html>\n<html lang=\"en\">")
    tree = read(page)
    assert [len(tree.all(name)) for name in ("html", "head", "body", "header", "main", "h1")] == [1] * 6
    assert len(tree.all("head")[0].all("title")) == 1


def test_hostile_data_is_only_shown(page, tmp_path):
    tree = read(page)
    assert not tree.all("script", "img", "iframe", "object", "embed", "link", "form", "a", "base", "foreignobject")
    everything = tree.all(*names_of(page))
    assert not [node for node in everything for name in node.attributes if name.startswith("on") or name == "style"]
    assert "<script>alert(1)</script>" in tree.all("h1")[0].text
    report.write_report(tmp_path / "report.html", page)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page


def test_nothing_is_fetched_and_the_policy_says_so(page):
    tree = read(page)
    style = tree.all("style")[0].text
    policy = next(node.attributes["content"] for node in tree.all("meta")
                  if node.attributes.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|https?:|//", style)
    names = {name for node in tree.all(*names_of(page)) for name in node.attributes}
    assert not names & {"src", "href", "srcset", "action", "data", "poster", "background"}


def test_everyone_can_read_it(page):
    tree = read(page)
    for table in tree.all("table"):
        assert table.all("caption")[0].text
        assert {node.attributes.get("scope") for node in table.all("th")} <= {"col", "row"}
        assert len({len(row.all("th", "td")) for row in table.all("tr")}) == 1
    for svg in tree.all("svg"):
        hidden = svg.attributes.get("aria-hidden") == "true"
        assert hidden or svg.all("title")[0].text and svg.all("desc")[0].text and svg.attributes["aria-label"]
    levels = [int(node.name[1]) for node in tree.all("h1", "h2", "h3")]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels[1:], levels[2:], strict=False))


def test_both_colours_the_phone_and_paper_are_thought_of(page):
    assert all(f"@media {kind}" in page for kind in ("(prefers-color-scheme: dark)", "print"))
    assert 'name="viewport"' in page


def test_a_run_that_shows_nothing_still_has_its_head():
    page = report.render_report(Card(name="a", task="embed", model={}), Embedding(2), {})
    assert read(page).all("h1")[0].text == "a" and "No score was measured." in page


def test_the_best_epoch_is_the_one_that_was_kept():
    tree = read(made("classify"))
    assert [node.text for node in tree.all("text") if "best" in node.text][0] == "best: epoch 2"


def test_the_metric_that_the_tuning_names_chose_the_epoch_and_less_may_be_better():
    history = [{"step": step, "epoch": step, "dev_pearson": 0.1 * step, "dev_mse": float(step)} for step in (1, 2, 3)]
    for metric, best in ((None, "3"), ("mse", "1")):
        card = Card(name="a", task="score", model={}, knobs={"tuning": TrainConfig(metric=metric)})
        page = report.render_report(card, Regression(), {}, history)
        assert f"best: epoch {best}" in page and f"Dev {metric or 'pearson'} chose the epoch" in page


def test_metrics_of_other_scales_have_their_own_picture():
    titles = [svg.all("title")[0].text for svg in read(made("classify")).all("svg") if svg.all("title")]
    assert titles[:4] == ["Loss", "Dev accuracy", "Dev mse", "Learning rate"]


def test_the_split_that_only_reports_stands_first():
    assert [node.text for node in read(made("classify")).all("ul")[0].all("b")] == ["0.6000", "0.8000"]


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(Error, match="cannot be written"):
        report.write_report(tmp_path / "absent" / "report.html", "a")


def test_a_report_is_the_same_each_time():
    assert made("classify", probed("classify")) == made("classify", probed("classify"))
