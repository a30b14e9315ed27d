"""Fine-tune an encoder to sort texts, or pairs of texts, into classes (Devlin et al. 2018, section 4.1).

    bertkit classify --model MiniLM/ --train SST-2/train.tsv --dev SST-2/dev.tsv --out sst2 --limit 10000 --epochs 3 \\
        --batch-size 32 --learning-rate 5e-5
    9 minutes (412 CPU-s) on 2 cores, 2026-11-22; dev accuracy, seeds 0, 1, 2: 86.01, 86.58, 87.04 (Hugging Face
    Trainer, same rows, epochs, batch, rate, seeds 1, 2: 85.89, 87.16). Seed 1 as .tflite: dynamic 86.81, int8 86.70
    All of SST-2, --epochs 2 --seed 1: 89.7, 15 CPU-minutes an epoch, 2026-11-22 (Trainer: 89.0 in 40, 2026-11-26)
    All of it without --model: 29 minutes (33 CPU-minutes) on 2 loaded cores, 2026-11-26; dev accuracy, seed 0: 85.89
"""

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.heads import Classifier
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.folds import cross_validate
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, out: str, dev: Data | None = None, model: str = DEFAULT, test: Data | None = None,
         epochs: Count = AUTO, batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int = 128, seed: int = 0,
         limit: int | None = None, folds: int | None = None, positive: str | None = None, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on labelled texts; leave a bundle with its card, which is returned.

    train           labelled rows to learn from: a table such as .csv, .tsv, .jsonl, .xlsx or .parquet
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             labelled rows that choose the best epoch; without it some of train are held out
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            labelled rows that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      rows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a row is cut to, the special ones included
    seed            of the head's first weights, the order of rows and dropout
    limit           take the first rows of train only
    folds           also train so many models, each scored on the part of train that it has not seen
    positive        of two classes the one that f1 is of; without it one is taken, and said
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, folds=folds, positive=positive, columns=columns)
    splits = Splits("classify", train, dev, test, columns, limit, positive=positive, **tuning.reading_options)

    # model
    def made():
        with precision(tuning.precision):
            encoder = load(model, part="encoder")
            return Classifier(encoder, splits.task.labels, multi_label=splits.task.multi_label)

    classifier, tokenizer = made(), Tokenizer.load(local_folder(model))

    # folds: each row is answered by a model that has not seen it
    crossed = cross_validate(run, made, tokenizer, splits, folds)

    # fit: dev chooses the epoch
    run.prepare(classifier, tokenizer, splits)
    classifier.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    classifier.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                   callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("classify", crossed)


if __name__ == "__main__":
    run_recipe(main)
