"""The report that every run leaves: one HTML file that needs no network, no script and no other file."""

from bertkit.report.page import page, write

__all__ = ["page", "write"]
