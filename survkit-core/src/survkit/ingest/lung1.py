"""NSCLC-Radiomics (LUNG1) as TCIA ships it: what the user need not say.

CT, RTSTRUCT and SEG lie in ``NSCLC-Radiomics/LUNG1-001/<study>/<series>/``; the clinical table is
"NSCLC Radiomics Lung1.clinical-version3-Oct 2019.csv", or the same with tidy names.

Reference: Aerts et al. (2014), doi:10.1038/ncomms5006; data doi:10.7937/K9/TCIA.2015.PF0M9REI. The
seven cases of ``--paper`` are those that Paolo et al. (2026), doi:10.1007/s13755-025-00404-z, left
out of 422.
"""

from __future__ import annotations

from collections.abc import Sequence

from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.collection import Columns, which_form

PATIENT_FOLDERS = r"LUNG1-\d{3}"
REGION = "GTV-1"
PAPER_EXCLUDES = tuple(f"LUNG1-{number:03d}" for number in (14, 21, 85, 95, 128, 194, 246))
PAPER_REASON = "left out of the cohort of Paolo et al. (2026), doi:10.1007/s13755-025-00404-z"


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
    forms = {"published": PUBLISHED, "tidy": TIDY}
    needed = {
        name: [c.subject, c.duration, c.event, *c.numbers, *c.names] for name, c in forms.items()
    }
    title = "the clinical table of LUNG1 (version 3, October 2019)"
    return forms[which_form(header, needed, title, source)]


def lung1_plan(columns: Columns) -> CohortPlan:
    """Return the outcome (death, in days) and the clinical modality."""
    return CohortPlan(columns.outcome("death"), {}, {"clinical": columns.clinical()})


def paper_excludes() -> tuple[tuple[str, str], ...]:
    """Return the subjects of ``--paper`` with the reason."""
    return tuple((subject, PAPER_REASON) for subject in PAPER_EXCLUDES)
