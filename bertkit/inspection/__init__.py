"""Look inside a model: why an answer, two models side by side, tests of behaviour, how it treats groups of people."""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

_HOMES = {"MaskedModel": "masked", "Swaps": "swaps", "attention": "heads", "attributions": "attribution",
          "augment": "mitigation", "behave": "behaviour", "bias": "groups", "compare": "comparison",
          "cka": "similarity", "crows_pairs": "stereotypes", "erase_groups": "mitigation",
          "examine_layers": "layers", "explain": "explanation", "influence": "influences", "leace": "mitigation",
          "look": "views", "make_cases": "perturbations", "probe": "probing", "read_cases": "cases",
          "read_swaps": "swaps", "weat": "word_lists"}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.inspection.attribution import attributions as attributions
    from bertkit.inspection.behaviour import behave as behave
    from bertkit.inspection.cases import read_cases as read_cases
    from bertkit.inspection.comparison import compare as compare
    from bertkit.inspection.explanation import explain as explain
    from bertkit.inspection.groups import bias as bias
    from bertkit.inspection.heads import attention as attention
    from bertkit.inspection.influences import influence as influence
    from bertkit.inspection.layers import examine_layers as examine_layers
    from bertkit.inspection.masked import MaskedModel as MaskedModel
    from bertkit.inspection.mitigation import augment as augment
    from bertkit.inspection.mitigation import erase_groups as erase_groups
    from bertkit.inspection.mitigation import leace as leace
    from bertkit.inspection.perturbations import make_cases as make_cases
    from bertkit.inspection.probing import probe as probe
    from bertkit.inspection.similarity import cka as cka
    from bertkit.inspection.stereotypes import crows_pairs as crows_pairs
    from bertkit.inspection.swaps import Swaps as Swaps
    from bertkit.inspection.swaps import read_swaps as read_swaps
    from bertkit.inspection.views import look as look
    from bertkit.inspection.word_lists import weat as weat
else:
    __getattr__ = on_demand(__name__, _HOMES)
