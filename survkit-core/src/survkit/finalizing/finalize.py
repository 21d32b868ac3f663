"""Makes one model of a cross-validation, in a folder that can be loaded, published and used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from survkit.atomic_write import write_bytes
from survkit.data import Cohort
from survkit.errors import ConfigError, RunError
from survkit.finalizing.ensemble import ensemble
from survkit.finalizing.finished_run import METRICS_FILE, FinishedRun, read_finished_run
from survkit.finalizing.refit import RefitSettings, refit
from survkit.hub import Pretrained, save_pretrained
from survkit.hub.card_mark import replaceable_files
from survkit.hub.load import read_config
from survkit.hub.model_files import CONFIG_FILE, WEIGHTS_FILE
from survkit.whole_folder import check_replaceable, is_occupied, whole_folder

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.registry import Registry

By = Literal["refit", "ensemble"]
WRITTEN = (CONFIG_FILE, WEIGHTS_FILE, METRICS_FILE, "log.csv", "member-*")
"""All that the folder of such a model holds."""


class FinalizeOptions(TypedDict, total=False):
    """Keywords of :func:`finalize` that say how it is carried out."""

    overwrite: bool
    resume: bool
    progress: bool
    cache: PreparationCache | None
    registry: Registry | None
    init_from: str | Path | None


def finalize(
    run: str | Path,
    folder: str | Path,
    *,
    by: By,
    cohort: Cohort | None = None,
    **options: Unpack[FinalizeOptions],
) -> Pretrained:
    """Make the one model of a cross-validation and leave it in a model folder.

    ``"ensemble"`` keeps the models of all folds and averages the cumulative incidences that they
    predict. ``"refit"`` trains the run's recipe on all subjects of its cohort, none set aside, for
    the mean number of epochs that the folds' validation parts chose.

    The run's ``metrics.json`` lies beside the model. Its numbers estimate the procedure, on
    subjects whom a fold had held out; this very model was not tested.

    Args:
        run: A finished run of ``survkit cv`` of a network.
        folder: The model folder; it appears whole or not at all.
        by: ``"refit"`` or ``"ensemble"``.
        cohort: What the run was made from, read with its outcome; for a refit only.
        options: ``overwrite`` replaces a model that was made so before; ``registry`` is where
            component names are looked up. Of a refit only: ``resume``, ``progress``, ``cache``, and
            ``init_from``, the model that the folds started from.

    Raises:
        RunError: The run has not finished or keeps no models, the folds chose different components,
            or something lies in the folder.
        ConfigError: What is given does not belong to ``by``.
        DataError: The cohort is not that of the run.
    """
    folder = Path(folder)
    settings = RefitSettings(**options)
    _check_asked(by, cohort, settings)
    opened = read_finished_run(run)
    _check_place(folder, overwrite=settings.overwrite)
    if by == "ensemble":
        fitted: Pretrained = ensemble(opened, settings.registry)
        _write(fitted, opened, folder)
        return fitted
    assert cohort is not None
    work = folder.absolute().with_name(f".{folder.absolute().name}.training")
    fitted = refit(opened, cohort, work, settings)
    _write(fitted, opened, folder, logs=work)
    shutil.rmtree(work)
    return fitted


def _check_asked(by: str, cohort: Cohort | None, settings: RefitSettings) -> None:
    if by not in ("refit", "ensemble"):
        raise ConfigError(f"a model is made by 'refit' or by 'ensemble', not by {by!r}")
    if by == "refit":
        if cohort is None:
            raise ConfigError("a refit trains on the cohort of the run; give it with --cohort")
        return
    for name, given in (
        ("cohort", cohort), ("resume", settings.resume), ("init-from", settings.init_from),
    ):  # fmt: skip
        if given:
            raise ConfigError(f"an ensemble of folds trains nothing; leave out --{name}")


def _check_place(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that is taken, also by a model that was not made here, such as a fold's."""
    if not is_occupied(folder):
        return
    written = (*WRITTEN, *replaceable_files(folder))
    check_replaceable(folder, mark=CONFIG_FILE, written=written, kind="model", overwrite=overwrite)
    if "final" not in read_config(folder / CONFIG_FILE).get("training", {}):
        raise RunError(
            f"{folder}: holds a model that survkit finalize did not make, so it is not "
            "overwritten; choose another folder"
        )


def _write(fitted: Pretrained, run: FinishedRun, folder: Path, *, logs: Path | None = None) -> None:
    """Put model, metrics and the logs of training in place; nobody's name is among them."""
    with whole_folder(folder) as made:
        save_pretrained(fitted, made)
        write_bytes(made / METRICS_FILE, run.metrics)
        if logs is not None:
            _keep_logs(logs, made)


def _keep_logs(work: Path, made: Path) -> None:
    """Keep losses and scores by epoch, of every member."""
    for log in sorted(work.rglob("log.csv")):
        kept = made / log.relative_to(work)
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(log, kept)
