"""Damaged files: bombs, look-alikes, flipped bytes, spoilt tags; read or refused, no crash."""

from __future__ import annotations

import zlib
from importlib import import_module
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataelem import DataElement
from tests.core.dicom.writer import random_volume, write_series

from survkit.dicom import RefusedSeriesError, discover, read_series
from survkit.errors import DataError


def test_a_deflate_bomb_is_refused_before_it_unfolds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that becomes more than the limit costs no more than the limit."""
    monkeypatch.setattr(import_module("survkit.dicom.open_dicom"), "MAX_INFLATED_BYTES", 2**20)
    (path, *_) = write_series(tmp_path, random_volume(), transfer_syntax="deflated")
    meta = pydicom.dcmread(path).file_meta
    start = 128 + 4 + 12 + meta.FileMetaInformationGroupLength
    content = path.read_bytes()
    dataset = zlib.decompress(content[start:], -zlib.MAX_WBITS)
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = machine.compress(dataset + bytes(2**21)) + machine.flush()
    path.write_bytes(content[:start] + bomb)
    assert len(bomb) < 2**14

    (series,) = discover(tmp_path).series

    with pytest.raises(DataError, match="unfolds to more than 1048576 bytes"):
        read_series(series)


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("empty.dcm", b"", "not-dicom"),
        ("text.dcm", b"not an image", "not-dicom"),
        ("short.dcm", b"\0" * 128 + b"DICM", "no-identity"),
        ("noise.dcm", b"\0" * 128 + b"DICM" + bytes(range(256)) * 4, None),
        ("text", b"\0" * 128 + b"DICM" + b"A" * 1000, None),
    ],
)
def test_files_that_only_look_like_dicom_are_refused(
    tmp_path: Path, name: str, content: bytes, rule: str | None
) -> None:
    """The other series in the folder is read all the same, with a note on the damaged file."""
    write_series(tmp_path, random_volume())
    (tmp_path / name).write_bytes(content)

    found = discover(tmp_path)

    (refusal,) = found.refused
    assert refusal.what == name
    assert refusal.rule in ({rule} if rule else {"damaged", "no-identity"})
    (series,) = found.series
    assert "1 damaged file lies in its folder" in read_series(series).quality.line()


def test_a_closed_stream_of_flips_never_crashes(tmp_path: Path) -> None:
    """200 seeded flips of a byte in one slice: read, or refused with a sentence of one line."""
    outcomes = _flipped(tmp_path, "explicit", flips=200)

    assert outcomes["read"] + outcomes["refused"] == 200
    assert outcomes["refused"] > 20


@pytest.mark.parametrize("compressed", ["rle", "jpeg-lossless", "jpeg-2000", "deflated"])
def test_flips_in_compressed_files_never_crash(tmp_path: Path, compressed: str) -> None:
    """Decoders meet foreign bytes too; what they raise becomes one sentence."""
    outcomes = _flipped(tmp_path, compressed, flips=60)

    assert outcomes["read"] + outcomes["refused"] == 60


def _flipped(folder: Path, transfer_syntax: str, *, flips: int) -> dict[str, int]:
    paths = write_series(folder, random_volume((3, 16, 16)), transfer_syntax=transfer_syntax)
    content = paths[1].read_bytes()
    generator = np.random.default_rng(11)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(flips):
        spoilt = bytearray(content)
        spoilt[int(generator.integers(128, len(content)))] ^= int(generator.integers(1, 256))
        paths[1].write_bytes(spoilt)
        found = discover(folder)
        files = len(found.others) + sum(found.ignored.values())
        files += sum(each.files for each in found.refused)
        files += sum(len(each.files) for each in found.series)
        assert files == 3
        if not found.series:
            assert all(each.reason and "\n" not in each.reason for each in found.refused)
            outcomes["refused"] += 1
            continue
        message = ""
        try:
            for series in found.series:
                read_series(series)
        except DataError as error:
            message = str(error)
        outcomes["refused" if message else "read"] += 1
        assert "\n" not in message
    return outcomes


@pytest.mark.parametrize("value_representation", [b"\x4f\x26", b"ZZ"])
def test_a_spoilt_meta_header_is_refused(tmp_path: Path, value_representation: bytes) -> None:
    """The class of the object stands twice; where both are unreadable, the file belongs nowhere."""
    paths = write_series(tmp_path, random_volume(), tags={"SOPClassUID": None})
    content = paths[1].read_bytes()
    place = content.index(b"\x02\x00\x02\x00UI") + 4
    paths[1].write_bytes(content[:place] + value_representation + content[place + 2 :])

    found = discover(tmp_path)

    assert {each.rule for each in found.refused} <= {"no-identity", "damaged", "missing-slices"}
    assert "slice-0001.dcm" in {each.what for each in found.refused}


@pytest.mark.parametrize("fault", ["absent", "empty", "text", "many", "huge"])
def test_whatever_one_tag_holds_a_file_is_read_or_refused(tmp_path: Path, fault: str) -> None:
    """Each tag of the middle slice in turn: the true volume comes back, or a sentence does."""
    truth = random_volume((3, 4, 4))
    paths = write_series(tmp_path, truth)
    content = paths[1].read_bytes()
    outcomes = {"read": 0, "refused": 0}
    for element in pydicom.dcmread(paths[1]):
        data = pydicom.dcmread(paths[1])
        if fault == "absent":
            del data[element.tag]
        elif fault == "empty":
            data[element.tag] = DataElement(element.tag, element.VR, None)
        else:
            value = {"text": "x", "many": ["1", "2", "3", "4"], "huge": "9" * 16}[fault]
            data.add_new(element.tag, "LO", value)
        pydicom.dcmwrite(paths[1], data, implicit_vr=False, little_endian=True)
        found = discover(tmp_path)
        refused = bool(found.refused)
        images = []
        try:
            images = [read_series(series).image for series in found.series]
        except RefusedSeriesError:
            refused = True
        for image in images:
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), truth)
        assert images or refused or found.others
        outcomes["read" if images else "refused"] += 1
        paths[1].write_bytes(content)

    assert outcomes["read"] >= 5, "names and dates are nothing that a volume needs"
    assert outcomes["refused"] >= 10
