"""Texts without what could identify a person, though it stands in a folder's name.

Reasons and labels name files and folders so that they can be found, and archives name folders by
patient, date or UID. Whatever a header holds of that kind is replaced by an asterisk, and so is
everything that looks like a UID or a date; the rest is still found by that pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from survkit.dicom.libraries import pydicom
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.tag_values import WrongTagError, text
from survkit.errors import DataError

SECRET_TAGS = (
    "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName",
    "PatientBirthDate", "OtherPatientIDs", "IssuerOfPatientID", "PatientAddress",
    "PatientTelephoneNumbers", "AccessionNumber", "InstitutionName", "InstitutionAddress",
    "InstitutionalDepartmentName", "ReferringPhysicianName", "PerformingPhysicianName",
    "OperatorsName", "PhysiciansOfRecord", "StationName", "StudyID",
)  # fmt: skip
LEAST = 3
"""Shorter words are not hidden: they stand in every sentence."""
VOCABULARY = frozenset(
    {
        "and", "are", "axes", "but", "choose", "date", "file", "files", "folder", "frame", "from",
        "has", "header", "image", "images", "its", "kernel", "key", "mask", "name", "named",
        "names", "not", "one", "other", "patient", "patients", "pixel", "pixels", "place",
        "region", "row", "scan", "series", "set", "slice", "slices", "spacing", "study", "subject",
        "table", "tag", "tags", "the", "there", "they", "time", "value", "was", "with", "without",
    }
)  # fmt: skip
"""Words of our own sentences, in lower case: not hidden, though a test patient may be called so."""
_PATTERNS = (
    r"\d+(?:\.\d+){4,}",  # a UID
    r"…\d{1,6}",  # its last digits, as the reader of DICOM shows it
    r"(?<!\d)(?:19|20)\d{6}(?!\d)",
    r"(?<!\d)(?:19|20)\d\d[-_.]\d\d?[-_.]\d\d?(?!\d)",
    r"(?<!\d)\d\d?[-_.]\d\d?[-_.](?:19|20)\d\d(?!\d)",
)


class Scrub:
    """Replaces identifiers in texts.

    Args:
        secrets: Identifiers as they stand in headers; their words are hidden one by one too.
        allowed: Words that are no secret, such as the subjects' ids of the user's table.
    """

    def __init__(self, secrets: Iterable[str], allowed: Iterable[str] = ()) -> None:
        kept = {word.casefold() for word in allowed}
        words = {word for secret in secrets for word in (secret, *re.split(r"[\s^=,\\]+", secret))}
        hidden = sorted(
            {word for word in words if len(word) >= LEAST and word.casefold() not in kept},
            key=lambda word: (-len(word), word),
        )
        parts = [rf"(?<![^\W_]){re.escape(word)}(?![^\W_])" for word in hidden]
        self.pattern = re.compile("|".join([*parts, *_PATTERNS]), re.IGNORECASE)
        self.kept = kept

    def __call__(self, words: str) -> str:
        """Return the text with an asterisk for every identifier."""

        def shown(found: re.Match[str]) -> str:
            word = found.group()
            return word if word in VOCABULARY or word.casefold() in self.kept else "*"

        return self.pattern.sub(shown, words)


def header_secrets(paths: Iterable[Path]) -> set[str]:
    """Return the identifiers in the headers of files; a file that cannot be read has none."""
    pydicom()
    found: set[str] = set()
    for path in paths:
        try:
            data = open_dicom(path, SECRET_TAGS)
        except DataError:
            continue  # discovery has refused it already, with its reason
        for keyword in SECRET_TAGS:
            try:
                found.update(text(data, keyword).split("\\"))
            except WrongTagError:
                continue  # unreadable, so nothing that a folder could be named by
    return found - {""}
