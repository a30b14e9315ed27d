"""The objectives that an encoder can be pre-trained on. Each is one file, and `Pretrainer` combines them."""

from bertkit.objectives.mlm import MLM
from bertkit.objectives.pairs import NSP, SOP
from bertkit.objectives.plm import PLM
from bertkit.objectives.pretrainer import Pretrainer
from bertkit.objectives.rtd import RTD
from bertkit.objectives.sbo import SBO

__all__ = ["MLM", "NSP", "SOP", "PLM", "RTD", "SBO", "Pretrainer"]
