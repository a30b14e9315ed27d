"""Fine-tune an encoder to sort documents into classes that are longer than it reads at once, in one of four ways.

cut reads the first tokens, as `classify` does; windows pools what is said of each window; hierarchical reads windows
together (Pappagari et al. 2019, Yang et al. 2016); sparse is a Longformer made of the checkpoint (Beltagy et al. 2020).

    bertkit long_documents --model MiniLM/ --train movie_reviews/ --out reviews --strategy all
    2026-11-22, limited: one pass at 5e-5 over 226 reviews, 74 held back, length 128, 4 windows, 4 blocks frozen: at
    chance, so nothing is said yet of which is best. cut 52.7 % (40.5 to 63.5), 39 s, reads 126 of 822 tokens; windows
    50.0 % (39.2 to 59.5), 154 s, 313 tokens; hierarchical 45.9 % (33.8 to 56.8), 117 s, 313 tokens; no sparse run.
"""

import time
from functools import partial
from typing import Any, Literal

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.tasks.documents import coverage
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.compared import compare_strategies
from bertkit.training.config import TrainConfig
from bertkit.training.documents import STRATEGIES
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, out: str, model: str = DEFAULT, dev: Data | None = None, test: Data | None = None,
         strategy: Literal["cut", "windows", "hierarchical", "sparse", "all"] = "windows", epochs: Count = AUTO,
         batch_size: int = 32, learning_rate: Rate = AUTO, length: int = 256, most_windows: int = 8,
         pooling: Literal["mean", "max"] = "mean", most_tokens: int = 4096, held_back: float = 0.2, seed: int = 0,
         limit: int | None = None, positive: str | None = None, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card | dict[str, dict[str, Any]]:
    """Fine-tune a checkpoint on labelled documents; leave a bundle with its card, which is returned.

    train           labelled documents: a folder for each class with a text a file, or .tsv, .csv or .jsonl
    out             the folder for the bundle; of all strategies, for their bundles and table.tsv
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    dev             such documents, which choose the best epoch; by default some of train, see held_back
    test            such documents, which only report
    strategy        how what is long is read; all tries the others in turn and leaves a table
    epochs          passes over the training documents; auto: as many as so few or so many ask
    batch_size      rows of `length` tokens in a step; where documents are read whole, as many tokens
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens of a window, or that a document is cut to, the special ones included
    most_windows    windows of a document, half a window apart; what comes after is not read
    pooling         of the windows' logits: their mean or the largest
    most_tokens     tokens that sparse reads of a document
    held_back       share of train that is dev where none is given; texts of one name stay together
    seed            of the head's first weights, the order of rows and dropout
    limit           take the first documents of train only
    positive        of two classes the one that f1 is of; without it one is taken, and said
    """
    knobs: dict[str, Any] = {
        "train": train, "model": model, "dev": dev, "test": test, "epochs": epochs, "learning_rate": learning_rate,
        "most_windows": most_windows, "pooling": pooling, "most_tokens": most_tokens, "held_back": held_back,
        "seed": seed, "limit": limit, "positive": positive, "columns": columns, "tuning": tuning}
    if strategy == "all":
        return compare_strategies({name: partial(main, out=f"{out}/{name}", length=length, batch_size=batch_size,
                                                 **{**knobs, "strategy": name}) for name in STRATEGIES}, out)
    way = STRATEGIES[strategy](length, batch_size, most_windows, pooling, most_tokens)
    run = Run(out=out, strategy=strategy, length=way.tokens, batch_size=way.examples, **knobs)
    splits = Splits("classify", train, dev, test, columns, limit, held_back, positive, **tuning.reading_options)
    splits.task = way.task(splits.task)

    # model
    tokenizer = Tokenizer.load(local_folder(model))
    with precision(tuning.precision):
        classifier = way.model(load(model, part="encoder"), splits.task)

    # fit: dev chooses the epoch
    run.prepare(classifier, tokenizer, splits)
    read = coverage(splits.task, tokenizer, splits.parts["dev"].inputs, way.tokens)
    classifier.compile(run.optimizer(), run.loss())
    began, done = time.perf_counter(), run.resume()     # epochs of a run that was interrupted, 0 for a new one
    classifier.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                   callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("long_documents", None, seconds=round(time.perf_counter() - began), **read)


if __name__ == "__main__":
    run_recipe(main)
