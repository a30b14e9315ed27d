"""What happens around `fit()`: optimizer, schedule, losses, scores, progress, the best weights, resuming."""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

_HOMES = {"AdamW": "optimizer", "CrossEntropy": "losses", "LAMB": "lamb", "TrainingTensorBoard": "tensorboard",
          "WarmupLinear": "schedules",
          **dict.fromkeys(("CosineError", "InfoNCE", "Triplet"), "contrastive")}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.training.contrastive import CosineError as CosineError
    from bertkit.training.contrastive import InfoNCE as InfoNCE
    from bertkit.training.contrastive import Triplet as Triplet
    from bertkit.training.lamb import LAMB as LAMB
    from bertkit.training.losses import CrossEntropy as CrossEntropy
    from bertkit.training.optimizer import AdamW as AdamW
    from bertkit.training.schedules import WarmupLinear as WarmupLinear
    from bertkit.training.tensorboard import TrainingTensorBoard as TrainingTensorBoard
else:
    __getattr__ = on_demand(__name__, _HOMES)
