"""Summarise documents by their own sentences: learned from references (Liu 2019), or the central ones.

    bertkit summarise --model MiniLM/ --train squality/train.jsonl --dev squality/dev.jsonl --sentences 12 --out gist
    bertkit summarise --model MiniLM/ --dev squality/dev.jsonl --sentences 12 --out gist        (nothing is trained)
    SQuALITY dev, 25 stories, question 1, best of 4 references, 12 sentences, 2026-11-22, 2 shared cores; ROUGE-1/2/L:
    central sentences (--length 128; 1.1 CPU-minutes) 23.9/3.7/12.7; learned from 10 of the 50 stories, 1 epoch, seed 0
    (--limit 10 --epochs 1 --learning-rate 5e-5 --length 256; 3.4 CPU-minutes) 28.4/4.7/13.6; first 12 sentences
    23.0/4.0/11.7; oracle 46.6/13.7/20.8. 95 % intervals of ROUGE-1 are ±1.2 to ±2.8: central may equal the lead
"""

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.checkpoints.embedder import load_embedder
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data, data_path
from bertkit.data.labelled import read_labelled
from bertkit.data.splits import Splits
from bertkit.errors import Error
from bertkit.heads import TokenClassifier
from bertkit.tasks.summarising import LexRank
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.precision import precision
from bertkit.training.run import Run
from bertkit.training.score_and_save import score_and_save


def main(out: str, model: str = DEFAULT, train: Data | None = None, dev: Data | None = None, test: Data | None = None,
         sentences: int = 3, epochs: Count = AUTO, batch_size: int = 8, learning_rate: Rate = AUTO, length: int = 512,
         seed: int = 0, limit: int | None = None, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Learn which sentences a summary takes, or take the central ones; leave a bundle with its card, which is returned.

    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    train           documents with summaries: .jsonl, .csv, .tsv or SQuALITY's lines; without it nothing is trained
    dev             documents with summaries that choose the best epoch
    test            documents with summaries that only report
    sentences       of a summary
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      rows in a step, each with as many sentences as fit
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens of a row; a longer document has several
    seed            of the head's first weights, the order of rows and dropout
    limit           take the first documents of train only
    """
    if train is None:
        return summarise_untrained(out, model, dev, test, sentences, length, columns, tuning)
    if dev is None:
        raise Error("Training needs documents that choose the best epoch; give them with --dev.")
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, model=model, train=train, dev=dev,
              test=test, sentences=sentences, limit=limit, columns=columns)
    splits = Splits("summarise", train, dev, test, columns, limit, **tuning.reading_options, sentences=sentences)

    # model
    tokenizer = Tokenizer.load(local_folder(model))
    with precision(tuning.precision):
        chooser = TokenClassifier(load(model, part="encoder"), ["left", "chosen"])

    # fit: dev chooses the epoch
    run.prepare(chooser, tokenizer, splits)
    chooser.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    chooser.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("summarise")


def summarise_untrained(out: str, model: str, dev: Data | None, test: Data | None, sentences: int, length: int,
                        columns: Columns, tuning: TrainConfig) -> Card:
    """Leave a bundle that takes the sentences most like all others, nothing trained; return its card."""
    tokenizer, (embedder, _) = Tokenizer.load(local_folder(model)), load_embedder(model)
    task = LexRank(sentences, width=embedder.width)
    paths = {name: data_path(given) for name, given in (("dev", dev), ("test", test)) if given is not None}
    parts = {name: read_labelled(task, path, columns, **tuning.reading_options) for name, path in paths.items()}
    knobs = {"out": out, "model": model, "dev": paths.get("dev"), "test": paths.get("test"), "sentences": sentences,
             "length": length, "columns": columns, "tuning": tuning}
    return score_and_save(out, embedder, tokenizer, task, length, parts, knobs, "summarise")


if __name__ == "__main__":
    run_recipe(main)
