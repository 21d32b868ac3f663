"""``survkit radiomics``: radiomic features of a cohort's images as a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from survkit.cli.console import table_console
from survkit.cli.options import CohortArgument, DataFolder, Jobs, OverwriteFile, TableFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from survkit.data import Problem
    from survkit.extraction import ExtractionSettings

FAILED = ".failed.csv"


def command(
    cohort: CohortArgument,
    out: Annotated[Path, typer.Option(help="A .parquet or .csv file.")],
    modality: Annotated[
        str | None, typer.Option(help="Which one; the cohort's only image or volume by default.")
    ] = None,
    region: Annotated[
        Literal["roi", "patches"],
        typer.Option(
            help="roi: one row per subject, of the modality's mask. patches: one row per patch of "
            "a grid over the image."
        ),
    ] = "roi",
    patch: Annotated[
        int | None, typer.Option(min=2, help="Side of a patch in pixels; 32 by default.")
    ] = None,
    bin_width: Annotated[
        float | None,
        typer.Option(help="Width of a grey level, in the image's unit; 25 by default."),
    ] = None,
    bin_count: Annotated[
        int | None, typer.Option(help="Grey levels between a region's extremes, instead.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Such as firstorder,glcm; all six by default.")
    ] = None,
    shape: Annotated[
        bool,
        typer.Option("--shape", help="Also the region's shape: needs survkit-core[pyradiomics]."),
    ] = False,
    table: TableFile = None,
    data: DataFolder = None,
    jobs: Jobs = -1,
    cache: Annotated[
        Path | None,
        typer.Option(help="Where subjects are kept; default: SURVKIT_CACHE or the user's folder."),
    ] = None,
    skip_failed: Annotated[
        bool,
        typer.Option(
            "--skip-failed",
            help=f"Write the table without the subjects that failed, and FILE{FAILED} with the "
            "reasons; else nothing is written.",
        ),
    ] = False,
    overwrite: OverwriteFile = False,
) -> None:
    """Compute 93 radiomic features per region, as a table that any cohort can name.

    Intensities are those of the files, prepared as the cohort file says but WITHOUT its window: a
    window would leave one grey level. Subjects without the modality have no row. Finished subjects
    are kept in the cache, so an interrupted run goes on. In a cohort file the table is
    `{kind: table, file: features.parquet, columns: [glcm_Contrast, ...]}`, or
    `{kind: vector, file: features.parquet}`; a table of patches also says `tokens: true` and
    `exclude: [row, column]`.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.extraction import extract_features

    settings = _settings(region, patch, bin_width, bin_count, classes, shape)
    people = Cohort.read(cohort, table=table, data_folder=data, needs_outcome=False)
    read = (cohort, table or (data or cohort.parent) / people.config.table)
    _check_out(out, read, skip_failed=skip_failed, overwrite=overwrite)
    with progress_bar("radiomics") as progress:
        found = extract_features(
            people,
            settings,
            modality=modality,
            cache=PreparationCache(cache or default_cache_folder()),
            jobs=jobs,
            progress=progress,
        )
    if found.failed:
        _print_failed(found.failed)
    if found.failed and (not skip_failed or not len(found.table)):
        cure = (
            "mend them, or leave them out with --skip-failed" if len(found.table) else "mend them"
        )
        print(f"nothing is written: {len(found.failed)} subjects failed; {cure}", file=sys.stderr)
        raise typer.Exit(2)
    _write(found.table, out)
    if found.failed:
        _write_failed(found.failed, out)
    subjects = found.table[people.config.subject].nunique()
    print(
        f"{len(found.table)} rows of {subjects} subjects, {found.modality}: {out}"
        + (f"; {found.without} subjects do not have it" if found.without else "")
        + (f"; {len(found.failed)} failed: {_beside(out)}" if found.failed else "")
    )


def _settings(
    region: Literal["roi", "patches"],
    patch: int | None,
    bin_width: float | None,
    bin_count: int | None,
    classes: str | None,
    shape: bool,
) -> ExtractionSettings:
    """Return what is extracted; nothing that is asked for is left unused."""
    from survkit.errors import ConfigError
    from survkit.extraction import ExtractionSettings
    from survkit.radiomics import FEATURE_CLASSES, RadiomicsSettings

    if bin_width is not None and bin_count is not None:
        raise ConfigError("--bin-width and --bin-count are two ways to cut grey levels; give one")
    if patch is not None and region == "roi":
        raise ConfigError("--patch is the side of a patch; give it with --region patches")
    width = bin_width if bin_width is not None else None if bin_count is not None else 25.0
    named = [name.strip() for name in classes.split(",")] if classes is not None else None
    return ExtractionSettings(
        region=region,
        patch=patch or 32,
        radiomics=RadiomicsSettings(bin_width=width, bin_count=bin_count),
        classes=tuple(FEATURE_CLASSES) if named is None else tuple(named),
        shape=shape,
    )


def _check_out(out: Path, read: Sequence[Path], *, skip_failed: bool, overwrite: bool) -> None:
    from survkit.cli.output_file import check_output
    from survkit.errors import ConfigError

    if out.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"--out takes a .parquet or .csv file, not {out}")
    check_output(out, ending=out.suffix, overwrite=overwrite, inputs=read)
    if skip_failed:
        check_output(_beside(out), ending=".csv", overwrite=overwrite, inputs=read)


def _beside(out: Path) -> Path:
    return out.with_name(out.name + FAILED)


def _print_failed(failed: Sequence[Problem]) -> None:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("row", "subject", "problem"):
        grid.add_column(heading, overflow="fold")
    for one in failed:
        grid.add_row(str(one.row), one.subject, one.message)
    table_console().print(grid)


def _write(frame: DataFrame, out: Path) -> None:
    from survkit.atomic_write import write_atomically

    write = frame.to_parquet if out.suffix == ".parquet" else frame.to_csv
    write_atomically(out, lambda path: write(path, index=False))


def _write_failed(failed: Sequence[Problem], out: Path) -> None:
    import pandas as pd

    rows = [(one.row, one.subject, one.message) for one in failed]
    _write(pd.DataFrame(rows, columns=["row", "subject", "reason"]), _beside(out))
