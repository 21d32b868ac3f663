"""A PNG that is pixels and nothing else: no words, dates, colour profiles or hidden bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from survkit.errors import RunError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 2_000_000
MOST_UNPACKED = 200_000_000
"""Bytes of all pixels."""
_MOST_OF_CHUNK = {b"IHDR": 13, b"PLTE": 768, b"tRNS": 256, b"pHYs": 9, b"IDAT": MOST_BYTES,
                  b"IEND": 0}  # fmt: skip
"""What pixels need; programs leave words in all other chunks, and could in longer ones."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Numbers per pixel, by colour type."""
_ANEW = "write it anew with survkit card --overwrite"


def check_png(content: bytes, where: str) -> None:
    """Refuse what is no PNG, is too large, or holds more than pixels.

    Args:
        content: The file.
        where: What a message calls it.

    Raises:
        RunError: It is one of those, or is damaged.
    """
    if len(content) > MOST_BYTES:
        raise RunError(f"{where}: {len(content):,} bytes are more than the {MOST_BYTES:,} of a PNG")
    if not content.startswith(SIGNATURE):
        raise RunError(f"{where}: is no PNG; {_ANEW}")
    head, packed, seen = b"", b"", set[bytes]()
    for kind, body in _chunks(content, where):
        if len(body) > _MOST_OF_CHUNK.get(kind, -1) or (kind in seen and kind != b"IDAT"):
            raise RunError(
                f"{where}: holds '{kind.decode('ascii', 'replace')}' beside its pixels, in which "
                f"programs leave words; {_ANEW}"
            )
        seen.add(kind)
        head, packed = (body, packed) if kind == b"IHDR" else (head, packed)
        packed += body if kind == b"IDAT" else b""
    _check_pixels(head, packed, where)


def _chunks(content: bytes, where: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and body of every chunk, to the end of the picture and of the file."""
    place, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        head = content[place : place + 8]
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (len(content), b"")
        body = content[place + 4 : place + 8 + length]
        stated = content[place + 8 + length : place + 12 + length]
        if len(stated) < 4 or zlib.crc32(body) != struct.unpack(">I", stated)[0]:
            raise RunError(f"{where}: a damaged PNG; {_ANEW}")
        yield kind, body[4:]
        place += 12 + length
    if place != len(content):
        raise RunError(
            f"{where}: {len(content) - place:,} bytes stand behind the end of the picture; {_ANEW}"
        )


def _check_pixels(head: bytes, packed: bytes, where: str) -> None:
    """Refuse pixels that are not as many as the head states; no more of them are unpacked."""
    if len(head) != 13:
        raise RunError(f"{where}: a damaged PNG; {_ANEW}")
    width, height, depth, colour, *_, interlaced = struct.unpack(">II5B", head)
    expected = height * (1 + (width * _CHANNELS.get(colour, 0) * depth + 7) // 8)
    if interlaced or not 0 < expected <= MOST_UNPACKED:
        raise RunError(f"{where}: a PNG of {width} x {height} that is not drawn here; {_ANEW}")
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(packed, expected + 1)
    except zlib.error as error:
        raise RunError(f"{where}: a damaged PNG ({error}); {_ANEW}") from error
    if len(found) != expected or not unpacking.eof or unpacking.unused_data:
        raise RunError(f"{where}: holds bytes beside those of its {width} x {height}; {_ANEW}")
