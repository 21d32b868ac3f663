"""Who gets whose features: decided by names and seeds alone.

Order of subjects, groups, folds and processes changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch


def donors(subjects: Sequence[str], present: Sequence[bool], *, key: str) -> list[int]:
    """Return for each subject the place of the one whose features it gets.

    A random permutation of those who have the modality, in which some may keep their own; all
    others keep theirs.

    Args:
        subjects: Names, each once.
        present: Who has the modality.
        key: Decides the permutation, together with who has the modality.
    """
    found = list(range(len(subjects)))
    those = [place for place in found if present[place]]
    those.sort(key=lambda place: subjects[place])
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big")
    generator = torch.Generator().manual_seed(number)
    order = torch.randperm(len(those), generator=generator).tolist()
    for place, taken in zip(those, order, strict=True):
        found[place] = those[taken]
    return found
