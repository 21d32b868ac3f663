"""Rows of a side file that belong to nobody in the cohort."""

from __future__ import annotations

from survkit.data.modality_config import TableModality, VectorModality
from survkit.data.problem import Problem
from survkit.data.raw_cohort import RawCohort
from survkit.data.readers.join import subject_column
from survkit.data.text_table import read_table

FEW = 3


def stranger_warnings(raw: RawCohort, modality: str) -> list[Problem]:
    """Warn of a file beside the table in which some subjects are not in the cohort.

    It is ordinary where the file serves several cohorts, and a slip where identifiers are written
    in two ways: then those subjects lose their modality without a word.
    """
    settings = raw.config.modality(modality, source=str(raw.path))
    if not isinstance(settings, TableModality | VectorModality) or settings.file is None:
        return []
    if str(settings.file).endswith(".npz"):  # its names are read by the archive's own reader
        return []
    table = read_table(raw.file(settings.file), missing=raw.config.missing)
    there = list(dict.fromkeys(subject_column(table, raw.config.subject)))
    known = set(raw.subjects())
    strangers = [name for name in there if name not in known]
    if not strangers:
        return []
    shown = ", ".join(f"'{name}'" for name in strangers[:FEW])
    shown += ", …" if len(strangers) > FEW else ""
    message = (
        f"{len(strangers)} of {len(there)} subjects of {settings.file} are not in the cohort "
        f"({shown}); if they should be, write their identifiers alike"
    )
    return [Problem(None, None, modality, message, "warning")]
