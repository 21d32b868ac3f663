"""From folders of images and a clinical table to a cohort on disk."""

from __future__ import annotations

from survkit.ingest.clinical_table import ClinicalTable, read_clinical_table
from survkit.ingest.cohort_plan import CohortPlan, OutcomeRequest, plan_cohort
from survkit.ingest.cxr_folder import ingest_cxr_folder
from survkit.ingest.hannover import ingest_hannover
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
    "ingest_cxr_folder",
    "ingest_hannover",
    "ingest_hecktor2022",
    "plan_cohort",
    "read_clinical_table",
]
