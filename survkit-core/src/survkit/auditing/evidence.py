"""Everything that the rules may look at, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from survkit.auditing.claims import Claim, read_claims
from survkit.auditing.division import Division, Divisions, divisions_of, read_divisions
from survkit.auditing.features import Features, features_of, read_features
from survkit.auditing.run_files import PREDICTIONS, RunFiles, read_run_files
from survkit.auditing.table import Rows, Table, Texts, read_audit_table
from survkit.data import Cohort
from survkit.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a user hands over; only ``predictions`` is needed.

    Attributes:
        predictions: A run folder of survkit, or a table (CSV, Parquet).
        splits: Who trained and who was tested; that of the run by default.
        cohort: Cohort file of the run, so that what was fitted can be estimated anew.
        cohort_table: Table to use instead of the one that the cohort file names.
        data_folder: What relative paths in the cohort file start from.
        features: Table of the columns that the model saw.
        training: Table of the training subjects' outcome, where the predictions do not hold them.
        metrics: The numbers that were reported; ``metrics.json`` of the run by default.
        site_splits: Whether the split is said to be by site.
        unit: Unit of the durations, where the table does not say.
    """

    predictions: Path
    splits: Path | None = None
    cohort: Path | None = None
    cohort_table: Path | None = None
    data_folder: Path | None = None
    features: Path | None = None
    training: Path | None = None
    metrics: Path | None = None
    site_splits: bool = False
    unit: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """What is known about a protocol.

    Attributes:
        table: The predictions.
        divisions: Who trained and who was tested, where that is known.
        run: Files of a run folder of survkit.
        cohort: The cohort, read again.
        features: Columns that the model saw.
        training: Outcome of the training subjects, given separately.
        claims: Reported numbers.
        own_claims: Whether they are those that survkit wrote into the run.
        site_splits: Whether the split is said to be by site.
        unit: Unit of the durations.
    """

    table: Table
    divisions: Divisions | None
    run: RunFiles | None = None
    cohort: Cohort | None = None
    features: Features | None = None
    training: Table | None = None
    claims: tuple[Claim, ...] = ()
    own_claims: bool = False
    site_splits: bool = False
    unit: str | None = None

    @property
    def folds(self) -> tuple[Division, ...]:
        """The divisions; none where nothing is known."""
        return () if self.divisions is None else self.divisions.folds

    def rows(self, division: Division) -> Rows:
        """Which reported rows belong to a fold."""
        table = self.table
        here = (table.repeat == division.repeat) & (table.fold == division.fold)
        return np.asarray(here & table.reported, dtype=bool)

    def outcomes(self) -> dict[str, tuple[float, float]]:
        """Duration and event of every subject of whom they are known."""
        found: dict[str, tuple[float, float]] = {}
        for table in (self.table, self.training):
            if table is None:
                continue
            rows = np.flatnonzero(table.usable)
            pairs = zip(table.duration[rows].tolist(), table.event[rows].tolist(), strict=True)
            found |= dict(zip(table.subject[rows].tolist(), pairs, strict=True))
        if self.cohort is not None and self.cohort.outcome is not None:
            outcome = self.cohort.outcome
            pairs = zip(outcome.duration.tolist(), outcome.event.tolist(), strict=True)
            found |= dict(zip(self.cohort.subjects, map(_floats, pairs), strict=True))
        return found


def gather(inputs: Inputs) -> Evidence:
    """Read what was handed over.

    Raises:
        UserError: A file is missing or cannot be used.
    """
    run = None
    place = inputs.predictions
    if place.is_dir():
        run = read_run_files(place)
        if not (place / PREDICTIONS).is_file():
            raise DataError(
                f"{place} has no {PREDICTIONS}; give a run folder of `survkit cv` that has "
                "finished, or a table of predictions"
            )
        place = place / PREDICTIONS
    table = read_audit_table(place)
    divisions = _divisions(inputs, run, table)
    table, divisions = _aligned(table, divisions)
    training = None if inputs.training is None else _training(inputs.training)
    if training is not None and divisions is None:
        divisions = _held_out(table, training)
    cohort = None
    if inputs.cohort is not None:
        cohort = Cohort.read(
            inputs.cohort, table=inputs.cohort_table, data_folder=inputs.data_folder
        )
    settings = {} if divisions is None else divisions.settings
    return Evidence(
        table=table,
        divisions=divisions,
        run=run,
        cohort=cohort,
        features=_features(inputs, cohort, run),
        training=training,
        claims=_claims(inputs, run),
        own_claims=inputs.metrics is None and run is not None and bool(run.metrics),
        site_splits=inputs.site_splits or bool(settings.get("group_by_site")),
        unit=inputs.unit or _unit(table),
    )


def _divisions(inputs: Inputs, run: RunFiles | None, table: Table) -> Divisions | None:
    if inputs.splits is not None:
        return read_divisions(inputs.splits)
    if run is not None and (run.folder / "splits.json").is_file():
        return read_divisions(run.folder / "splits.json")
    return divisions_of(table)


def _aligned(table: Table, divisions: Divisions | None) -> tuple[Table, Divisions | None]:
    """Let table and divisions speak of the same things.

    Splits of series (scans) are turned into splits of their subjects: that is where a subject of
    several scans shows in two parts. A table without folds takes them from the splits.
    """
    if divisions is None:
        return table, None
    named = set(zip(table.repeat, table.fold, strict=True))
    if len(divisions.folds) == 1 and len(named) == 1:
        table = table.of_one(divisions.folds[0].repeat, divisions.folds[0].fold)
    if table.series is not None:
        divisions = _by_subject(table.series, table.subject, divisions)
    if "fold" in table.given or len(divisions.folds) < 2:
        return table, divisions
    fold = _filled(len(table), "")
    for division in divisions.folds:
        tested = set(division.test)
        member = np.array([name in tested for name in table.subject], dtype=bool)
        fold[member & (table.repeat == division.repeat)] = division.fold
    return table.with_folds(fold), divisions


def _by_subject(series: Texts, subject: Texts, divisions: Divisions) -> Divisions:
    owner = dict(zip(series, subject, strict=True))
    everybody = set(subject)

    def owners(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n if n in everybody else str(owner.get(n, n)) for n in names))

    folds = tuple(
        Division(
            repeat=one.repeat,
            fold=one.fold,
            train=owners(one.train),
            validation=owners(one.validation),
            test=owners(one.test),
        )
        for one in divisions.folds
    )
    return Divisions(
        source=divisions.source,
        folds=folds,
        stated=divisions.stated,
        stated_hash=divisions.stated_hash,
        own_hash=divisions.own_hash,
        settings=divisions.settings,
    )


def _held_out(table: Table, training: Table) -> Divisions:
    one = Division(
        repeat=str(table.repeat[0]),
        fold=str(table.fold[0]),
        train=tuple(dict.fromkeys(training.subject)),
        validation=(),
        test=tuple(dict.fromkeys(table.subject)),
    )
    return Divisions(source=training.source, folds=(one,))


def _training(path: Path) -> Table:
    return read_audit_table(path, needs_risk=False)


def _features(inputs: Inputs, cohort: Cohort | None, run: RunFiles | None) -> Features | None:
    if inputs.features is not None:
        return read_features(inputs.features)
    if cohort is None:
        return None
    names = cohort.modalities if run is None or not run.modalities else run.modalities
    return features_of(cohort, names)


def _claims(inputs: Inputs, run: RunFiles | None) -> tuple[Claim, ...]:
    if inputs.metrics is not None:
        return read_claims(inputs.metrics)
    if run is not None and run.metrics:
        return read_claims(run.folder / "metrics.json")
    return ()


def _unit(table: Table) -> str | None:
    unit = table.facts.get("time_unit")
    return unit if isinstance(unit, str) else None


def _filled(rows: int, value: str) -> Texts:
    return np.full(rows, value, dtype=object)


def _floats(pair: tuple[float, int]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
