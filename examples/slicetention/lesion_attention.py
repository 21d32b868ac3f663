"""How much of its attention a cross-validated model gives the slices that show the lesion.

    python examples/slicetention/lesion_attention.py RUN COHORT_FOLDER CACHE

``COHORT_FOLDER`` is that of ``oracle_slice.py``. Every subject is shown to the model of the fold
that tests it. Printed are the mean over subjects of the weight on lesion slices, of the share that
these slices have in the stack (what even weights would give), and the ratio of the two means, with
95 % intervals by bootstrap over subjects.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from survkit.data import Cohort, PreparationCache, Splits
from survkit.flow import Fused
from survkit.hub.load import from_pretrained
from survkit.training.cross_validate import fold_folder


def attention_of(
    model_folder: Path, cohort: Cohort, rows: list[int], cache: PreparationCache | None
) -> NDArray[np.float32]:
    """Return the weights over slices of the fold's network, (subject, slice), 0 in padding."""
    fitted = from_pretrained(model_folder)
    seen: list[Tensor] = []

    def watch(module: nn.Module, given: tuple[Any, ...], fused: Fused) -> None:
        seen.append(fused.attention_weights["ct"])

    hook = fitted.members[0].fusion.register_forward_hook(watch)
    fitted.predict(cohort, rows, micro_batch=len(rows), cache=cache)
    hook.remove()
    return torch.cat(seen).numpy()


def lesion_weights(
    run: Path, folder: Path, cache: PreparationCache | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each subject's weight on lesion slices, and the share of its slices that they are."""
    cohort = Cohort.read(folder / "hu.yaml")
    splits = Splits.read(run / "splits.json", subjects=cohort.subjects)
    areas = json.loads((folder / "lesion_areas.json").read_text(encoding="utf-8"))
    weights, shares = [], []
    for fold in splits.folds:
        rows = splits.rows(fold, cohort.subjects).test.tolist()
        attention = attention_of(fold_folder(run, splits, fold), cohort, rows, cache)
        for row, weight in zip(rows, attention, strict=True):
            shown = np.array(areas[cohort.subjects[row]]) > 0
            weights.append(float(weight[: len(shown)][shown].sum()))
            shares.append(float(shown.mean()))
    return np.array(weights), np.array(shares)


def main() -> None:
    """Read the three arguments and print the means and the ratio."""
    run, folder, cache = (Path(word) for word in sys.argv[1:4])
    weights, shares = lesion_weights(run, folder, PreparationCache(cache))
    draws = np.random.default_rng(0).integers(len(weights), size=(2000, len(weights)))
    for name, value, resampled in (
        ("weight on lesion slices", weights.mean(), weights[draws].mean(axis=1)),
        ("their share of the slices", shares.mean(), shares[draws].mean(axis=1)),
        (
            "ratio",
            weights.mean() / shares.mean(),
            weights[draws].mean(axis=1) / shares[draws].mean(axis=1),
        ),
    ):
        low, high = np.quantile(resampled, [0.025, 0.975])
        print(f"{name}: {value:.3f} ({low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
