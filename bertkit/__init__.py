"""bertkit: from raw text to a phone, with Keras 3 on TensorFlow.

    import bertkit
    model = bertkit.load("hf://google-bert/bert-base-uncased")
    tokenizer = bertkit.Tokenizer.load("hf://google-bert/bert-base-uncased")

Everything is imported when it is first asked for, so that `import bertkit` itself costs nothing.
"""

import importlib
import sys

from bertkit.errors import Error
from bertkit.terminal import QuietTensorFlow
from bertkit.version import VERSION as __version__

sys.meta_path.insert(0, QuietTensorFlow())

_HOMES = {
    "load": "bertkit.checkpoints",
    "save": "bertkit.checkpoints.save",
    "convert": "bertkit.checkpoints.convert",
    "Tokenizer": "bertkit.text",
    "Encoder": "bertkit.encoder",
    "EncoderConfig": "bertkit.config",
    "Classifier": "bertkit.heads",
    "TokenClassifier": "bertkit.heads",
    "QuestionAnswering": "bertkit.heads",
    "MultipleChoice": "bertkit.heads",
    "SentenceEmbedder": "bertkit.heads",
    "Predictor": "bertkit.predictor",
    "features": "bertkit.extraction",
    # whole rooms; the first two can be called
    "cost": None,
    "export": None,
    "data": None,
    "metrics": None,
    "objectives": None,
    "ondevice": None,
    "sklearn": None,
    "tasks": None,
    "layers": None,
}
# Importing these registers every layer, model, loss, optimizer and schedule with Keras, so that
# `keras.saving.load_model` knows them after any import of a model's name.
_REGISTERING = ("bertkit.heads", "bertkit.training.contrastive", "bertkit.training.lamb", "bertkit.training.losses")
__all__ = ["Error", "__version__"]
__all__ += _HOMES


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'bertkit' has no attribute {name!r}")
    if _HOMES[name] in ("bertkit.encoder", "bertkit.heads", "bertkit.checkpoints"):
        for module in _REGISTERING:
            importlib.import_module(module)
    home = importlib.import_module(_HOMES[name] or f"bertkit.{name}")
    value = getattr(home, name) if _HOMES[name] else home
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
