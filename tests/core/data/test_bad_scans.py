"""What can be wrong with images and volumes of a cohort, listed with their rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.core.data.refusals import messages


def bytes_of(*shape: int) -> np.ndarray:
    """Return ones of eight bits."""
    return np.ones(shape, dtype=np.uint8)


def picture(small: Any, **settings: Any) -> Any:
    """Give every subject a good image and the same mask; return the function that saves one."""
    from PIL import Image

    def save(name: str, values: np.ndarray) -> None:
        Image.fromarray(values).save(small.folder / name)

    save("good_mask.png", np.eye(3, 4, dtype=np.uint8))
    for k, row in enumerate(small.rows):
        save(f"{k}.png", k + np.arange(12, dtype=np.uint8).reshape(3, 4))
        row.update(cxr=f"{k}.png", lung="good_mask.png")
    small.config["modalities"] = {
        "cxr": {"kind": "image", "path": "cxr", "mask": "lung", **settings}
    }
    return save


IMAGES: dict[str, tuple[Callable[[Any, Any], None], str]] = {
    "absent": (lambda s, save: s.rows[4].update(cxr="x.png"), "x.png: there is no such file"),
    "folder": (lambda s, save: s.rows[4].update(cxr="."), "it is a folder, not a file"),
    "text": (
        lambda s, save: [(s.folder / "x.png").write_text("x"), s.rows[4].update(cxr="x.png")],
        "x.png: not a readable image",
    ),
    "torn": (
        lambda s, save: [
            save("x.png", np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)),
            (s.folder / "x.png").write_bytes((s.folder / "x.png").read_bytes()[:2000]),
            s.rows[4].update(cxr="x.png"),
        ],
        "x.png: not a readable image",
    ),
    "colour": (
        lambda s, save: [save("x.png", bytes_of(3, 4, 3)), s.rows[4].update(cxr="x.png")],
        "the image is RGB, but color: gray is declared",
    ),
    "mask of another size": (
        lambda s, save: [save("x.png", bytes_of(4, 4)), s.rows[4].update(lung="x.png")],
        "the mask has 4 x 4 pixels, but its image 4 x 3",
    ),
    "empty mask": (
        lambda s, save: [save("x.png", 0 * bytes_of(3, 4)), s.rows[4].update(lung="x.png")],
        "x.png: the mask is empty",
    ),
    "coloured mask": (
        lambda s, save: [save("x.png", bytes_of(3, 4, 3)), s.rows[4].update(lung="x.png")],
        "a mask has one channel, but this image is RGB",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
def test_a_bad_image_is_listed_with_its_row(
    small: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """One bad image among good ones is one error, in its row."""
    bend, message = IMAGES[name]
    bend(small, picture(small))
    code, found = messages(capsys, str(small.write()))

    assert code == 2
    assert len(found) == 1
    assert found[0].startswith("row 6: ")
    assert message in found[0]


def volume(size: tuple[int, ...] = (6, 5, 4), value: float = 1.0) -> Any:
    """Return an image of one value."""
    import SimpleITK as sitk

    return sitk.GetImageFromArray(np.full(size[::-1], value, dtype=np.float32))


def changed(image: Any, **properties: Any) -> Any:
    """Return the image with another spacing, origin or direction."""
    for name, value in properties.items():
        getattr(image, f"Set{name.title()}")(value)
    return image


VOLUMES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "NaN": (lambda: volume(value=float("nan")), "ct", "120 of 120 intensities are NaN or infinite"),
    "infinite": (lambda: volume(value=float("inf")), "ct", "120 of 120 intensities are NaN or inf"),
    "flat": (lambda: volume((6, 5)), "ct", "a volume has 3 axes, but this image has 2"),
    "size": (lambda: volume((6, 5, 3)), "gtv", "the mask's size (6, 5, 3) is not the image's (6,"),
    "spacing": (
        lambda: changed(volume(), spacing=(1, 1, 2)), "gtv", "the mask's spacing (1, 1, 2) is not"
    ),
    "origin": (
        lambda: changed(volume(), origin=(0, 0, 9)), "gtv", "the mask's origin (0, 0, 9) is not"
    ),
    "direction": (
        lambda: changed(volume(), direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1)),
        "gtv",
        "the mask's direction (-1, 0, 0, 0, -1, 0, 0, 0, 1) is not",
    ),
    "empty": (lambda: volume(value=0.0), "gtv", "the mask is empty: every voxel is 0"),
}  # fmt: skip


def volumes(small: Any, **settings: Any) -> None:
    import SimpleITK as sitk

    good = volume()
    good[3, 2, 2] = 2.0  # an image of one value shows nothing and is refused
    sitk.WriteImage(good, str(small.folder / "good.nrrd"))
    for row in small.rows:
        row.update(ct="good.nrrd", gtv="good.nrrd")
    small.config["modalities"] = {"ct": {"kind": "volume", "path": "ct", "mask": "gtv", **settings}}


@pytest.mark.parametrize("name", VOLUMES)
def test_a_bad_volume_is_listed_with_its_row(
    small: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Geometry is asserted: size, spacing, origin and direction each have their message."""
    sitk = pytest.importorskip("SimpleITK")
    make, where, message = VOLUMES[name]
    volumes(small)
    sitk.WriteImage(make(), str(small.folder / "bad.nrrd"))
    small.rows[4][where] = "bad.nrrd"
    code, found = messages(capsys, str(small.write()))

    assert code == 2
    assert len(found) == 1
    assert found[0].startswith("row 6: ")
    assert message in found[0]


def test_a_corrupt_volume_and_a_missing_mask_are_listed(
    small: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no volume, and a subject without the mask that the crop needs."""
    pytest.importorskip("SimpleITK")
    volumes(small, crop="mask", size=[4, 4, 4])
    (small.folder / "bad.nii.gz").write_bytes(b"no volume")
    small.rows[4]["ct"] = "bad.nii.gz"
    small.rows[7]["gtv"] = ""
    code, found = messages(capsys, str(small.write()))

    assert code == 2
    assert [text[:6] for text in found] == ["row 6:", "row 9:"]
    assert "bad.nii.gz: not a readable image" in found[0]
    assert "crop: mask needs a mask, but the subject has none" in found[1]
