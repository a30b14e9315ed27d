"""A bundle, or the file exported from it, that answers: behind `predict`, `evaluate` and export's proof."""

from pathlib import Path

from bertkit import checkpoints, ondevice
from bertkit.checkpoints import bundle
from bertkit.data.columns import Columns
from bertkit.data.features import Padding, features_of, pack
from bertkit.data.labelled import read_labelled
from bertkit.data.splits import EvalSplit
from bertkit.errors import Error
from bertkit.training.scoring import outputs, predictions


class Predictor:
    """Answers of a fine-tuned bundle; with `tflite`, of that exported file instead.

    `task` says what answers mean (see `ondevice.task`), `length` to how many tokens rows are cut.
    Raises `Error` if `folder` is no bundle of a task, or the file is another's.

    >>> Predictor("sentiment").predict(["a wonderful film"])        # doctest: +SKIP
    [{'label': '1', 'probabilities': {'0': 0.02, '1': 0.98}}]
    """

    def __init__(self, folder, tflite=None):
        values = bundle.read(folder)
        self.task, self.length, self.device = bundle.task(values), values["length"], None
        if tflite is None:
            self.tokenizer = bundle.tokenizer(folder, values)
            self.model = checkpoints.load(folder)
            return
        self.device = ondevice.load(Path(tflite).parent, model=Path(tflite).name)
        self.tokenizer, self.length = self.device.tokenizer, self.device.length
        if self.device.task != self.task:
            raise Error(f"{tflite} was exported from another bundle: its task is {self.device.task}.")

    def outputs(self, rows):
        """Return what the model or the file gives for each of [(token ids, segment ids), ...] (see `Task.outputs`)."""
        if self.device is not None:
            return self.device.outputs(rows)
        return [self.task.outputs(raw) for raw in outputs(self.model, pack(rows, Padding.of(self.tokenizer)))]

    def predictions(self, inputs):
        """Return the task's prediction of each input."""
        packed = self.task.pack(self.tokenizer, inputs, self.length)
        if self.device is not None:
            return self.task.predictions(self.device.outputs(packed.rows), packed)
        return predictions(self.model, self.task, EvalSplit(inputs, None, packed, features_of(packed, self.tokenizer)))

    def predict(self, inputs):
        """Return the answers to texts, or to tuples of texts: one dict an input."""
        inputs = self.task.checked(inputs)
        return self.task.answers(inputs, self.predictions(inputs)) if inputs else []

    def evaluate(self, path, columns=Columns(), intervals=False, **reading):
        """Return the task's official metrics on a labelled file, and its rows; `reading` as in `read_labelled`."""
        labelled = read_labelled(self.task, path, columns, **reading)
        score = self.task.intervals if intervals else self.task.scores
        return {**score(labelled.targets, self.predictions(labelled.inputs)), "rows": len(labelled)}
