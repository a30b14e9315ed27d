"""What an encoder can be pre-trained on; each objective is one file, and `Pretrainer` combines them."""

from bertkit.objectives.mlm import MLM
from bertkit.objectives.pretrainer import Pretrainer

__all__ = ["MLM", "Pretrainer"]
