"""The report that every run leaves: one HTML file that needs no network, no script and no other file."""

from bertkit.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
