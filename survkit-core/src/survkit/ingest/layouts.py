"""What a known collection says in place of the user."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from survkit.errors import ConfigError
from survkit.ingest.clinical_table import ClinicalTable
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
        layout: "generic" or "tcia-lung1".
        table: The clinical table.
        asked: What the user says of the outcome.
        settings: What the user asks for.
        paper: Leave out the cases that the collection's paper leaves out.

    Raises:
        ConfigError: No such layout, another clinical table, or an outcome said twice.
    """
    if layout not in get_args(Layout):
        raise ConfigError(f"no layout is {layout!r}. {did_you_mean(layout, get_args(Layout))}")
    if layout == "generic":
        if paper:
            raise ConfigError("--paper belongs to --layout tcia-lung1")
        return plan_cohort(table, asked), settings
    if asked != OutcomeRequest():
        raise ConfigError(
            "--layout tcia-lung1 says the outcome and the clinical columns itself; leave "
            "--duration, --event, --unit, --causes, --columns and --outcome away"
        )
    plan = lung1_plan(lung1_columns(table.header, table.source))
    return plan, replace(
        settings,
        rois=settings.rois or (REGION,),
        mask_from="rtstruct" if settings.mask_from == "any" else settings.mask_from,
        exclude=paper_excludes() if paper else (),
        patient_folders=PATIENT_FOLDERS,
    )
