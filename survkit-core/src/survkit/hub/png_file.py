"""A PNG that is pixels and nothing else: no words, dates, colour profiles or hidden bytes."""

from __future__ import annotations

import struct
import zlib

from survkit.errors import RunError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 2_000_000
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT", b"IEND"})


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
        raise RunError(f"{where}: is no PNG; write it anew with survkit card --overwrite")
    place, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        head = content[place : place + 8]
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (len(content), b"")
        body = content[place + 4 : place + 8 + length]
        stated = content[place + 8 + length : place + 12 + length]
        if len(stated) < 4 or zlib.crc32(body) != struct.unpack(">I", stated)[0]:
            raise RunError(f"{where}: a damaged PNG; write it anew with survkit card --overwrite")
        if kind not in _PIXELS:
            raise RunError(
                f"{where}: holds '{kind.decode('ascii', 'replace')}' beside its pixels, in which "
                "programs leave words; write it anew with survkit card --overwrite"
            )
        place += 12 + length
    if place != len(content):
        raise RunError(
            f"{where}: {len(content) - place:,} bytes stand behind the end of the picture; write "
            "it anew with survkit card --overwrite"
        )
