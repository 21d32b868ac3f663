"""Which folder holds the one model that a run means."""

from __future__ import annotations

import re
from pathlib import Path

from survkit.errors import ConfigError, RunError
from survkit.hub.model_files import CONFIG_FILE

SPLITS_FILE = "splits.json"


def model_folder(run: Path, fold: str | int | None) -> Path:
    """Return the folder of the one model that a run means.

    Raises:
        ConfigError: A fold is asked of a single model, or is no number.
        RunError: A cross-validation without a fold, or a fold that it has not.
    """
    single = (run / CONFIG_FILE).exists() or not (run / SPLITS_FILE).exists()
    if fold is None:
        if single:
            return run
        raise RunError(
            f"{run}: a cross-validation has one model per fold and none that saw everybody; make "
            "one of them with survkit finalize --by refit or --by ensemble, or say which fold is "
            "meant with --fold, such as --fold 0"
        )
    if single:
        raise ConfigError(f"{run}: is no run of survkit cv, so it has no folds; leave --fold out")
    if not re.fullmatch(r"\d+(-\d+)?", str(fold)):
        raise ConfigError(f"--fold takes a number such as 0, or repeat and fold 1-0, not {fold!r}")
    folder = run / f"fold-{fold}"
    if not (folder / CONFIG_FILE).exists():
        found = sorted(path.parent.name for path in run.glob(f"fold-*/{CONFIG_FILE}"))
        there = ", ".join(name.removeprefix("fold-") for name in found)
        raise RunError(
            f"{run}: has no model of fold {fold}; "
            + (f"it has {there}" if there else "it has none, as baselines are never stored")
        )
    return folder
