"""Mark, for every subject of a phantom cohort, the one slice that shows most of the lesion.

    python examples/slicetention/oracle_slice.py COHORT_FOLDER RECIPE

Writes into the folder of a cohort made by ``survkit phantom --hu``:

- ``oracle.yaml`` and ``oracle.csv``: the cohort with another mask per subject, which under
  ``lung_mask: given`` leaves that slice alone, cut to the very box that the whole stack is cut to.
  So a model of the oracle's slice differs from the recipe's in nothing but that it need not look
  for the slice.

It prints the share of slices that show the lesion: what attention would give them by chance.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK as sitk
import yaml
from numpy.typing import NDArray

from survkit.recipe import Recipe
from survkit_slicetention.preparation.axis_resampling import nearest, positions
from survkit_slicetention.preparation.lung_provider import lungs_of
from survkit_slicetention.preparation.lung_slices import lung_box, lung_slices
from survkit_slicetention.preparation.slice_stack import StackSettings


def lesion_areas_and_mask(
    ct: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    spacing: tuple[float, float, float],
    stack: StackSettings,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the lesion's area on every slice of the stack, in pixels, and the oracle's mask.

    Args:
        ct: HU (z, y, x).
        lesion: The lesion on the same voxels.
        spacing: Voxel size in mm (z, y, x).
        stack: The recipe's preparation.
    """
    lungs = lungs_of(stack.lung_mask, ct, spacing, None)
    index = [
        nearest(positions(length, old, new), length)
        for length, old, new in zip(ct.shape, spacing, stack.spacing, strict=True)
    ]
    resampled = lungs[np.ix_(*index)]
    kept = lung_slices(resampled, stack.least_lung)
    rows, columns = lung_box(resampled[kept])
    areas = lesion[np.ix_(*index)][kept].sum(axis=(1, 2))
    mask = np.zeros(ct.shape, dtype=bool)
    chosen = index[0][kept][[int(areas.argmax())]]
    mask[np.ix_(chosen, index[1][rows], index[2][columns])] = True
    return areas, mask


def stack_settings(recipe: Recipe) -> StackSettings:
    """Return how the recipe's encoder of the CT makes slices."""
    settings = recipe.encoders["ct"].settings
    names = ("spacing", "size", "least_lung", "interpolation")
    return StackSettings(**{name: settings[name] for name in names if name in settings})


def write_cohort(folder: Path, recipe: Recipe) -> NDArray[np.float64]:
    """Write the cohort file and the masks; return each subject's share of lesion slices."""
    table = pd.read_csv(folder / "table.csv", dtype=str, keep_default_na=False)  # copied as it is
    (folder / "oracle").mkdir(exist_ok=True)
    shares, paths = [], []
    for subject, *names in table[["subject_id", "ct_path", "lesion_path"]].itertuples(index=False):
        image, lesion = (sitk.ReadImage(str(folder / name)) for name in names)
        x, y, z = image.GetSpacing()
        areas, mask = lesion_areas_and_mask(
            sitk.GetArrayFromImage(image).astype(np.float32),
            sitk.GetArrayFromImage(lesion) > 0,
            (z, y, x),
            stack_settings(recipe),
        )
        shares.append(float((areas > 0).mean()))
        paths.append(f"oracle/{subject}.nii")
        written = sitk.GetImageFromArray(mask.astype(np.uint8))
        written.CopyInformation(image)
        sitk.WriteImage(written, str(folder / paths[-1]), False)
    table.assign(oracle_path=paths).to_csv(folder / "oracle.csv", index=False)
    content: dict[str, Any] = yaml.safe_load((folder / "cohort.yaml").read_text(encoding="utf-8"))
    content["table"] = "oracle.csv"
    content["modalities"]["ct"]["mask"] = "oracle_path"
    text = yaml.safe_dump(content, sort_keys=False)
    (folder / "oracle.yaml").write_text(text, encoding="utf-8")
    return np.array(shares)


def main() -> None:
    """Read the two arguments, write, and say what was found."""
    folder, recipe = Path(sys.argv[1]), Recipe.read(sys.argv[2])
    shares = write_cohort(folder, recipe)
    print(f"{len(shares)} subjects; the lesion is on {shares.mean():.1%} of the slices")


if __name__ == "__main__":
    main()
