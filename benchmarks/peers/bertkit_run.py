"""Fine-tune and predict with bertkit as its classification recipe does; prints one JSON line of measurements.

Length-bucketed batches, AdamW with decay 0.01 (none on biases and LayerNorm), clipping at global norm 1.0, linear
warm-up over 10 % of the steps and linear decay, the checkpoint's dropout; with --bfloat16 under Keras' mixed policy.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import measure  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras_timing import Timing  # noqa: E402

from bertkit import memory  # noqa: E402
from bertkit.checkpoints import load  # noqa: E402
from bertkit.data.features import featurize  # noqa: E402
from bertkit.data.pipeline import BatchSampler, batches_by_length  # noqa: E402
from bertkit.heads import Classifier  # noqa: E402
from bertkit.text import Tokenizer  # noqa: E402
from bertkit.training.optimizer import adamw  # noqa: E402
from bertkit.training.scoring import outputs  # noqa: E402


def features(tokenizer, path, limit, length):
    """Return the Features of a GLUE/SST-2 file."""
    sentences, labels = measure.read_rows(path, limit)
    return featurize(tokenizer, sentences, None, length, np.array(labels, "int32"))


def train(model, sampler, flags):
    """Fit for all steps; return the throughput after the warm-up."""
    steps, clock = measure.total_steps(flags, len(sampler.features)), measure.Clock()
    model.compile(adamw(flags.learning_rate, steps), loss=model.loss_function())
    model.fit(sampler.dataset(), steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[Timing(clock)])
    masks = [sampler.batch(step)[0]["padding_mask"] for step in range(measure.WARM_UP_STEPS, steps)]
    return measure.throughput(clock, sum(len(mask) for mask in masks), sum(int(mask.sum()) for mask in masks),
                              sum(mask.size for mask in masks))


def predict(model, dev):
    """Return the throughput over the dev rows, met once before, and the accuracy."""
    outputs(model, dev)
    with measure.Clock() as clock:
        found = np.stack(outputs(model, dev))
    computed = sum(inputs["padding_mask"].size for _, inputs in batches_by_length(dev, 32))
    return (measure.throughput(clock, len(dev), int(dev.lengths.sum()), computed),
            float((found.argmax(axis=1) == dev.labels).mean()))


def main():
    """Run, and print the line."""
    flags = measure.arguments(__doc__.splitlines()[0], bfloat16="train under the mixed_bfloat16 policy")
    memory.keep_freed_memory()                               # as every command does
    threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(flags.seed)
    keras.config.set_dtype_policy("mixed_bfloat16" if flags.bfloat16 else "float32")
    tokenizer = Tokenizer.load(flags.model)
    rows = features(tokenizer, flags.train, flags.limit, flags.length)
    dev = features(tokenizer, flags.dev, flags.dev_limit, flags.length)
    model = Classifier(load(flags.model, part="encoder"), ["0", "1"])
    trained = train(model, BatchSampler(rows, flags.batch_size, flags.seed), flags)
    predicted, accuracy = predict(model, dev)
    measure.report("bertkit", flags, train=trained, predict=predicted, accuracy=accuracy,
                   versions={"tensorflow": tf.__version__, "keras": keras.__version__})


if __name__ == "__main__":
    main()
