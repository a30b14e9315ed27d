"""The report that every run leaves: one HTML file, read without a network, a script or anything beside it."""

from bertkit.report.page import page, write

__all__ = ["page", "write"]
