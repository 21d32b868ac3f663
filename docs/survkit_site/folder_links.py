"""Links to folders: GitHub shows a folder's README or its files, and so does the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LINK = re.compile(r"(?<=\]\()(?P<target>[\w./-]+)(?=\))")


def connect(app: Sphinx) -> None:
    """Rewrite such links while a page is read."""
    app.connect("source-read", _rewrite)


def linked_folders(root: Path, page: Path) -> dict[str, Path]:
    """Return the folders that a page links, by the link as written."""
    found = {}
    for match in _LINK.finditer(page.read_text(encoding="utf-8")):
        folder = (page.parent / match["target"]).resolve()
        if folder.is_dir() and folder.is_relative_to(root):
            found[match["target"]] = folder.relative_to(root)
    return found


def page_of(root: Path, folder: Path) -> Path:
    """Return the page that stands for a folder: its README, or the generated list of its files."""
    if (root / folder / "README.md").is_file():
        return folder / "README.md"
    return Path("docs/generated/folders") / f"{'-'.join(folder.parts)}.md"


def list_files(root: Path, folder: Path) -> str:
    """Return a page with the files of a folder that has no README."""
    files = sorted(each for each in (root / folder).iterdir() if each.is_file())
    lines = [f"- [{each.name}](/{each.relative_to(root).as_posix()})" for each in files]
    return "\n".join([f"# {folder.as_posix()}", "", *lines, ""])


def _rewrite(app: Sphinx, document: str, source: list[str]) -> None:
    root, page = Path(app.srcdir), Path(app.env.doc2path(document))
    if page.suffix != ".md":
        return
    folders = linked_folders(root, page)

    def to_page(match: re.Match[str]) -> str:
        folder = folders.get(match["target"])
        return match["target"] if folder is None else f"/{page_of(root, folder).as_posix()}"

    source[0] = _LINK.sub(to_page, source[0])
