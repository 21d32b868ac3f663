"""One self-contained page about a run."""

from survkit.report.write_report import write_report

__all__ = ["write_report"]
