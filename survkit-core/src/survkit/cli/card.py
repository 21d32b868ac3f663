"""``survkit card``: write the card of a model."""

from __future__ import annotations

from typing import Annotated

import typer

from survkit.cli.options import FoldOfRun, ModelOrRun


def command(
    run: ModelOrRun,
    name: Annotated[str, typer.Argument(help="ORG/NAME that it will have on the Hub.")],
    license: Annotated[
        str | None, typer.Option(help="As the Hub names it: apache-2.0; none is stated by default.")
    ] = None,
    fold: FoldOfRun = None,
    revision: Annotated[
        str | None, typer.Option(help="Branch that it will lie on; main by default.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the card that is there.")
    ] = False,
) -> None:
    """Write the model card, README.md, beside a model: to read and edit before it is pushed.

    It says what the model predicts, from what, on whom and how it was trained and what was
    measured, with the figure calibration.png beside it; what was not measured it says too. Nothing
    leaves this machine.
    """
    from survkit.hub import write_card

    made = write_card(run, name, license=license, revision=revision, fold=fold, overwrite=overwrite)
    print(made)
