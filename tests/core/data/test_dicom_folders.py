"""A cell that names a folder of DICOM is a volume, with the checks of every other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
import yaml
from tests.core.dicom.mask_writer import write_structures
from tests.core.dicom.writer import random_volume, write_series
from tests.core.ingest.archive import write_table

from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.data.modality_config import VolumeModality
from survkit.data.readers.image_files import ImageFiles
from survkit.data.readers.volume import read_sample
from survkit.errors import DataError
from survkit.protocols import Sample

PET_FACTOR = 1000 * 70 / (3.5e8 * 2 ** (-3600 / 6586.2))


def read(folder: Path, mask: Path | None = None) -> Sample:
    """Read a folder as a cohort would."""
    declared: dict[str, Any] = {} if mask is None else {"mask": "mask"}
    config = VolumeModality(kind="volume", path="ct", **declared)
    return read_sample(config, ImageFiles((folder,), (mask,)), 0)


def test_a_folder_is_a_volume(tmp_path: Path) -> None:
    """HU, spacing, and LPS axes whatever the slices' direction; an RTSTRUCT may lie beside."""
    volume = random_volume()
    write_series(tmp_path / "up", volume)
    write_structures(tmp_path / "up" / "rt.dcm", {})
    turned = np.diag([-1.0, -1.0, 1.0])
    write_series(tmp_path / "turned", volume[:, ::-1, ::-1], direction=turned)

    for name in ("up", "turned"):
        sample = read(tmp_path / name)
        np.testing.assert_array_equal(sample.values[0].numpy(), volume)
        assert sample.spacing == pytest.approx((3.0, 0.8, 0.7))


def test_a_folder_of_pet_is_suv(tmp_path: Path) -> None:
    """By body weight, as ingest gives it; a missing tag is named."""
    volume = random_volume() + 1000
    write_series(tmp_path / "pet", volume, modality="PT", intercept=0.0)
    tags = {"PatientWeight": None}
    write_series(tmp_path / "no", volume, modality="PT", intercept=0.0, tags=tags)

    values = read(tmp_path / "pet").values[0]

    torch.testing.assert_close(values, torch.from_numpy(volume * PET_FACTOR).float())
    with pytest.raises(DataError, match="no: PET: the tag PatientWeight is missing"):
        read(tmp_path / "no")


def test_a_mask_of_the_same_grid_and_a_folder_as_mask(tmp_path: Path) -> None:
    """A NIfTI mask goes with a DICOM folder; a series of slices is no mask."""
    write_series(tmp_path / "ct", random_volume((4, 6, 7)))
    region = np.zeros((4, 6, 7), np.uint8)
    region[1:3, 2:4, 2:5] = 1
    mask = sitk.GetImageFromArray(region)
    mask.SetSpacing((0.7, 0.8, 3.0))
    mask.SetOrigin((-10.0, -20.0, 30.0))
    sitk.WriteImage(mask, str(tmp_path / "mask.nii.gz"))

    sample = read(tmp_path / "ct", tmp_path / "mask.nii.gz")

    assert sample.mask is not None
    np.testing.assert_array_equal(sample.mask.numpy(), region > 0)
    with pytest.raises(DataError, match="it is a folder, not a file"):
        read(tmp_path / "ct", tmp_path / "ct")


def test_folders_that_are_not_one_series_are_refused(tmp_path: Path) -> None:
    """None, two, a missing slice, a tilt, a damaged file beside the series."""
    (tmp_path / "none").mkdir()
    for name in "12":
        write_series(tmp_path / "two" / name, random_volume())
    write_series(tmp_path / "gap", random_volume(), drop=[2])
    write_series(tmp_path / "tilt", random_volume(), tilt=5.0)
    write_series(tmp_path / "torn", random_volume())
    (tmp_path / "torn" / "x.dcm").write_bytes(b"torn")

    for name, match in (
        ("none", r"holds one series of one subject, this one 0 \(no readable image\)"),
        ("two", "this one 2 .*survkit ingest"),
        ("gap", "slice"),
        ("tilt", "5.00 degrees"),
        ("torn", "x.dcm"),
    ):
        with pytest.raises(DataError, match=match):
            read(tmp_path / name)


def test_identity_is_the_bytes_of_all_files(tmp_path: Path) -> None:
    """Other names, the same identity and stamp; one changed byte, another identity."""
    paths = write_series(tmp_path / "a", random_volume())
    (tmp_path / "b").mkdir()
    for number, path in enumerate(reversed(paths)):
        (tmp_path / "b" / f"{number}.bin").write_bytes(path.read_bytes())
    files = ImageFiles((tmp_path / "a", tmp_path / "b"), (None, None))
    before = files.identity(0)

    assert before == files.identity(1)
    assert ImageFiles((tmp_path / "a",), (None,)).stamp() == (
        ImageFiles((tmp_path / "b",), (None,)).stamp()
    )
    content = bytearray(paths[0].read_bytes())
    content[-1] ^= 1
    paths[0].write_bytes(bytes(content))
    assert files.identity(0) != before


def test_a_cohort_of_folders_needs_no_ingest(tmp_path: Path) -> None:
    """``path: ct_folder`` in the cohort file; the check finds nothing wrong."""
    volumes = [random_volume(seed=seed) for seed in range(2)]
    rows = []
    for number, volume in enumerate(volumes):
        write_series(tmp_path / f"ct{number}", volume)
        rows.append(
            {"id": f"{number}", "time": "9", "event": f"{number}", "ct_folder": f"ct{number}"}
        )
    write_table(tmp_path / "t.csv", rows)
    cohort = {
        "name": "folders", "table": "t.csv", "subject": "id",
        "outcome": {"duration": "time", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"ct": {"kind": "volume", "path": "ct_folder"}},
    }  # fmt: skip
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(cohort))

    problems = check_cohort(tmp_path / "cohort.yaml")
    found = Cohort.read(tmp_path / "cohort.yaml")
    sample = found.sources["ct"].read(1, found.input_spec("ct", range(2)))

    assert [p.message for p in problems if p.severity == "error"] == []
    assert isinstance(sample, Sample)
    np.testing.assert_array_equal(sample.values[0].numpy(), volumes[1])
