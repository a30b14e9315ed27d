"""Smaller models out of a trained one: students, parts removed, integers that are trained for, weights made zero."""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

_HOMES = {"slim": "slimming", "distill": "distilling", "quantize": "quantizing", "Distillation": "distillation",
          "Progressive": "distillation",
          "TaughtRows": "teacher_answers", "Match": "matches", "augmented": "augmentation",
          "MaskedModel": "augmentation", "NearestWords": "augmentation", "MagnitudePruning": "sparsity",
          "keep_layers": "removal", "keep_parts": "removal", "keep_entries": "removal", "keep_features": "width",
          "gradient_importance": "importance", "activation_importance": "importance"}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.compress.augmentation import MaskedModel as MaskedModel
    from bertkit.compress.augmentation import NearestWords as NearestWords
    from bertkit.compress.augmentation import augmented as augmented
    from bertkit.compress.distillation import Distillation as Distillation
    from bertkit.compress.distillation import Progressive as Progressive
    from bertkit.compress.distilling import distill as distill
    from bertkit.compress.importance import activation_importance as activation_importance
    from bertkit.compress.importance import gradient_importance as gradient_importance
    from bertkit.compress.matches import Match as Match
    from bertkit.compress.quantizing import quantize as quantize
    from bertkit.compress.removal import keep_entries as keep_entries
    from bertkit.compress.removal import keep_layers as keep_layers
    from bertkit.compress.removal import keep_parts as keep_parts
    from bertkit.compress.slimming import slim as slim
    from bertkit.compress.sparsity import MagnitudePruning as MagnitudePruning
    from bertkit.compress.teacher_answers import TaughtRows as TaughtRows
    from bertkit.compress.width import keep_features as keep_features
else:
    __getattr__ = on_demand(__name__, _HOMES)
