"""Look inside a model: two models side by side, tests of behaviour, what groups of people it treats differently."""

from typing import TYPE_CHECKING

from bertkit.face import on_demand

_HOMES = {"compare": "comparison"}
__all__ = sorted(_HOMES)
if TYPE_CHECKING:
    from bertkit.inspection.comparison import compare as compare
else:
    __getattr__ = on_demand(__name__, _HOMES)
