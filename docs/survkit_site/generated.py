"""Pages that are written from the code when the site is built, into ``docs/generated``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from survkit_site import api_pages, command_pages, component_pages, example_card, recipe_pages
from survkit_site.folder_links import linked_folders, list_files, page_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

FOLDER = Path("docs/generated")


def connect(app: Sphinx) -> None:
    """Write the pages before Sphinx looks for pages."""
    app.connect("config-inited", lambda app, config: write(Path(app.srcdir), config))


def pages(root: Path, documents: Iterable[Path]) -> dict[Path, str]:
    """Return every generated page by its path in the repository, but the example of a card."""
    written = {
        **command_pages.pages(),
        **component_pages.pages(),
        **recipe_pages.pages(),
        **api_pages.pages(),
    }
    found = {FOLDER / name: text for name, text in written.items()}
    for document in documents:
        for folder in linked_folders(root, document).values():
            page = page_of(root, folder)
            if page.is_relative_to(FOLDER):
                found[page] = list_files(root, folder)
    return found


def write(root: Path, config: Config) -> None:
    """Write what has changed, and remove pages of what is no longer there."""
    from sphinx.util.matching import get_matching_files

    names = get_matching_files(root, config.include_patterns, config.exclude_patterns)
    documents = [root / name for name in names if name.endswith(".md")]
    texts = pages(root, [each for each in documents if FOLDER not in each.parents])
    found = {name: text.encode() for name, text in texts.items()}
    found |= {FOLDER / name: content for name, content in example_card.pages(root).items()}
    kept = {root / name for name in found}
    for old in [each for each in (root / FOLDER).rglob("*") if each.is_file()]:
        if old not in kept:
            old.unlink()
    for name, content in found.items():
        path = root / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
