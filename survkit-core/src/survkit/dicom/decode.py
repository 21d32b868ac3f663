"""Stored values of a file's frames, whatever their transfer syntax; no more than it declares."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.header import FileHeader
from survkit.dicom.jpeg_frame import jpeg_frame
from survkit.dicom.libraries import pydicom, simpleitk
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.pixel_format import (
    JPEG,
    JPEG_2000,
    JPEG_LS,
    NATIVE,
    check_pixel_format,
    syntax_name,
)
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.shown_name import shown_name

Stored = NDArray[np.int64]


def stored_planes(header: FileHeader, frames: Sequence[int]) -> Iterator[Stored]:
    """Yield the stored values of some frames; int64 (row, column), sign and bits as declared.

    Raises:
        DataError: The pixels are absent, cut off, damaged, of another size than declared, or hold
            values beyond BitsStored.
    """
    check_pixel_format(header)
    data = open_dicom(header.path, pixels=True)
    name = shown_name(header.path)
    for frame in frames:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what it would warn of is checked here
                _check_pixels(data, header, name)
                plane = _decoded(data, header, frame)
        except RefusedSeriesError:
            raise
        except Exception as error:  # decoders fail on foreign bytes in ways that are not listed
            raise RefusedSeriesError(
                "pixels",
                f"{name}: the pixel data cannot be decoded from "
                f"{syntax_name(header.transfer_syntax)} ({type(error).__name__}); they are cut "
                "off or damaged: export the file again",
            ) from error
        if plane.shape != (header.rows, header.columns):
            raise RefusedSeriesError(
                "pixels",
                f"{name}: the pixels are {' x '.join(map(str, plane.shape))}, but Rows x Columns "
                f"say {header.rows} x {header.columns}",
            )
        yield _within_bits(plane.astype(np.int64), header, name)


def _decoded(data: Any, header: FileHeader, frame: int) -> NDArray[Any]:
    library = pydicom()
    syntax = header.transfer_syntax
    if syntax in JPEG | JPEG_LS | JPEG_2000:
        stream = library.encaps.get_frame(
            data.PixelData, frame, number_of_frames=len(header.frames)
        )
        _check_stream(stream, header)
        decoder = library.pixels.get_decoder(syntax)
        if syntax not in JPEG_2000 or not decoder.is_available:
            return _decoded_by_gdcm(stream, header)
    decoder = library.pixels.get_decoder(syntax)
    # Bits above BitsStored are judged here, so the library must not hide them.
    array, _ = decoder.as_array(data, index=frame, raw=True, correct_unused_bits=False)
    return np.asarray(array)


def _check_stream(stream: bytes, header: FileHeader) -> None:
    frame = jpeg_frame(stream)
    rows, columns, bits = header.rows or 0, header.columns or 0, header.bits_allocated or 0
    if frame is None or not frame.fits(header.transfer_syntax, rows, columns, bits):
        said = "has no readable frame header" if frame is None else f"says {frame}"
        raise RefusedSeriesError(
            "pixels",
            f"{shown_name(header.path)}: Rows x Columns are {rows} x {columns} in {bits} bits as "
            f"{syntax_name(header.transfer_syntax)}, but the compressed picture {said}; "
            "export it again",
        )


def _decoded_by_gdcm(stream: bytes, header: FileHeader) -> NDArray[Any]:
    """Decode one compressed frame in a file of its own that holds nothing but pixels."""
    library, sitk = pydicom(), simpleitk()
    uid = library.uid.generate_uid()
    data = library.dataset.Dataset()
    data.SOPClassUID, data.SOPInstanceUID = library.uid.CTImageStorage, uid
    data.Rows, data.Columns, data.SamplesPerPixel = header.rows, header.columns, 1
    data.BitsAllocated, data.BitsStored = header.bits_allocated, header.bits_stored
    data.HighBit = (header.bits_stored or 1) - 1
    data.PixelRepresentation = header.pixel_representation
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = library.encaps.encapsulate([stream])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.file_meta = library.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = header.transfer_syntax
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.dcm"
        library.dcmwrite(path, data, enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        array = sitk.GetArrayFromImage(reader.Execute())
    return np.asarray(array)[0] if array.ndim == 3 else np.asarray(array)


def _check_pixels(data: Any, header: FileHeader, name: str) -> None:
    if "PixelData" not in data or data.PixelData is None:
        raise RefusedSeriesError("no-pixels", f"{name} has no pixel data; export it again")
    if header.transfer_syntax in NATIVE:
        _check_length(header, len(data.PixelData), name)


def _check_length(header: FileHeader, found: int, name: str) -> None:
    voxels = (header.rows or 0) * (header.columns or 0) * len(header.frames)
    expected = voxels * (header.bits_allocated or 0) // 8
    if found not in (expected, expected + expected % 2):
        what = "cut off" if found < expected else "longer than declared"
        raise RefusedSeriesError(
            "truncated" if found < expected else "pixels",
            f"{name}: the pixel data are {what}: {header.rows} x {header.columns} x "
            f"{len(header.frames)} voxels of {header.bits_allocated} bits are {expected} bytes, "
            f"but {found} came; export or copy the file again",
        )


def _within_bits(plane: Stored, header: FileHeader, name: str) -> Stored:
    """Return values in the range of BitsStored; signed ones without extended sign get it."""
    bits = header.bits_stored or 1
    signed = header.pixel_representation == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    least, most = int(plane.min()), int(plane.max())
    if signed and least >= 0 and high < most < 2**bits:
        # PS3.5 8.1.1: the sign is HighBit's; bits above it need not repeat it.
        return np.where(plane > high, plane - 2**bits, plane)
    if least < low or most > high:
        raise RefusedSeriesError(
            "bits",
            f"{name}: stored values must be {low} to {high} for BitsStored {bits}, but are "
            f"{least} to {most}; export the file again",
        )
    return plane
