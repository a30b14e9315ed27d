"""Fine-tune an encoder to find names and other spans in a text (Devlin et al. 2018, section 5.3: NER).

    bertkit tag --model MiniLM/ --train WNUT-17/wnut17train.conll --dev WNUT-17/emerging.dev.conll --out names \\
        --epochs 5 --batch-size 16 --learning-rate 2e-4 --seed 1
    9 CPU-minutes, 2026-11-22; dev F1 56.6 (95 % interval 53.1 to 60.4), precision 65.3, recall 50.0
"""

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.heads import TokenClassifier
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, out: str, dev: Data | None = None, model: str = DEFAULT, test: Data | None = None,
         epochs: Count = AUTO, batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int = 128, seed: int = 0,
         limit: int | None = None, columns: Columns = Columns(), tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on tagged sentences; leave a bundle with its card, which is returned.

    train           tagged sentences to learn from: CoNLL columns, or what an annotation tool exports
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             tagged sentences that choose the best epoch; without it some of train are held out
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            tagged sentences that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      sentences in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens of a row; a longer sentence becomes several rows that overlap
    seed            of the head's first weights, the order of sentences and dropout
    limit           take the first sentences of train only
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, columns=columns)
    splits = Splits("tag", train, dev, test, columns, limit, **tuning.reading_options)

    # model
    with precision(tuning.precision):
        encoder = load(model, part="encoder")
        tagger = TokenClassifier(encoder, splits.task.labels)
    tokenizer = Tokenizer.load(local_folder(model))

    # fit: dev chooses the epoch
    run.prepare(tagger, tokenizer, splits)
    tagger.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    tagger.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
               callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("tag")


if __name__ == "__main__":
    run_recipe(main)
