"""SUV by body weight equals its formula; a tag that is missing is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from tests.core.dicom.writer import random_volume, set_tags, write_series

from survkit.dicom.suv import suv_factor
from survkit.errors import DataError

HALF_LIFE = 6586.2
PLAIN = 1000 * 70 / 3.5e8
"""70 kg and 350 MBq without decay: grams per becquerel."""


def series(
    folder: Path,
    *,
    change: Callable[[int, Dataset], None] | None = None,
    dose: dict[str, Any] | None = None,
    **tags: Any,
) -> list[Path]:
    """Write a PET series with other tags of its own and of its injection."""

    def all_changes(index: int, data: Dataset) -> None:
        for item in data.get("RadiopharmaceuticalInformationSequence", []):
            set_tags(item, dose or {})
        if change is not None:
            change(index, data)

    volume = random_volume((3, 4, 5)) + 1000
    return write_series(folder, volume, modality="PT", intercept=0, tags=tags, change=all_changes)


def test_an_hour_before_the_scan(tmp_path: Path) -> None:
    """Injected at 11:00, scanned at 12:00: the dose has decayed for 3600 s."""
    found = suv_factor(series(tmp_path))

    assert found.factor == pytest.approx(PLAIN * 2 ** (3600 / HALF_LIFE), rel=1e-12)
    assert found.method == "70 kg, 350 MBq, decay START, 60.0 min of half-life 109.77 min"


def test_one_half_life_doubles_the_values(tmp_path: Path) -> None:
    """A half-life of an hour leaves half the dose."""
    found = suv_factor(series(tmp_path, dose={"RadionuclideHalfLife": 3600}))

    assert found.factor == pytest.approx(2 * PLAIN, rel=1e-12)


def test_images_corrected_to_the_injection_need_no_decay(tmp_path: Path) -> None:
    """ADMIN: weight by dose."""
    assert suv_factor(series(tmp_path, DecayCorrection="ADMIN")).factor == pytest.approx(PLAIN)


def test_midnight_between_injection_and_scan(tmp_path: Path) -> None:
    """Injected at 23:30, scanned at 00:15:30.5: 45 min 30.5 s."""
    files = series(
        tmp_path,
        dose={"RadiopharmaceuticalStartTime": "2330"},
        SeriesTime="001530.500000",
        AcquisitionTime="001600",
    )

    assert suv_factor(files).factor == pytest.approx(PLAIN * 2 ** (2730.5 / HALF_LIFE), rel=1e-12)


def test_the_date_of_the_injection_is_preferred(tmp_path: Path) -> None:
    """With a date and time, and a time zone that is the scan's or is converted to it."""
    for number, (stamp, zone) in enumerate(
        [
            ("20010101103000.5", None),
            ("20010101103000.5+0100", "+0100"),
            ("20010101093000.5+0000", "+0100"),
        ]
    ):
        dose = {"RadiopharmaceuticalStartDateTime": stamp}
        files = series(tmp_path / str(number), dose=dose, TimezoneOffsetFromUTC=zone)

        expected = PLAIN * 2 ** (5399.5 / HALF_LIFE)
        assert suv_factor(files).factor == pytest.approx(expected, rel=1e-12)


def test_a_series_made_later_counts_from_its_first_acquisition(tmp_path: Path) -> None:
    """Series written at 15:00 from beds scanned at 12:04, 12:02 and 12:00."""

    def beds(index: int, data: Dataset) -> None:
        data.AcquisitionTime = f"120{4 - 2 * index}00"

    found = suv_factor(series(tmp_path, change=beds, SeriesTime="150000"))

    assert found.factor == pytest.approx(PLAIN * 2 ** (3600 / HALF_LIFE), rel=1e-12)


def test_values_that_are_suv_already(tmp_path: Path) -> None:
    """GML by body weight is taken as it is; by lean body mass it is refused."""
    assert suv_factor(series(tmp_path / "1", Units="GML")).factor == 1.0
    assert suv_factor(series(tmp_path / "2", Units="GML", SUVType="BW")).factor == 1.0
    with pytest.raises(DataError, match="SUV of the type LBM"):
        suv_factor(series(tmp_path / "3", Units="GML", SUVType="LBM"))


def philips(element: int, values: list[float]) -> Callable[[int, Dataset], None]:
    """Return what adds the scanner's private scale factor."""

    def change(index: int, data: Dataset) -> None:
        block = data.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(element, "DS", str(values[index]))

    return change


def test_counts_with_the_scanner_s_own_factors(tmp_path: Path) -> None:
    """To SUV directly, or to Bq/ml first; neither, or one that differs, is refused."""
    direct = series(tmp_path / "1", Units="CNTS", change=philips(0, [0.00025] * 3))
    activity = series(tmp_path / "2", Units="CNTS", change=philips(9, [1.5] * 3))
    expected = 1.5 * PLAIN * 2 ** (3600 / HALF_LIFE)

    assert suv_factor(direct).factor == 0.00025
    assert suv_factor(activity).factor == pytest.approx(expected, rel=1e-12)
    for number, change in enumerate([None, philips(0, [1.0, 2.0, 1.0]), philips(0, [0.0] * 3)]):
        with pytest.raises(DataError, match=r"CNTS \(counts\) and no scale factor"):
            suv_factor(series(tmp_path / f"no-{number}", Units="CNTS", change=change))


@pytest.mark.parametrize(
    "keyword",
    [
        "Units",
        "DecayCorrection",
        "CorrectedImage",
        "PatientWeight",
        "SeriesDate",
        "SeriesTime",
        "AcquisitionDate",
        "AcquisitionTime",
        "RadiopharmaceuticalInformationSequence",
    ],
)
def test_a_missing_tag_is_named(tmp_path: Path, keyword: str) -> None:
    """Nothing is assumed in its place."""
    with pytest.raises(DataError, match=f"the tag {keyword} is missing; SUV cannot be computed"):
        suv_factor(series(tmp_path, **{keyword: None}))


@pytest.mark.parametrize(
    "keyword",
    ["RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime"],
)
def test_a_missing_tag_of_the_injection_is_named(tmp_path: Path, keyword: str) -> None:
    """Dose, half-life, time."""
    with pytest.raises(DataError, match=f"{keyword}.* missing"):
        suv_factor(series(tmp_path, dose={keyword: None}))


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # while the files are written
@pytest.mark.parametrize(
    ("tags", "dose", "match"),
    [
        ({"PatientWeight": 0}, {}, "PatientWeight is 0.0; a number above 0"),
        ({"PatientWeight": 70000}, {}, "PatientWeight is 70000; kg"),
        ({"Units": "PROPCPS"}, {}, "Units are PROPCPS"),
        ({"DecayCorrection": "NONE"}, {}, "DecayCorrection is NONE"),
        ({"CorrectedImage": ["DECY"]}, {}, "CorrectedImage does not name ATTN"),
        ({}, {"RadionuclideTotalDose": 350}, "350; Bq are expected, not MBq"),
        ({}, {"RadiopharmaceuticalStartTime": "1260"}, "not a date or time"),
        ({}, {"RadiopharmaceuticalStartTime": "130000"}, "1380 min after .* half-lives"),
        ({}, {"RadiopharmaceuticalStartDateTime": "20010101130000"}, "60 min after the start"),
        ({}, {"RadiopharmaceuticalStartDateTime": "19990101110000"}, "half-lives"),
        ({}, {"RadiopharmaceuticalStartDateTime": "20010101"}, "to the second"),
        ({}, {"RadiopharmaceuticalStartDateTime": "20010101110000+0100"}, "TimezoneOffsetFromUTC"),
    ],
)
def test_impossible_tags_are_refused(
    tmp_path: Path, tags: dict[str, Any], dose: dict[str, Any], match: str
) -> None:
    """What would give a wrong number is said instead."""
    with pytest.raises(DataError, match=match):
        suv_factor(series(tmp_path, dose=dose, **tags))


def test_files_that_differ_are_refused(tmp_path: Path) -> None:
    """One weight and one dose in a series."""

    def weight(index: int, data: Dataset) -> None:
        data.PatientWeight = 70 + index

    def dose(index: int, data: Dataset) -> None:
        data.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = 3.5e8 + index

    with pytest.raises(DataError, match="PatientWeight differs"):
        suv_factor(series(tmp_path / "1", change=weight))
    with pytest.raises(DataError, match="dose, half-life or injection differ"):
        suv_factor(series(tmp_path / "2", change=dose))
