"""A NIfTI file that a library would silently complete is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from survkit.data.readers.geometry import array_of, read_volume
from survkit.errors import DataError

VALUES = np.random.default_rng(0).normal(size=(6, 5, 4)).astype(np.float32)


def written(path: Path, values: np.ndarray = VALUES) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.5, 2.0, 3.0, 1.0])), path)
    return path


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<i2", "<f8", "u1"])
def test_a_whole_file_is_read(tmp_path: Path, name: str, dtype: str) -> None:
    """Of either byte order and any kind of number."""
    values = (10 * np.abs(VALUES)).astype(dtype)

    image = read_volume(written(tmp_path / name, values))

    np.testing.assert_array_equal(array_of(image).T, values)


@pytest.mark.parametrize("kept", [300, 352, 400, -1])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, kept: int) -> None:
    """Zeros would be water; a header without end is the library's to refuse."""
    path = written(tmp_path / "v.nii")
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(DataError, match=r"v\.nii: .*(cut off: \d+ of 480 bytes|not a readable)"):
        read_volume(path)


def test_a_compressed_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    """Whether the stream is cut, or what was compressed."""
    path = written(tmp_path / "v.nii.gz")
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cut off or damaged"):
        read_volume(path)
    path.write_bytes(gzip.compress(gzip.decompress(whole)[:-10]))
    with pytest.raises(DataError, match="470 of 480 bytes"):
        read_volume(path)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, wrong: float, name: str) -> None:
    """They would arrive as zeros."""
    values = VALUES.copy()
    values[2, 3, 1] = wrong

    with pytest.raises(DataError, match="1 of 120 intensities are NaN or infinite"):
        read_volume(written(tmp_path / name, values))


@pytest.mark.parametrize("edge", [0.0, np.nan])
def test_a_voxel_without_an_edge_is_refused(tmp_path: Path, edge: float) -> None:
    """It would be taken for 1 mm."""
    path = written(tmp_path / "v.nii")
    content = bytearray(path.read_bytes())
    content[88:92] = np.float32(edge).tobytes()
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"the voxel size \(1\.5, 2\.0, .* holds (0|nan)"):
        read_volume(path)
