"""People judge texts: a sheet that hides which system wrote what, and how far those who filled it agree."""

from bertkit.annotation.ratings import agreement
from bertkit.annotation.sheet import annotate

__all__ = ["agreement", "annotate"]
