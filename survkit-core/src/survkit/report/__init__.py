"""One self-contained page about a run, and its figures and tables beside it."""

from survkit.report.write_report import write_report

__all__ = ["write_report"]
