"""Volumes and images arrive as declared: same place, same size, same values, or a refusal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from survkit.data.modality_config import ImageModality, VolumeModality
from survkit.data.readers.image_files import ImageFiles
from survkit.errors import DataError, MissingExtraError
from survkit.protocols import Sample

sitk = pytest.importorskip("SimpleITK")


def ramp(
    size: tuple[int, int, int] = (6, 5, 4), spacing: tuple[float, ...] = (1.0, 2.0, 3.0)
) -> Any:
    """Return an LPS image of size (x, y, z) whose intensity is x + 10 y + 100 z in mm."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in size[::-1]), indexing="ij")
    values = x * spacing[0] + 10 * y * spacing[1] + 100 * z * spacing[2]
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin((-7.0, 11.0, 5.0))
    return image


def box(image: Any, low: tuple[int, ...], high: tuple[int, ...]) -> Any:
    """Return a mask on the image's grid that is 1 from low to high (z, y, x)."""
    region = np.zeros(image.GetSize()[::-1], dtype=np.uint8)
    region[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1
    mask = sitk.GetImageFromArray(region)
    mask.CopyInformation(image)
    return mask


def read(
    folder: Path, image: Any, mask: Any = None, *, suffix: str = ".nii.gz", **declared: Any
) -> Sample:
    """Write, then read as a cohort would."""
    from survkit.data.readers.volume import read_sample

    path, mask_path = folder / f"image{suffix}", folder / f"mask{suffix}"
    sitk.WriteImage(image, str(path))
    if mask is not None:
        sitk.WriteImage(mask, str(mask_path))
        declared["mask"] = "mask"
    config = VolumeModality(kind="volume", path="ct", **declared)
    return read_sample(config, ImageFiles((path,), (None if mask is None else mask_path,)), 0)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_volume_reads_back_as_written(tmp_path: Path, suffix: str) -> None:
    """Axes are (channel, z, y, x) and the spacing is in the same order."""
    image = ramp()
    sample = read(tmp_path, image, suffix=suffix)

    assert sample.values.shape == (1, 4, 5, 6)
    assert sample.values[0, 1, 2, 3] == 3 + 10 * 4 + 100 * 3
    assert sample.spacing == pytest.approx((3.0, 2.0, 1.0))


@pytest.mark.parametrize("orientation", ["RAS", "LAS", "ASR", "PIR", "SPL"])
def test_every_orientation_gives_the_same_array(tmp_path: Path, orientation: str) -> None:
    """However the voxels are stored, the array runs to the head, the back and the left."""
    image = ramp()
    expected = read(tmp_path, image)
    turned = read(tmp_path, sitk.DICOMOrient(image, orientation))

    torch.testing.assert_close(turned.values, expected.values)
    assert turned.spacing == pytest.approx(expected.spacing)


def test_labels_stay_labels(tmp_path: Path) -> None:
    """Between 0 and 2 there is no 1: a map of labels takes the nearest voxel, where the linear one
    makes a rim of what is not there.
    """
    labels = np.zeros((8, 8, 8), dtype=np.float32)
    labels[3:6, 3:6, 3:6] = 2
    image = sitk.GetImageFromArray(labels)

    nearest, linear = (
        read(tmp_path, image, spacing=[0.7, 0.7, 0.7], interpolation=name).values
        for name in ("nearest", "linear")
    )

    assert set(nearest.unique().tolist()) == {0.0, 2.0}
    assert ((linear > 0.5) & (linear < 1.5)).any()


@pytest.mark.parametrize("spacing", [[3.0, 2.0, 1.0], [1.5, 1.0, 2.0], [2.0, 2.0, 2.0]])
@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
def test_resampling_keeps_every_point_in_place(
    tmp_path: Path, spacing: list[float], interpolation: str
) -> None:
    """An intensity linear in space stays that function of the physical point, away from the rim."""
    image = ramp((24, 20, 16))
    sample = read(tmp_path, image, spacing=spacing, interpolation=interpolation)
    old = np.array([3.0, 2.0, 1.0])
    axes = [
        (np.arange(n) + 0.5) * new - 0.5 * was
        for n, new, was in zip(sample.values.shape[1:], spacing, old, strict=True)
    ]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    expected = torch.from_numpy(x + 10 * y + 100 * z).float()
    inner = (slice(4, -4),) * 3

    tolerance = 1e-2 if interpolation == "linear" else 8.0  # splines wiggle at the mirrored rim
    assert (sample.values[0] - expected)[inner].abs().max() < tolerance
    assert sample.spacing == pytest.approx(tuple(spacing))


def test_the_crop_is_centred_on_the_mask_and_padded(tmp_path: Path) -> None:
    """The mask's box is in the middle; what lies outside the image has the declared intensity."""
    image = ramp()
    sample = read(
        tmp_path, image, box(image, (0, 0, 0), (2, 2, 2)), size=[4, 4, 4], crop="mask", pad=-5.0
    )

    assert sample.mask is not None
    assert sample.mask.nonzero().min(0).values.tolist() == [1, 1, 1]
    assert sample.mask.sum() == 8
    assert (sample.values[0, 0] == -5).all()
    assert sample.values[0, 1, 1, 1] == 0.0
    assert sample.values[0, 3, 3, 3] == 2 + 40 + 600


def test_padding_is_the_lower_end_of_the_window(tmp_path: Path) -> None:
    """Windowed intensities run from -1 to 1, and the outside is -1."""
    sample = read(tmp_path, ramp(), size=[6, 5, 6], window=[0.0, 500.0])

    assert sample.values.shape == (1, 6, 5, 6)
    assert (sample.values[0, 0] == -1).all()
    assert sample.values.max() == 1
    assert sample.values[0, 1, 0, 5] == pytest.approx(5 / 250 - 1)


def test_one_label_of_a_mask_is_the_region(tmp_path: Path) -> None:
    """Other labels are outside; a label that nobody has is an empty mask."""
    image = ramp()
    mask = box(image, (0, 0, 0), (2, 2, 2)) + 5 * box(image, (3, 3, 3), (4, 4, 4))

    sample = read(tmp_path, image, mask, label=5)
    assert sample.mask is not None
    assert sample.mask.sum() == 1
    with pytest.raises(DataError, match="the mask is empty: no voxel has the value 7"):
        read(tmp_path, image, mask, label=7)


def test_channels_are_stacked_or_chosen(tmp_path: Path) -> None:
    """Components of an image are channels; one can be taken."""
    image = ramp()
    both = sitk.Compose([image, image * 2])

    assert read(tmp_path, both, suffix=".nrrd").values.shape == (2, 4, 5, 6)
    second = read(tmp_path, both, suffix=".nrrd", channel=1)
    torch.testing.assert_close(second.values, read(tmp_path, image).values * 2)
    with pytest.raises(DataError, match="channel 2 was asked, but it has 2"):
        read(tmp_path, both, suffix=".nrrd", channel=2)


def test_the_real_pet_and_ct_are_read_on_their_own_grids(shared_data: Path, small: Any) -> None:
    """Tumour volumes on both grids agree with the published 365 and 366 ml of the first patient."""
    small.rows = small.rows[1:3]
    for k, row in enumerate(small.rows, start=1):
        for part in ("ct", "pet"):
            row |= {
                part: f"STS_00{k}/{part}_image.nii.gz",
                f"{part}_mask": f"STS_00{k}/{part}_mask.nii.gz",
            }
    for part in ("ct", "pet"):
        small.config["modalities"][part] = {"kind": "volume", "path": part, "mask": f"{part}_mask"}
    path = small.write()
    from survkit.data.cohort import Cohort

    cohort = Cohort.read(
        path, table=small.folder / "patients.csv", data_folder=shared_data / "petct-sts"
    )
    for part, millilitres in (("ct", 365), ("pet", 366)):
        sample = cohort.read_sample(part, 0, cohort.input_spec(part, [0]))
        assert sample is not None
        assert sample.mask is not None
        assert sample.spacing is not None
        volume = float(sample.mask.sum()) * np.prod(sample.spacing) / 1000
        assert volume == pytest.approx(millilitres, abs=1.0)
        if part == "pet":
            assert float(sample.values[0][sample.mask].max()) == pytest.approx(7.9, abs=0.06)


def test_a_missing_reader_is_one_line_to_install(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SimpleITK the message is the pip line; tables need nothing."""
    small.config["modalities"]["ct"] = {"kind": "volume", "path": "ct"}
    for row in small.rows:
        row["ct"] = ""
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'survkit-core\[imaging\]'"):
        small.read()
    del small.config["modalities"]["ct"]
    assert len(small.read()) == 24


def test_a_radiograph_keeps_its_bits(tmp_path: Path) -> None:
    """Sixteen bits are sixteen bits; a window maps them to [-1, 1]."""
    from PIL import Image

    from survkit.data.readers.image import read_sample

    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    Image.fromarray(values).save(tmp_path / "x.png")
    files = ImageFiles((tmp_path / "x.png",), (None,))
    plain = read_sample(ImageModality(kind="image", path="p"), files, 0)
    shown = read_sample(ImageModality(kind="image", path="p", window=[0.0, 55000.0]), files, 0)

    np.testing.assert_array_equal(plain.values[0].numpy(), values.astype(np.float32))
    assert (float(shown.values.min()), float(shown.values.max())) == (-1.0, 1.0)


def test_resizing_averages(tmp_path: Path) -> None:
    """A checkerboard becomes its mean, not one of its fields."""
    from PIL import Image

    from survkit.data.readers.image import read_sample

    board = (np.indices((32, 32)).sum(0) % 2 * 200).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "x.png")
    config = ImageModality(kind="image", path="p", size=[4, 4])
    sample = read_sample(config, ImageFiles((tmp_path / "x.png",), (None,)), 0)

    assert sample.values.shape == (1, 4, 4)
    assert float((sample.values - 100).abs().max()) < 5


@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "RGB", "P"])
def test_other_colours_are_refused_or_converted_as_declared(tmp_path: Path, mode: str) -> None:
    """Nothing is converted unless it was said."""
    from PIL import Image

    from survkit.data.readers.image import read_sample

    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new("RGB", (4, 3), (9, 9, 9)).convert(mode).save(path)
    files = ImageFiles((path,), (None,))
    with pytest.raises(DataError, match=f"the image is {mode}, but color: gray is declared"):
        read_sample(ImageModality(kind="image", path="p"), files, 0)
    for color, channels in (("gray", 1), ("rgb", 3)):
        config = ImageModality(kind="image", path="p", color=color, convert=True)  # type: ignore[arg-type]
        assert read_sample(config, files, 0).values.shape == (channels, 3, 4)


def test_real_radiographs_are_read(shared_data: Path, small: Any) -> None:
    """8-bit JPEG of 128 x 128 pixels, from the folder of the demonstration cohort."""
    pictures = sorted((shared_data / "demo-cxr" / "images").iterdir())[: len(small.rows)]
    for row, picture in zip(small.rows, pictures, strict=True):
        row["file"] = f"images/{picture.name}"
    small.config["modalities"] = {"cxr": {"kind": "image", "path": "file", "window": [0.0, 255.0]}}
    from survkit.data.cohort import Cohort

    path = small.write()
    cohort = Cohort.read(
        path, table=small.folder / "patients.csv", data_folder=shared_data / "demo-cxr"
    )

    assert cohort.input_spec("cxr", [0]).shape == (1, 128, 128)
