"""HEAD-NECK-RADIOMICS-HN1 as TCIA ships it: what the user need not say.

CT, RTSTRUCT and, of some patients, PET lie in ``HEAD-NECK-RADIOMICS-HN1/HN1004/<study>/<series>/``;
the clinical table is "HEAD-NECK-RADIOMICS-HN1 Clinical data updated July 2020.csv", or the same
with tidy names.

Reference: Aerts et al. (2014), doi:10.1038/ncomms5006; data doi:10.7937/tcia.2019.8kap372n.
"""

from __future__ import annotations

from dataclasses import replace

from survkit.ingest.clinical_table import ClinicalTable
from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.collection import Columns, which_form
from survkit.ingest.settings import IngestSettings

PATIENT_FOLDERS = r"HN1\d{3}"
REGION = "GTV-1"
_NUMBERS = ("age_at_diagnosis", "pretreat_hb_in_mmolperlitre")
_NAMES = (
    "index_tumour_location", "biological_sex", "performance_status_ecog",
    "overall_hpv_p16_status", "clin_t", "clin_n", "clin_m", "ajcc_stage",
)  # fmt: skip
PUBLISHED = Columns("id", "overall_survival_in_days", "event_overall_survival", _NUMBERS, _NAMES)
TIDY = Columns("patient_id", "time_days", "event", _NUMBERS, _NAMES)


def hn1_plan(table: ClinicalTable) -> CohortPlan:
    """Return the outcome (death, in days) and the clinical modality.

    Of treatment nothing is used: its duration is known only afterwards.

    Raises:
        ConfigError: Another table.
    """
    forms = {"published": PUBLISHED, "tidy": TIDY}
    needed = {
        name: [c.subject, c.duration, c.event, *c.numbers, *c.names] for name, c in forms.items()
    }
    title = "the clinical table of HEAD-NECK-RADIOMICS-HN1 (July 2020)"
    columns = forms[which_form(table.header, needed, title, table.source)]
    return CohortPlan(
        columns.outcome("death"), {}, {"clinical": columns.clinical()}, preparation="petct"
    )


def hn1_settings(settings: IngestSettings) -> IngestSettings:
    """Return the rules: CT and PET of one study and frame of reference, GTV-1 of the RTSTRUCT."""
    return replace(
        settings,
        modalities=("CT", "PT"),
        rois=settings.rois or (REGION,),
        mask_from="rtstruct" if settings.mask_from == "any" else settings.mask_from,
        study="complete" if settings.study == "only" else settings.study,
        patient_folders=PATIENT_FOLDERS,
        same_frame=True,
    )
