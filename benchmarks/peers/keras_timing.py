"""The clock of a Keras `fit()`, for all peers that train so; import it after the backend is chosen."""

import keras
import measure


class Timing(keras.callbacks.Callback):
    """Runs `clock` from the end of the warm-up steps to the end of training."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.steps = clock, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == measure.WARM_UP_STEPS:
            self.clock.start()

    def on_train_end(self, logs=None):
        self.clock.stop()
