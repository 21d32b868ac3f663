"""What a known collection says in place of the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from survkit.errors import ConfigError
from survkit.ingest import hn1, nsclc_radiogenomics
from survkit.ingest.clinical_table import USUAL_SUBJECTS, ClinicalTable
from survkit.ingest.cohort_plan import CohortPlan, OutcomeRequest, plan_cohort
from survkit.ingest.lung1 import (
    PATIENT_FOLDERS,
    REGION,
    lung1_columns,
    lung1_plan,
    paper_excludes,
)
from survkit.ingest.settings import IngestSettings, Layout
from survkit.suggest import did_you_mean

HECKTOR, HANNOVER, CXR_FOLDER = "hecktor2022", "hannover-cxr", "cxr-folder"
"""Layouts of other files, which are not ingested by the rules of DICOM series."""
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "tcia-hn1": (hn1.PUBLISHED.subject, hn1.TIDY.subject),
    "tcia-nsclc-radiogenomics": (
        nsclc_radiogenomics.PUBLISHED.subject,
        nsclc_radiogenomics.TIDY.subject,
    ),
}


def usual_subjects(layout: str) -> tuple[str, ...]:
    """Return the names by which the column of the ids is known.

    Raises:
        ConfigError: No such layout.
    """
    _refuse_unknown(layout)
    return _SUBJECTS.get(layout, USUAL_SUBJECTS)


def _refuse_unknown(layout: str) -> None:
    if layout not in get_args(Layout):
        known = (*get_args(Layout), HECKTOR, HANNOVER, CXR_FOLDER)
        raise ConfigError(f"no layout is named {layout!r}. {did_you_mean(layout, known)}")


def apply_layout(
    layout: str,
    table: ClinicalTable,
    asked: OutcomeRequest,
    settings: IngestSettings,
    *,
    paper: bool = False,
) -> tuple[CohortPlan, IngestSettings]:
    """Return the outcome and the rules of an ingest, as asked or as the collection says.

    Args:
        layout: "generic", "tcia-lung1", "tcia-hn1" or "tcia-nsclc-radiogenomics".
        table: The clinical table.
        asked: What the user says of the outcome.
        settings: What the user asks for.
        paper: Leave out the cases that the collection's paper leaves out.

    Raises:
        ConfigError: No such layout, another clinical table, or an outcome said twice.
    """
    _refuse_unknown(layout)
    if paper and layout != "tcia-lung1":
        raise ConfigError("--paper belongs to --layout tcia-lung1")
    if layout == "generic":
        return plan_cohort(table, asked), settings
    if asked != OutcomeRequest():
        raise ConfigError(
            f"--layout {layout} says the outcome and the clinical columns itself; leave "
            "--duration, --event, --unit, --causes, --columns and --outcome away"
        )
    if layout == "tcia-hn1":
        return hn1.hn1_plan(table), hn1.hn1_settings(settings)
    if layout == "tcia-nsclc-radiogenomics":
        return (
            nsclc_radiogenomics.nsclc_radiogenomics_plan(table),
            nsclc_radiogenomics.nsclc_radiogenomics_settings(settings),
        )
    plan = lung1_plan(lung1_columns(table.header, table.source))
    return plan, replace(
        settings,
        rois=settings.rois or (REGION,),
        mask_from="rtstruct" if settings.mask_from == "any" else settings.mask_from,
        exclude=paper_excludes() if paper else (),
        patient_folders=PATIENT_FOLDERS,
    )
