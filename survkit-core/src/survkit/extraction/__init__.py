"""Features of a cohort's images as a table: computed once per subject, in parallel, resumable."""

from __future__ import annotations

from survkit.extraction.extract import Extraction, extract_features
from survkit.extraction.settings import ExtractionSettings

__all__ = ["Extraction", "ExtractionSettings", "extract_features"]
