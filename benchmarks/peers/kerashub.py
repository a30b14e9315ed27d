"""Fine-tune and predict with KerasHub's BertTextClassifier; prints one JSON line of measurements.

`fit` and `predict` on arrays that its preprocessor padded to a fixed length, ahead of the clock;
compiled as Keras decides (no XLA on a CPU).  Keras' AdamW with decay 0.01 (none on biases and
LayerNorm), clipping at global norm 1.0, linear warm-up over 10 % of the steps and linear decay;
dropout as its defaults.
"""

import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import keras_hub  # noqa: E402
import measure  # noqa: E402
import numpy as np  # noqa: E402
from keras_timing import Timing  # noqa: E402


class WarmUpDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear from 0 to `peak` over the first tenth of `steps`, then linear to 0."""

    def __init__(self, peak, steps):
        self.peak, self.steps, self.warm_up = peak, steps, max(1, -(-steps // 10))

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        down = (self.steps - step) / max(1, self.steps - self.warm_up)
        return self.peak * keras.ops.minimum(step / self.warm_up, down)


def classifier(flags, steps):
    """Return the compiled model, which takes arrays and not strings."""
    model = keras_hub.models.BertTextClassifier.from_preset(
        str(flags.model), num_classes=2, preprocessor=None)
    optimizer = keras.optimizers.AdamW(
        WarmUpDecay(flags.learning_rate, steps), weight_decay=0.01, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=[], jit_compile=flags.jit or "auto")
    return model


def features(preprocessor, path, limit):
    """Return (inputs, labels) as arrays."""
    sentences, labels = measure.read_rows(path, limit)
    inputs = {name: np.asarray(array) for name, array in preprocessor(sentences).items()}
    return inputs, np.array(labels, "int32")


def measurements(clock, mask):
    """Return the throughput on rows with this padding mask [rows, length]."""
    return measure.throughput(clock, len(mask), int(mask.sum()), mask.size)


def row_order(flags, rows):
    """Return which row comes when; epochs follow each other without a partial batch between."""
    random = np.random.default_rng(flags.seed)
    order = np.concatenate([random.permutation(rows) for _ in range(flags.epochs)])
    return order[:measure.total_steps(flags, rows) * flags.batch_size]


def train(model, inputs, labels, order, flags):
    """Fit the rows in this order and return the measurements of those behind the warm-up."""
    clock = measure.Clock()
    model.fit({name: array[order] for name, array in inputs.items()}, labels[order],
              batch_size=flags.batch_size, shuffle=False, verbose=0, callbacks=[Timing(clock)])
    timed = order[measure.WARM_UP_STEPS * flags.batch_size:]
    return measurements(clock, inputs["padding_mask"][timed])


def predict(model, inputs, labels, flags):
    """Return (accuracy, measurements); the warm-up meets a full batch and the last, partial one."""
    warm_up = flags.batch_size + len(labels) % flags.batch_size
    model.predict({name: array[:warm_up] for name, array in inputs.items()},
                  batch_size=flags.batch_size, verbose=0)
    with measure.Clock() as clock:
        logits = model.predict(inputs, batch_size=flags.batch_size, verbose=0)
    return float(np.mean(logits.argmax(-1) == labels)), measurements(clock, inputs["padding_mask"])


def main():
    """Train, predict, print."""
    flags = measure.arguments(
        __doc__.splitlines()[0], jit="compile with XLA, which Keras does not choose on a CPU")
    keras.utils.set_random_seed(flags.seed)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor.from_preset(
        str(flags.model), sequence_length=flags.length)
    inputs, labels = features(preprocessor, flags.train, flags.limit)
    order = row_order(flags, len(labels))
    model = classifier(flags, math.ceil(len(order) / flags.batch_size))
    training = train(model, inputs, labels, order, flags)
    accuracy, prediction = predict(
        model, *features(preprocessor, flags.dev, flags.dev_limit), flags)
    versions = {"keras": keras.__version__, "keras_hub": keras_hub.__version__,
                "backend": keras.backend.backend(), "dropout": model.backbone.dropout}
    measure.report("KerasHub", flags, train=training, predict=prediction, accuracy=accuracy,
                   versions=versions)


if __name__ == "__main__":
    main()
