"""Fine-tune an encoder to put the documents that a search found in order (Nogueira & Cho 2019, arXiv 1901.04085).

    bertkit rank --model MiniLM/ --train train.tsv --dev dev.tsv --out reranker
    It takes thousands of judgements: after 700 of Cranfield's (one epoch at 5e-5, 9 CPU-minutes, 2026-11-22) the order
    of BM25 is still better, dev MAP 36.1 against 17.8
"""

from bertkit.card import Card
from bertkit.checkpoints import DEFAULT, load, local_folder
from bertkit.cli.flags import run_recipe
from bertkit.data.candidates import bm25_search, vector_search
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.data.splits import Splits
from bertkit.heads import MultipleChoice
from bertkit.predictor import Predictor
from bertkit.text import Tokenizer
from bertkit.training.auto import AUTO, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.precision import precision
from bertkit.training.run import Run


def main(train: Data, dev: Data, out: str, model: str = DEFAULT, test: Data | None = None, epochs: int = 1,
         batch_size: int = 8, learning_rate: Rate = AUTO, length: int = 256, seed: int = 0, limit: int | None = None,
         negatives: int = 4, candidates: int = 30, embedder: str | None = None, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Fine-tune a checkpoint on judged documents; leave a bundle with its card, which is returned.

    Scored on dev is the whole search: the candidates that it finds, as the model orders them. Where a file of rows
    judges documents relevant and others not, those of a query are its candidates.

    train           a folder in TREC form (queries, documents, qrels), or rows of query, document, grade
    dev             such a folder or file, which chooses the best epoch
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    test            such a folder or file, which only reports
    epochs          passes over the relevant documents
    batch_size      relevant documents in a step, each with its wrong ones
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a query with one document is cut to
    seed            of the head's first weights, the wrong documents, the order of rows and dropout
    limit           take the first judgements of train only
    negatives       wrong documents that a relevant one is told from: judged so, or found by the search
    candidates      documents of a query that are put in order for dev and test
    embedder        a bundle of `bertkit embed` whose vectors search; by default words do (BM25)
    """
    run = Run(out, epochs, batch_size, learning_rate, length, seed, tuning, train=train, dev=dev, model=model,
              test=test, limit=limit, negatives=negatives, candidates=candidates, embedder=embedder, columns=columns)
    search = bm25_search if embedder is None else vector_search(Predictor(embedder).predictions)
    splits = Splits("rank", train, dev, test, columns, limit, search=search, candidates=candidates,
                    negatives=negatives, seed=seed, **tuning.reading_options)

    # model
    tokenizer = Tokenizer.load(local_folder(model))
    with precision(tuning.precision):
        encoder = load(model, part="encoder")
        ranker = MultipleChoice(encoder)

    # fit: dev chooses the epoch
    run.prepare(ranker, tokenizer, splits)
    ranker.compile(run.optimizer(), run.loss())
    done = run.resume()                       # epochs of a run that was interrupted, 0 for a new one
    ranker.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
               callbacks=run.callbacks(done), shuffle=False, verbose=0)

    # evaluate and ship
    return run.evaluate_and_save("rank")


if __name__ == "__main__":
    run_recipe(main)
