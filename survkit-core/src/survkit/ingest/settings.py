"""What is asked of an ingest: which series, which regions, by which rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from survkit.dicom.choose_series import PREFERENCES, Preference
from survkit.errors import ConfigError
from survkit.suggest import did_you_mean

MODALITY_NAMES = {"CT": "ct", "PT": "pet", "MR": "mr", "NM": "nm"}
"""Name in the cohort by the modality's code in DICOM; these are volumes."""
MaskSource = Literal["any", "rtstruct", "seg"]
StudyRule = Literal["only", "first", "last", "most-slices", "complete"]
Tilt = Literal["refuse", "correct"]
Layout = Literal["generic", "tcia-lung1", "tcia-hn1", "tcia-nsclc-radiogenomics"]


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """The rules of an ingest; all of them are recorded in ``ingest.json``.

    Attributes:
        modalities: Codes of DICOM: CT, PT, MR, NM. A PT series becomes SUV by body weight.
        rois: Names of regions in RTSTRUCT or SEG files that become masks; the first is the
            cohort's.
        mask_from: Which kind of file the regions come from.
        threshold: From which share on a voxel of a fractional SEG is inside.
        series: Which of several series of a modality is taken.
        kernel: Only series with this convolution kernel count.
        study: Which of several studies of a patient is taken.
        tilt: Whether a tilted gantry is refused or its shear corrected by resampling.
        exclude: Subjects that are left out on purpose, with the reason.
        patient_folders: Pattern of folders that are named by patient; a series in another
            patient's folder is refused.
        same_frame: A PET in another frame of reference than the CT is refused: the two would not
            show the same places.

    Raises:
        ConfigError: A setting is none, or two do not fit.
    """

    modalities: tuple[str, ...] = ("CT",)
    rois: tuple[str, ...] = ()
    mask_from: MaskSource = "any"
    threshold: float | None = None
    series: Preference = "only"
    kernel: str | None = None
    study: StudyRule = "only"
    tilt: Tilt = "refuse"
    exclude: tuple[tuple[str, str], ...] = ()
    patient_folders: str | None = None
    same_frame: bool = False

    def __post_init__(self) -> None:
        """Refuse what means nothing, before any file is read."""
        _refuse_unknown("modality", self.modalities, MODALITY_NAMES)
        _refuse_unknown("mask source", [self.mask_from], get_args(MaskSource))
        _refuse_unknown("series rule", [self.series], PREFERENCES)
        _refuse_unknown("study rule", [self.study], get_args(StudyRule))
        _refuse_unknown("tilt rule", [self.tilt], get_args(Tilt))
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise ConfigError(f"modalities must be named, each once, not {list(self.modalities)}")
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise ConfigError(f"a threshold is a share above 0 and up to 1, not {self.threshold}")
        slugs = [slug(name) for name in self.rois]
        for name, short in zip(self.rois, slugs, strict=True):
            if not short or slugs.count(short) > 1:
                raise ConfigError(
                    f"region '{name}' cannot name a column of its own "
                    f"(it would be '{short}'); rename it in the structure file"
                )
        if (self.mask_from != "any" or self.threshold is not None) and not self.rois:
            raise ConfigError("a mask source or a threshold means nothing without a region's name")

    def columns(self) -> list[str]:
        """Return the columns that are added to the table, in order."""
        return [
            column
            for modality in self.modalities
            for column in (image_column(modality), *(mask_column(modality, r) for r in self.rois))
        ]

    def described(self) -> dict[str, Any]:
        """Return the settings as plain data for ``ingest.json``."""
        return {
            "modalities": list(self.modalities),
            "rois": list(self.rois),
            "mask_from": self.mask_from,
            "threshold": self.threshold,
            "series": self.series,
            "kernel": self.kernel,
            "study": self.study,
            "tilt": self.tilt,
            "exclude": [list(pair) for pair in self.exclude],
            "same_frame": self.same_frame,
        }


def image_column(modality: str) -> str:
    """Return the column of the volume's file, such as ``ct_path``."""
    return f"{MODALITY_NAMES[modality]}_path"


def mask_column(modality: str, roi: str) -> str:
    """Return the column of a mask's file, such as ``ct_gtv_1``."""
    return f"{MODALITY_NAMES[modality]}_{slug(roi)}"


def slug(name: str) -> str:
    """Return a region's name as part of a column's and a file's: ``GTV-1`` as ``gtv_1``."""
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def _refuse_unknown(what: str, found: Any, known: Any) -> None:
    for name in found:
        if name not in known:
            raise ConfigError(f"no {what} is {name!r}. {did_you_mean(str(name), known)}")
