"""Fine-tune an encoder to give texts, or pairs of texts, a number (Devlin et al. 2018, section 4.1: STS-B).

    bertkit score --model MiniLM/ --train STS-B/train.tsv --dev STS-B/dev.tsv --out alike --epochs 3 \\
        --batch-size 16 --learning-rate 1e-4 --seed 1
    8 CPU-minutes, 2026-11-22; dev Pearson 86.5 (95 % interval 85.1 to 87.8), Spearman 86.3
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
         limit: int | None = None, folds: int | None = None, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on scored texts; leave a bundle with its card, which is returned.

    train           scored rows to learn from: .tsv (STS-B is recognised), .csv or .jsonl
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             scored rows that choose the best epoch; without it some of train are held out
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            scored rows that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      rows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a row is cut to, the special ones included
    seed            of the head's first weights, the order of rows and dropout
    limit           take the first rows of train only
    folds           also train so many models, each scored on the part of train that it has not seen
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, folds=folds, columns=columns)
    splits = Splits("score", train, dev, test, columns, limit, **tuning.reading_options)

    # model
    def made():
        with precision(tuning.precision):
            encoder = load(model, part="encoder")
            return Classifier(encoder, ["score"])

    scorer, tokenizer = made(), Tokenizer.load(local_folder(model))

    # folds: each row is answered by a model that has not seen it
    crossed = cross_validate(run, made, tokenizer, splits, folds)

    # fit: dev chooses the epoch
    run.prepare(scorer, tokenizer, splits)
    scorer.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    scorer.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
               callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("score", crossed)


if __name__ == "__main__":
    run_recipe(main)
