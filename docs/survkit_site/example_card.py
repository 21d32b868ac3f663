"""The model card that the page on models shows: made by the very commands that it prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from pathlib import Path

PAGE = "example-card.md"
_INTRODUCTION = """# An example of a card

Written by `survkit card` when this site was built, after the commands of
[the page on models](/docs/models.md): a model of a small phantom cohort, trained for two epochs.
What follows is the file as the Hub shows it, below its header.

"""


def commands(root: Path) -> list[list[str]]:
    """Return the command lines of the page on models, without ``survkit``."""
    text = (root / "docs/models.md").read_text(encoding="utf-8")
    block = re.search(r"^```bash\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    if block is None:
        raise ValueError("docs/models.md shows no bash block with the commands of its example")
    return [shlex.split(line)[1:] for line in block[1].splitlines()]


def pages(root: Path) -> dict[str, bytes]:
    """Run the commands in a folder of their own; return the card as a page, and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        path = make(commands(root), Path(folder))
        card = path.read_text(encoding="utf-8")
        shown = re.findall(r"!\[[^]]*\]\(([\w.-]+)\)", card)
        pictures = {name: (path.parent / name).read_bytes() for name in shown}
    return {PAGE: _page(card).encode(), **pictures}


def _page(card: str) -> str:
    """Return a card without its header, its headings one level lower."""
    _, _, body = card.removeprefix("---\n").partition("\n---\n")
    demoted = re.sub(r"^#", "##", _without_comments(body), flags=re.MULTILINE)
    return _INTRODUCTION + demoted.strip() + "\n"


def make(lines: list[list[str]], folder: Path) -> Path:
    """Run survkit in this process and return where the one card is that it wrote."""
    from survkit.cli import main

    before, cache = Path.cwd(), os.environ.get("SURVKIT_CACHE")
    os.environ["SURVKIT_CACHE"] = str(folder / "cache")
    try:
        os.chdir(folder)
        for line in lines:
            told = io.StringIO()
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
                code = main(line)
            if code:
                raise RuntimeError(f"survkit {shlex.join(line)} failed:\n{told.getvalue()}")
    finally:
        os.chdir(before)
        if cache is None:
            del os.environ["SURVKIT_CACHE"]
        else:
            os.environ["SURVKIT_CACHE"] = cache
    (card,) = folder.glob("runs/**/README.md")
    return card


def _without_comments(text: str) -> str:
    """Return the text without comments of HTML, which would end the page's last section."""
    return re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
