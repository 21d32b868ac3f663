"""Which group a radiomic feature belongs to, read from its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

Grouping = Literal["class", "filter", "none"]
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm", "shape", "shape2D")
"""Classes of features, as pyradiomics writes them between filter and feature."""
ALL = "radiomics"
"""The group of all features, where there is but one."""
OTHER = "other"
"""The group of columns whose name says no class, or no filter."""


def feature_groups(names: Sequence[str], grouping: Grouping) -> Mapping[str, tuple[int, ...]]:
    """Return the positions of each group's features, groups in the order of their first feature.

    Names are ``class_Feature`` or ``filter_class_Feature``, such as ``glcm_Contrast`` or
    ``wavelet-HHL_glcm_Contrast``; a name without a class belongs to ``other``.

    Args:
        names: Of the columns.
        grouping: By ``class``; by ``filter`` (what the image went through: original, wavelet-HHL;
            ``other`` where the name says none); or ``none``, everything together.
    """
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        groups.setdefault(_group(name, grouping), []).append(position)
    return {group: tuple(positions) for group, positions in groups.items()}


def _group(name: str, grouping: Grouping) -> str:
    if grouping == "none":
        return ALL
    parts = name.split("_")
    found = [place for place, part in enumerate(parts[:-1]) if part in CLASSES]
    if not found:
        return OTHER
    if grouping == "class":
        return parts[found[0]]
    return "_".join(parts[: found[0]]) or OTHER
