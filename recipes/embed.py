"""Fine-tune an encoder to give texts vectors whose cosine says how alike they are (Reimers & Gurevych 2019, SBERT).

    bertkit embed --model MiniLM/ --train STS-B/train.tsv --dev STS-B/dev.tsv --out vectors --length 64
    7 minutes on 2 shared cores (207 CPU-s), 2026-11-22, seed 0; dev Pearson 89.21, Spearman 89.00 (MiniLM as published,
    without training: 86.96, 86.72)
"""

from typing import Literal

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.checkpoints.embedder import load_for_training
from bertkit.cli.flags import run_recipe
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.heads import SentenceEmbedder
from bertkit.text import Tokenizer
from bertkit.training import losses
from bertkit.training.config import TrainConfig
from bertkit.training.contrastive import contrastive_loss
from bertkit.training.gradient_cache import cache_gradients
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, dev: Data, out: str, model: str = DEFAULT, test: Data | None = None, epochs: int = 1,
         batch_size: int = 32, learning_rate: float = 2e-5, length: int = 128, seed: int = 0, limit: int | None = None,
         pooling: Literal["mean", "cls", "max"] | None = None,
         loss: Literal["contrastive", "cosine", "triplet"] | None = None, chunk: int | None = None,
         columns: Columns = Columns(), tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on texts that belong together; leave a bundle with its card, which is returned.

    train           pairs (first, second), triples (first, positive, negative) or scored pairs: .tsv, .csv or .jsonl
    dev             scored pairs (STS) that choose the best epoch
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            scored pairs that only report
    epochs          passes over the training rows
    batch_size      rows in a step; without scores, each is also told from the texts of all others
    learning_rate   the highest, after the warm-up
    length          tokens that a text is cut to, the special ones included
    seed            of the order of rows and dropout
    limit           take the first rows of train only
    pooling         tokens become a vector by mean, cls or max; by default as the checkpoint says, else mean
    loss            by default cosine (its squared error) where train has scores, else contrastive (InfoNCE)
    chunk           texts in memory at once (gradient caching): large batches, 1.3 times the work; all by default
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, pooling=pooling, loss=loss, chunk=chunk, columns=columns)
    losses.check_no_loss_knobs(tuning)
    splits = Splits("embed", train, dev, test, columns, limit, **tuning.reading_options)

    # model
    tokenizer = Tokenizer.load(local_folder(model))
    with precision(tuning.precision):
        embedder = (load_for_training(model) if pooling is None
                    else SentenceEmbedder(load(model, part="encoder"), pooling=pooling))

    # fit: dev chooses the epoch
    run.prepare(embedder, tokenizer, splits)
    if chunk is not None:
        cache_gradients(embedder, chunk)
    embedder.compile(run.optimizer(), contrastive_loss(run.sampler.features, loss))
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    embedder.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
                 callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("embed")


if __name__ == "__main__":
    run_recipe(main)
