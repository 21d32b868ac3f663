"""The extension of Sphinx that makes this repository a site: ``docs/conf.py`` names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Let the site write its generated pages, its navigation, its links and its first page."""
    from survkit_site import docstrings, first_page, folder_links, generated, navigation, own_names

    for part in (generated, navigation, folder_links, docstrings, own_names, first_page):
        part.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
