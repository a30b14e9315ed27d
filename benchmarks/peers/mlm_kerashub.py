"""Pre-train KerasHub's BertMaskedLM with `fit`, its own dynamic masking; prints one JSON line of measurements.

Its MaskedLMMaskGenerator in tf.data, Keras' AdamW (no decay on biases and LayerNorm), linear warm-up and decay,
clipping at global norm 1.0; compiled as Keras decides.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import keras_hub  # noqa: E402
import mlm_measure as measure  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras_timing import Timing  # noqa: E402
from kerashub import WarmUpDecay  # noqa: E402


def dataset(flags):
    """Return the masked batches, endlessly."""
    slots = round(measure.RATE * flags.length)
    special = measure.SPECIAL
    mask = keras_hub.layers.MaskedLMMaskGenerator(
        vocabulary_size=flags.vocabulary, mask_selection_rate=measure.RATE, mask_selection_length=slots,
        mask_token_id=special["mask"], unselectable_token_ids=[special["pad"], special["cls"], special["sep"]])

    def corrupted(ids):
        found = mask(ids)
        inputs = {"token_ids": found["token_ids"], "padding_mask": tf.ones_like(ids), "segment_ids": tf.zeros_like(ids),
                  "mask_positions": found["mask_positions"]}
        return inputs, found["mask_ids"], found["mask_weights"]

    rows = tf.data.Dataset.from_tensor_slices(measure.rows(flags)).shuffle(10_000, seed=1).repeat()
    return rows.batch(flags.batch_size).map(corrupted, num_parallel_calls=1).prefetch(4)


def main():
    """Run, and print the line."""
    flags = measure.arguments(__doc__.splitlines()[0])
    threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0))
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy("mixed_bfloat16" if flags.bfloat16 else "float32")
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=flags.vocabulary, num_layers=flags.layers, num_heads=flags.width // 64,
        hidden_dim=flags.width, intermediate_dim=4 * flags.width, max_sequence_length=512)
    model, steps = keras_hub.models.BertMaskedLM(backbone), flags.steps + measure.WARM_UP_STEPS
    optimizer = keras.optimizers.AdamW(WarmUpDecay(flags.learning_rate, steps), weight_decay=0.01, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), weighted_metrics=[],
                  jit_compile="auto")
    clock, input_clock, data = measure.Clock(), measure.Clock(), dataset(flags)
    found = model.fit(data, steps_per_epoch=steps, verbose=0, callbacks=[Timing(clock)])
    with input_clock:
        for _ in data.take(flags.steps):
            pass
    measure.report("KerasHub", flags, clock, input_clock, found.history["loss"][-1], {
        "keras": keras.__version__, "keras_hub": keras_hub.__version__})


if __name__ == "__main__":
    main()
