"""A student out of a teacher: a bundle of a smaller model, or of another family, that answers as the teacher does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bertkit.card import Card
from bertkit.compress.augmentation import MaskedModel, NearestWords, augmented
from bertkit.compress.compared import bag_of_words, drop_sentences, scores
from bertkit.compress.distillation import Distillation, Progressive
from bertkit.compress.matches import PAPERS, read_matches, to_json
from bertkit.compress.reduced import own_loss
from bertkit.compress.soft_targets import check_alpha_and_temperature
from bertkit.compress.student import Student, Teacher, parameters, removed_sentence
from bertkit.compress.student_sizes import StudentSizes, is_sizes
from bertkit.compress.teacher_answers import TaughtRows
from bertkit.compress.vocabulary import texts_of
from bertkit.data.columns import Columns
from bertkit.data.features import check_fit
from bertkit.data.frames import Data, checksum, data_path
from bertkit.data.splits import Splits
from bertkit.data.unlabelled import read_rows
from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.heads import SentenceEmbedder
from bertkit.tasks.classification import Classification
from bertkit.terminal import say
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig
from bertkit.training.losses import check_no_loss_knobs
from bertkit.training.losses import loss as loss_of
from bertkit.training.precision import precision
from bertkit.training.run import Run
from bertkit.training.scoring import predictions


def distill(teacher: str | Path, student: str | Path, train: Data, out: str | Path, dev: Data | None = None,
            unlabelled: Data | None = None, matches: Any = None, test: Data | None = None, epochs: Count = AUTO,
            batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0,
            limit: int | None = None, alpha: float = 0.5, temperature: float = 2.0, progressive: int | None = None,
            augment: int = 0, augmenter: str | Path | None = None, columns: Columns = Columns(),
            tuning: TrainConfig = TrainConfig()) -> Card:
    """Train a student on labels and on what a teacher answers, and leave it as a bundle with its card.

    Each model reads the texts by its own tokenizer. The teacher answers all rows once, before the student learns. The
    loss is α L + (1 − α) T² KL (see `Distillation`).

    Args:
        teacher: The bundle that teaches.
        student: A checkpoint of any family, or sizes, such as "layers=3,hidden=384": the teacher made smaller (see
            `Student.of_sizes`).
        train: Labelled rows, as the teacher was trained on.
        out: The folder to write.
        dev: Labelled rows that choose the best epoch and score both models; None holds out some of train.
        unlabelled: Rows on which the student follows the teacher alone, or a list of texts; labels in them are not
            read.
        matches: What inside the student follows what inside the teacher: a list of `Match`, the name of a paper's list
            ("distilbert", "tinybert", "minilm", "minilmv2" or "mobilebert"), or a JSON file of matches. None takes the
            answers alone.
        test: Labelled rows that only report.
        epochs: Passes over the training rows.
        batch_size: Rows in a step.
        learning_rate: The highest rate, after the warm-up.
        length: Tokens that a row of the student is cut to; None takes the teacher's, or as many as the student has
            positions.
        seed: Of what is new in the student, of the rows that importance is measured on, the order of rows and dropout.
        limit: Take the first rows of train only.
        alpha: α, the share of the labels in the loss.
        temperature: T, a number that the answers of both are divided by before they are compared.
        progressive: Epochs for the matches of each layer alone, from the lowest, before the answers; None trains all
            together (see `Progressive`).
        augment: How many copies of each training row with other words the student also reads (see `augmented`).
        augmenter: A masked language model that says which words fit; None takes the nearest of the teacher's table.
        columns: Names of columns.
        tuning: The `TrainConfig`.

    Returns:
        The `Card`; `card.training["distill"]` says what the student began with, and the scores of both.

    Raises:
        Error: when sizes are none, the student has no head for the task, or the files do not fit the teacher.
    """
    check_alpha_and_temperature(alpha, temperature)
    unlabelled = None if unlabelled is None else data_path(_rows_of(unlabelled))
    sizes = StudentSizes.parse(str(student)) if is_sizes(student) else None
    whole = Teacher(teacher)
    if sizes is not None:
        sizes.check(whole.model.encoder.config, len(whole.tokenizer))
    knobs: dict[str, Any] = {
        "teacher": str(teacher), "bundle": sha256(Path(teacher) / "bundle.json"), "student": str(student),
        "train": train, "dev": dev, "test": test, "matches": _known(matches),
        "progressive": progressive, "augment": augment, "augmenter": augmenter and str(augmenter),
        "unlabelled": None if unlabelled is None else [str(unlabelled), checksum(unlabelled)],
        "limit": limit, "alpha": alpha, "temperature": temperature, "columns": columns}
    run = Run(out, epochs, batch_size, learning_rate, length or whole.length, seed, tuning, **knobs)
    splits = Splits(whole.task, train, dev, test, columns, limit, **tuning.reading_options)
    more = [] if unlabelled is None else _unlabelled(splits, unlabelled, columns, tuning)
    copies = _copies(whole, splits, augment, augmenter, seed)
    with precision(tuning.precision):
        made = _student(whole, student, sizes, splits, texts_of(more), seed)
    most = made.model.encoder.config.max_length
    if length is None and most is not None and most < run.length:
        run.cut_to(most)
        say(f"The student has {most} positions: its rows are cut to as many tokens.")
    check_fit(made.tokenizer, made.model.encoder.config, run.length)
    loss = Distillation(made.model, alpha, temperature, matches, whole.model)
    rows = _taught(whole, made, splits, [*more, *copies], run, loss)
    _train(run, made, splits, rows, loss, progressive)
    said = {**_metadata(whole, made, splits, run.length), "matches": to_json(loss.matches), "unlabelled": len(more),
            "augmented": len(copies)}
    run.notes += _said(said)
    return run.evaluate_and_save("distill", distill=said)


def _rows_of(unlabelled):
    """Return texts in memory as rows; other rows as they are."""
    if isinstance(unlabelled, list | tuple) and all(isinstance(text, str) for text in unlabelled):
        return [{"text": text} for text in unlabelled]
    return unlabelled


def _known(matches):
    """Return matches as a card and a resumed run know them: a file by what it holds."""
    if matches is None or isinstance(matches, str) and matches in PAPERS:
        return matches
    return to_json(read_matches(matches) if isinstance(matches, str | Path) else matches)


def _student(whole, student, sizes, splits, texts, seed):
    if sizes is None:
        return Student.of_checkpoint(whole, student)
    return Student.of_sizes(whole, sizes, splits, texts, seed)


def _unlabelled(splits, path, columns, tuning):
    """Return the inputs of rows that need no label; those of an embedder are pairs, as it learns from."""
    task, first = splits.task, splits.parts["train"].inputs[0]
    if task.name == "embed":
        if len(first) != 2:
            raise Error(f"{path}: an embedder follows its teacher on pairs, and the training rows hold {len(first)} "
                        "texts; give training rows of two.")
        task = Classification(("0", "1"), pairs=True)
    elif getattr(task, "pairs", False) is None:
        task = replace(task, pairs=isinstance(first, tuple))
    rows = read_rows(task, path, columns, tuning.skip_bad_rows)
    say(f"{path}: {len(rows)} rows on which the student follows its teacher; labels in them are not read.")
    return rows.inputs


def _copies(whole, splits, copies, augmenter, seed):
    """Return copies of the training inputs with other words."""
    if copies < 0 or augmenter is not None and not copies:
        raise Error(f"augment={copies} makes no copies; give how many of each row, such as 20.")
    if not copies:
        return []
    words = NearestWords(whole.model, whole.tokenizer) if augmenter is None else MaskedModel(augmenter)
    return augmented(splits.parts["train"].inputs, copies, words, seed)


def _taught(whole, made, splits, more, run, loss):
    train, folder = splits.parts["train"], Path(run.out).absolute().parent
    say(f"The teacher answers {len(train) + len(more)} rows.")
    return TaughtRows(whole, made.tokenizer, run.length, [*train.inputs, *more], train.targets, loss.temperature,
                      folder if folder.is_dir() else None, loss.inside)


def _train(run, made, splits, rows, distillation, progressive):
    """Train the student; dev chooses the epoch."""
    model = made.model
    run.prepare(model, made.tokenizer, splits, rows.features, rows.beside)
    stages = [] if progressive is None else [Progressive(distillation, progressive)]
    if stages and stages[0].before_answers >= run.epochs:
        raise Error(f"progressive={progressive} takes {stages[0].before_answers} epochs before the student learns to "
                    f"answer, and there are {run.epochs}; give more epochs.")
    if isinstance(model, SentenceEmbedder):
        check_no_loss_knobs(run.tuning)
    model.compute_loss = distillation
    model.compile(run.optimizer(), own_loss(model, rows.features) if isinstance(model, SentenceEmbedder)
                  else loss_of(model, run.tuning, rows.known))
    run.keeps_latest = distillation.matches[0].weight == 0
    done = run.resume()
    model.fit(run.dataset(done), epochs=run.epochs, initial_epoch=done, steps_per_epoch=run.steps_per_epoch,
              callbacks=[*run.callbacks(done), *stages], shuffle=False, verbose=0)
    distillation.finish()


def _metadata(whole, made, splits, length):
    """Return what the card says: teacher, student, what was removed, the scores of both."""
    before, after = (predictions(side.model, whole.task, splits.eval_splits(side.tokenizer, size)["dev"])
                     for side, size in ((whole, whole.length), (made, length)))
    targets = splits.parts["dev"].targets
    found = scores(whole.task, whole.task.tuned(targets, after), targets, before, after)
    return {"teacher": Path(whole.folder).name, "student": made.begins, "removed": made.removed,
            "parameters": parameters(whole, made), **found, "bag_of_words": bag_of_words(splits)}


def _said(said):
    counts = said["parameters"]
    found = [f"The student has {counts['student']:,} parameters, its teacher {said['teacher']} {counts['teacher']:,}.",
             *filter(None, [removed_sentence(said["removed"])]), *drop_sentences(said)]
    for sentence in found:
        say(sentence)
    return found
