"""Fine-tune a checkpoint on each task of GLUE with several seeds (Wang et al. 2018, arXiv 1804.07461).

    bertkit glue --model MiniLM/ --data GLUE/ --out glue --tasks CoLA,MRPC,RTE --seeds 0,1,2
"""

import dataclasses
from pathlib import Path
from typing import Any

from bertkit.cli.flags import run_recipe
from bertkit.data.glue import find_tasks
from bertkit.files.atomic import write_json
from bertkit.glue import page
from bertkit.glue.runs import execute, plan
from bertkit.glue.submission import submit_best
from bertkit.glue.table import Table, tabulate
from bertkit.sweep.trials import begin_folder, read_seeds
from bertkit.training.auto import AUTO, Rate
from bertkit.training.config import TrainConfig


def main(model: str, data: str, out: str, tasks: str | None = None, seeds: str = "0,1,2", epochs: int | None = None,
         batch_size: int = 32, learning_rate: Rate = AUTO, length: int = 128, limit: int | None = None,
         tuning: TrainConfig = TrainConfig()) -> Table:
    """Fine-tune a checkpoint on each task of GLUE with several seeds; leave their table, which is returned.

    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    data            a GLUE folder: CoLA/train.tsv, CoLA/dev.tsv and so on; where there is a test.tsv, it is answered
    out             the folder for table.tsv, glue.json, glue.html, runs and submission; the same again goes on
    tasks           tasks with commas between, such as CoLA,RTE; all nine by default
    seeds           seeds for each task, with commas between: the spread over these is what chance does
    epochs          passes over the training rows; by default 3, on small tasks up to 10
    batch_size      rows in a step
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a row is cut to, the special ones included
    limit           take the first rows of each train.tsv only
    """
    glue_tasks, missing = find_tasks(data, tasks and tasks.split(","))
    numbers, folder = read_seeds(seeds), Path(out)

    # what is run, written down so that the same command again goes on
    knobs: dict[str, Any] = {"model": model, "batch_size": batch_size, "learning_rate": learning_rate,
                             "length": length, "limit": limit, "tuning": folder / "tuning.json"}
    begin_folder(folder / "benchmark.json",
                 {"data": data, "epochs": epochs, **knobs, "tuning": dataclasses.asdict(tuning)},
                 [model, *(file for task in glue_tasks for file in (task.train, task.dev, task.second) if file)],
                 "runs/*/bundle.json")
    write_json(knobs["tuning"], dataclasses.asdict(tuning))

    # fine-tune: a process for each task and seed, the table after each
    outcomes = []
    for outcome in execute(plan(glue_tasks, numbers, folder, epochs, knobs)):
        outcomes.append(outcome)
        table = tabulate(outcomes, missing)
        page.write_table(table, folder)

    # answer the rows without labels, in the form of a submission
    table = table.submitted(submit_best(table, folder))
    page.write_table(table, folder)
    return table


if __name__ == "__main__":
    run_recipe(main)
