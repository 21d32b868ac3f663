"""The lungs by thresholds: known truths, what must not matter, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from survkit.errors import DataError
from survkit_slicetention.preparation.lung_mask import segment_lungs

Dice = Callable[[Any, Any], float]


@pytest.fixture(scope="module")
def found(chest: Any) -> Any:
    """The lungs of the ordinary chest as they are found."""
    return segment_lungs(chest.volume, chest.spacing)


def test_ellipsoids_in_a_body_are_found(chest: Any, found: Any, dice: Dice) -> None:
    """Windpipe, bronchi, stomach gas, arms and table are no lung; nor does noise matter."""
    assert dice(found, chest.lungs) > 0.995


def test_voxels_finer_than_the_working_grid_keep_their_border(
    new_chest: Callable[..., Any], dice: Dice
) -> None:
    """Blocks of 2 x 2 voxels are only where the search is done: the border is that of voxels."""
    fine = new_chest(shape=(44, 288, 400), spacing=(6.0, 0.9, 0.9))

    lungs = segment_lungs(fine.volume, fine.spacing)

    assert dice(lungs, fine.lungs) > 0.993


@pytest.mark.parametrize("spacing", [(6.0, 2.0, 2.0), (2.0, 4.0, 3.0), (10.0, 4.0, 4.0)])
def test_anisotropic_voxels(
    spacing: tuple[float, float, float], new_chest: Callable[..., Any], dice: Dice
) -> None:
    """Distances are in mm, whatever the voxels."""
    extent = (264.0, 260.0, 400.0)
    shape = tuple(round(length / edge) for length, edge in zip(extent, spacing, strict=True))
    other = new_chest(shape=shape, spacing=spacing)

    assert dice(segment_lungs(other.volume, spacing), other.lungs) > 0.99


@pytest.mark.parametrize("side", [-1, 1])
def test_one_lung_alone(side: int, new_chest: Callable[..., Any], dice: Dice) -> None:
    """After a pneumonectomy, or with a collapsed lung."""
    single = new_chest(sides=(side,))

    assert dice(segment_lungs(single.volume, single.spacing), single.lungs) > 0.99


def test_a_mirrored_chest_has_mirrored_lungs(chest: Any, found: Any, dice: Dice) -> None:
    """Left and right are treated alike."""
    mirrored = segment_lungs(np.ascontiguousarray(chest.volume[:, :, ::-1]), chest.spacing)

    assert dice(mirrored[:, :, ::-1], found) > 0.9999


@pytest.mark.parametrize("fill", [-1000.0, -3024.0])
def test_slices_of_air_above_and_below_change_nothing(chest: Any, fill: float) -> None:
    """Also where the scan begins and ends within the lungs."""
    part = chest.volume[18:46]
    padded = np.pad(part, ((9, 7), (0, 0), (0, 0)), constant_values=fill)

    expected = segment_lungs(part, chest.spacing)
    actual = segment_lungs(padded, chest.spacing)

    np.testing.assert_array_equal(actual[9:-7], expected)
    assert not actual[:9].any()
    assert not actual[-7:].any()


@pytest.mark.parametrize("value", [-2000.0, -3024.0])
def test_padding_around_the_circle_of_the_scan_is_air(chest: Any, found: Any, value: float) -> None:
    """Scanners write values below -1024 where they measured nothing."""
    volume = chest.volume.copy()
    volume[:, :5] = volume[:, :, :5] = volume[:, :, -5:] = value

    np.testing.assert_array_equal(segment_lungs(volume, chest.spacing), found)


def test_noise_of_a_low_dose_scan(new_chest: Callable[..., Any], dice: Dice) -> None:
    """With an SD of 150 HU per voxel."""
    noisy = new_chest(noise=150.0)

    assert dice(segment_lungs(noisy.volume, noisy.spacing), noisy.lungs) > 0.97


def test_vessels_and_a_tumour_within_belong_to_the_lung(chest: Any, canvas: Any) -> None:
    """What a lung encloses is lung, whatever its size."""
    volume = chest.volume.copy()
    vessel = canvas.tube((-40, 0, -72), (60, 0, -72), 4)
    tumour = canvas.ball((10, -5, 75), (30, 30, 30))
    volume[vessel | tumour] = 40

    lungs = segment_lungs(volume, chest.spacing)

    assert lungs[vessel].all()
    assert lungs[tumour].mean() > 0.995


def test_a_nodule_at_the_pleura_belongs_to_the_lung(chest: Any, canvas: Any) -> None:
    """It touches the chest wall, so only the closing (a ball of 8 mm) brings it in."""
    nodule = canvas.ball((15, -3, -118), (5, 5, 5)) & chest.lungs
    volume = np.where(nodule, np.float32(40), chest.volume)

    assert segment_lungs(volume, chest.spacing)[nodule].mean() > 0.95


def test_a_large_tumour_at_the_pleura_is_left_out(chest: Any, canvas: Any) -> None:
    """The stated limit: it is as dense as the chest wall, and wider than the ball."""
    tumour = canvas.ball((15, -3, -110), (35, 35, 35)) & chest.lungs
    volume = np.where(tumour, np.float32(40), chest.volume)

    assert segment_lungs(volume, chest.spacing)[tumour].mean() < 0.5


def test_the_tissue_between_touching_lungs_is_no_lung(chest: Any, canvas: Any) -> None:
    """Where they touch before the heart they are one region of air; each is closed by itself."""
    horns = canvas.ball((20, -30, 34), (40, 18, 30)) | canvas.ball((20, -30, -34), (40, 18, 30))
    bridge = canvas.tube((20, -30, -30), (20, -30, 30), 5)
    volume = np.where((horns | bridge) & ~chest.lungs, np.float32(-850), chest.volume)
    between = canvas.ball((20, -30, 0), (30, 14, 3)) & ~canvas.tube((20, -30, -9), (20, -30, 9), 9)

    lungs = segment_lungs(volume, chest.spacing)

    assert lungs[horns | bridge].mean() > 0.99
    assert lungs[between].mean() < 0.1


def test_the_windpipe_and_the_bronchi_are_no_lung(found: Any, canvas: Any) -> None:
    """They are followed from the neck until, near the lungs, a slice shows both as one hole."""
    assert not found[canvas.tube((200, 15, 0), (40, 10, 0), 9)].any()
    for side in (-1, 1):
        assert not found[canvas.tube((40, 10, 0), (34, 9, 8 * side), 4)].any()


def test_air_between_arm_and_chest_is_no_lung(chest: Any, found: Any, canvas: Any) -> None:
    """A pocket that skin encloses in every slice is gas alone."""
    volume = chest.volume.copy()
    across = (abs(canvas.x) > 120) & (abs(canvas.x) < 180)
    ends = (abs(canvas.y + 14) < 5) | (abs(canvas.y - 34) < 5)
    volume[np.broadcast_to(across & ends, volume.shape) & (volume < -900)] = 30

    lungs = segment_lungs(volume, chest.spacing)

    assert lungs[np.broadcast_to(abs(canvas.x) > 140, lungs.shape)].sum() == 0
    np.testing.assert_array_equal(lungs, found)


def test_stool_below_the_lungs_is_no_lung(chest: Any, found: Any, canvas: Any) -> None:
    """Neither gas alone nor tissue, but below the middle of the lungs."""
    colon = canvas.ball((-105, -20, -50), (25, 30, 45))
    volume = np.where(colon, np.float32(-600), chest.volume)

    np.testing.assert_array_equal(segment_lungs(volume, chest.spacing), found)


def test_cells_of_the_skull_are_no_lung(chest: Any, found: Any, canvas: Any) -> None:
    """Air and bone in one, as thin as lung, but above the lungs."""
    cells = canvas.ball((118, -20, 60), (9, 28, 28))
    volume = np.where(cells, np.float32(-600), chest.volume)

    np.testing.assert_array_equal(segment_lungs(volume, chest.spacing), found)


def test_an_image_that_cuts_the_chest_keeps_the_lung_at_its_rim(chest: Any, dice: Dice) -> None:
    """Lung at the rim of the image is not taken for the room."""
    volume, truth = chest.volume[:, 27:, :74], chest.lungs[:, 27:, :74]

    assert dice(segment_lungs(np.ascontiguousarray(volume), chest.spacing), truth) > 0.98


def test_a_body_without_lungs_is_refused_with_what_there_is(new_chest: Callable[..., Any]) -> None:
    """A scan of the abdomen: bowel gas is named with its volume."""
    empty = new_chest(sides=())

    with pytest.raises(DataError, match=r"no lungs were found: at least 150 ml .* has \d+ ml of"):
        segment_lungs(empty.volume, empty.spacing)


def test_air_alone_is_refused() -> None:
    """A body is as dense as water."""
    with pytest.raises(DataError, match=r"range from -1000 to -1000 and 0.00% .* \(soft tissue\)"):
        segment_lungs(np.full((4, 8, 8), -1000, dtype=np.float32), (1, 1, 1))


@pytest.mark.parametrize(
    ("slope", "intercept", "found"),
    [(1.0, 1024.0, "0.00%"), (1 / 2000, 0.5, "0.00%"), (1.0, -1024.0, "soft tissue")],
)
def test_values_that_are_not_hu_are_refused(
    chest: Any, slope: float, intercept: float, found: str
) -> None:
    """The range is named: without the intercept, scaled to [0, 1], with the intercept twice."""
    values = (np.clip(chest.volume, -1000, 1000) * slope + intercept).astype(np.float32)

    with pytest.raises(DataError, match=f"values range from {values.min():g} to .*{found}"):
        segment_lungs(values, chest.spacing)


def test_values_that_are_not_finite_are_refused(chest: Any) -> None:
    """A missing value is not taken for air."""
    volume = chest.volume.copy()
    volume[3, 4, 5] = np.nan

    with pytest.raises(DataError, match="not finite"):
        segment_lungs(volume, chest.spacing)


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, 1.0), (1.0, float("nan"), 1.0)])
def test_a_spacing_that_is_none_is_refused(chest: Any, spacing: Any) -> None:
    """Distances need mm."""
    with pytest.raises(DataError, match="three edges above 0 mm"):
        segment_lungs(chest.volume, spacing)


@pytest.mark.parametrize(("size", "least"), [(32, 0.93), (64, 0.95), (128, 0.95)])
def test_the_phantom_of_survkit(size: int, least: float, dice: Dice) -> None:
    """Voxels of 10, 5 and 2.5 mm; its ribs and its lesion at the pleura lie within its lungs."""
    from survkit.phantom import PhantomConfig, anatomy, generate_phantom

    phantom = generate_phantom(PhantomConfig(subjects=2, size=size, seed=1, modalities=("ct",)))
    spacing = (phantom.grid.spacing,) * 3

    lungs = segment_lungs(phantom.images(1).ct, spacing)  # type: ignore[arg-type]

    assert dice(lungs, anatomy.lung_mask(phantom.grid, phantom.places[1].build)) > least


def test_the_labelled_lungs_of_a_patient(shared_data: Path, dice: Dice) -> None:
    """LUNG1-001: drawn by hand, the tumour left out; the mask holds hilar vessels and tumour."""
    import SimpleITK as sitk

    folder = shared_data / "ct-lung1-001"
    image = sitk.ReadImage(str(folder / "ct.nii.gz"))
    volume = sitk.GetArrayFromImage(image).astype(np.float32)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "labels.nii.gz")))

    lungs = segment_lungs(volume, image.GetSpacing()[::-1])

    found = dice(lungs, (labels == 1) | (labels == 2))
    print(f"Dice of the lungs of LUNG1-001: {found:.4f}")
    assert found >= 0.965


def read_lps(path: Path) -> tuple[Any, Any]:
    """A volume or a folder of DICOM as (z, y, x) with its spacing."""
    import SimpleITK as sitk

    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)) if path.is_dir() else str(path)
    image = sitk.DICOMOrient(sitk.ReadImage(files), "LPS")
    return sitk.GetArrayFromImage(image).astype(np.float32), image.GetSpacing()[::-1]


def test_half_a_chest_cut_by_the_image(shared_data: Path) -> None:
    """IBSI's CT: the right lung reaches the rim; a tumour of 6 cm leaves 1.1 l of it."""
    volume, spacing = read_lps(shared_data / "ibsi" / "ct_phantom" / "image.nii.gz")

    lungs = segment_lungs(volume, spacing)

    assert 1.0 < lungs.sum() * np.prod(spacing) / 1e6 < 1.3
    assert lungs[:, 0].any(), "the lung at the front is cut"
    assert not lungs[:, :, :15].any(), "left of the body is the room"
    assert not lungs[:, -10:].any(), "so is the table"


def test_the_base_of_the_lungs_over_the_bowel(shared_data: Path) -> None:
    """A scan of the liver, 5 mm slices: 1.3 l of lung at its top, and gas of the bowel below."""
    volume, spacing = read_lps(shared_data / "ct-dicom-crlm" / "CRLM-CT-1004")

    lungs = segment_lungs(volume, spacing)

    assert 1.2 < lungs.sum() * np.prod(spacing) / 1e6 < 1.4
    assert not lungs[:20].any()


@pytest.mark.parametrize("subject", ["STS_001", "STS_002", "STS_003"])
def test_legs_have_no_lungs(shared_data: Path, subject: str) -> None:
    """Parts of thighs on foam, cut so that little of the room is seen."""
    volume, spacing = read_lps(shared_data / "petct-sts" / subject / "ct_image.nii.gz")

    with pytest.raises(DataError, match="no lungs were found"):
        segment_lungs(volume, spacing)
