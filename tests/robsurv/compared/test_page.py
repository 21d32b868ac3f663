"""The page about the compared systems: what it names exists, and its numbers are counted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from survkit.data.modality_config import VolumeModality
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.safe_yaml import parse_yaml
from survkit_robsurv.compared.joint_segmentation import JointSegmentation
from survkit_robsurv.compared.merging_diverging import MergingDiverging
from survkit_robsurv.compared.patch_transformer import PatchTransformer
from survkit_robsurv.compared.voxels import VoxelSpec

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "survkit-robsurv" / "docs" / "compared.md").read_text(encoding="utf-8")


def test_every_compared_recipe_has_its_row() -> None:
    """And no row names a recipe that is not there."""
    named = set(re.findall(r"^\| `robsurv/([a-z-]+)` \|", PAGE, re.MULTILINE))
    compared = {
        each.name
        for each in default_registry().iterate("recipe")
        if each.plugin == "robsurv" and each.summary.startswith("compared:")
    }

    assert named == compared


def test_the_commands_of_the_page_are_settings() -> None:
    """Each --set is taken by a recipe it is meant for."""
    written = re.findall(r"--set '?([^'`]+)'?`", PAGE)
    recipes = {"encoders": "coxph", "objective": "survrnc"}

    assert len(written) == 2
    for override in written:
        recipe = recipes[re.split(r"[.=]", override)[0]]
        assert Recipe.read(f"robsurv/{recipe}", overrides=[override])


def test_the_cohort_on_the_page_puts_images_and_mask_on_one_grid() -> None:
    """The PET's and the mask's is the CT's; the mask's labels stay labels."""
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    modalities: Any = parse_yaml(block[1], source="page")

    volumes = {name: VolumeModality(**each) for name, each in modalities["modalities"].items()}
    assert volumes["ct"].size == [128, 128, 128]
    assert volumes["pet"].grid == volumes["gtv"].grid == "ct"
    assert volumes["gtv"].interpolation == "nearest"


@pytest.mark.parametrize(
    ("fusion", "name"),
    [
        (JointSegmentation, "joint-segmentation"),
        (MergingDiverging, "merging-diverging"),
        (PatchTransformer, "patch-transformer"),
    ],
)
def test_the_weights_are_counted(fusion: Any, name: str) -> None:
    """Of the defaults, at the published size; nothing is allocated."""
    voxels = VoxelSpec(dim=4096, tokens=512, grid=(8, 8, 8), patch=16)
    row = re.search(rf"^\| `{name}` \| ([0-9.]+) million", PAGE, re.MULTILINE)
    assert row is not None

    with torch.device("meta"):
        network = fusion({"ct": voxels, "pet": voxels, "gtv": voxels})

    millions = sum(each.numel() for each in network.parameters()) / 1e6
    assert f"{millions:.1f}" == row[1]


def test_the_defaults_are_what_the_recipes_say() -> None:
    """So that the page is about both."""
    for name, fusion in (("deepmts", JointSegmentation), ("xsurv", MergingDiverging)):
        settings = Recipe.read(f"robsurv/{name}").fusion.settings
        defaults = fusion.__init__.__kwdefaults__
        for key, value in settings.items():
            assert defaults[key] == (tuple(value) if isinstance(value, list) else value), key
