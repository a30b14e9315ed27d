"""A classifier of texts for scikit-learn: Pipeline, cross_val_score, GridSearchCV."""

import random
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertkit.errors import Error

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d
except ImportError:
    raise Error("bertkit.sklearn needs scikit-learn; install the package scikit-learn.") from None

import keras
import numpy as np

from bertkit.checkpoints import DEFAULT, load
from bertkit.checkpoints.save import save
from bertkit.data.features import check_fit
from bertkit.data.in_memory import dataset, py_dataset
from bertkit.heads import Classifier
from bertkit.predictor import Predictor
from bertkit.text import Tokenizer
from bertkit.training.adapt import optimizer
from bertkit.training.config import TrainConfig
from bertkit.training.progress import check_loss
from bertkit.training.run import check_rate_and_seed

# The defaults of TextClassifier: they suit few rows and the small encoder that comes along.
EPOCHS, BATCH_SIZE, LEARNING_RATE = 8, 16, 2e-4


class TextClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of texts, or of pairs of texts, that fine-tunes an encoder in `fit`.

    Args:
        model: The checkpoint that each `fit` begins with: whatever `bertkit.load` takes.
        epochs: Passes over the training rows.
        batch_size: Rows in a step.
        learning_rate: The highest rate, after the warm-up; it then goes down to 0.
        length: Tokens that a text is cut to, special tokens included, but no more than the encoder has positions.
        seed: Of the head's first weights, the order of rows and dropout.

    Attributes:
        classes_: The classes, sorted, [C].
        model_: The fitted `bertkit.Classifier`; `bertkit.save(clf.model_, FOLDER, clf.tokenizer_)` writes a bundle.
        tokenizer_: Its tokenizer.

    >>> from sklearn.base import clone
    >>> clone(TextClassifier(epochs=2)).get_params()["epochs"]
    2
    """

    def __init__(self, model: str = DEFAULT, epochs: int = EPOCHS, batch_size: int = BATCH_SIZE,
                 learning_rate: float = LEARNING_RATE, length: int = 128, seed: int = 0) -> None:
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.length = length
        self.seed = seed

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "TextClassifier":
        """Fine-tune the checkpoint on texts and their classes; an earlier fit is forgotten.

        Args:
            X: A list of strings or of pairs of strings; an array [B] or [B,2], a column of pandas, or a frame of two
                columns.
            y: A class for each text, of any type that can be sorted.
            sample_weight: How much each text counts, by default 1.

        Returns:
            The classifier itself.

        Raises:
            Error: If texts and classes differ in number or are not what is wanted, there is one class only, a parameter
                trains nothing, or the loss is no number any more.
        """
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            found = f"the one class {classes[0]}" if len(classes) else "no class"
            raise Error(f"y holds {found}; give rows of two classes or more.")
        if self.epochs < 1:
            raise Error(f"epochs={self.epochs} trains nothing; give 1 or more.")
        check_rate_and_seed(self.learning_rate, self.seed)
        with _seeded(self.seed):
            model, tokenizer, length = self._fresh(list(map(str, classes)))
            make = dataset if keras.backend.backend() == "tensorflow" else py_dataset
            rows = make(X, labels, tokenizer, self.batch_size, length, self.seed, sample_weight=sample_weight)
            steps = self.epochs * len(rows)
            model.compile(optimizer(model, self.learning_rate, steps, len(rows), TrainConfig()), model.loss_function())
            history = model.fit(rows, epochs=self.epochs, shuffle=False, verbose=0).history
        check_loss(history["loss"][-1], "after the last epoch")
        self.model_, self.tokenizer_, self.length_, self.classes_ = model, tokenizer, length, classes
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for each text.

        Args:
            X: Texts, as in `fit`.

        Returns:
            float32 [B,C], in the order of `classes_`.

        Raises:
            NotFittedError: If `fit` was not called.
        """
        check_is_fitted(self)
        predictor = Predictor(self.model_, self.tokenizer_, self.length_)
        found = predictor.predictions(predictor.task.check_inputs(X))
        return np.stack(found) if found else np.zeros((0, len(self.classes_)), "float32")

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each text.

        Args:
            X: Texts, as in `fit`.

        Returns:
            Classes [B], of the dtype that `fit` was given.

        Raises:
            NotFittedError: If `fit` was not called.
        """
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def __getstate__(self):
        """Return the state with the fitted model as the files of a bundle."""
        state = dict(super().__getstate__())
        if "model_" in state:
            with tempfile.TemporaryDirectory() as place:
                save(state.pop("model_"), Path(place) / "model", state.pop("tokenizer_"), self.length_)
                state["files_"] = {path.name: path.read_bytes() for path in (Path(place) / "model").iterdir()}
        return state

    def __setstate__(self, state):
        state = dict(state)
        files = state.pop("files_", {})
        super().__setstate__(state)
        with tempfile.TemporaryDirectory() as place:
            for name, content in files.items():
                (Path(place) / name).write_bytes(content)
            if files:
                self.model_, self.tokenizer_ = load(place), Tokenizer.load(place)

    def _fresh(self, names):
        """Return a new classifier on the checkpoint, its tokenizer, and the tokens that rows are cut to."""
        encoder, tokenizer = load(self.model, part="encoder"), Tokenizer.load(self.model)
        length = min(self.length, encoder.config.max_length or self.length)
        check_fit(tokenizer, encoder.config, length)
        return Classifier(encoder, names), tokenizer, length


@contextmanager
def _seeded(seed):
    """Fix every random draw; Python's and numpy's own draws go on afterwards as if there had been none."""
    states = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
