"""From folders of DICOM and a clinical table to a cohort on disk, without original identifiers."""

from __future__ import annotations

from survkit.ingest.clinical_table import ClinicalTable, read_clinical_table
from survkit.ingest.cohort_plan import CohortPlan, OutcomeRequest, plan_cohort
from survkit.ingest.hecktor2022 import ingest_hecktor2022
from survkit.ingest.layouts import apply_layout
from survkit.ingest.run import Ingested, Running, ingest
from survkit.ingest.settings import IngestSettings

__all__ = [
    "ClinicalTable",
    "CohortPlan",
    "IngestSettings",
    "Ingested",
    "OutcomeRequest",
    "Running",
    "apply_layout",
    "ingest",
    "ingest_hecktor2022",
    "plan_cohort",
    "read_clinical_table",
]
