"""One DICOM file opened: quietly, with bounded memory, and with one kind of error."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from survkit.dicom.libraries import pydicom
from survkit.dicom.shown_name import shown_name
from survkit.errors import DataError

MAX_INFLATED_BYTES = 2**29
"""A deflated file may unfold to this many bytes: a bomb is refused before it does harm."""
MAX_INFLATED_HEADER = 2**24
"""Where no pixels are wanted, no more than this is unfolded."""
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_LONGEST_META = 65536
_PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}


def is_dicom(path: Path) -> bool:
    """Whether the file has the prefix DICM after 128 bytes.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def open_dicom(path: Path, tags: Sequence[str] | None = None, *, pixels: bool = False) -> Any:
    """Return a file's dataset (pydicom's), its ``file_meta`` included.

    Args:
        path: The file.
        tags: Keywords of what is read; everything by default.
        pixels: Whether the pixel data are read as well.

    Raises:
        DataError: Not DICOM, damaged, cut off in its header, or a deflated file beyond the limit.
            The message holds nothing of the file's content: it may be an identifier.
        MissingExtraError: pydicom is not installed.
    """
    library = pydicom()
    name = shown_name(path)
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            # Odd values are judged where they are used, with a message of our own.
            warnings.simplefilter("ignore")
            head = file.read(_LONGEST_META)
            file.seek(0)
            if head[128:132] != b"DICM":
                raise DataError(f"{name}: not a DICOM file: the prefix DICM after 128 bytes lacks")
            if _DEFLATED in head:
                return _inflated(library, file, tags, pixels, name)
            return library.dcmread(file, stop_before_pixels=not pixels, specific_tags=tags)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(f"{name}: cannot be read: {reason}") from error
    except DataError:
        raise
    except Exception as error:  # foreign bytes: the parser fails in ways that it does not list
        raise DataError(
            f"{name}: a damaged DICOM file ({type(error).__name__} while parsing it); "
            "export it again from its source"
        ) from error


def _inflated(
    library: Any, file: BinaryIO, tags: Sequence[str] | None, pixels: bool, name: str
) -> Any:
    reader = library.filereader
    reader.read_preamble(file, False)
    meta = reader._read_file_meta_info(file)
    if meta.get("TransferSyntaxUID") != _DEFLATED.decode():
        file.seek(0)
        return library.dcmread(file, stop_before_pixels=not pixels, specific_tags=tags)
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    content = machine.decompress(file.read(), MAX_INFLATED_BYTES if pixels else MAX_INFLATED_HEADER)
    if machine.unconsumed_tail and pixels:
        raise DataError(
            f"{name}: unfolds to more than {MAX_INFLATED_BYTES} bytes, the limit for deflated "
            "files; convert it to an uncompressed transfer syntax"
        )
    stop = None if pixels else lambda tag, _vr, _length: int(tag) in _PIXELS
    data = reader.read_dataset(
        io.BytesIO(content), False, True, stop_when=stop, specific_tags=_tags(library, tags)
    )
    data.file_meta = meta
    return data


def _tags(library: Any, tags: Sequence[str] | None) -> list[Any] | None:
    return None if tags is None else [library.tag.Tag(each) for each in tags]
