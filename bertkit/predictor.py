"""A model that answers, of a bundle, in memory or exported: behind `predict`, `evaluate` and export's proof.

An exported file answers without TensorFlow and Keras, which take seconds to start: what needs them, and what reads
files of rows, is imported where it is used.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bertkit import ondevice
from bertkit.checkpoints import metadata
from bertkit.data.columns import Columns
from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.files.bounded import as_path
from bertkit.files.schema import Choice, Whole, check_argument
from bertkit.tasks.columns import to_list
from bertkit.terminal import with_progress
from bertkit.text import Tokenizer

if TYPE_CHECKING:
    from bertkit.checkpoints.familiarity import Familiarity
    from bertkit.data.frames import Data
    from bertkit.data.unlabelled import Rows
    from bertkit.encoder import Encoder
    from bertkit.heads.task_model import TaskModel

# Inputs that are packed and computed together; more take no more memory than these.
CHUNK = 1024
PRECISIONS = ("float32", "bfloat16", "auto")


class Predictor:
    """The answers of a fine-tuned model to texts.

    Args:
        source: The folder of a bundle, or a head of bertkit's in memory, which answers with the weights that it has
            when it is asked.
        tokenizer: The tokenizer of a model in memory; a bundle has its own.
        length: Tokens that rows of a model in memory are cut to, by default as many as its encoder has positions.
        tflite: A .tflite file that was exported from the bundle, to answer in the model's place.
        precision: What a bundle's model computes in: "float32", "bfloat16" (products in bfloat16, sums in float32), or
            "auto" for the faster of the two on this machine, which is measured once, in a second or two, and kept in
            the user's cache. A model in memory and a .tflite file compute in their own.
        frozen: Whether a bundle's weights become constants of one graph, for encoders of BERT's kind. That takes
            seconds (6 for MiniLM), and then single texts are answered 1.3 times as fast, batches hardly faster; `model`
            must not change.

    Raises:
        Error: If the folder is no bundle of a task, the model is not one of bertkit's or has no task, a model in memory
            comes without a tokenizer or with one that does not fit, the .tflite file is of another bundle, or `frozen`
            is asked of a model that cannot be.

    `task` says what answers mean (see `tasks.task`), `version` which model it is: its folder's name and the beginning
    of the checksum of its bundle.json, or of the .tflite file; `precision` is what the model of a bundle computes in.

    >>> from bertkit import Classifier, Tokenizer, load
    >>> model = Classifier(load("bertkit://english", part="encoder"), ["no", "yes"])
    >>> answer, = Predictor(model, Tokenizer.load("bertkit://english")).predict(["a wonderful film"])
    >>> sorted(answer)
    ['label', 'probabilities']
    """

    def __init__(self, source: "str | Path | Encoder | TaskModel", tokenizer: Tokenizer | None = None,
                 length: int | None = None, tflite: str | Path | None = None,
                 precision: Literal["float32", "bfloat16", "auto"] = "float32", frozen: bool = False) -> None:
        check_argument("precision", precision, Choice(*PRECISIONS))
        if (precision != "float32" or frozen) and (tflite is not None or not isinstance(source, str | Path)):
            raise Error(f"{'frozen' if frozen else 'precision'} is for the model of a bundle, and "
                        f"{'a .tflite file' if tflite is not None else 'a model in memory'} computes as it is; leave "
                        "it out.")
        self.precision = precision
        self._compute: Callable[[dict[str, Any]], Any] | None = None
        self.device: ondevice.DeviceModel | None = None
        self.familiarity: Familiarity | None = None
        if isinstance(source, str | Path):
            source = as_path(source, "the folder of a bundle")
        if not isinstance(source, Path):
            self._hold(source, tokenizer, length)
        elif tokenizer is not None or length is not None:
            raise Error(f"{source} is a bundle, which keeps its own tokenizer and length; leave these out.")
        else:
            self._open(source, frozen) if tflite is None else self._describe(source)
        if tflite is not None:
            self._answer_by(tflite)

    def _describe(self, folder):
        self.task = metadata.task(metadata.read(folder))

    def _open(self, folder, frozen):
        from bertkit.checkpoints import bundle
        from bertkit.checkpoints.familiarity import read_familiarity
        from bertkit.config import EncoderConfig
        from bertkit.data.features import check_fit
        from bertkit.heads.vectors import HeadVectors
        from bertkit.training.inference import frozen_inference
        from bertkit.training.precision import fastest
        from bertkit.training.precision import precision as computing
        values = bundle.read_metadata(folder)
        self.version = _version(folder, folder / "bundle.json")
        self.task, self.length = metadata.task(values), values["length"]
        self.tokenizer = bundle.tokenizer(folder, values)
        try:
            check_fit(self.tokenizer, EncoderConfig.from_json(values["config"]), self.length)
        except Error as error:
            raise Error(f"{folder}: {error}") from None
        self.precision = fastest() if self.precision == "auto" else self.precision
        with computing(self.precision):
            self.model = bundle.load(folder)
        self._compute = frozen_inference(self.model) if frozen else None
        self.familiarity = read_familiarity(folder)
        self._vectors = HeadVectors(self.model) if self.familiarity is not None else None

    def _hold(self, model, tokenizer, length):
        from bertkit.checkpoints import bundle
        from bertkit.checkpoints.save import check_model, row_length
        from bertkit.encoder import Encoder
        check_model(model)
        if tokenizer is None:
            raise Error("A model in memory has no tokenizer of its own; give it beside the model: Predictor(model, "
                        "bertkit.Tokenizer.load(PATH)).")
        config = model.config if isinstance(model, Encoder) else model.encoder.config
        self.task = metadata.task({"task": None, "model": bundle.describe(model), "config": config.to_json()})
        self.model, self.tokenizer, self.length = model, tokenizer, row_length(length, tokenizer, config)
        self.version = f"{type(model).__name__} in memory"

    def _answer_by(self, tflite):
        self.device = ondevice.load(Path(tflite).parent, model=Path(tflite).name)
        self.tokenizer, self.length = self.device.tokenizer, self.device.length
        if self.device.task != self.task:
            raise Error(f"{tflite} was exported from another bundle: its task is {self.device.task}.")
        self.version = _version(Path(tflite), Path(tflite))

    def outputs(self, rows: list, batch_size: int = 32) -> list[Any]:
        """Return what the model or the file gives for rows of token ids (see `Task.outputs`).

        Args:
            rows: (token ids, segment ids) of each row, special tokens included.
            batch_size: Rows that are computed together.

        Returns:
            One output for each row, in their order.

        Raises:
            Error: When the model gives NaN.
        """
        if self.device is not None:
            return self.device.outputs(rows)
        from bertkit.data.features import Padding, pack
        return self._computed(pack(rows, Padding.of(self.tokenizer)), batch_size)

    def predictions(self, inputs: Any, batch_size: int = 32) -> list[Any]:
        """Return the task's prediction of each input, in the task's own form.

        Args:
            inputs: A list of texts, or of tuples of texts where the task reads several.
            batch_size: Rows that are computed together.

        Returns:
            One prediction for each input, in their order.

        Raises:
            Error: When one string came in place of a list, or `batch_size` is below 1.
        """
        inputs = to_list(inputs, "inputs")
        check_argument("batch_size", batch_size, Whole(1))
        chunks = (inputs[start:start + CHUNK] for start in range(0, len(inputs), CHUNK))
        return [prediction for chunk in with_progress(chunks, len(inputs), "answered")
                for prediction in self._predicted(chunk, batch_size)]

    def predict(self, inputs: list, batch_size: int = 32) -> list[dict]:
        """Return the answer to each input, as `bertkit predict` gives it.

        Long work says on standard error how far it is.

        Args:
            inputs: A list of texts, or of tuples of texts where the task reads several; an array [B] or [B,texts] or
                a column of pandas. A model whose task was never told takes texts and pairs of texts.
            batch_size: Rows that are computed together.

        Returns:
            One dict an input, in their order.

        Raises:
            Error: If one string came in place of a list, or an input is not what the task reads.
        """
        inputs = self.task.check_inputs(inputs)
        return self.answers(inputs, self.predictions(inputs, batch_size)) if inputs else []

    def answers(self, inputs: list, predictions: list, batch_size: int = 32) -> list[dict]:
        """Return the answers that predictions mean; with "familiarity" where the bundle was calibrated for it.

        Args:
            inputs: The inputs, as `Task.check_inputs` returns them.
            predictions: The prediction of each.
            batch_size: Rows that are computed together.

        Returns:
            One dict an input.
        """
        answers = self.task.answers(inputs, predictions)
        if self.familiarity is None or not inputs:
            return answers
        from bertkit.data.features import features_of
        from bertkit.training.scoring import outputs
        features = features_of(self.task.pack(self.tokenizer, inputs, self.length), self.tokenizer)
        scores = self.familiarity.scores(outputs(self._vectors, features, batch_size))
        return [{**answer, "familiarity": score} for answer, score in zip(answers, scores, strict=True)]

    def predict_rows(self, data: "Data", columns: Columns = Columns(), order: Literal["file", "uncertain"] = "file",
                     skip_bad_rows: bool = False) -> Any:
        """Return rows with the answer to each beside its columns, as `bertkit predict --data` writes them.

        Args:
            data: A file, or rows in memory: a frame of pandas, a list of dicts or of tuples; labels are not read.
            columns: Names of columns.
            order: "uncertain" puts the rows first that the model is least sure of (see `Task.certainty`).
            skip_bad_rows: Whether to leave rows out that cannot be used; how many is said.

        Returns:
            A frame of pandas with its columns and index where one came, else a list of dicts. An answer whose name is
            that of a column is called "predicted_" and its name.

        Raises:
            Error: When the rows cannot be read, or the task does not say how sure it is.
        """
        from bertkit.data.unlabelled import answered
        rows, predictions, order_of_rows = self.answer_file(data, columns, order, skip_bad_rows)
        made = answered(rows, self.answers(rows.inputs, predictions))
        frame: Any = data
        if not hasattr(frame, "iloc"):
            return made
        lost = {line for line, _ in rows.skipped}
        kept = [place for place in range(len(frame)) if place + 1 not in lost]
        names = [name for name in dict.fromkeys(name for row in made for name in row) if name not in rows.columns[0]]
        return frame.iloc[[kept[row] for row in order_of_rows]].assign(
            **{name: [row.get(name) for row in made] for name in names})

    def answer_file(self, data: "Data", columns: Columns = Columns(), order: Literal["file", "uncertain"] = "file",
                    skip_bad_rows: bool = False) -> "tuple[Rows, list[Any], list[int]]":
        """Read rows, say what was read, and answer them in the task's own form.

        Args:
            data: A file, or rows in memory.
            columns: Names of columns.
            order: As in `predict_rows`.
            skip_bad_rows: Whether to leave rows out that cannot be used.

        Returns:
            (the `unlabelled.Rows`, a prediction for each, the number of each among all that were read).

        Raises:
            Error: As `predict_rows` does.
        """
        from bertkit.data.inputs import print_skipped
        from bertkit.data.preannotated import least_certain_first
        from bertkit.data.summary import say_unlabelled
        from bertkit.data.unlabelled import read_rows
        rows = print_skipped(read_rows(self.task, data, columns, skip_bad_rows))
        say_unlabelled(rows)
        predictions = self.predictions(self.task.check_inputs(rows.inputs))
        if order == "file":
            return rows, predictions, list(range(len(rows)))
        numbers = least_certain_first(self.task, predictions)
        return rows.take(numbers), [predictions[row] for row in numbers], numbers

    def _predicted(self, inputs, batch_size):
        packed = self.task.pack(self.tokenizer, inputs, self.length)
        if self.device is not None:
            return self.task.predictions(self.device.outputs(packed.rows), packed)
        from bertkit.data.features import features_of
        return self.task.predictions(self._computed(features_of(packed, self.tokenizer), batch_size), packed)

    def _computed(self, features, batch_size):
        from bertkit.training.scoring import outputs
        found = outputs(self.model, features, batch_size, self._compute)
        if any(np.isnan(raw).any() for raw in found):
            raise Error("The model gives NaN, which is no answer: its numbers are too large for its precision; train "
                        "again with a lower learning rate.")
        return [self.task.outputs(raw) for raw in found]

    def evaluate(self, path: "Data", columns: Columns = Columns(), intervals: bool = False,
                 positive: str | None = None, report: str | Path | None = None, **reading: Any) -> dict[str, Any]:
        """Return the task's official metrics on a labelled file.

        Args:
            path: A file of labelled rows, in a form that the task's recipe reads; or rows in memory: a frame of pandas,
                a list of dicts, or of tuples (text, label).
            columns: Names of columns.
            intervals: Whether to give each metric with its 95 % bootstrap interval.
            positive: Of two classes, the one that F1 is of, by default as in training.
            report: A file to write a page of scores, confusion and mistakes to, or None.
            **reading: Further arguments of `read_labelled`.

        Returns:
            {metric: score, "rows": N}; with intervals {metric: {"score", "low", "high"}, "rows": N}.

        Raises:
            Error: When the file cannot be read or does not fit the task.
        """
        from bertkit.data.labelled import read_labelled
        labelled = read_labelled(self.task, path, columns, **reading)
        task = self.task if positive is None else self.task.with_positive(positive)
        score, found = task.intervals if intervals else task.scores, self.predictions(labelled.inputs)
        if report is not None:
            from bertkit.report import write_report
            write_report(report, self._page(labelled, task, found))
        return {**score(labelled.targets, found), "rows": len(labelled)}

    def _page(self, labelled, task, predictions):
        """Return the report of labelled rows: that of a run, without curves."""
        from bertkit.card import Card
        from bertkit.data.summary import described
        from bertkit.report import render_report
        from bertkit.report.partial_input import commonest
        name = Path(labelled.path).name
        card = Card(self.version, task.name, {}, data={name: described(task, labelled)},
                    scores={name: task.intervals(labelled.targets, predictions)})
        shown = {"inputs": labelled.inputs, "targets": labelled.targets, "predictions": predictions,
                 "texts": labelled.texts}
        sides = (labelled.inputs, labelled.targets)
        return render_report(card, task, shown, commonest=commonest(task, sides, sides))


def _version(named, file):
    return f"{os.path.basename(os.path.realpath(named))}-{sha256(file)[:8]}"
