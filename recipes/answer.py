"""Fine-tune an encoder to find a question's answer in a text (Devlin et al. 2018, sections 4.2, 4.3: SQuAD).

    bertkit answer --model MiniLM/ --train train-v1.1.json --dev dev-v1.1.json --out answers --epochs 1 \\
        --batch-size 16 --learning-rate 2e-4 --length 256 --seed 1
    22 CPU-minutes, 2026-11-22, 4,370 questions of SQuAD 1.1; 5,565 others as dev: F1 61.6 (95 % interval 60.4 to 62.6),
    exact 48.5
"""

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.heads import QuestionAnswering
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, out: str, dev: Data | None = None, model: str = DEFAULT, test: Data | None = None,
         epochs: Count = AUTO, batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int = 384, seed: int = 0,
         limit: int | None = None, columns: Columns = Columns(), tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on questions with their answers; leave a bundle with its card, which is returned.

    train           questions to learn from: SQuAD's JSON, or rows with question, context and answers
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             questions that choose the best epoch and the threshold (2.0); without it some of train are held out
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            questions that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      windows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens of a window, the question included; a longer text becomes several that overlap
    seed            of the head's first weights, the order of windows and dropout
    limit           take the first questions of train only
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, columns=columns)
    splits = Splits("answer", train, dev, test, columns, limit, **tuning.reading_options)

    # model
    with precision(tuning.precision):
        encoder = load(model, part="encoder")
        answerer = QuestionAnswering(encoder)
    tokenizer = Tokenizer.load(local_folder(model))

    # fit: dev chooses the epoch
    run.prepare(answerer, tokenizer, splits)
    answerer.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    answerer.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                 callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("answer")


if __name__ == "__main__":
    run_recipe(main)
