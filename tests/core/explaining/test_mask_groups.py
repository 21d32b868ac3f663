"""Attention in masks: images of one patient are drawn together, so copies tell nothing new."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from survkit.explaining.map_masks import MapMasks
from survkit.explaining.map_watch import SeenMaps
from survkit.protocols import Sample
from survkit.report.attention_profile import mean_with_interval

PATIENTS = 12


def compared(copies: int, *, grouped: bool) -> dict[str, Any]:
    """Return what the maps of patients with so many equal images say of a fixed mask."""
    random = np.random.default_rng(3)
    maps = [random.dirichlet(np.ones(16)).reshape(4, 4) for _ in range(PATIENTS)]
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[1:4, 2:5] = True
    sample = Sample(values=torch.zeros(1, 8, 8), mask=mask, source="test")
    rows = [number for number in range(PATIENTS) for _ in range(copies)]
    seen = SeenMaps({"attention": tuple(maps[number] for number in rows)}, ())
    looked: Any = SimpleNamespace(maps={"xray": seen})
    found = MapMasks()
    for place, number in enumerate(rows):
        group = f"p{number:02d}" if grouped else None
        found.add(looked, place, "xray", sample, group=group)
    return found.compared()["attention"]


def test_copies_of_an_image_change_no_interval() -> None:
    """By patient that of single images, and it says so; by image it would be a false one."""
    single, threefold = (compared(copies, grouped=True) for copies in (1, 3))
    false = compared(3, grouped=False)
    widths = {}
    for name, found in (("single", single), ("threefold", threefold), ("false", false)):
        interval = found["ratio"]["interval"]
        widths[name] = interval["upper"] - interval["lower"]

    np.testing.assert_allclose(
        list(threefold["ratio"]["interval"].values()), list(single["ratio"]["interval"].values())
    )
    assert threefold["ratio"]["value"] == np.float64(false["ratio"]["value"])
    assert widths["false"] < 0.75 * widths["single"]
    assert threefold["ratio"]["method"].endswith("replicates by group")
    assert false["ratio"]["method"].endswith("replicates by subject")


def test_groups_of_other_sizes_weigh_by_their_images() -> None:
    """Of a resample the mean is over the images drawn: values that are equal have no width."""
    values = np.array([[2.0], [2.0], [2.0], [2.0]])
    found = mean_with_interval(values, groups=["a", "a", "a", "b"])

    assert [float(one[0]) for one in found if one is not None] == [2.0, 2.0, 2.0]
    assert mean_with_interval(values, groups=["a"] * 4)[1] is None
