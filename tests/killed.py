"""A run that is killed right after it wrote its state, and whether what went on from there is the same."""

import numpy as np
import pytest

from bertkit import checkpoints
from bertkit.training.resume import Resume


def kill_after_a_save(monkeypatch, run):
    """Call `run()`, and end it as Ctrl-C does once its first state is written."""
    save = Resume.save

    def stop(self, done):
        save(self, done)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Resume, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            run()


def same_weights(folder, other):
    """Fail unless two bundles hold the same weights to the bit."""
    for one, two in zip(checkpoints.load(folder).weights, checkpoints.load(other).weights, strict=True):
        np.testing.assert_array_equal(one, two)
