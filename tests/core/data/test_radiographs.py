"""Radiographs in PNG, JPEG and TIFF: every bit kept, no shape and no colour changed unsaid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from survkit.data.check import check_cohort
from survkit.data.declared import declared_range
from survkit.data.modality_config import ImageModality
from survkit.data.readers.image import read_sample
from survkit.data.readers.image_files import ImageFiles
from survkit.errors import ConfigError, DataError
from survkit.protocols import Sample

BITS = np.array([[0, 1, 257], [4095, 65534, 65535]], dtype=np.uint16)


def read(path: Path, mask: Path | None = None, **declared: Any) -> Sample:
    """Read a file as a cohort would."""
    if mask is not None:
        declared["mask"] = "m"
    config = ImageModality(kind="image", path="p", **declared)
    return read_sample(config, ImageFiles((path,), (mask,)), 0)


def saved(path: Path, values: Any, **options: Any) -> Path:
    """Write a picture and return its path."""
    Image.fromarray(np.asarray(values)).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_sixteen_bits_are_kept_exactly(tmp_path: Path, name: str) -> None:
    """All of 0 to 65535, in gray and thrice in rgb, where Pillow itself would cut to 8 bits."""
    path = saved(tmp_path / name, BITS)

    np.testing.assert_array_equal(read(path).values[0].numpy(), BITS)
    three = read(path, color="rgb", convert=True).values.numpy()
    np.testing.assert_array_equal(three, np.stack([BITS] * 3))


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 255), (np.uint16, 65535)])
def test_a_range_makes_depths_equal(tmp_path: Path, dtype: Any, most: int) -> None:
    """[0, 255] leaves 8 bits as they are, and of 16 bits makes v / 257: the same picture."""
    steps = np.array([[0, 1, 100, 255]])
    path = saved(tmp_path / "x.png", (steps * (most // 255)).astype(dtype))

    torch.testing.assert_close(
        read(path, range=[0.0, 255.0]).values[0].numpy(),
        steps.astype(np.float32),
        rtol=0,
        atol=0,
    )


def test_a_range_goes_with_a_window(tmp_path: Path) -> None:
    """The window's ends become the range's; what lies outside is clipped."""
    path = saved(tmp_path / "x.png", np.array([[0, 50, 100, 150, 255]], dtype=np.uint8))

    values = read(path, window=[50.0, 150.0], range=[0.0, 255.0]).values[0, 0]

    assert values.tolist() == [0.0, 0.0, 127.5, 255.0, 255.0]


def test_the_declared_range_is_known(small: Any, tmp_path: Path) -> None:
    """What a cohort declares of intensities is what corruptions and radiomics are told."""
    saved(tmp_path / "x.png", BITS)
    for row in small.rows:
        row["file"] = "x.png"
    small.config["modalities"] = {
        "plain": {"kind": "image", "path": "file"},
        "window": {"kind": "image", "path": "file", "window": [0.0, 9.0]},
        "range": {"kind": "image", "path": "file", "range": [0.0, 255.0]},
    }
    cohort = small.read()

    found = [declared_range(cohort, name) for name in ("plain", "window", "range")]
    assert found == [None, (-1.0, 1.0), (0.0, 255.0)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_invert_mirrors_the_bits(tmp_path: Path, dtype: Any) -> None:
    """A bit-inverted copy, declared as such, is the picture itself; twice inverted is nothing."""
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7), endpoint=True)
    plain = saved(tmp_path / "plain.png", values.astype(dtype))
    inverted = saved(tmp_path / "inverted.png", ~values.astype(dtype))

    assert read(inverted, invert=True).values.equal(read(plain).values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_is_read_as_bright(tmp_path: Path, dtype: Any) -> None:
    """A TIFF whose tag says that 0 is white is mirrored, in 8 bits as in 16."""
    values = np.array([[0, 10, np.iinfo(dtype).max]], dtype=dtype)
    path = saved(tmp_path / "x.tif", values, tiffinfo={262: 1})
    content = bytearray(path.read_bytes())
    place = content.find(b"\x06\x01\x03\x00")  # tag 262, SHORT, little-endian
    content[place + 8] = 0
    path.write_bytes(content)

    assert read(path).values[0, 0].tolist() == (np.iinfo(dtype).max - values[0]).tolist()


def test_signed_integers_have_no_full_range(tmp_path: Path) -> None:
    """A 32-bit TIFF is read as it is; what needs to know its bits is refused, a window is not."""
    path = saved(tmp_path / "x.tif", np.array([[-5, 70000]], dtype=np.int32))

    assert read(path).values.flatten().tolist() == [-5, 70000]
    assert read(path, window=[-5.0, 70000.0], range=[0.0, 255.0]).values.max() == 255
    for key in ({"range": [0.0, 255.0]}, {"invert": True}):
        with pytest.raises(DataError, match="needs to know how many bits a pixel has"):
            read(path, **key)


def test_several_pictures_in_one_file_are_refused(tmp_path: Path) -> None:
    """A TIFF of two pages is no radiograph."""
    pages = [Image.fromarray(BITS), Image.fromarray(BITS)]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])

    with pytest.raises(DataError, match=r"x\.tif: a file holds one picture, but this one holds 2"):
        read(tmp_path / "x.tif")


def test_sixteen_bits_beside_alpha_are_refused(tmp_path: Path) -> None:
    """Pillow reads such a PNG in 8 bits without a word; the file is refused instead."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", 1, 1, 16, 4, 0, 0, 0)
    path = tmp_path / "x.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\x12\x34\xff\xff"))
        + chunk(b"IEND", b"")
    )

    for convert in (False, True):
        with pytest.raises(DataError, match=r"16 bits in each of several channels .* cut to 8"):
            read(path, convert=convert)


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    """Pillow would clip them to 0 to 255, and make a number of NaN; no convert allows it."""
    saved(tmp_path / "x.tif", np.array([[0.5, 3000.0], [np.nan, 7.0]], dtype=np.float32))

    for convert in (False, True):
        with pytest.raises(DataError, match=r"x\.tif: its pixels are floating-point numbers"):
            read(tmp_path / "x.tif", convert=convert)


@pytest.mark.parametrize(
    "declared",
    [
        {"window": [1e-40, 2e-40]},
        {"range": [0.0, 1e300]},
        {"size": [8, 4], "fit": "pad", "pad": 1e300},
    ],
)
def test_what_float32_cannot_hold_is_refused(tmp_path: Path, declared: dict[str, Any]) -> None:
    """No NaN or infinity comes of ordinary pixels, whatever is declared."""
    path = saved(tmp_path / "x.png", np.arange(16, dtype=np.uint8).reshape(4, 4))

    with pytest.raises(DataError, match=r"x\.png: with window .* have no value in float32"):
        read(path, **declared)


def test_an_image_larger_than_any_detector_is_refused() -> None:
    """10^12 pixels would take all memory; said by the declaration, before a file is opened."""
    with pytest.raises(ValueError, match=r"at most 67108864 pixels, not 1000000 x 1000000"):
        ImageModality(kind="image", path="p", size=[10**6, 10**6])


def test_gray_stored_as_rgb_is_told_that_nothing_is_lost(tmp_path: Path) -> None:
    """Equal channels: convert: true is exact, and the message says so; not so of a screenshot."""
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    same = saved(tmp_path / "same.png", np.stack([gray] * 3, axis=2))
    shot = saved(tmp_path / "shot.png", np.stack([gray, gray, gray.T], axis=2))

    with pytest.raises(DataError, match=r"equal in every pixel, so convert: true .* without loss"):
        read(same)
    np.testing.assert_array_equal(read(same, convert=True).values[0].numpy(), gray)
    with pytest.raises(DataError, match=r"the image is RGB, .*convert the file, or set convert"):
        read(shot)


def disc(height: int, width: int, radius: float) -> Any:
    """Return a disc of 200 in the middle of 50; uint8."""
    y, x = np.mgrid[:height, :width]
    inside = (y - (height - 1) / 2) ** 2 + (x - (width - 1) / 2) ** 2 <= radius**2
    return np.where(inside, 200, 50).astype(np.uint8)


@pytest.mark.parametrize(("fit", "round_"), [("stretch", False), ("pad", True), ("crop", True)])
def test_padding_and_cropping_keep_a_disc_round(tmp_path: Path, fit: str, round_: bool) -> None:
    """A disc in a picture of 80 x 160 at size 80 x 80; stretched it is half as wide as high."""
    path = saved(tmp_path / "x.png", disc(80, 160, 30))
    mask = saved(tmp_path / "m.png", (disc(80, 160, 30) > 100).astype(np.uint8))
    sample = read(path, mask, size=[80, 80], fit=fit)
    assert sample.mask is not None

    high, wide = sample.mask.any(1).sum().item(), sample.mask.any(0).sum().item()
    assert sample.values.shape == (1, 80, 80)
    assert (abs(high - wide) <= 1) == round_
    bright = sample.values[0] > 125
    assert (bright & sample.mask).sum() / (bright | sample.mask).sum() > 0.9


def test_what_is_padded_has_the_lower_end(tmp_path: Path) -> None:
    """Added rims are the window's lower end, the image's least intensity, or what is declared;
    percentiles are the picture's own.
    """
    path = saved(tmp_path / "x.png", disc(80, 160, 30))
    rims = {
        "least": read(path, size=[80, 80], fit="pad"),
        "window": read(path, size=[80, 80], fit="pad", window=[0.0, 255.0]),
        "declared": read(path, size=[80, 80], fit="pad", window=[0.0, 200.0], pad=100.0),
        "percentile": read(path, size=[80, 80], fit="pad", window=["p0", "p100"]),
    }

    found = {name: set(s.values[0, [0, 19, 60, 79]].flatten().tolist()) for name, s in rims.items()}
    assert found == {"least": {50.0}, "window": {-1.0}, "declared": {0.0}, "percentile": {-1.0}}
    assert rims["least"].values[0, 40, 0] == 50  # the picture's own rim
    assert rims["declared"].values[0, 40, 0] == -0.5


def test_a_picture_of_the_right_size_is_not_touched(tmp_path: Path) -> None:
    """Whatever fit says."""
    path = saved(tmp_path / "x.png", BITS)

    for fit in ("stretch", "pad", "crop"):
        np.testing.assert_array_equal(read(path, size=[2, 3], fit=fit).values[0].numpy(), BITS)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    """With both sizes; and one of which the crop leaves nothing."""
    path = saved(tmp_path / "x.png", disc(40, 80, 9))
    other = saved(tmp_path / "other.png", np.ones((40, 40), dtype=np.uint8))
    rim = np.zeros((40, 80), dtype=np.uint8)
    rim[:, 0] = 1
    at_rim = saved(tmp_path / "rim.png", rim)

    with pytest.raises(DataError, match="the mask has 40 x 40 pixels, but its image 80 x 40"):
        read(path, other)
    with pytest.raises(DataError, match=r"nothing is left of the mask at size \[40, 40\] with fit"):
        read(path, at_rim, size=[40, 40], fit="crop")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"fit": "pad"}, "fit: pad needs a 'size'"),
        ({"pad": 0.0, "size": [4, 4]}, "'pad' is an intensity for fit: pad"),
        ({"range": [255.0, 0.0]}, "a range goes from a smaller to a larger value"),
        ({"fit": "squeeze", "size": [4, 4]}, "fit"),
    ],
)
def test_keys_that_mean_nothing_are_refused(small: Any, declared: Any, message: str) -> None:
    """When the cohort file is read, before any picture."""
    small.config["modalities"] = {"cxr": {"kind": "image", "path": "file"} | declared}

    with pytest.raises(ConfigError, match=message):
        small.read()


def with_pictures(small: Any, sizes: list[tuple[int, int]], **declared: Any) -> Path:
    """Give every subject a picture; sizes (y, x) in turn."""
    generator = np.random.default_rng(0)
    for k, row in enumerate(small.rows):
        values = generator.integers(0, 255, sizes[k % len(sizes)]).astype(np.uint8)
        row["file"] = saved(small.folder / f"{k}.png", values).name
    small.config["modalities"] = {"cxr": {"kind": "image", "path": "file"} | declared}
    return Path(small.write())


def said_of(path: Path, column: str = "cxr") -> list[str]:
    """Return the messages on a column."""
    return [p.message for p in check_cohort(path) if p.column == column]


def test_a_changed_aspect_is_a_warning_with_the_worst_file(small: Any) -> None:
    """[8, 8] from 40 x 60 stretches one side by half; the row and both remedies are named."""
    sizes = [(40, 40), (41, 40), (40, 60), (40, 44)]
    message = (
        r"12 of 24 images are stretched by more than 5% .* the worst is row 24 \(22\.png, "
        r"\[y, x\] = \[40, 60\]\), by 50%; declare fit: pad or fit: crop"
    )

    (found,) = said_of(with_pictures(small, sizes, size=[8, 8]))
    assert re.search(message, found), found


@pytest.mark.parametrize("declared", [{"fit": "pad"}, {"fit": "crop"}])
def test_kept_shapes_are_no_warning(small: Any, declared: dict[str, str]) -> None:
    """Nor are pictures whose aspect is the declared one."""
    assert said_of(with_pictures(small, [(40, 60)], size=[8, 8], **declared)) == []
    assert said_of(with_pictures(small, [(40, 60), (80, 120)], size=[8, 12])) == []


def test_a_blank_picture_is_a_warning_with_its_row(small: Any) -> None:
    """One intensity everywhere: an export that failed; a window of percentiles refuses it."""
    path = with_pictures(small, [(9, 9)])
    saved(small.folder / "3.png", np.full((9, 9), 7, dtype=np.uint8))

    (problem,) = [p for p in check_cohort(path) if p.column == "cxr"]
    assert (problem.row, problem.subject, problem.severity) == (5, "003", "warning")
    assert "3.png: every intensity is the same" in problem.message
    with pytest.raises(DataError, match=r"the window \[p1, p99\] is empty"):
        read(small.folder / "3.png", window=["p1", "p99"])
