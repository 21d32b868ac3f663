"""Standardised uptake values by body weight, from a PET series' own tags.

SUV = activity per volume [Bq/ml] x weight [g] / dose [Bq], with the dose decayed to the moment to
which the images are decay-corrected (one ml of tissue taken as one g): to the start of the scan
(``DecayCorrection`` START), or to the injection (ADMIN). A tag that is missing is named and nothing
is assumed in its place.

Reference: QIBA, FDG-PET/CT Technical Committee (2013), pseudo-code for vendor-neutral SUV by body
weight; written from its formulae. Deviation: where the series begins after its first acquisition,
that acquisition is the start of the scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.pet_times import minutes_to_scan
from survkit.dicom.tag_values import items, number, text
from survkit.dicom.wrong_tags import shown_code, wrong_tags_refused
from survkit.errors import DataError

PHILIPS = "Philips PET Private Group"
MOST_HALF_LIVES = 5.0
"""A scan later than that after the injection is a wrong clock, not an uptake time."""
LEAST_DOSE = 1e5
"""In Bq; a smaller number is a dose in MBq, whatever the standard says."""
MOST_WEIGHT = 500.0
"""In kg; a larger number is a weight in g."""

TAGS = (
    "Units", "SUVType", "DecayCorrection", "CorrectedImage", "PatientWeight",
    "RadiopharmaceuticalInformationSequence", "SeriesDate", "SeriesTime", "AcquisitionDate",
    "AcquisitionTime", "TimezoneOffsetFromUTC", "70530010", "70531000", "70531009",
)  # fmt: skip
"""The last three are the private ones of Philips: creator, SUV and activity scale factors."""
INJECTION = (
    "RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime",
    "RadiopharmaceuticalStartDateTime",
)  # fmt: skip
SAME = ("Units", "SUVType", "DecayCorrection", "CorrectedImage", "PatientWeight")


@dataclass(frozen=True, slots=True)
class SuvFactor:
    """What turns a series' values into SUV.

    Attributes:
        factor: SUV per unit of the stored values (after slope and intercept).
        method: How it came about, in words and numbers without dates.
    """

    factor: float
    method: str


def suv_factor(files: Sequence[Path]) -> SuvFactor:
    """Return the factor of a PET series.

    Args:
        files: All files of the series.

    Raises:
        DataError: A tag that is needed is missing, impossible, or differs between files.
        MissingExtraError: pydicom is not installed.
    """
    if not files:
        raise DataError("a PET series needs at least one file")
    slices = [open_dicom(path, TAGS) for path in files]
    with wrong_tags_refused("PET"):
        return _factor(slices)


def lacks_attenuation_correction(file: Path) -> bool:
    """Whether a PET file says that its values are not corrected for attenuation.

    Scanners give such a series beside the corrected one. A file that says nothing is not one.

    Raises:
        DataError: It cannot be read.
    """
    data = open_dicom(file, ["CorrectedImage"])
    with wrong_tags_refused("PET"):
        corrected = _words(text(data, "CorrectedImage"))
    return bool(corrected) and "ATTN" not in corrected


def _factor(slices: Sequence[Any]) -> SuvFactor:
    for keyword in SAME:
        if len({text(data, keyword) for data in slices}) > 1:
            raise DataError(f"PET: the tag {keyword} differs between the files of the series")
    units = _needed(slices[0], "Units")
    if units == "BQML":
        return _by_weight(slices)
    if units == "GML":
        kind = text(slices[0], "SUVType") or "BW"  # the standard: absent means body weight
        if kind != "BW":
            raise DataError(
                f"PET: the values are SUV of the type {shown_code(kind)}; BW (body weight) is read"
            )
        return SuvFactor(1.0, "GML: values are SUV by body weight already")
    if units != "CNTS":
        raise DataError(f"PET: the Units are {shown_code(units)}; BQML, GML or CNTS is read")
    return _from_counts(slices)


def _from_counts(slices: Sequence[Any]) -> SuvFactor:
    scale = _philips_scale(slices, 0x00)
    if scale is not None:
        return SuvFactor(scale, f"counts x {scale:.6g} (SUV scale factor of the scanner)")
    scale = _philips_scale(slices, 0x09)
    if scale is None:
        raise DataError(
            "PET: the Units are CNTS (counts) and no scale factor of the scanner, (7053,1000) or "
            "(7053,1009), is there, one for all slices; export the series in BQML"
        )
    inner = _by_weight(slices)
    return SuvFactor(scale * inner.factor, f"counts x {scale:.6g} Bq/ml; {inner.method}")


def _by_weight(slices: Sequence[Any]) -> SuvFactor:
    first = slices[0]
    missing = sorted({"ATTN", "DECY"} - _words(_needed(first, "CorrectedImage")))
    if missing:
        raise DataError(f"PET: CorrectedImage does not name {' and '.join(missing)}")
    weight = _positive(first, "PatientWeight")
    if weight > MOST_WEIGHT:
        raise DataError(f"PET: PatientWeight is {weight:g}; kg are expected")
    injection = _injection(slices)
    dose = _positive(injection, "RadionuclideTotalDose")
    if dose < LEAST_DOSE:
        raise DataError(f"PET: RadionuclideTotalDose is {dose:g}; Bq are expected, not MBq")
    half_life = _positive(injection, "RadionuclideHalfLife")
    decay = _needed(first, "DecayCorrection")
    if decay not in ("START", "ADMIN"):
        raise DataError(f"PET: DecayCorrection is {shown_code(decay)}; START or ADMIN is read")
    minutes = minutes_to_scan(slices, injection, "PET") if decay == "START" else 0.0
    if minutes * 60 > MOST_HALF_LIVES * half_life:
        raise DataError(
            f"PET: the scan starts {minutes:.0f} min after the injection, more than "
            f"{MOST_HALF_LIVES:g} half-lives; the times in the header do not belong together"
        )
    left = dose * 2 ** (-minutes * 60 / half_life)
    return SuvFactor(
        1000 * weight / left,
        f"{weight:g} kg, {dose / 1e6:.5g} MBq, decay {decay}, {minutes:.1f} min of half-life "
        f"{half_life / 60:.5g} min",
    )


def _injection(slices: Sequence[Any]) -> Any:
    """Return the one item that says what was injected, the same in all files."""
    found = [items(data, "RadiopharmaceuticalInformationSequence") for data in slices]
    if not found[0]:
        raise DataError(
            "PET: the tag RadiopharmaceuticalInformationSequence is missing; SUV cannot be "
            "computed without it"
        )
    if len(found[0]) > 1:
        raise DataError(
            f"PET: RadiopharmaceuticalInformationSequence holds {len(found[0])} injections; one is "
            "expected"
        )
    said = {tuple(text(item, keyword) for item in each for keyword in INJECTION) for each in found}
    if len(said) > 1:
        raise DataError("PET: dose, half-life or injection differ between the files of the series")
    return found[0][0]


def _philips_scale(slices: Sequence[Any], element: int) -> float | None:
    """Return a scale factor that all slices share."""
    found = set()
    for data in slices:
        try:
            found.add(float(data.private_block(0x7053, PHILIPS)[element].value))
        except Exception:  # absent, or foreign bytes: in no case is there a factor
            return None
    scale = found.pop()
    return scale if not found and 0 < scale < float("inf") else None


def _words(joined: str) -> set[str]:
    return {part.strip() for part in joined.split("\\")} - {""}


def _needed(data: Any, keyword: str) -> str:
    found = text(data, keyword)
    if not found:
        raise DataError(f"PET: the tag {keyword} is missing; SUV cannot be computed without it")
    return found


def _positive(data: Any, keyword: str) -> float:
    _needed(data, keyword)
    found = number(data, keyword)
    if found is None or found <= 0:
        raise DataError(f"PET: the tag {keyword} is {found}; a number above 0 is expected")
    return found
