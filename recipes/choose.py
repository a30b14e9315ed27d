"""Fine-tune an encoder to choose the ending that goes on from a prompt (Devlin et al. 2018, section 4.4: SWAG).

    bertkit choose --model MiniLM/ --train CODAH/train.tsv --dev CODAH/dev.tsv --out endings --epochs 4 \\
        --batch-size 16 --learning-rate 1e-4 --length 64 --seed 1
    183 CPU-seconds for its last epoch (it had been killed in the fourth), 2026-11-22, 1,665 rows; dev accuracy 54.9
    (95 % interval 50.9 to 58.8; chance is 25)
"""

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.heads import MultipleChoice
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, out: str, dev: Data | None = None, model: str = DEFAULT, test: Data | None = None,
         epochs: Count = AUTO, batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int = 128, seed: int = 0,
         limit: int | None = None, columns: Columns = Columns(), tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on prompts with endings; leave a bundle with its card, which is returned.

    train           prompts with endings to learn from: SWAG's or CODAH's layout, .tsv, .csv or .jsonl
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             prompts with endings that choose the best epoch; without it some of train are held out
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            prompts with endings that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      rows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a prompt with one ending is cut to
    seed            of the head's first weights, the order of rows and dropout
    limit           take the first rows of train only
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, columns=columns)
    splits = Splits("choose", train, dev, test, columns, limit, **tuning.reading_options)

    # model
    with precision(tuning.precision):
        encoder = load(model, part="encoder")
        chooser = MultipleChoice(encoder)
    tokenizer = Tokenizer.load(local_folder(model))

    # fit: dev chooses the epoch
    run.prepare(chooser, tokenizer, splits)
    chooser.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    chooser.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("choose")


if __name__ == "__main__":
    run_recipe(main)
