"""The size that a JPEG, JPEG-LS or JPEG 2000 stream says of itself, before it is decoded."""

from __future__ import annotations

import struct

_FRAME_MARKERS = frozenset([*range(0xC0, 0xD0), 0xF7]) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers; C4, C8 and CC are tables and extensions, F7 is JPEG-LS."""
_WITHOUT_LENGTH = frozenset([0x01, *range(0xD0, 0xD9)])
_JP2_BOX = b"jP  "


def jpeg_size(stream: bytes) -> tuple[int, int] | None:
    """Return (rows, columns) of a stream, ``None`` if it has no readable frame header.

    Reference: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ).
    """
    if stream[4:8] == _JP2_BOX:
        start = stream.find(b"\xff\x4f\xff\x51")
        return None if start < 0 else _siz(stream[start:])
    if stream[:4] == b"\xff\x4f\xff\x51":
        return _siz(stream)
    return _frame(stream)


def _siz(stream: bytes) -> tuple[int, int] | None:
    if len(stream) < 24:
        return None
    width, height, left, top = struct.unpack(">4I", stream[8:24])
    return (height - top, width - left) if height > top and width > left else None


def _frame(stream: bytes) -> tuple[int, int] | None:
    if stream[:2] != b"\xff\xd8":
        return None
    place = 2
    while place + 9 <= len(stream):
        if stream[place] != 0xFF:
            return None
        marker = stream[place + 1]
        if marker in _FRAME_MARKERS:
            rows, columns = struct.unpack(">2H", stream[place + 5 : place + 9])
            return rows, columns
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + struct.unpack(">H", stream[place + 2 : place + 4])[0]
    return None
