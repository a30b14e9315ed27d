"""bertkit: from raw text to a phone, with Keras 3 on TensorFlow.

    import bertkit
    model = bertkit.load("hf://google-bert/bert-base-uncased")
    tokenizer = bertkit.Tokenizer.load("hf://google-bert/bert-base-uncased")

Everything is imported when it is first asked for, so that `import bertkit` itself costs nothing.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

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
    "compress": None,
    "data": None,
    "doctor": None,
    "inspection": None,
    "metrics": None,
    "objectives": None,
    "ondevice": None,
    "sklearn": None,
    "tasks": None,
    "layers": None,
}
# The same, with their types, for editors and type checkers, which do not run `__getattr__`.
if TYPE_CHECKING:
    from bertkit import compress as compress
    from bertkit import data as data
    from bertkit import doctor as doctor
    from bertkit import inspection as inspection
    from bertkit import layers as layers
    from bertkit import metrics as metrics
    from bertkit import objectives as objectives
    from bertkit import ondevice as ondevice
    from bertkit import sklearn as sklearn
    from bertkit import tasks as tasks
    from bertkit.checkpoints import load as load
    from bertkit.checkpoints.convert import convert as convert
    from bertkit.checkpoints.save import save as save
    from bertkit.config import EncoderConfig as EncoderConfig
    from bertkit.cost import cost as _cost
    from bertkit.encoder import Encoder as Encoder
    from bertkit.export import export as _export
    from bertkit.extraction import features as features
    from bertkit.face import callable_as
    from bertkit.heads import Classifier as Classifier
    from bertkit.heads import MultipleChoice as MultipleChoice
    from bertkit.heads import QuestionAnswering as QuestionAnswering
    from bertkit.heads import SentenceEmbedder as SentenceEmbedder
    from bertkit.heads import TokenClassifier as TokenClassifier
    from bertkit.predictor import Predictor as Predictor
    from bertkit.text import Tokenizer as Tokenizer
    cost, export = callable_as("bertkit.cost", _cost), callable_as("bertkit.export", _export)

# Importing these registers every layer, model, loss, optimizer and schedule with Keras, so that
# `keras.saving.load_model` knows them after any import of a model's name.
_REGISTERING = ("bertkit.heads", "bertkit.training.contrastive", "bertkit.training.lamb", "bertkit.training.losses")
__all__ = ["Error", "__version__"]
__all__ += _HOMES


def _imported(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bertkit' has no attribute {name!r}")
    if _HOMES[name] in ("bertkit.encoder", "bertkit.heads", "bertkit.checkpoints"):
        for module in _REGISTERING:
            importlib.import_module(module)
    home = importlib.import_module(_HOMES[name] or f"bertkit.{name}")
    value = getattr(home, name) if _HOMES[name] else home
    globals()[name] = value
    return value


if not TYPE_CHECKING:       # a checker takes a module with this to have every name
    __getattr__ = _imported


def __dir__() -> list[str]:
    return sorted(__all__)
