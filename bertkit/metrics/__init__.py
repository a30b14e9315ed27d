"""Scores of predictions against labels, as fractions, in pure numpy."""

from bertkit.metrics.classification import accuracy, confusion, f1, matthews
from bertkit.metrics.correlation import pearson, spearman
from bertkit.metrics.intervals import bootstrap, paired_drop

__all__ = [
    "accuracy",
    "bootstrap",
    "confusion",
    "f1",
    "matthews",
    "paired_drop",
    "pearson",
    "spearman",
]
