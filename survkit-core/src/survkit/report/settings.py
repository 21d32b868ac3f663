"""How a page is named and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from survkit.errors import ConfigError, RunError

REPORT_FILE = "report.html"


class ReportOptions(TypedDict, total=False):
    """Keyword arguments of :func:`survkit.report.write_report`; see :class:`ReportSettings`."""

    title: str
    cohort: str
    name: str
    out: str | Path | None
    overwrite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """Settings of a page.

    Attributes:
        title: Instead of the recipe's title.
        cohort: Name of the cohort, instead of that in ``cohort.yaml``.
        name: What the run is called beside further runs; the name of its folder by default.
        out: The page, instead of ``report.html`` in the run folder. Its figures and tables go to
            the folder of the same name without the ending.
        overwrite: Replace a page that is at ``out``. The page inside a run folder is derived from
            the run and always made anew.
    """

    title: str = ""
    cohort: str = ""
    name: str = ""
    out: str | Path | None = None
    overwrite: bool = False

    def place(self, run: Path) -> Path:
        """Return where the page goes.

        Raises:
            ConfigError: ``out`` is no name of a page.
            RunError: Something is there already.
        """
        if self.out is None:
            return run / REPORT_FILE
        page = Path(self.out)
        if page.suffix.lower() not in (".html", ".htm"):
            raise ConfigError(f"a page is a file that ends in .html, not {page}")
        beside = page.with_suffix("")
        for taken in (page, beside):
            if taken.exists() and not self.overwrite:
                raise RunError(
                    f"{taken}: something is there already; give another name, or --overwrite"
                )
        if not page.parent.is_dir():
            raise RunError(f"{page.parent}: there is no such folder; make it first")
        return page
