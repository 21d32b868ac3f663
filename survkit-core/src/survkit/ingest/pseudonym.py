"""Subject ids that say nothing about the patient to whoever lacks the key.

A pseudonym is the keyed hash of the PatientID (HMAC-SHA-256, RFC 2104): the same key and patient
give the same one in every ingest, and it cannot be turned back by trying all ids without the key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from survkit.errors import DataError

LEAST_BYTES = 16


def read_secret(path: Path) -> bytes:
    """Return the key: the file's bytes without blanks at its ends.

    Raises:
        DataError: No such file, or a key that can be guessed.
    """
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if len(secret) < LEAST_BYTES:
        raise DataError(
            f"{path}: a key for pseudonyms has at least {LEAST_BYTES} bytes, this one "
            f"{len(secret)}; make one with: openssl rand -hex 32"
        )
    return secret


def pseudonyms(patients: Iterable[str], secret: bytes) -> dict[str, str]:
    """Return the pseudonym of every PatientID, such as ``S-3f0a…`` with 12 digits.

    Raises:
        DataError: Two patients would share one.
    """
    found: dict[str, str] = {}
    for patient in patients:
        digest = hmac.new(secret, patient.encode(), hashlib.sha256).hexdigest()
        found[patient] = f"S-{digest[:12]}"
    if len(set(found.values())) < len(found):
        raise DataError("two patients would share a pseudonym; use another key")
    return found
