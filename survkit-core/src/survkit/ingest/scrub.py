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
_PATTERN = re.compile(
    "|".join(
        (
            r"\d+(?:\.\d+){4,}",  # a UID
            r"…\d{1,6}",  # its last digits, as the reader of DICOM shows it
            r"(?<!\d)(?:19|20)\d{6}(?!\d)",
            r"(?<!\d)(?:19|20)\d\d[-_.]\d\d?[-_.]\d\d?(?!\d)",
            r"(?<!\d)\d\d?[-_.]\d\d?[-_.](?:19|20)\d\d(?!\d)",
        )
    )
)
_PARTS = re.compile(r"[\s^=,\\]+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_RUN = re.compile(r"[^\W_]+")


class Scrub:
    """Replaces identifiers in texts.

    A word is found by its first run of letters and digits, so that the time does not grow with the
    number of patients.

    Args:
        secrets: Identifiers as they stand in headers; their words are hidden one by one too.
        allowed: Words that are no secret, such as the subjects' ids of the user's table.
    """

    def __init__(self, secrets: Iterable[str], allowed: Iterable[str] = ()) -> None:
        self.kept = frozenset(word.lower() for word in allowed)
        words = {part for secret in secrets for part in (secret, *_PARTS.split(secret))}
        self.hidden: dict[str, list[str]] = {}
        for word in sorted({_EDGES.sub("", word.lower()) for word in words}, key=len, reverse=True):
            run = _RUN.match(word)
            if run is not None and len(word) >= LEAST and word not in self.kept:
                self.hidden.setdefault(run.group(), []).append(word)

    def __call__(self, words: str) -> str:
        """Return the text with an asterisk for every identifier."""
        words = _PATTERN.sub(
            lambda found: found.group() if found.group().lower() in self.kept else "*", words
        )
        lower = words.lower()
        if len(lower) != len(words):  # a rare letter that is two in lower case
            lower = words
        shown, end = [], 0
        for run in _RUN.finditer(lower):
            if run.start() < end:
                continue
            for secret in self.hidden.get(run.group(), ()):
                after = run.start() + len(secret)
                if not lower.startswith(secret, run.start()) or _RUN.match(lower, after):
                    continue
                if words[run.start() : after] not in VOCABULARY:
                    shown += [words[end : run.start()], "*"]
                    end = after
                break
        return "".join([*shown, words[end:]])


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
