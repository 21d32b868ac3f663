"""One case of HECKTOR: its files as they are, checked, and which grid its label was drawn on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from survkit.data.readers.geometry import array_of, read_volume, refuse_other_grid, simpleitk
from survkit.data.readers.grid import grid_of, on_grid
from survkit.data.readers.image_files import refuse_not_finite
from survkit.errors import DataError
from survkit.ingest.convert import Converted
from survkit.ingest.refused import Left

CT, PET = "ct_path", "pet_path"
MASKS = ("ct_gtv", "pet_gtv")
"""Columns of the label's file, by the grid it was drawn on."""
LABELS = (0, 1, 2)
"""Background, GTVp, GTVn."""


def check_case(subject: str, source: Path, out: Path) -> Converted:
    """Return a case's files as seen from the cohort's folder, with what is refused.

    A CT or PET that is refused leaves the other one; a label, both without a mask.
    """
    result = Converted(subject)
    images: dict[str, Any] = {}
    for column, name, unit in ((CT, "CT", "HU"), (PET, "PT", "SUV (as delivered)")):
        path = source / "imagesTr" / f"{subject}__{name}.nii.gz"
        try:
            image = _opened(path)
            refuse_not_finite(array_of(image).astype(np.float32), path)
        except DataError as error:
            rule = "unreadable" if path.exists() else "no-images"
            result.left.append(Left(subject, path.name, rule, _reason(error, path), 1))
            continue
        images[column] = image
        result.cells[column] = seen_from(out, path)
        result.quality.append(_line(subject, path, image) | {"modality": name, "unit": unit})
    if images:
        _label(subject, source, out, images, result)
    return result


def _label(
    subject: str, source: Path, out: Path, images: dict[str, Any], result: Converted
) -> None:
    folder = source / "labelsTr"
    names = {subject, subject.replace("-", "_")}  # the challenge's page writes CHUM_001
    paths = [path for name in sorted(names) if (path := folder / f"{name}.nii.gz").is_file()]
    what = f"labelsTr/{subject}.nii.gz"
    if len(paths) != 1:
        reason = "there is none" if not paths else f"there are {len(paths)} of one case"
        result.left.append(Left(subject, what, "no-region-file", reason, len(paths)))
        return
    try:
        label = _opened(paths[0])
        column = _grid_column(label, images, paths[0])
        _refuse_wrong_label(label, images, paths[0])
    except DataError as error:
        result.left.append(Left(subject, what, "region", _reason(error, paths[0]), 1))
        return
    result.cells[column] = seen_from(out, paths[0])
    held = array_of(label) != 0
    volume = float(held.sum()) * float(np.prod(label.GetSpacing())) / 1000
    line = _line(subject, paths[0], label) | {"modality": "label", "voxels": int(held.sum())}
    result.quality.append(line | {"volume_ml": round(volume, 4)})


def _grid_column(label: Any, images: dict[str, Any], path: Path) -> str:
    """Return the mask's column: of the CT if the label lies on its grid, else of the PET."""
    reasons = []
    for image, column in ((CT, MASKS[0]), (PET, MASKS[1])):
        if image not in images:
            continue
        try:
            refuse_other_grid(images[image], label, path)
        except DataError as error:
            reasons.append(error)
        else:
            return column
    raise reasons[0]


def _refuse_wrong_label(label: Any, images: dict[str, Any], path: Path) -> None:
    values = array_of(label)
    found = np.unique(values)
    wrong = [value for value in found.tolist() if value not in LABELS]
    if wrong:
        raise DataError(f"{path}: a label is 0, 1 (GTVp) or 2 (GTVn), not {wrong[0]:g}")
    if found.tolist() == [0]:
        raise DataError(f"{path}: the label is empty: every voxel is 0")
    held = np.argwhere(values != 0)
    low, high = held.min(axis=0)[::-1].tolist(), (held.max(axis=0) + 1)[::-1].tolist()
    box = label[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    for image in images.values():
        ones = simpleitk().Image(image.GetSize(), simpleitk().sitkUInt8) + 1
        ones.CopyInformation(image)
        covered = array_of(on_grid(ones, grid_of(box), "nearest", outside=0.0)) != 0
        share = float(covered[array_of(box) != 0].mean())
        if share < 1:
            raise DataError(
                f"{path}: {1 - share:.0%} of the label lies outside an image of the case, which "
                f"covers {grid_of(image).extent()} (LPS)"
            )


def _opened(path: Path) -> Any:
    image = read_volume(path)
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise DataError(f"{path}: one channel is expected, not several")
    return image


def seen_from(out: Path, path: Path) -> str:
    """Return the path that a cohort in ``out`` names the file by."""
    try:
        return Path(os.path.relpath(path.absolute(), out.absolute())).as_posix()
    except ValueError:  # another drive
        return str(path.absolute())


def _line(subject: str, path: Path, image: Any) -> dict[str, Any]:
    values = array_of(image)
    line: dict[str, Any] = {"subject": subject, "file": f"{path.parent.name}/{path.name}"}
    for axis, size, spacing in zip("xyz", image.GetSize(), image.GetSpacing(), strict=True):
        line |= {f"size_{axis}": size, f"spacing_{axis}": round(spacing, 6)}
    return line | {
        "slices": image.GetSize()[2],
        "minimum": float(values.min()),
        "maximum": float(values.max()),
    }


def _reason(error: DataError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
