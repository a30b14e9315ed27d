"""There and back: a bundle and a Hugging Face folder whose config.json names the class give the same model again."""

import numpy as np

from bertkit import checkpoints
from bertkit.card import Card
from bertkit.checkpoints import bundle, huggingface


def outputs(model, batch):
    found = model(batch)
    return {name: np.asarray(array) for name, array in (found if isinstance(found, dict) else {"": found}).items()}


def assert_comes_back(model, batch, folder):
    """Fail unless both copies have the model's class, config, settings and, bit for bit, its outputs."""
    bundle.save(folder / "bundle", model, None, Card("tiny", "none", bundle.describe(model)))
    (folder / "theirs").mkdir(parents=True)
    huggingface.save(folder / "theirs", model)
    for copy in (checkpoints.load(folder / "bundle"), checkpoints.load(folder / "theirs")):
        assert type(copy) is type(model) and copy.encoder.config == model.encoder.config
        assert copy.settings() == model.settings()
        for name, array in outputs(model, batch).items():
            np.testing.assert_array_equal(outputs(copy, batch)[name], array)
