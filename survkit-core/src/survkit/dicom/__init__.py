"""DICOM: series found in messy folders, their geometry asserted, their pixels in real units."""

from __future__ import annotations

from survkit.dicom.choose_series import Choice, choose_series
from survkit.dicom.discover import Discovery, discover
from survkit.dicom.header import FileHeader, read_header
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.quality import SeriesQuality
from survkit.dicom.read_series import DicomVolume, read_series
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Refusal, Series

__all__ = [
    "Choice",
    "DicomVolume",
    "Discovery",
    "FileHeader",
    "Refusal",
    "RefusedSeriesError",
    "Series",
    "SeriesQuality",
    "choose_series",
    "discover",
    "open_dicom",
    "read_header",
    "read_series",
]
