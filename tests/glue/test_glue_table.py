"""The table of GLUE: its numbers, its names, and what it says of what is not there."""

import json
import statistics
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bertkit.data.glue import LAYOUTS, TaskFiles
from bertkit.glue import page
from bertkit.glue.runs import GlueRun, Outcome
from bertkit.glue.table import tabulate
from bertkit.metrics.glue import GLUE, SCORED, glue_score


def outcome(task, seed, *scores, rows=None, error=None):
    files = TaskFiles(task, LAYOUTS[task], Path("train"), Path("dev"), 9)
    run = GlueRun(files, seed, Path(f"{task}-seed{seed}"), 3, 9, {})
    if error:
        return Outcome(run, error=error)
    return Outcome(run, dict(zip(GLUE[task].metrics, scores, strict=False)), rows or LAYOUTS[task].dev_rows)


def test_nine_published_tasks_are_the_glue_score():
    """Against `glue_score`, seed by seed, on random scores."""
    rng = np.random.default_rng(0)
    outcomes = [outcome(task, seed, *rng.random(len(GLUE[task].metrics))) for task in SCORED for seed in (0, 1, 5)]
    table = tabulate(outcomes, {})
    assert table.name == "GLUE score on dev"
    wanted = {seed: glue_score({o.run.files.name: o.scores for o in outcomes if o.run.seed == seed})
              for seed in (0, 1, 5)}
    assert table.score.seeds == pytest.approx({seed: each["score"] for seed, each in wanted.items()})
    assert table.score.mean == pytest.approx(np.mean([each["score"] for each in wanted.values()]))
    assert table.score.spread == pytest.approx(np.std([each["score"] for each in wanted.values()], ddof=1))
    for row in table.rows:
        numbers = {seed: each["by_task"][row.task] for seed, each in wanted.items()}
        assert row.score.seeds == pytest.approx(numbers) and row.best.seed == max(numbers, key=numbers.get)
        assert row.score.spread == pytest.approx(statistics.stdev(numbers.values()))


@pytest.mark.parametrize("last, name, note", [
    ([], "mean of 8 tasks", None),
    ([outcome("WNLI", 0, 0.5, rows={"dev": 70})], "mean of 9 tasks", "70 rows, of which GLUE publishes 71"),
    ([outcome("WNLI", 0, error="The training diverged.")], "mean of 8 tasks", "seed 0: The training diverged."),
    ([outcome("WNLI", 0, 0.5)], "GLUE score on dev", None)])
def test_only_the_whole_of_glue_has_its_name(last, name, note):
    outcomes = [outcome(task, 0, *[0.5] * len(GLUE[task].metrics)) for task in SCORED[:-1]]
    table = tabulate([*outcomes, *last], {} if last else {"WNLI": "no WNLI/dev.tsv"})
    assert table.name == name and table.score.mean == 50 and table.score.spread is None
    text = table.text()
    assert name in text and (note or "") in text
    assert "WNLI: no WNLI/dev.tsv" in text or last


def test_mnli_without_its_second_file_is_the_matched_accuracy():
    table = tabulate([outcome("MNLI", 0, 0.6, rows={"dev": 9815})], {})
    row, = table.rows
    assert table.name == "mean of 1 task" and row.score.mean == pytest.approx(60)
    assert list(row.metrics) == ["accuracy_matched"] and "no MNLI/dev_mismatched.tsv" in row.unlike[0]
    whole = tabulate([outcome("MNLI", 0, 0.6, 0.7)], {}).rows[0]
    assert whole.score.mean == pytest.approx(65) and whole.unlike == ()


def test_a_failed_seed_is_left_out_of_the_figures_and_named():
    table = tabulate([outcome("RTE", 0, 0.4), outcome("RTE", 1, 0.2), outcome("WNLI", 0, 0.6),
                      outcome("WNLI", 1, error="Killed.")], {})
    rte, wnli = table.rows
    assert (wnli.score.mean, wnli.score.spread, wnli.errors) == (60, None, ("seed 1: Killed.",))
    assert rte.score.mean == pytest.approx(30) and rte.best.seed == 0
    assert table.score.mean == pytest.approx(45) and table.score.seeds == {0: 50}     # seed 1 lacks a task


def test_nothing_done_is_a_table_too():
    table = tabulate([outcome("RTE", 0, error="Killed.")], {"CoLA": "no CoLA/dev.tsv"})
    assert table.score is None and table.to_json()["score"] is None and table.name == "mean of 0 tasks"
    assert [row.task for row in table.rows] == ["CoLA", "RTE"]


class Cells(HTMLParser):
    """Gathers the texts of a page's table, and what it would load."""

    def __init__(self):
        super().__init__()
        self.rows, self.loads = [], []

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        self.loads += [tag] * (tag in ("script", "link", "img", "iframe"))
        self.cell = tag in ("td", "th")
        if self.cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.cell = False

    def handle_data(self, data):
        if self.rows and self.cell:
            self.rows[-1][-1] += data


def test_the_same_table_on_disk_in_three_forms(tmp_path):
    table = tabulate([outcome("MRPC", 0, 0.75, 0.5), outcome("MRPC", 1, 0.85, 0.6),
                      outcome("RTE", 0, error="bad <b>\n\ttext")], {"CoLA": "no CoLA/dev.tsv"})
    page.write_table(table, tmp_path)
    lines = [line.split("\t") for line in (tmp_path / "table.tsv").read_text(encoding="utf-8").splitlines()]
    assert lines == [
        ["task", "score", "spread", "n", "metrics", "notes"],
        ["CoLA", "-", "-", "0", "", "no CoLA/dev.tsv"],
        ["MRPC", "67.50", "7.07", "2", "accuracy 80.00 ± 7.07, f1 55.00 ± 7.07", ""],
        ["RTE", "-", "-", "0", "", "seed 0: bad <b> text"],
        ["mean of 1 task", "67.50", "7.07", "2", "", ""]]
    shown = Cells()
    shown.feed((tmp_path / "glue.html").read_text(encoding="utf-8"))
    assert [[" ".join(cell.split()) for cell in row] for row in shown.rows] == lines and not shown.loads
    assert json.loads((tmp_path / "glue.json").read_text()) == table.to_json()
    assert table.text().splitlines()[2].split() == "MRPC 67.50 7.07 2 accuracy 80.00 ± 7.07, f1 55.00 ± 7.07".split()
