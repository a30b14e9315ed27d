"""A slimmer bundle of a trained one: parts are removed, and what is left learns from labels and the model it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from bertkit.card import Card
from bertkit.compress.compared import bag_of_words, scores, sentences
from bertkit.compress.reduced import Reduced, Whole, own_loss
from bertkit.compress.sizes import Sizes
from bertkit.compress.soft_targets import SoftTargets, check_alpha_and_temperature
from bertkit.data.columns import Columns
from bertkit.data.splits import Splits
from bertkit.errors import Error
from bertkit.files import folders as files
from bertkit.files.atomic import sha256
from bertkit.heads import SentenceEmbedder
from bertkit.terminal import say
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.losses import check_no_loss_knobs
from bertkit.training.precision import precision
from bertkit.training.run import Run, check_rate_and_seed
from bertkit.training.score_and_save import score_and_save
from bertkit.training.scoring import predictions


def slim(folder: str | Path, train: str | Path, out: str | Path, dev: str | Path | None = None,
         heads: int | None = None, intermediate: int | None = None, layers: str | Sequence[int] | None = None,
         vocabulary: int | Literal["used"] | None = None, test: str | Path | None = None, epochs: Count = AUTO,
         batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0,
         limit: int | None = None, alpha: float = 0.5, temperature: float = 2.0, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Remove parts of a trained model, let what is left recover, and leave it as a bundle with its card.

    First layers are removed, then entries of the vocabulary, then heads by the gradient of the loss (Michel et al.
    2019) and feed-forward rows by what they add (E|z_r| · ‖W₂[r]‖), each on training rows. What is left is trained on
    the labels and on what the whole model answers (see `SoftTargets`). With `vocabulary="used"` alone nothing is
    trained, because no answer changes, which is proved on the rows of train and dev.

    Args:
        folder: The bundle.
        train: Labelled rows, as it was trained on.
        out: The folder to write.
        dev: Labelled rows that choose the best epoch and score both models; None holds out some of train.
        heads: Heads that stay in each layer.
        intermediate: Feed-forward rows that stay in each layer.
        layers: The layers that stay, counted from 0, such as "0,2,5" or [0, 2, 5].
        vocabulary: How many entries stay, or "used": those of the texts of train and dev, special ones and single
            characters.
        test: Labelled rows that only report.
        epochs: Passes over the training rows; 0 trains nothing.
        batch_size: Rows in a step.
        learning_rate: The highest rate, after the warm-up.
        length: Tokens that a row is cut to; None takes the bundle's.
        seed: Of the rows that importance is measured on, the order of rows and dropout.
        limit: Take the first rows of train only.
        alpha: α, the share of the labels in the loss; the rest is that of the whole model's answers.
        temperature: T, a number that the answers of both are divided by before they are compared.
        columns: Names of columns.
        tuning: The `TrainConfig`.

    Returns:
        The `Card`; `card.training["slim"]` says what was removed, and the scores before and after.

    Raises:
        Error: when nothing would be removed, the model has no such part, or the files do not fit it.
    """
    check_alpha_and_temperature(alpha, temperature)
    sizes = Sizes.of(heads, intermediate, layers, vocabulary)
    if sizes.is_lossless and epochs not in (0, AUTO):
        raise Error(f"epochs={epochs}: vocabulary=used alone changes no answer, so there is nothing to train; leave it "
                    "out.")
    whole = Whole(folder, sizes, length)
    knobs: dict[str, Any] = {
        "folder": str(folder), "bundle": sha256(Path(folder) / "bundle.json"), "train": train, "dev": dev, "test": test,
        "limit": limit, "heads": heads, "intermediate": intermediate, "layers": layers, "vocabulary": vocabulary,
        "alpha": alpha, "temperature": temperature, "columns": columns}
    if sizes.is_lossless or epochs == 0:
        files.check_replaceable(out, "bundle")
        check_rate_and_seed(1.0, seed)
        splits = Splits(whole.task, train, dev, test, columns, limit, **tuning.reading_options)
        made = Reduced(whole, sizes, splits, seed)
        knobs |= {"out": out, "epochs": 0, "length": whole.length, "seed": seed, "tuning": tuning}
        return _save(out, whole, made, splits, knobs, tuning, seed)
    run = Run(out, epochs, batch_size, learning_rate, whole.length, seed, tuning, **knobs)
    splits = Splits(whole.task, train, dev, test, columns, limit, **tuning.reading_options)
    with precision(tuning.precision):
        made = Reduced(whole, sizes, splits, seed)
    soft = SoftTargets(made.model, whole.model, made.ids, alpha, temperature)
    _train(run, made, splits, soft)
    said = _metadata(whole, made, splits)
    run.notes += _said(folder, said)
    return run.evaluate_and_save("slim", slim=said)


def _train(run, made, splits, soft):
    """Train what is left on labels and on what the whole model answers; dev chooses the epoch."""
    model = made.model
    run.prepare(model, made.tokenizer, splits)
    if isinstance(model, SentenceEmbedder):
        check_no_loss_knobs(run.tuning)
    model.compute_loss = soft
    model.compile(run.optimizer(), own_loss(model, run.sampler.features) if isinstance(model, SentenceEmbedder)
                  else run.loss())
    done = run.resume()
    model.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
              callbacks=run.callbacks(done), shuffle=False, verbose=0)


def _save(out, whole, made, splits, knobs, tuning, seed):
    """Write what is left as it is: nothing was trained."""
    said = _metadata(whole, made, splits, tuned=False)
    features = splits.features(made.tokenizer, whole.length)
    return score_and_save(out, made.model, made.tokenizer, whole.task, whole.length,
                          {name: part for name, part in splits.parts.items() if name != "train"}, knobs, "slim",
                          features.sample(tuning.calibration, seed) if tuning.calibration else None,
                          training={"slim": said}, notes=tuple(_said(whole.folder, said)), data=splits.metadata())


def _metadata(whole, made, splits, tuned=True):
    """Return what the card says: what the model was made of, what was removed, the scores before and after."""
    before, after = (predictions(side.model, whole.task, splits.eval_splits(side.tokenizer, whole.length)["dev"])
                     for side in (whole, made))
    targets = splits.parts["dev"].targets
    task = whole.task.tuned(targets, after) if tuned else whole.task
    return {"of": Path(whole.folder).name, "removed": made.removed,
            "parameters": {"before": whole.model.count_params(), "after": made.model.count_params()},
            **scores(whole.task, task, targets, before, after), "bag_of_words": bag_of_words(splits)}


def _said(folder, said):
    found = sentences(folder, said)
    for sentence in found:
        say(sentence)
    return found
