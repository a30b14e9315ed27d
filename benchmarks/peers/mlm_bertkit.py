"""Pre-train with bertkit as `bertkit pretrain` does, from shards on the disk; prints one JSON line of measurements."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import mlm_measure as measure  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras_timing import Timing  # noqa: E402

from bertkit import memory  # noqa: E402
from bertkit.config import EncoderConfig  # noqa: E402
from bertkit.corpus import shards  # noqa: E402
from bertkit.corpus.make import fingerprint  # noqa: E402
from bertkit.corpus.sampler import CorpusSampler  # noqa: E402
from bertkit.corpus.segments import Segment  # noqa: E402
from bertkit.encoder import Encoder  # noqa: E402
from bertkit.objectives import MLM, Pretrainer  # noqa: E402
from bertkit.text import Tokenizer  # noqa: E402
from bertkit.training.optimizer import adamw  # noqa: E402


def corpus(flags, tokenizer, folder):
    """Write the rows' text as shards."""
    segments = (Segment(row[1:-1], np.array([len(row) - 2], "int32"), i) for i, row in enumerate(measure.rows(flags)))
    metadata = {"length": flags.length, "vocabulary": fingerprint(tokenizer), "text": []}
    shards.write_shards(folder, segments, lambda: metadata)
    return shards.Shards(folder)


def main():
    """Run, and print the line."""
    flags = measure.arguments(__doc__.splitlines()[0])
    memory.keep_freed_memory()                               # as every command does
    threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy("mixed_bfloat16" if flags.bfloat16 else "float32")
    tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
                           *(f"w{i}" for i in range(flags.vocabulary - 5))])
    encoder = Encoder(EncoderConfig(flags.vocabulary, flags.layers, flags.width // 64, flags.width, 4 * flags.width))
    model, clock, input_clock = Pretrainer(encoder, [MLM(tokenizer)]), measure.Clock(), measure.Clock()
    steps = flags.steps + measure.WARM_UP_STEPS
    with tempfile.TemporaryDirectory() as folder:
        sampler = CorpusSampler(corpus(flags, tokenizer, Path(folder)), tokenizer, flags.batch_size)
        model.compile(adamw(flags.learning_rate, steps))
        found = model.fit(model.dataset(sampler), steps_per_epoch=steps, verbose=0, shuffle=False,
                          callbacks=[Timing(clock)])
        with input_clock:
            for step in range(flags.steps):
                model.corrupt(sampler.batch(step))
    measure.report("bertkit", flags, clock, input_clock, found.history["loss"][-1],
                   {"tensorflow": tf.__version__, "keras": keras.__version__})


if __name__ == "__main__":
    main()
