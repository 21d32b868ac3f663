"""What a JPEG, JPEG-LS or JPEG 2000 stream says of itself, before a decoder believes it.

Decoders of foreign bytes have crashed on a false precision; nothing but streams whose own header
fits the DICOM header is handed to them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FRAME_MARKERS = frozenset([*range(0xC0, 0xD0), 0xF7]) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers; C4, C8 and CC are tables and extensions, F7 is JPEG-LS."""
_WITHOUT_LENGTH = frozenset([0x01, *range(0xD0, 0xD9)])
_JP2_BOX = b"jP  "
_SIZ = b"\xff\x4f\xff\x51"
JPEG_2000_MARKER = 0x51
_MARKERS = {
    "1.2.840.10008.1.2.4.50": {0xC0},
    "1.2.840.10008.1.2.4.51": {0xC0, 0xC1},
    "1.2.840.10008.1.2.4.57": {0xC3},
    "1.2.840.10008.1.2.4.70": {0xC3},
    "1.2.840.10008.1.2.4.80": {0xF7},
    "1.2.840.10008.1.2.4.81": {0xF7},
    "1.2.840.10008.1.2.4.90": {JPEG_2000_MARKER},
    "1.2.840.10008.1.2.4.91": {JPEG_2000_MARKER},
}
"""Which frame header a transfer syntax allows."""


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """The frame header: kind of coding, size, bits per value, values per pixel."""

    marker: int
    rows: int
    columns: int
    precision: int
    components: int

    def fits(self, transfer_syntax: str, rows: int, columns: int, allocated: int) -> bool:
        """Whether it is one grey picture of the declared coding, size and width of values."""
        fits_allocated = self.precision <= 8 if allocated == 8 else 2 <= self.precision <= allocated
        return (
            self.marker in _MARKERS[transfer_syntax]
            and (self.rows, self.columns, self.components) == (rows, columns, 1)
            and self.precision >= 2
            and fits_allocated
        )

    def __str__(self) -> str:
        grey = "grey" if self.components == 1 else f"{self.components} components"
        return f"{self.rows} x {self.columns}, {self.precision} bits, {grey}"


def jpeg_frame(stream: bytes) -> JpegFrame | None:
    """Return the frame header of a stream, ``None`` if it has none that can be read.

    Reference: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ).
    """
    if stream[4:8] == _JP2_BOX:
        start = stream.find(_SIZ)
        return None if start < 0 else _siz(stream[start:])
    if stream[:4] == _SIZ:
        return _siz(stream)
    return _frame(stream)


def _siz(stream: bytes) -> JpegFrame | None:
    if len(stream) < 43:
        return None
    width, height, left, top = struct.unpack(">4I", stream[8:24])
    (components,) = struct.unpack(">H", stream[40:42])
    precision = (stream[42] & 0x7F) + 1
    return JpegFrame(JPEG_2000_MARKER, height - top, width - left, precision, components)


def _frame(stream: bytes) -> JpegFrame | None:
    if stream[:2] != b"\xff\xd8":
        return None
    place = 2
    while place + 10 <= len(stream):
        if stream[place] != 0xFF:
            return None
        marker = stream[place + 1]
        if marker in _FRAME_MARKERS:
            _, precision, rows, columns, components = struct.unpack(
                ">HBHHB", stream[place + 2 : place + 10]
            )
            return JpegFrame(marker, rows, columns, precision, components)
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + struct.unpack(">H", stream[place + 2 : place + 4])[0]
    return None
