"""``survkit cost``: what recipes cost before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from survkit.cli.console import table_console
from survkit.cli.left_out import print_left_out
from survkit.cli.options import AsJson, DataFolder, TableFile

if TYPE_CHECKING:
    from survkit.cost import Cost, PartCost


def command(
    recipes: Annotated[
        list[str],
        typer.Argument(
            help="Recipe files, or names of installed ones; of one network each.",
            metavar="RECIPE...",
        ),
    ],
    cohort: Annotated[Path, typer.Option(help="The cohort file (YAML) that gives the subject.")],
    subject: Annotated[
        str | None, typer.Option(help="Who is run; the first who has all modalities.")
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(min=1, help="Count so many slices or tiles, not the subject's.")
    ] = None,
    table: TableFile = None,
    data: DataFolder = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="Change the recipes: path=value.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters, arithmetic of one subject and bytes of the saved model, part by part.

    One multiply-add is two FLOPs; many papers print multiply-adds (GMACs) under that name, so both
    are shown. Nothing is trained and no published weights are read.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.cost import cost
    from survkit.data import Cohort
    from survkit.errors import ConfigError, UserError
    from survkit.plugins import default_registry
    from survkit.recipe import Recipe

    if len(set(recipes)) < len(recipes):
        raise ConfigError("a recipe is named twice; each is counted once")
    for name in recipes:
        if (Path(name) / "config.json").is_file():
            raise ConfigError(
                f"{name}: is a trained model, but a recipe is counted; give the recipe.yaml of the "
                "run that it came from"
            )
    registry = default_registry()
    plans = {
        name: Recipe.read(name, registry=registry, overrides=changes or ()) for name in recipes
    }
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    found = {}
    with progress_bar("counting") as progress:
        for number, (name, plan) in enumerate(plans.items(), start=1):
            try:
                found[name] = cost(
                    plan, subjects, registry=registry, subject=subject, tokens=tokens
                )
            except UserError as error:
                raise type(error)(f"{name}: {error}") from error
            progress(number, len(plans))
    if as_json:
        print(json.dumps({name: one.to_json() for name, one in found.items()}, indent=1))
    else:
        _print(found)


def _print(found: Mapping[str, Cost]) -> None:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, label in enumerate(
        ("part", "parameters", "trainable", "GFLOPs", "GMACs", "prepared", "MB")
    ):
        justify: Literal["left", "right"] = "right" if place > 0 else "left"
        grid.add_column(label, overflow="fold", justify=justify, no_wrap=place > 0)
    for name, one in found.items():
        grid.add_row(name)
        for role, part in one.parts.items():
            grid.add_row(f"  {role}", *_numbers(part), "")
        whole = "  in all" if one.members == 1 else f"  in all, {one.members} members"
        grid.add_row(whole, *_numbers(one.total), f"{one.saved_bytes / 1e6:.2f}")
    console = table_console()
    console.print(grid)
    for name, one in found.items():
        counted = [
            f"{modality} {count} tokens{'' if count == own else f' (the subject has {own})'}"
            for modality, (own, count) in one.tokens.items()
        ]
        console.print(f"{name}: subject {one.subject}{''.join(f', {text}' for text in counted)}")
    console.print(
        "One subject's forward; 1 multiply-add = 2 FLOPs. Counted are matrix products, "
        "convolutions and attention. Prepared: done once per subject and kept. MB: of "
        "model.safetensors."
    )


def _numbers(part: PartCost) -> tuple[str, ...]:
    whole = part.flops + part.prepare_flops
    share = f"{part.prepare_flops / whole:.0%}" if part.prepare_flops else "–"
    return (
        f"{part.parameters:,}",
        f"{part.trainable:,}",
        _billions(whole),
        _billions(whole / 2),
        share,
    )


def _billions(count: float) -> str:
    billions = count / 1e9
    return f"{billions:.3g}" if billions < 1000 else f"{billions:,.0f}"
