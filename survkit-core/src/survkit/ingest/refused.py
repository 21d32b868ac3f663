"""What an ingest left out, and why: one line each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not in the cohort.

    Attributes:
        subject: The subject's id; empty if not known or not in the table.
        what: The file, series or region; without identifiers.
        rule: In a word or two, such as "missing-slices".
        reason: What was expected, what came, what to do.
        files: How many files.
        expected: A decision or an overview image, not a fault.
    """

    subject: str
    what: str
    rule: str
    reason: str
    files: int
    expected: bool = False
