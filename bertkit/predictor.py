"""A bundle, or the file exported from it, that answers texts: behind `predict`, `evaluate` and export's proof."""

from pathlib import Path

from bertkit import checkpoints, ondevice
from bertkit.checkpoints import bundle
from bertkit.data.features import featurize
from bertkit.data.readers import label_indices, read_examples
from bertkit.errors import Error
from bertkit.ondevice.tasks import task
from bertkit.training.scoring import logits


class Predictor:
    """Answers of a fine-tuned bundle; with `tflite`, of that exported file instead.

    `task` says what answers mean (see `ondevice.tasks`), `pairs` whether a row is two texts.
    Raises `Error` if `folder` is no bundle of a task, or the file's labels are not the bundle's.

    >>> Predictor("sentiment").predict(["a wonderful film"])        # doctest: +SKIP
    [{'label': '1', 'probabilities': {'0': 0.02, '1': 0.98}}]
    """

    def __init__(self, folder, tflite=None):
        values = bundle.read(folder)
        self.task, self.pairs = task(bundle.facts(values)), values["pairs"]
        self.length = values["length"]
        if len(self.task.labels) < 2 and not self.task.multi_label:
            raise Error(f"{folder} gives one number a text (a regression), which this version of bertkit does not "
                        "score yet; bertkit.load gives the model itself.")
        if tflite is None:
            self.device = None
            self.tokenizer = bundle.tokenizer(folder, values)
            self.model = checkpoints.load(folder)
        else:
            self.device = ondevice.load(Path(tflite).parent, model=Path(tflite).name)
            if self.device.task != self.task:
                raise Error(f"{tflite} was exported from another bundle: its labels are "
                            f"{', '.join(self.device.task.labels)}.")

    def probabilities(self, first, second=None):
        """Return the probabilities of texts, or of pairs, [rows, C] float32."""
        if (second is not None) != self.pairs:
            raise Error("This model reads pairs; give a second text to each." if self.pairs else
                        "This model reads single texts; a second one came with each.")
        if self.device is not None:
            return self.device.probabilities(first, second)
        features = featurize(self.tokenizer, first, second, self.length)
        return self.task.probabilities(logits(self.model, features))

    def predict(self, first, second=None):
        """Return the answers, one dict a row (see `ondevice.tasks`)."""
        return self.task.answers(self.probabilities(first, second)) if len(first) else []

    def evaluate(self, path, columns, intervals=False, separator="|"):
        """Return the task's official metrics on a labelled file, as fractions; `separator` parts several labels."""
        examples = read_examples(path, text=columns.text, second=columns.second, label=columns.label,
                                 separator=separator if self.task.multi_label else None)
        if isinstance(examples.labels[0], list) != self.task.multi_label:
            raise Error(f"{path} has lists of labels; this model gives each text one.")
        targets = label_indices(examples, self.task.labels)
        probabilities = self.probabilities(examples.first, examples.second)
        score = self.task.intervals if intervals else self.task.scores
        return {**score(targets, probabilities), "rows": len(examples)}
