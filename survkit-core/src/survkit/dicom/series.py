"""What a folder holds: series of one geometry, and what was refused, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from survkit.dicom.frame import Frame
from survkit.dicom.header import FileHeader
from survkit.dicom.shown_name import shown_name
from survkit.dicom.stack_geometry import StackGeometry

SET_ASIDE = frozenset({"colour", "few-slices", "localizer", "projection", "reformat", "screenshot"})
"""Rules for what is no volume by its nature; the other rules say that something is wrong."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Files that are not offered as a series, and why.

    Attributes:
        what: The file or series, without identifiers.
        rule: The rule in a word or two, such as "missing-slices".
        reason: What was expected, what came, what to do.
        files: How many files.
        patient_id: The files' PatientID, to say whose they are; empty if not known.
    """

    what: str
    rule: str
    reason: str
    files: int
    patient_id: str = ""

    @property
    def expected(self) -> bool:
        """Whether it was set aside for what it is (a localizer, a screenshot), not for a fault."""
        return self.rule in SET_ASIDE


@dataclass(frozen=True, slots=True)
class Plane:
    """One slice: a file and the frame in it."""

    header: FileHeader
    index: int

    @property
    def frame(self) -> Frame:
        """Its place, spacing and rescaling."""
        return self.header.frames[self.index]


@dataclass(frozen=True, slots=True)
class Series:
    """Slices of one geometry in the order of their positions along the normal.

    Attributes:
        planes: The slices.
        geometry: Of the stack; its tilt is not yet corrected.
        label: What messages call it; without identifiers.
        duplicates: Slices that were left out since an identical one is kept.
        notes: What else was seen on the way.
    """

    planes: tuple[Plane, ...]
    geometry: StackGeometry
    label: str
    duplicates: int = 0
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[FileHeader, ...]:
        """The headers, each once, in the order of the slices."""
        return tuple({plane.header.path: plane.header for plane in self.planes}.values())

    @property
    def slices(self) -> int:
        """How many slices."""
        return len(self.planes)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Between voxel centres in mm (z, y, x); z from the positions."""
        return self.geometry.spacing

    @property
    def tilt(self) -> float:
        """Degrees between the slices' normal and the line of their positions."""
        return self.geometry.tilt

    @property
    def first(self) -> FileHeader:
        """The first slice's header, for what is equal in all: patient, study, frame."""
        return self.planes[0].header

    @property
    def modality(self) -> str:
        """Such as "CT" or "PT"."""
        return self.first.modality

    @property
    def patient_id(self) -> str:
        """PatientID; an identifier, never for an output as it stands."""
        return self.first.patient_id

    @property
    def study_uid(self) -> str:
        """StudyInstanceUID; never for an output."""
        return self.first.study_uid

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID; never for an output."""
        return self.first.series_uid

    @property
    def frame_uid(self) -> str:
        """FrameOfReferenceUID; never for an output."""
        return self.first.frame_uid

    @property
    def kernel(self) -> str:
        """ConvolutionKernel, several joined by a backslash."""
        return self.first.kernel

    @property
    def thickness(self) -> float | None:
        """SliceThickness in mm as the file says; never used for geometry."""
        return self.first.thickness

    @property
    def description(self) -> str:
        """SeriesDescription: free text, so possibly an identifier; never for an output."""
        return self.first.description


def series_label(headers: Sequence[FileHeader], folder: Path) -> str:
    """Return what messages call a series: modality, number, count and folder; no identifiers."""
    first = headers[0]
    number = "" if first.series_number is None else f" {first.series_number}"
    count = len(headers)
    where = shown_name(first.path.parent, folder)
    place = "" if where in ("", ".") else f" in '{where}'"
    files = "file" if count == 1 else "files"
    return f"{first.modality[:16] or 'unnamed'} series{number} ({count} {files}{place})"
