"""Broken series: each is refused by its rule with one clear sentence, and nothing crashes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.core.dicom.spoiled import (
    Broken,
    at,
    creeping,
    cut,
    doubled,
    extra,
    foreign,
    garbled_stream,
    longer_pixels,
    raw,
    rewritten,
    short_stream,
    shorter_pixels,
    side_by_side,
    syntax,
    tiny_sideways,
    too_precise,
    twin,
    uneven,
    wider,
    without_pixels,
)
from tests.core.dicom.writer import PLANTED, random_volume, write_series

from survkit.dicom import RefusedSeriesError, discover, read_series

BROKEN = [
    Broken("a slice is missing", "missing-slices",
           r"1 slice is missing: 1 between 33\.00 and 39\.00 mm; slices are 3 mm apart",
           {"drop": [2]}),
    Broken("two gaps", "missing-slices", r"3 slices are missing: 1 between .*, 2 between",
           {"volume": random_volume((14, 4, 4)), "drop": [3, 8, 9]}),
    Broken("an extra slice", "irregular-spacing", r"1\.00 mm \(1 times\), 2\.00 mm \(1 times\)",
           {"volume": random_volume((6, 6, 7)), "change": extra}),
    Broken("uneven steps", "irregular-spacing", r"1\.30 mm \(1 times\), 2\.00 mm \(1 times\)",
           {"change": uneven}),
    Broken("steps that creep", "irregular-spacing", "off the regular grid",
           {"volume": random_volume((81, 3, 3)), "change": creeping}),
    Broken("a slice beside the line", "irregular-positions", r"slice 3 of 5 is 1\.5 mm beside",
           {"change": tiny_sideways}),
    Broken("slices side by side", "irregular-positions", "they stand side by side",
           {"change": side_by_side}),
    Broken("one identity for two slices", "same-identity", r"slice-0000\.dcm and slice-0003\.dcm",
           {"change": twin}),
    Broken("a CT that calls itself MR", "modality", "must have the Modality 'CT', but has 'MR'",
           {"tags": {"Modality": "MR"}}),
    Broken("frames without places", "no-geometry", "lacks ImagePositionPatient",
           spoil=lambda paths: [rewritten(each, doubled)(paths) for each in range(5)] and None),
    Broken("zero spacing", "zero-spacing", r"PixelSpacing must be positive, but is \(0, 0\.7\)",
           {"tags": {"PixelSpacing": [0, 0.7]}}),
    Broken("negative spacing", "zero-spacing", r"is \(-1, 1\)",
           {"change": at(1, PixelSpacing=[-1, 1])}),
    Broken("all slices at one place", "two-acquisitions", "5 different slices stand at 1 posi",
           {"tags": {"ImagePositionPatient": [0, 0, 0]}}),
    Broken("no pixel spacing", "no-geometry", r"slice-0003\.dcm lacks PixelSpacing",
           {"change": at(3, PixelSpacing=None)}),
    Broken("no position", "no-geometry", "lacks ImagePositionPatient",
           {"tags": {"ImagePositionPatient": None}}),
    Broken("no orientation", "no-geometry", "lacks ImageOrientationPatient",
           {"change": at(0, ImageOrientationPatient=None)}),
    Broken("a skewed orientation", "orientation", "two orthogonal unit vectors",
           {"tags": {"ImageOrientationPatient": [1, 0, 0, 0.5, 0.8, 0]}}),
    Broken("a null orientation", "orientation", "lengths are 0 and 0",
           {"tags": {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}}),
    Broken("two orientations", "mixed-orientation",
           r"1 of 5 slices differ from \(1, 0, 0, 0, 1, 0\), such as slice-0004\.dcm",
           {"change": at(4, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])}),
    Broken("two pixel spacings", "mixed-spacing", r"differ from \(0\.8, 0\.7\).*\(0\.9, 0\.9\)",
           {"change": at(0, PixelSpacing=[0.9, 0.9])}),
    Broken("two sizes", "mixed-size", r"4 files have 6 x 7 and 1 have 7 x 6 \(such as slice-0002",
           {"change": at(2, Rows=7, Columns=6)}),
    Broken("two patients in a series", "mixed-patients", "several PatientIDs|one patient",
           {"change": foreign("PatientID")}),
    Broken("two studies in a series", "mixed-studies", "one study .* 5 files have 2",
           {"change": foreign("StudyInstanceUID")}),
    Broken("two frames of reference", "mixed-frames", "one frame of reference",
           {"change": foreign("FrameOfReferenceUID")}),
    Broken("two modalities", "mixed-modality", "4 files have CT and 1 have PT",
           {"change": at(2, Modality="PT")}),
    Broken("a spacing that is text", "wrong-tag", "PixelSpacing",
           {"change": raw(1, "PixelSpacing", "LO", ["wide", "wider"])}),
    Broken("an infinite position", "wrong-tag", "ImagePositionPatient is not finite",
           {"change": raw(1, "ImagePositionPatient", "LO", ["0", "0", "inf"])}),
    Broken("two numbers as position", "wrong-tag", "must hold 3 numbers, but holds 2",
           {"change": at(1, ImagePositionPatient=[0, 0])}),
    Broken("frames without number", "wrong-tag", "NumberOfFrames",
           {"change": raw(1, "NumberOfFrames", "LO", "many")}),
    Broken("a million frames", "wrong-tag", "NumberOfFrames must be 1 to 65536, but is 1000000",
           {"tags": {"NumberOfFrames": 1000000}}),
    Broken("no slope", "no-rescale", "RescaleSlope must say how stored values become HU",
           {"change": at(2, RescaleSlope=None)}),
    Broken("no intercept", "no-rescale", "RescaleIntercept must say",
           {"tags": {"RescaleIntercept": None}}),
    Broken("PET without slope", "no-rescale", "become activity",
           {"modality": "PT", "intercept": 0.0, "volume": random_volume().clip(0),
            "tags": {"RescaleSlope": None}}),
    Broken("slope zero", "no-rescale", "RescaleSlope must not be 0", {"tags": {"RescaleSlope": 0}}),
    Broken("a slope that no CT has", "value-range",
           r"RescaleSlope 1e\+06 and .* a CT lies within ±100000",
           {"change": at(2, RescaleSlope="1e6")}),
    Broken("CT that is no HU", "rescale-type", "must be in HU, but its RescaleType is 'Z_EFF'",
           {"tags": {"RescaleType": "Z_EFF"}}),
    Broken("padding in the tissue", "padding", "stands for 40 HU",
           {"volume": np.full((3, 4, 4), 40.0), "tags": {"PixelPaddingValue": 1064}}),
    Broken("unknown transfer syntax", "transfer-syntax", r"'1\.2\.840\.99\.1\.2\.3' cannot be",
           spoil=syntax("1.2.840.99.1.2.3")),
    Broken("a film", "transfer-syntax", "'MPEG2 Main Profile / Main Level' cannot be decoded",
           spoil=syntax("1.2.840.10008.1.2.4.100")),
    Broken("no rows", "size", "Rows and Columns must be 1 or more, but are 0 x 7",
           {"tags": {"Rows": 0}}),
    Broken("an enormous slice", "too-large", "65535 x 65535 voxels is beyond the limit",
           {"tags": {"Rows": 65535, "Columns": 65535}}),
    Broken("an enormous volume", "too-large", "60000 frames of 1024 x 1024",
           {"tags": {"Rows": 1024, "Columns": 1024, "NumberOfFrames": 60000}}),
    Broken("odd bits", "bits", "BitsAllocated must be 8, 16 or 32",
           {"tags": {"BitsAllocated": 12}}),
    Broken("a wrong high bit", "bits", "HighBit must be BitsStored - 1 = 15, but is 3",
           {"tags": {"HighBit": 3}}),
    Broken("values beyond the bits", "bits", "must be 0 to 255 for BitsStored 8, but are",
           {"tags": {"BitsStored": 8, "HighBit": 7}}),
    Broken("a colour picture", "colour", "a picture in RGB",
           {"tags": {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}}),
    Broken("a secondary capture", "screenshot", "no measured intensities",
           {"tags": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}}),
    Broken("a localizer", "localizer", "an overview, not a volume",
           {"tags": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}}),
    Broken("a projection", "projection", "no measurement",
           {"tags": {"ImageType": ["DERIVED", "SECONDARY", "MIP"]}}),
    Broken("two slices", "few-slices", "3 slices or more, but this series has 2",
           {"volume": random_volume((2, 4, 4))}),
    Broken("cut pixel data", "truncated", "are 84 bytes, but 64 came",
           spoil=rewritten(2, shorter_pixels)),
    Broken("too many pixel data", "pixels", "longer than declared",
           spoil=rewritten(2, longer_pixels)),
    Broken("no pixel data", "no-pixels", "has no pixel data", spoil=rewritten(2, without_pixels)),
    Broken("a cut RLE stream", "pixels", "cannot be decoded from RLE Lossless",
           {"transfer_syntax": "rle"}, rewritten(1, short_stream)),
    Broken("a cut JPEG 2000 stream", "pixels", "cannot be decoded from JPEG 2000",
           {"transfer_syntax": "jpeg-2000", "volume": random_volume((3, 32, 32))},
           rewritten(1, short_stream)),
    Broken("a garbled JPEG stream", "pixels", "picture has no readable frame header",
           {"transfer_syntax": "jpeg-lossless", "volume": random_volume((3, 32, 32))},
           rewritten(1, garbled_stream)),
    Broken("a JPEG of another size", "pixels",
           "Rows x Columns are 32 x 40 in 16 bits as .* picture says 32 x 32, 16 bits, grey",
           {"transfer_syntax": "jpeg-lossless", "volume": random_volume((3, 32, 32))},
           lambda paths: [rewritten(each, wider)(paths) for each in range(3)] and None),
    Broken("a JPEG of 62 bits", "pixels", "picture says 32 x 32, 62 bits, grey",
           {"transfer_syntax": "jpeg-lossless", "volume": random_volume((3, 32, 32))},
           rewritten(1, too_precise)),
    Broken("a file that ends in its header", "missing-slices", "1 slice is missing",
           spoil=cut(2, 0.3)),
    Broken("no series identity", "no-identity", "without SeriesInstanceUID",
           {"tags": {"SeriesInstanceUID": None}}),
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name.replace(" ", "-"))
def test_a_broken_series_is_refused_with_its_rule_and_a_sentence(
    tmp_path: Path, broken: Broken
) -> None:
    """At discovery where headers show it, while reading where only pixels do; never silently."""
    options = dict(broken.options)
    volume = options.pop("volume", random_volume())
    paths = write_series(tmp_path, volume, patient_id="PLANTEDID", **options)
    if broken.spoil is not None:
        broken.spoil(paths)
    series_uid = paths and next(iter(_uids(paths)))

    found = discover(tmp_path)

    refusals = [(each.rule, each.reason) for each in found.refused]
    for series in found.series:
        with pytest.raises(RefusedSeriesError) as caught:
            read_series(series)
        refusals.append((caught.value.rule, str(caught.value)))
    assert broken.rule in [rule for rule, _ in refusals]
    assert any(re.search(broken.message, reason) for _, reason in refusals), refusals
    assert sum(each.files for each in found.refused) + sum(
        len(each.files) for each in found.series
    ) == len(paths), "every file is in a series or in a refusal"
    shown = " ".join(reason for _, reason in refusals) + "".join(x.what for x in found.refused)
    for secret in [*PLANTED.values(), "PLANTEDID", series_uid]:
        assert str(secret) not in shown
    assert "\n" not in shown


def _uids(paths: list[Path]) -> set[str]:
    found = set()
    for path in paths:
        if path.stat().st_size > 900:
            found.add(str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID))
    return found


def test_there_are_enough_faults() -> None:
    """Each fault has a name of its own."""
    assert len({broken.name for broken in BROKEN}) == len(BROKEN) >= 45
