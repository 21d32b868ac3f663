"""``survkit pull``: fetch a model into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="ORG/NAME on the Hub.")],
    to: Annotated[Path, typer.Option(help="Folder to make.")],
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit; main by default.")
    ] = None,
) -> None:
    """Fetch a model from the Hub into a folder that needs no network.

    Beside the model lies origin.json: the repository, the commit and the sha256 of the weights. The
    token is that of HF_TOKEN or of `hf auth login`.
    """
    from survkit.hub import pull

    origin = pull(name, to, revision=revision)
    print(f"{to}: {origin.repository} {origin.commit}")
