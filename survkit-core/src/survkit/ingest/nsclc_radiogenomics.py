"""NSCLC Radiogenomics as TCIA ships it: what the user need not say.

CT, PET and SEG lie in ``NSCLC Radiogenomics/R01-001/<study>/<series>/`` (or ``AMC-001``); the
clinical table is "NSCLCR01Radiogenomic_DATA_LABELS_2018-05-22_1500-shifted.csv", or the same with
tidy names.

Reference: Bakr et al. (2018), doi:10.1038/sdata.2018.202; data doi:10.7937/K9/TCIA.2017.7hs46erv.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from survkit.data.cohort_config import USUAL_MISSING
from survkit.errors import DataError
from survkit.ingest.clinical_table import ClinicalTable
from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.collection import Columns, which_form
from survkit.ingest.settings import IngestSettings

PATIENT_FOLDERS = r"(?:R01|AMC)-\d{3}"
NOT_KNOWN = (
    "Not Collected", "Not collected", "Not Recorded In Database", "Not Assessed", "Unknown",
)  # fmt: skip
"""Cells by which the table says that a value is missing; none of them is a category."""
DATES = ("%m/%d/%Y", "%m/%d/%y")

STATUS, CT_DATE = "Survival Status", "CT Date"
DEATH_DATE, LAST_DATE = "Date of Death", "Date of Last Known Alive"
PUBLISHED = Columns(
    "Case ID",
    "time_days",
    "event",
    ("Age at Histological Diagnosis",),
    (
        "Gender", "Smoking status", "Histology", "Pathological T stage", "Pathological N stage",
        "Pathological M stage",
    ),
    "Patient affiliation",
)  # fmt: skip
TIDY = Columns(
    "patient_id",
    "time_days",
    "event",
    ("age_years",),
    ("sex", "smoking_status", "histology", "p_t_stage", "p_n_stage", "p_m_stage"),
    "affiliation",
)


def nsclc_radiogenomics_plan(table: ClinicalTable) -> CohortPlan:
    """Return the outcome (death, in days from the CT) and the clinical modality.

    The published table holds dates; ``time_days`` and ``event`` are made of them. Recurrence and
    treatment after surgery are no covariates.

    Raises:
        ConfigError: Another table.
        DataError: A status or a date that is none.
    """
    blanks = {name.rstrip(): name for name in table.header}  # "Histology " in the published file
    dates = [STATUS, CT_DATE, DEATH_DATE, LAST_DATE]
    needed = {
        "published": [PUBLISHED.subject, *dates, *PUBLISHED.numbers, *PUBLISHED.names],
        "tidy": [TIDY.subject, TIDY.duration, TIDY.event, *TIDY.numbers, *TIDY.names],
    }
    title = "the clinical table of NSCLC Radiogenomics (May 2018)"
    form = which_form(list(blanks), needed, title, table.source)
    columns = TIDY if form == "tidy" else PUBLISHED
    derived = {} if form == "tidy" else _outcomes(table, blanks)
    others: dict[str, object] = {"missing": [*USUAL_MISSING, *NOT_KNOWN]}
    if columns.site in blanks:
        others["site"] = blanks[columns.site]
    columns = replace(columns, names=tuple(blanks[name] for name in columns.names))
    clinical = {"clinical": columns.clinical()}
    return CohortPlan(
        columns.outcome("death"), others, clinical, derived=derived, preparation="petct"
    )


def nsclc_radiogenomics_settings(settings: IngestSettings) -> IngestSettings:
    """Return the rules: CT and PET of one study and frame of reference, regions of the SEG."""
    source = "seg" if settings.mask_from == "any" and settings.rois else settings.mask_from
    return replace(
        settings,
        modalities=("CT", "PT"),
        mask_from=source,
        study="complete" if settings.study == "only" else settings.study,
        patient_folders=PATIENT_FOLDERS,
        same_frame=True,
    )


def _outcomes(table: ClinicalTable, names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return ``time_days`` and ``event`` of every subject; an empty cell is unknown."""
    times: dict[str, str] = {}
    events: dict[str, str] = {}
    for subject, row in table.rows.items():
        cells = dict(zip(table.header, (cell.strip() for cell in row), strict=True))
        status = cells[names[STATUS]]
        if status not in ("Dead", "Alive"):
            raise DataError(
                f"{table.source}: subject '{subject}': {STATUS} is Dead or Alive, not '{status}'"
            )
        last = DEATH_DATE if status == "Dead" else LAST_DATE
        ends = [
            _date(cells[names[column]], column, subject, table.source) for column in (CT_DATE, last)
        ]
        events[subject] = "1" if status == "Dead" else "0"
        if ends[0] is not None and ends[1] is not None:
            times[subject] = str((ends[1] - ends[0]).days)
    return {PUBLISHED.duration: times, PUBLISHED.event: events}


def _date(cell: str, column: str, subject: str, source: str) -> date | None:
    """Return a day; ``None`` where the cell says that it is not known."""
    if cell in (*USUAL_MISSING, *NOT_KNOWN):
        return None
    for form in DATES:
        try:
            return datetime.strptime(cell, form).date()
        except ValueError:
            continue
    raise DataError(
        f"{source}: subject '{subject}': {column} is a date such as 4/24/1991, not '{cell}'"
    )
