"""NSCLC-Radiomics (LUNG1) as TCIA ships it: what the user need not say.

CT, RTSTRUCT and SEG lie in ``NSCLC-Radiomics/LUNG1-001/<study>/<series>/``; the clinical table is
"NSCLC Radiomics Lung1.clinical-version3-Oct 2019.csv", or the same with tidy names.

Reference: Aerts et al. (2014), doi:10.1038/ncomms5006; data doi:10.7937/K9/TCIA.2015.PF0M9REI. The
seven cases of ``--paper`` are those that Paolo et al. (2026), doi:10.1007/s13755-025-00404-z, left
out of 422.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survkit.errors import ConfigError
from survkit.ingest.cohort_plan import CohortPlan

PATIENT_FOLDERS = r"LUNG1-\d{3}"
REGION = "GTV-1"
PAPER_EXCLUDES = tuple(f"LUNG1-{number:03d}" for number in (14, 21, 85, 95, 128, 194, 246))
PAPER_REASON = "left out of the cohort of Paolo et al. (2026), doi:10.1007/s13755-025-00404-z"


@dataclass(frozen=True, slots=True)
class Columns:
    """Names in one of the tables that circulate."""

    subject: str
    duration: str
    event: str
    numbers: tuple[str, ...]
    names: tuple[str, ...]


PUBLISHED = Columns(
    "PatientID",
    "Survival.time",
    "deadstatus.event",
    ("age",),
    (
        "clinical.T.Stage", "Clinical.N.Stage", "Clinical.M.Stage", "Overall.Stage", "Histology",
        "gender",
    ),
)  # fmt: skip
TIDY = Columns(
    "patient_id",
    "time_days",
    "event",
    ("age_years",),
    ("t_stage", "n_stage", "m_stage", "overall_stage", "histology", "sex"),
)


def lung1_columns(header: Sequence[str], source: str) -> Columns:
    """Return which of the two tables it is.

    Raises:
        ConfigError: Neither.
    """
    missing: dict[str, list[str]] = {}
    for name, columns in (("published", PUBLISHED), ("tidy", TIDY)):
        wanted = [columns.subject, columns.duration, columns.event]
        wanted += [*columns.numbers, *columns.names]
        missing[name] = [each for each in wanted if each not in header]
        if not missing[name]:
            return columns
    least = min(missing, key=lambda name: len(missing[name]))
    raise ConfigError(
        f"{source}: not the clinical table of LUNG1 (version 3, October 2019): the {least} form "
        f"lacks {', '.join(missing[least])}"
    )


def lung1_plan(columns: Columns) -> CohortPlan:
    """Return the outcome (death, in days) and the clinical modality."""
    outcome: Mapping[str, Any] = {
        "duration": columns.duration,
        "unit": "days",
        "event": columns.event,
        "causes": {1: "death"},
    }
    clinical = {
        "kind": "table",
        "columns": [*columns.numbers, *columns.names],
        "categorical": list(columns.names),
    }
    return CohortPlan(outcome, {}, {"clinical": clinical})


def paper_excludes() -> tuple[tuple[str, str], ...]:
    """Return the subjects of ``--paper`` with the reason."""
    return tuple((subject, PAPER_REASON) for subject in PAPER_EXCLUDES)
