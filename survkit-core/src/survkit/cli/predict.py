"""``survkit predict``: survival of the subjects of a cohort."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.options import (
    CacheFolder,
    CohortFile,
    DataFolder,
    Device,
    OverwriteFile,
    Revision,
    TableFile,
)

if TYPE_CHECKING:
    from pandas import DataFrame

    from survkit.data import Cohort
    from survkit.hub import Pretrained
    from survkit.prediction import SurvivalPrediction


def command(
    model: Annotated[
        str,
        typer.Argument(help="A model folder, a run folder of survkit fit, or ORG/NAME on the Hub."),
    ],
    cohort: CohortFile,
    revision: Revision = None,
    times: Annotated[
        str | None, typer.Option(help="Times, such as 365,730; the model's horizon by default.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file; printed as CSV by default.")
    ] = None,
    table: TableFile = None,
    data: DataFolder = None,
    cache: CacheFolder = None,
    device: Device = "cpu",
    with_outcome: Annotated[
        bool,
        typer.Option(
            "--with-outcome",
            help="Add what happened, so that survkit evaluate can read the file; else outcomes are "
            "not read.",
        ),
    ] = False,
    overwrite: OverwriteFile = False,
) -> None:
    """Predict survival and the incidence of every cause for the subjects of a cohort."""
    from survkit.cli.cohort import progress_bar
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.errors import RunError
    from survkit.hub import from_pretrained

    _check_out(out, overwrite=overwrite)
    folder = Path(model)
    _refuse_baseline(folder)
    if (folder / "splits.json").is_file() and not (folder / "config.json").is_file():
        raise RunError(
            f"{model}: a cross-validation has one model per fold and none for new subjects; make "
            "one of them with survkit finalize --by refit or --by ensemble, or give one of its "
            "folds, such as fold-0"
        )
    check_device(device)
    fitted = from_pretrained(model, revision=revision)
    if fitted.source is not None:  # not among the predictions, which may go to the same screen
        print(f"model: {fitted.source}", file=sys.stderr)
    subjects = Cohort.read(cohort, table=table, data_folder=data, needs_outcome=with_outcome)
    if with_outcome:
        _warn_of_own_cohort(fitted, subjects, model)
    prepared = PreparationCache(cache or default_cache_folder())
    with progress_bar("reading images") as progress:
        prediction = fitted.predict(subjects, device=device, cache=prepared, progress=progress)
    frame = _frame(prediction, fitted, subjects, times)
    if out is None:
        frame.to_csv(sys.stdout, index=False)
        return
    _write(frame, out)
    print(out)


def _warn_of_own_cohort(fitted: Pretrained, cohort: Cohort, model: str) -> None:
    """Say that a model is not to be tested on those whom it was trained on."""
    if fitted.description.training.get("cohort") == cohort.name:
        print(
            f"warning: {model} was trained on the cohort '{cohort.name}': what is evaluated on "
            "subjects whom it has seen is too good; the metrics of its cross-validation are not",
            file=sys.stderr,
        )


def _refuse_baseline(run: Path) -> None:
    """Say why the run of a baseline, or one of its folds, holds no model."""
    from survkit.errors import RunError
    from survkit.safe_yaml import read_yaml

    for folder in (run, run.parent):
        if not (folder / "splits.json").is_file() or not (folder / "recipe.yaml").is_file():
            continue
        recipe = read_yaml(folder / "recipe.yaml")
        if isinstance(recipe, dict) and "baseline" in recipe:
            raise RunError(
                f"{run}: a run of a baseline holds no model: baselines are fitted anew in every "
                "fold and never stored, because nothing is pickled. What they predicted for the "
                f"subjects of the cohort is in {folder / 'predictions.parquet'}; for new subjects "
                "train a recipe with survkit fit"
            )


def _frame(
    prediction: SurvivalPrediction, fitted: Pretrained, cohort: Cohort, times: str | None
) -> DataFrame:
    """Return a row per subject, in the columns that `survkit evaluate` reads.

    With one cause ``risk_score`` and ``survival@<time>``; with several ``risk_score.<cause>``,
    ``cumulative_incidence.<cause>@<time>`` and ``event_free@<time>``. What happened is added where
    the cohort was read with it.
    """
    import pandas as pd

    outcome = fitted.description.outcome
    asked = [outcome.horizon] if times is None else _times(times)
    single = len(outcome.causes) == 1
    columns = _observed(cohort)
    for code, cause in enumerate(outcome.causes, start=1):
        score = prediction.risk_score(outcome.horizon, code).numpy()
        columns["risk_score" if single else f"risk_score.{cause}"] = score
    survival, incidence = prediction.survival(asked), prediction.cumulative_incidence(asked)
    for place, time in enumerate(asked):
        name = "survival" if single else "event_free"
        columns[f"{name}@{time:g}"] = survival[:, place].numpy()
        for code, cause in enumerate(() if single else outcome.causes):
            columns[f"cumulative_incidence.{cause}@{time:g}"] = incidence[:, code, place].numpy()
    return pd.DataFrame(columns)


def _observed(cohort: Cohort) -> dict[str, object]:
    """Return who the subjects are and, where it was read, what happened to them."""
    columns: dict[str, object] = {"subject": list(cohort.subjects)}
    if cohort.outcome is None:
        return columns
    columns |= {"duration": cohort.outcome.duration, "event": cohort.outcome.event}
    for name in ("entry", "weight"):
        if (values := getattr(cohort.outcome, name)) is not None:
            columns[name] = values
    if cohort.site is not None:
        columns["site"] = list(cohort.site)
    return columns


def _times(text: str) -> list[float]:
    from survkit.errors import ConfigError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--times takes numbers separated by commas, such as 365,730, not {text!r}"
        ) from error


def check_device(device: str) -> None:
    """Refuse a device that cannot be used.

    Raises:
        ConfigError: The reason that torch gives.
    """
    import torch

    from survkit.errors import ConfigError

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split(". ")[0]
        raise ConfigError(f"--device {device} cannot be used: {reason}; cpu always can") from error


def _check_out(out: Path | None, *, overwrite: bool) -> None:
    from survkit.errors import ConfigError, RunError

    if out is None:
        return
    if out.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"--out takes a .csv or .parquet file, not {out}")
    if out.exists() and not overwrite:
        raise RunError(f"{out}: is there already; give --overwrite to replace it")


def _write(frame: DataFrame, out: Path) -> None:
    from survkit.atomic_write import write_atomically

    if out.suffix == ".csv":
        write_atomically(out, lambda path: frame.to_csv(path, index=False))
    else:
        write_atomically(out, lambda path: frame.to_parquet(path, index=False))
