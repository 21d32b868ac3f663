"""The importance of feature groups in a cross-validation, from the run folder to
``importance.json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from survkit.data import Cohort
from survkit.data.jobs import check_jobs
from survkit.errors import ConfigError
from survkit.hub.description import ModelDescription
from survkit.importance.feature_group import FeatureGroup, own_groups
from survkit.importance.fold_model import LIGHT_BATCH, Subjects
from survkit.importance.fold_scores import FoldScores, FoldTask, fold_scores
from survkit.importance.joined_scores import JoinedScores
from survkit.importance.measure import Measure
from survkit.importance.settings import ImportanceOptions, ImportanceSettings
from survkit.importance.user_groups import with_user_groups
from survkit.importance.write_importance import IMPORTANCE_FILE, WRITTEN, write_importance
from survkit.steps import Steps
from survkit.stress.run_parts import FoldPart, RunParts, check_reproduced, open_run
from survkit.stress.yardstick import Yardstick, yardstick
from survkit.whole_folder import check_replaceable, whole_folder
from survkit.worker_processes import in_processes

FOLDER = "importance"
FORMAT = 1
"""Version of ``importance.json``. Keys may be added under one version, not renamed or removed."""

MOST_BYTES = 4 * 2**30
"""What the predicted curves of all permutations may take in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """Finished importances.

    Attributes:
        folder: Where they were written.
        content: Of ``importance.json``.
    """

    folder: Path
    content: Mapping[str, Any]


def importance_run(
    run: str | Path,
    cohort: Cohort,
    *,
    out: str | Path | None = None,
    **options: Unpack[ImportanceOptions],
) -> Importance:
    """Predict a run's test subjects again with groups of their features changed.

    Every fold's own model predicts the subjects it never saw: as they are; with each group's
    features exchanged among the fold's test subjects who have the modality; and with the features
    at the mean of the fold's training subjects. Nothing is trained or chosen.

    Args:
        run: A finished run of ``survkit cv``.
        cohort: What it was made from, read with its outcome.
        out: Folder to write; ``importance`` in the run by default.
        options: Fields of :class:`survkit.importance.ImportanceSettings`.

    Raises:
        RunError: It is no such run, keeps no models, or results are there already.
        DataError: Its models do not predict on this cohort what they predicted then.
        ConfigError: A group, metric or setting does not exist or does not apply.

    Reference: Breiman (2001), section 10; Fisher, Rudin and Dominici (2019) for any model.
    """
    settings = ImportanceSettings(**options)
    check_jobs(settings.jobs)
    parts = open_run(run, cohort, settings.components(), purpose="feature importance")
    gauge = yardstick(
        parts.table,
        settings.metric,
        settings.cause,
        replicates=settings.replicates,
        level=settings.level,
    )
    groups = _groups(parts, settings)
    _check_memory(parts, len(groups), settings)
    folder = Path(out) if out is not None else parts.folder / FOLDER
    check_replaceable(
        folder,
        mark=IMPORTANCE_FILE,
        written=WRITTEN,
        kind="importances",
        overwrite=settings.overwrite,
    )
    steps = len(parts.splits.folds) * len(groups) * settings.repeats + len(groups)
    advance = Steps(steps, settings.progress)
    with whole_folder(folder) as work:
        joined = _predicted(parts, groups, gauge, settings, advance)
        measured = Measure(joined, gauge, advance)
        content = _content(parts, groups, measured, settings)
        write_importance(work, content)
    return Importance(folder=folder, content=content)


def _groups(parts: RunParts, settings: ImportanceSettings) -> tuple[FeatureGroup, ...]:
    """Return the groups of the first fold's model; those of the others are the same."""
    fitted = parts.fold(parts.splits.folds[0]).fitted
    description = fitted.description
    groups = own_groups(dict(fitted.members[0].encoders.items()), description.inputs)
    if settings.groups is not None:
        entries = _entries(description)
        groups = with_user_groups(groups, settings.groups, description.inputs, entries)
    return groups


def _entries(description: ModelDescription) -> dict[str, Sequence[str]]:
    """Return the names of the entries of vectors, by modality, where they have some."""
    found = {name: each.get("entries") for name, each in description.preparation.items()}
    return {name: each for name, each in found.items() if each}


def _check_memory(parts: RunParts, groups: int, settings: ImportanceSettings) -> None:
    if not settings.reads_curves:
        return
    curves = np.asarray(parts.table.cumulative_incidence)
    needed = curves.nbytes * groups * (settings.repeats + 1)
    if needed > MOST_BYTES:
        raise ConfigError(
            f"{groups} groups permuted {settings.repeats} times take {needed / 2**30:.1f} GiB of "
            f"predicted curves, more than {MOST_BYTES / 2**30:.0f}; ask for fewer repeats or "
            "groups, or for harrell, which reads risk scores alone"
        )


def _predicted(
    parts: RunParts,
    groups: Sequence[FeatureGroup],
    gauge: Yardstick,
    settings: ImportanceSettings,
    advance: Steps,
) -> JoinedScores:
    """Predict fold by fold, in as many processes as were asked for."""
    numbers = range(len(parts.splits.folds))
    work = _Work(parts, groups, gauge.cause, settings)
    found = list(_folds(work, numbers, advance))
    table = parts.table
    rows = [
        np.flatnonzero((table.repeat == fold.repeat) & (table.fold == fold.fold))
        for fold in parts.splits.folds
    ]
    return JoinedScores(table=table, rows=rows, folds=found, repeats=settings.repeats)


def _folds(work: _Work, numbers: Sequence[int], advance: Steps) -> Iterator[FoldScores]:
    if work.settings.jobs == 1:
        for number in numbers:
            yield work.fold(number, advance)
        return
    steps = len(work.groups) * work.settings.repeats
    quiet = _Work(work.parts, work.groups, work.cause, work.settings.quiet())
    folds = [(number, Steps(0, None)) for number in numbers]
    for found in in_processes(quiet.fold, folds, jobs=work.settings.jobs, tasks=len(folds)):
        advance(steps)
        yield found


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process needs to predict one fold."""

    parts: RunParts
    groups: Sequence[FeatureGroup]
    cause: int
    settings: ImportanceSettings

    def fold(self, number: int, advance: Steps) -> FoldScores:
        """Predict one fold, and refuse to go on where the run cannot be reproduced."""
        parts, settings = self.parts, self.settings
        fold = parts.splits.folds[number]
        part = parts.fold(fold)
        return fold_scores(
            FoldTask(
                fitted=part.fitted,
                table=part.table,
                subjects=self._subjects(part, number),
                groups=self.groups,
                repeats=settings.repeats,
                seed=settings.seed,
                cause=self.cause,
                reads_curves=settings.reads_curves,
                device=settings.device,
                check=lambda clean: check_reproduced(clean, part, parts.folder),
                advance=advance,
            )
        )

    def _subjects(self, part: FoldPart, number: int) -> Subjects:
        parts, specs = self.parts, part.fitted.description.inputs
        fold = parts.splits.folds[number]
        train = parts.splits.rows(fold, parts.cohort.subjects).train.tolist()
        light = all(spec.kind in ("table", "vector") for spec in specs.values())
        return Subjects(
            cohort=parts.cohort,
            specs=specs,
            test=part.rows,
            train=train,
            batch=LIGHT_BATCH if light else parts.recipe.training.micro_batch,
            cache=self.settings.cache,
        )


def _content(
    parts: RunParts,
    groups: Sequence[FeatureGroup],
    measured: Measure,
    settings: ImportanceSettings,
) -> dict[str, Any]:
    """Return the content of ``importance.json``."""
    table, gauge = parts.table, measured.gauge
    return {
        "format": FORMAT,
        "settings": settings.to_json(),
        "metric": gauge.metric.key,
        "metric_label": gauge.metric.label,
        "cause": table.causes[gauge.cause - 1],
        "model": table.model,
        "predictions": table.fingerprint(),
        "subjects": table.subjects,
        "clean": measured.clean_json(),
        "groups": measured.groups_json(groups),
    }
