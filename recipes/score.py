"""Fine-tune an encoder to give texts, or pairs of texts, a number (Devlin et al. 2018, section 4.1: STS-B).

    bertkit score --model MiniLM/ --train STS-B/train.tsv --dev STS-B/dev.tsv --out alike --batch-size 16 \\
        --learning-rate 1e-4 --seed 1
    8 CPU-minutes, 2026-11-22; dev Pearson 86.5 (95 % interval 85.1 to 87.8), Spearman 86.3
"""

from bertkit.checkpoints import DEFAULT, load, local
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.splits import Splits
from bertkit.heads import Classifier
from bertkit.text import Tokenizer
from bertkit.training.config import TrainConfig
from bertkit.training.run import Run, precision


def main(train: str, dev: str, out: str, model: str = DEFAULT, test: str = None, epochs: int = 3, batch_size: int = 32,
         learning_rate: float = 5e-5, length: int = 128, seed: int = 0, limit: int = None, columns=Columns(),
         tuning=TrainConfig()):
    """Fine-tune a checkpoint on scored texts; leave a bundle with its card, which is returned.

    train           scored rows to learn from: .tsv (STS-B is recognised), .csv or .jsonl
    dev             scored rows that choose the best epoch
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            scored rows that only report
    epochs          passes over the training rows
    batch_size      rows in a step
    learning_rate   the highest, after the warm-up
    length          tokens that a row is cut to, the special ones included
    seed            of the head's first weights, the order of rows and dropout
    limit           take the first rows of train only
    """
    run = Run(**locals())
    splits = Splits("score", train, dev, test, columns, limit, **tuning.reading)

    # model
    with precision(tuning.precision):
        encoder = load(model, part="encoder")
        scorer = Classifier(encoder, ["score"])
    tokenizer = Tokenizer.load(local(model))

    # fit: dev chooses the epoch
    run.prepare(scorer, tokenizer, splits)
    scorer.compile(run.optimizer(), run.loss())
    scorer.fit(**run.arguments())

    # evaluate and ship
    return run.ship("score")


if __name__ == "__main__":
    run_recipe(main)
