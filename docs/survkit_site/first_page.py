"""The site's address itself: a page that leads to the home page, which is docs/README."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from survkit_site.navigation import HOME

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>survkit</title>
<meta http-equiv="refresh" content="0; url={home}.html">
<link rel="canonical" href="{home}.html"></head>
<body><a href="{home}.html">survkit</a></body></html>
"""


def connect(app: Sphinx) -> None:
    """Write it after everything else."""
    app.connect("build-finished", _write)


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "index.html").write_text(_PAGE.format(home=HOME), encoding="utf-8")
