"""``survkit push``: publish a model."""

from __future__ import annotations

from typing import Annotated

import typer

from survkit.cli.options import FoldOfRun, ModelOrRun


def command(
    run: ModelOrRun,
    name: Annotated[str, typer.Argument(help="ORG/NAME on the Hub; made if it is not there.")],
    fold: FoldOfRun = None,
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody see it; private by default.")
    ] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch; made if it is not there; main by default.")
    ] = None,
    message: Annotated[str, typer.Option(help="Of the commit.")] = "A model of survkit",
    with_sites: Annotated[
        bool,
        typer.Option("--with-sites", help="Publish the names of sites and the results of each."),
    ] = False,
) -> None:
    """Publish a model on the Hub, in one commit.

    Only config.json, model.safetensors, README.md with its figure calibration.png, and metrics.json
    are sent: no predictions, other pictures, tables or splits, no path of this machine, and no name
    of a site. Where the folder has no README.md, a model card is made and sent; `survkit card`
    writes it there, to be read before. The token is that of HF_TOKEN or of `hf auth login`.
    """
    from survkit.hub import push_to_hub

    made = push_to_hub(
        run, name, private=not public, revision=revision, message=message, fold=fold,
        with_sites=with_sites,
    )  # fmt: skip
    print(f"{made.repository} {made.commit}")
