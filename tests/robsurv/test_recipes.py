"""The recipes of the paper: its objective, its sizes, and ablations that change one part."""

from __future__ import annotations

from typing import Any

import pytest

from survkit.component import CORE_PLUGIN, Plugin
from survkit.components import survkit_register as core
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit_robsurv.plugin import survkit_register as robsurv

A1, A2, G1, G2, G3 = 0.25, 1.0, 1.0, 0.5, 2.0
"""Weights of Farooq et al. (2025), eqs. 3 and 14."""
ABLATIONS = ("without-dualpatchfuse", "without-continuous", "without-dualvq")


def registry() -> Registry:
    found = Registry()
    for plugin, register in ((CORE_PLUGIN, core), ("robsurv", robsurv)):
        with found.adding_for(Plugin(plugin, f"survkit-{plugin}", "0")):
            register(found)
    return found


def read(name: str) -> dict[str, Any]:
    return Recipe.read(f"robsurv/{name}", registry=registry()).to_dict()


def weights(recipe: dict[str, Any]) -> dict[str, float]:
    return {item.get("penalty") or item["use"]: item["weight"] for item in recipe["objective"]}


@pytest.mark.parametrize(
    ("name", "g2"),
    [
        ("hecktor", G2),
        ("hecktor-batch2", G2),
        ("nsclc-radiogenomics", G2),
        ("hn1", G2),
        ("small", G2 / 10),  # as its first lines say
    ],
)
def test_the_objective_is_the_papers(name: str, g2: float) -> None:
    """L = g1 sum_m (L_cb + a1 L_ce + a2 L_recon) + g2 (L_align + L_preserve) + g3 L_surv."""
    expected = {f"{m}.codebook": G1 for m in ("ct", "pet")}
    expected |= {f"{m}.commitment": G1 * A1 for m in ("ct", "pet")}
    expected |= {f"{m}.reconstruction": G1 * A2 for m in ("ct", "pet")}
    expected |= {"fusion.align": g2, "fusion.preserve": g2}
    expected |= {"hazard-likelihood": G3, "deephit-ranking": G3}

    assert weights(read(name)) == expected


def test_sizes_and_training_are_the_papers() -> None:
    """1024 codes, patches of 2, d_model 256, 4 heads of 64, Adam at 1e-4, the head's widths."""
    found = read("hecktor")

    assert found["encoders"] == {
        m: {"use": "robsurv/vq3d", "codebook_size": 1024} for m in ("ct", "pet")
    }
    assert found["fusion"] == {
        "use": "robsurv/dual-patch-fuse", "patch": 2, "dim": 256, "heads": 4, "head_dim": 64,
        "out_dim": 512, "dropout": 0.3,
    }  # fmt: skip
    assert found["head"] == {"use": "cause-hazard", "shared": [256], "cause": [128]}
    optimizer = found["training"]["optimizer"]
    assert (optimizer["use"], optimizer["lr"], optimizer["weight_decay"]) == ("adam", 1e-4, 0.0)


@pytest.mark.parametrize(("name", "paths"), [
    ("hecktor-batch2", {"training"}),
    ("nsclc-radiogenomics", {"outcome"}),
    ("hn1", {"outcome"}),
])  # fmt: skip
def test_variants_differ_in_what_they_say(name: str, paths: set[str]) -> None:
    """Another batch, another horizon, and nothing else."""
    whole, other = read("hecktor"), read(name)

    assert {key for key in whole if whole[key] != other[key]} == {"title", *paths}
    if name == "hecktor-batch2":
        assert other["training"] == whole["training"] | {"risk_set": 2}


@pytest.mark.parametrize("ablation", ABLATIONS)
@pytest.mark.parametrize("whole", ["hecktor", "small"])
def test_an_ablation_takes_one_part_out(whole: str, ablation: str) -> None:
    """Its settings are those of the whole model but for that part; so is its objective."""
    full, less = read(whole), read(f"{whole}-{ablation}")
    fusion = {key: value for key, value in full["fusion"].items() if key != "patch"}
    gone = {
        "without-dualpatchfuse": {"fusion.align", "fusion.preserve"},
        "without-continuous": set(),
        "without-dualvq": {f"{m}.{p}" for m in ("ct", "pet")
                           for p in ("codebook", "commitment", "reconstruction")},
    }[ablation]  # fmt: skip

    kept = {name: one for name, one in weights(full).items() if name not in gone}
    assert weights(less) == kept
    for key in ("head", "outcome", "training"):
        assert less[key] == full[key]
    if ablation == "without-dualvq":
        assert less["fusion"] == full["fusion"]
        for encoder in less["encoders"].values():
            assert encoder["quantize"] is False
            assert encoder["reconstruct"] is False
        return
    assert less["encoders"] == full["encoders"]
    changed = {"discrete": "mean"} if ablation == "without-dualpatchfuse" else {"continuous": False}
    whole_patch = {"patch": full["fusion"]["patch"]}
    patch = {} if ablation == "without-dualpatchfuse" else whole_patch
    assert less["fusion"] == fusion | patch | changed


@pytest.mark.parametrize("whole", ["hecktor", "small"])
def test_paired_modalities_are_read_alike(whole: str) -> None:
    """CT and PET have encoders of equal settings in the model and in every ablation."""
    for name in (whole, *(f"{whole}-{each}" for each in ABLATIONS)):
        encoders = read(name)["encoders"]
        assert encoders["ct"] == encoders["pet"]
