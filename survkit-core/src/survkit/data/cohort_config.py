"""The cohort file: which columns say what, and what the modalities are.

Everything that changes a number on its way to the model is a key of this file; nothing is assumed
from the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from survkit.data.modality_config import (
    MODALITY_KINDS,
    Modality,
    Name,
    Section,
    TableModality,
    VectorModality,
    VolumeModality,
    check_grids,
)
from survkit.errors import ConfigError
from survkit.safe_yaml import read_yaml
from survkit.suggest import did_you_mean
from survkit.validation import validate

Code = int | str
ModalityName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
USUAL_MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")
"""Cells of text tables that stand for a missing value unless the cohort file says otherwise."""


class OutcomeConfig(Section):
    """Which columns say what happened.

    Attributes:
        duration: Column of the time from origin to event or censoring.
        unit: Unit of durations and entries; it is stored with every model and never converted.
        event: Column of the event code.
        causes: Name of the cause by its code in the column.
        censored: Code of subjects without an event.
        censor: Further codes that are knowingly counted as censored, such as other causes of death.
        unknown: Subjects whose event cell is empty are refused, or knowingly left out; who is left
            out is told by ``survkit cohort check``, by the run and in its report.
        entry: Column of the delayed entry (left truncation) time.
        weight: Column of the case weight.
    """

    duration: Name
    unit: Literal["days", "months", "years"]
    event: Name
    causes: Annotated[dict[Code, Name], Field(min_length=1)]
    censored: Code = 0
    censor: list[Code] = Field(default_factory=list)
    unknown: Literal["refuse", "exclude"] = "refuse"
    entry: Name | None = None
    weight: Name | None = None

    @model_validator(mode="after")
    def _each_code_means_one_thing(self) -> OutcomeConfig:
        codes = [str(code) for code in (self.censored, *self.causes, *self.censor)]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(
                f"every event code means one thing, but {', '.join(twice)} stands more than once "
                "in causes, censored and censor"
            )
        names = list(self.causes.values())
        if len(set(names)) < len(names):
            raise ValueError(f"causes need different names, not {names}")
        return self


class CohortConfig(Section):
    """A cohort file.

    Attributes:
        name: Of the cohort, in reports.
        table: CSV or Parquet file, one row per subject; relative to the cohort file.
        subject: Column of the subject's identifier.
        outcome: What happened.
        site: Column of the centre.
        group: Column of what must stay together where a row is not a whole patient, such as the
            patient of several images: no group is ever on two sides of a division.
        strata: Column of the group with its own baseline hazard.
        missing: Cells of text tables that stand for a missing value.
        modalities: By name; the values are validated by :func:`read_cohort_config`.
    """

    name: Name
    table: Name
    subject: Name
    outcome: OutcomeConfig
    site: Name | None = None
    group: Name | None = None
    strata: Name | None = None
    missing: list[str] = Field(default_factory=lambda: list(USUAL_MISSING))
    modalities: Annotated[dict[ModalityName, dict[str, Any]], Field(min_length=1)]

    def modality(self, name: str, *, source: str = "cohort") -> Modality:
        """Return the settings of one modality.

        Raises:
            ConfigError: They are wrong.
        """
        settings = self.modalities[name]
        where = f"{source}: modalities.{name}"
        kind = settings.get("kind")
        if kind is None:
            raise ConfigError(f"{where}: the key 'kind' is required ({', '.join(MODALITY_KINDS)})")
        if kind not in MODALITY_KINDS:
            raise ConfigError(
                f"{where}: no kind is {kind!r}. {did_you_mean(str(kind), MODALITY_KINDS)}"
            )
        return validate(MODALITY_KINDS[kind], settings, source=where)


def read_cohort_config(path: Path) -> CohortConfig:
    """Read and validate a cohort file.

    Raises:
        ConfigError: One line that names the file, the key, what was expected and what came.
    """
    config = validate(CohortConfig, read_yaml(path), source=str(path))
    volumes = {}
    for name in config.modalities:
        settings = config.modality(name, source=str(path))
        if isinstance(settings, VolumeModality):
            volumes[name] = settings
        if isinstance(settings, TableModality | VectorModality) and settings.file is None:
            _refuse_outcome(config.outcome, settings.columns or [], f"{path}: modalities.{name}")
    check_grids(volumes, str(path))
    return config


def _refuse_outcome(outcome: OutcomeConfig, columns: list[str], where: str) -> None:
    """Refuse features that are what is to be predicted."""
    for key in ("duration", "event"):
        column = getattr(outcome, key)
        if column in columns:
            raise ConfigError(
                f"{where}.columns: '{column}' is the outcome's {key}, which a model must not see; "
                "leave it out"
            )
