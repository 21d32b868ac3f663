"""``survkit prepare``: run what is deterministic once per subject, and keep it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.options import (
    Changes,
    CohortFile,
    DataFolder,
    InitRevision,
    Jobs,
    RecipeName,
    TableFile,
)
from survkit.cli.starts import words_of

if TYPE_CHECKING:
    from torch import nn

    from survkit.recipe import Recipe
    from survkit.registry import Registry
    from survkit.specs import InputSpec
    from survkit.transfer import StartSettings


def command(
    recipe: RecipeName,
    cohort: CohortFile,
    table: TableFile = None,
    data: DataFolder = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Where to keep it; default: SURVKIT_CACHE or the user's cache folder."),
    ] = None,
    jobs: Jobs = -1,
    changes: Changes = None,
    init_from: Annotated[
        str | None,
        typer.Option(
            help="Prepare with the trunks of trained weights: a model, a run of survkit cv (the "
            "fold best on its validation part), RUN:fold-3, or ORG/NAME on the Hub."
        ),
    ] = None,
    init_revision: InitRevision = None,
    init_parts: Annotated[
        str | None,
        typer.Option(help="Encoders to take, such as encoders.ct; all that fit by default."),
    ] = None,
) -> None:
    """Read and prepare every image of a cohort for a recipe, once, in parallel, into the cache.

    Training with the same recipe, cohort and cache then starts at once. An encoder whose frozen
    weights are random rather than pretrained prepares differently under another seed. What a
    training with --init-from is to read is prepared with the same --init-from.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.data import Cohort, PreparationCache, default_cache_folder, fill_cache
    from survkit.errors import ConfigError
    from survkit.plugins import default_registry
    from survkit.recipe import Recipe
    from survkit.transfer import StartSettings

    registry = default_registry()
    start = StartSettings(
        source=init_from, revision=init_revision, parts=tuple(words_of(init_parts))
    )
    plan = Recipe.read(recipe, registry=registry, overrides=changes or ())
    subjects = Cohort.read(cohort, table=table, data_folder=data, needs_outcome=False)
    if plan.baseline is not None:
        raise ConfigError("a baseline reads tables and embeddings, so there is nothing to prepare")
    subjects = subjects.with_twins(plan.twins)
    rows = range(len(subjects))
    specs = {name: subjects.input_spec(name, rows) for name in plan.encoders}
    encoders = _encoders(plan, specs, registry, start)
    store = PreparationCache(cache or default_cache_folder())
    with progress_bar("preparing") as progress:
        held = fill_cache(
            subjects, rows, specs, encoders=encoders, cache=store, jobs=jobs, progress=progress
        )
    print(f"{held} arrays of {len(subjects)} subjects are in {store.folder}")


def _encoders(
    plan: Recipe, specs: dict[str, InputSpec], registry: Registry, start: StartSettings
) -> dict[str, nn.Module]:
    """Build the encoders alone, in eval mode as they prepare, and say whose weights they have."""
    from survkit.build import Part, build_part
    from survkit.compose import start_from_weights
    from survkit.transfer import begin_encoders

    encoders: dict[str, nn.Module] = {}
    parts: dict[str, Part] = {}
    for name, config in plan.encoders.items():
        part = Part(kind="encoder", name=config.use, settings=config.settings)
        encoder, parts[name] = build_part(part, registry, specs[name], role=f"encoders.{name}")
        encoders[name] = encoder.eval()
    if start.source is None:
        start_from_weights(encoders.items())
    else:
        print(begin_encoders(start, encoders, parts, specs, registry=registry))
    return encoders
