"""How CT and PET of one patient become two volumes of the same voxels.

Settings: RobSurv (Farooq et al. 2025, arXiv 2505.02529) takes 128 x 128 x 128 voxels and does not
say how they come about. These are those of the methods that it compares itself with, where their
authors published them: 1 mm, the box round the tumour, CT from -250 to 250 HU. PET is mapped from 0
to its own 99.9th percentile, because the decoder's tanh can only give values from -1 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CT_WINDOW = [-250, 250]
PET_WINDOW = [0, "p99.9"]
SPACING = [1, 1, 1]
SIZE = [128, 128, 128]


def petct_preparation(volumes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the volume modalities ``ct`` and ``pet`` with window, spacing, box and shared grid.

    The box lies round the mask of the CT, else of the PET, else at the PET's peak, else in the
    middle of the CT. The other modality takes over the box; in a subject who has only that one, it
    is cropped at the peak of the PET or in the middle of the CT.

    Args:
        volumes: Declarations by name, with a ``mask`` where there is one; others stay as they are.
    """
    found = {name: dict(settings) for name, settings in volumes.items()}
    here = [name for name in ("ct", "pet") if name in found]
    if not here:
        return found
    windows: dict[str, list[Any]] = {"ct": CT_WINDOW, "pet": PET_WINDOW}
    masked = [name for name in here if "mask" in found[name]]
    leader = masked[0] if masked else here[-1]
    for name in here:
        found[name]["window"] = windows[name][:]
        alone = "peak" if name == "pet" else "center"
        if name == leader:
            crop = "mask" if masked else alone
            found[name] |= {"spacing": list(SPACING), "size": list(SIZE), "crop": crop}
        else:
            found[name] |= {"grid": leader, "alone": alone}
    return found
