"""The ``cohort.yaml`` of an ingest: the outcome's columns and the modalities that were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from survkit.data.cohort_config import CohortConfig, OutcomeConfig, read_cohort_config
from survkit.errors import ConfigError
from survkit.ingest.clinical_table import ClinicalTable
from survkit.ingest.petct import petct_preparation
from survkit.ingest.settings import MODALITY_NAMES, IngestSettings, image_column, mask_column
from survkit.validation import validate

USUAL_OUTCOME = ("duration", "event")


@dataclass(frozen=True, slots=True)
class CohortPlan:
    """What ``cohort.yaml`` says beyond the images.

    Attributes:
        outcome: As in a cohort file.
        others: Further top-level keys, such as site.
        tables: Modalities made of columns of the clinical table.
        left_out: Modalities of a given cohort file that live in other files.
        derived: Columns that are made of the clinical table, by name and subject; added to it.
        preparation: How volumes are prepared: as the files are, or CT and PET on one grid.
    """

    outcome: Mapping[str, Any]
    others: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    derived: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    preparation: Literal["none", "petct"] = "none"

    def columns(self) -> list[str]:
        """Return the columns of the clinical table that are named."""
        names = [self.outcome.get(key) for key in ("duration", "event", "entry", "weight")]
        names += [self.others.get(key) for key in ("site", "strata", "group")]
        names += [name for part in self.tables.values() for name in part["columns"]]
        return [name for name in names if name and name not in self.derived]

    def content(
        self,
        name: str,
        table: ClinicalTable,
        settings: IngestSettings,
        written: Sequence[str],
    ) -> dict[str, Any]:
        """Return the content of ``cohort.yaml``.

        Args:
            name: Of the cohort.
            table: The clinical table.
            settings: Of the ingest.
            written: Columns that hold a file of at least one subject.

        Raises:
            ConfigError: The outcome is not one, or a modality's name is taken.
        """
        modalities: dict[str, Any] = {}
        for code in settings.modalities:
            if image_column(code) not in written:
                continue
            volume = {"kind": "volume", "path": image_column(code)}
            masks = [mask_column(code, roi) for roi in settings.rois]
            masks = [column for column in masks if column in written]
            if masks:
                volume["mask"] = masks[0]
            modalities[MODALITY_NAMES[code]] = volume
        return self.file_content(name, table.subject_column, modalities)

    def file_content(
        self, name: str, subject: str, volumes: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the content of ``cohort.yaml`` with these volume modalities.

        Raises:
            ConfigError: The outcome is not one, or a modality's name is taken.
        """
        modalities = {key: dict(settings) for key, settings in volumes.items()}
        if self.preparation == "petct":
            modalities = petct_preparation(modalities)
        twice = sorted(set(modalities) & set(self.tables))
        if twice:
            raise ConfigError(
                f"the modality '{twice[0]}' is made of images and stands in the given cohort file "
                "as a table; rename it there"
            )
        content = {
            "name": name,
            "table": "table.csv",
            "subject": subject,
            "outcome": dict(self.outcome),
            **self.others,
            "modalities": modalities | {key: dict(part) for key, part in self.tables.items()},
        }
        checked = validate(CohortConfig, content, source="cohort.yaml")
        for modality in checked.modalities:
            checked.modality(modality, source="cohort.yaml")
        return content


@dataclass(frozen=True, slots=True)
class OutcomeRequest:
    """What a user says of the outcome.

    Attributes:
        duration: Column of the follow-up time; the default is ``duration``.
        event: Column of the event code; the default is ``event``.
        unit: Of the durations; the default is days.
        causes: Name of the cause by its code; the default is 1 = event.
        columns: Columns that become a modality named ``clinical``.
        cohort_file: Cohort file that says all of it instead.
    """

    duration: str | None = None
    event: str | None = None
    unit: str | None = None
    causes: Mapping[int | str, str] | None = None
    columns: tuple[str, ...] = ()
    cohort_file: Path | None = None


def plan_cohort(table: ClinicalTable, asked: OutcomeRequest) -> CohortPlan:
    """Return what ``cohort.yaml`` says of the outcome.

    Raises:
        ConfigError: Which columns hold it is not known, they are not there, or it is said twice.
    """
    if asked.cohort_file is not None:
        if asked != OutcomeRequest(cohort_file=asked.cohort_file):
            raise ConfigError(
                "--outcome says what happened; leave --duration, --event, --unit, --causes and "
                "--columns away"
            )
        return _plan_of_cohort_file(asked.cohort_file)
    names = []
    for given, usual in zip((asked.duration, asked.event), USUAL_OUTCOME, strict=True):
        if given is None and usual not in table.header:
            raise ConfigError(
                f"{table.source}: which columns hold what happened? Give --duration and --event "
                f"(and --unit, --causes), or --outcome with a cohort file (columns: "
                f"{', '.join(table.header[:12])})"
            )
        names.append(given or usual)
    table.refuse_missing([*names, *asked.columns])
    causes: dict[int | str, str] = dict(asked.causes) if asked.causes else {1: "event"}
    outcome = {
        "duration": names[0],
        "unit": asked.unit or "days",
        "event": names[1],
        "causes": causes,
    }
    validate(OutcomeConfig, outcome, source="outcome")
    clinical = {"kind": "table", "columns": list(asked.columns)}
    return CohortPlan(outcome, {}, {"clinical": clinical} if asked.columns else {})


def _plan_of_cohort_file(path: Path) -> CohortPlan:
    """Return what a cohort file says, but for its images and the files of its own."""
    config = read_cohort_config(path)
    dumped: dict[str, Any] = config.model_dump(exclude_defaults=True)
    tables, left_out = {}, []
    for name, part in config.modalities.items():
        if part["kind"] in ("table", "vector") and part.get("file") is None:
            tables[name] = part
        elif part["kind"] in ("table", "vector"):
            left_out.append(name)
    others: dict[str, Any] = {
        key: dumped[key] for key in ("site", "strata", "group", "missing") if key in dumped
    }
    outcome = config.outcome.model_dump(exclude_defaults=True)
    return CohortPlan(outcome, others, tables, tuple(left_out))


def parse_causes(pairs: Sequence[str]) -> dict[int | str, str]:
    """Return ``{1: "death"}`` for ``["1=death"]``; one text may hold several, parted by commas.

    Raises:
        ConfigError: Not of that form, or a code twice.
    """
    causes: dict[int | str, str] = {}
    for pair in ",".join(pairs).split(","):
        code, equals, name = (part.strip() for part in pair.partition("="))
        if not (code and equals and name):
            raise ConfigError(f"--causes must look like 1=death, not {pair!r}")
        key: int | str = int(code) if code.lstrip("-").isdigit() else code
        if key in causes:
            raise ConfigError(f"--causes names the code {code} twice")
        causes[key] = name
    return causes
