"""Look inside a model: two models side by side, tests of behaviour, what groups of people it treats differently."""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

_HOMES = {"behave": "behaviour", "compare": "comparison", "make_cases": "perturbations", "read_cases": "cases"}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.inspection.behaviour import behave as behave
    from bertkit.inspection.cases import read_cases as read_cases
    from bertkit.inspection.comparison import compare as compare
    from bertkit.inspection.perturbations import make_cases as make_cases
else:
    __getattr__ = on_demand(__name__, _HOMES)
