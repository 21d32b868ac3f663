"""Runs of a model that attends over the slices of a volume, each a token that can be shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.core.explaining import pictures as of_pictures

from survkit.component import CORE_PLUGIN, Plugin
from survkit.data import Cohort
from survkit.phantom import PhantomConfig, generate_phantom, write_cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate, fit

ENCODER = '''
    """An encoder of slices: a token per slice along z, which it can show."""

    import torch
    from torch import nn

    from survkit.flow import Encoding
    from survkit.specs import EncodingSpec


    class Slices(nn.Module):
        """Mean and spread of every slice; slices that are empty at either end are cut away."""

        def __init__(self, input, *, dim: int = 4) -> None:
            super().__init__()
            self.project = nn.Linear(3, dim)
            self.slices = input.shape[1]
            self.encoding = EncodingSpec(dim=dim, tokens=None)

        def kept(self, values):
            """Every subject keeps another number of slices, by its mean intensity."""
            drop = int(100 * values.mean().abs().item()) % 4
            return slice(1, values.shape[1] - drop)

        def prepare(self, sample):
            part = sample.values[0][self.kept(sample.values)].flatten(1)
            return torch.stack([part.mean(1), part.std(1), part.amax(1)], dim=1)

        def preparation_fingerprint(self):
            return "slices 1"

        def prepared_example(self, *, generator):
            return torch.rand(self.slices - 2, 3, generator=generator)

        def token_images(self, sample):
            part = sample.values[0][self.kept(sample.values)]
            return (part - part.amin()) / (part.amax() - part.amin())

        def token_mask_share(self, sample):
            return sample.mask[self.kept(sample.values)].float().flatten(1).mean(1)

        def forward(self, input, *, penalties=True):
            tokens = self.project(input.values)
            mask = input.token_mask
            if mask is None:
                mask = torch.ones(tokens.shape[:2], dtype=torch.bool)
            weight = mask.float()[..., None]
            summary = (tokens * weight).sum(1) / weight.sum(1)
            return Encoding(
                tokens=tokens, summary=summary, present=input.present, token_mask=mask
            )


    class Blind(Slices):
        """The same, but it shows nothing."""

        token_images = None
        token_mask_share = None
'''


VOLUMES = '''
    """An encoder of blocks that shows volumes, and a fusion whose patches look at one another."""

    import torch
    from torch import nn

    from survkit.flow import Encoding, Fused
    from survkit.showing import ShownVolume
    from survkit.specs import EncodingSpec


    class Mirror(nn.Module):
        """Tokens are the means of blocks. The reconstruction is off by the mean of all training
        subjects, so it tells which model made it; the echo is the input itself.
        """

        def __init__(self, input, *, dim: int = 4, side: int = 4) -> None:
            super().__init__()
            self.project = nn.Linear(1, dim)
            self.side = side
            self.register_buffer("offset", torch.zeros(()))
            self.encoding = EncodingSpec(dim=dim, tokens=side**3, grid=(side,) * 3)

        def fit(self, input):
            self.offset = input.values[input.present].mean() + 1

        def forward(self, input, *, penalties=True):
            means = nn.functional.adaptive_avg_pool3d(input.values[:, :1], self.side)
            tokens = self.project(means.flatten(2).transpose(1, 2))
            return Encoding(
                tokens=tokens, summary=tokens.mean(1), present=input.present,
                grid=self.encoding.grid,
            )

        def volumes(self, values):
            sign = (nn.functional.adaptive_avg_pool3d(values[:, 0], self.side) > 0).long()
            return {
                "echo": ShownVolume(values[:, 0], "intensity"),
                "reconstruction": ShownVolume(values[:, 0] + self.offset, "intensity"),
                "codes": ShownVolume(sign, "label", classes=64),
            }


    class Looking(nn.Module):
        """Every patch of ct looks at patch 3 of pet, and pet at ct evenly; the rest is a mean."""

        def __init__(self, encodings) -> None:
            super().__init__()
            self.dim = next(iter(encodings.values())).dim
            self.penalties = ()

        @property
        def patch_grids(self):
            return {"ct": (2, 2, 2), "pet": (2, 2, 2)}

        def forward(self, encodings):
            present = torch.stack([each.present for each in encodings.values()], 1).float()
            summaries = torch.stack([each.summary for each in encodings.values()], 1)
            total = (summaries * present[..., None]).sum(1)
            return Fused(embedding=total / present.sum(1, keepdim=True))

        def cross_attention(self, encodings):
            count = len(encodings["ct"].present)
            third = torch.zeros(count, 8, 8)
            third[:, :, 3] = 1
            return {("ct", "pet"): third, ("pet", "ct"): torch.full((count, 8, 8), 1 / 8)}
'''


def volumes_recipe(fusion: str) -> Recipe:
    """Return a Cox model of CT and PET by the encoder that shows volumes."""
    content = {
        "title": "volumes",
        "encoders": {"ct": {"use": "mirror"}, "pet": {"use": "mirror"}},
        "fusion": fusion,
        "head": {"use": "cox"},
        "outcome": {"horizon": 700},
        "objective": ["cox"],
        "training": {"epochs": 1, "micro_batch": 8, "members": 2, "accelerator": "cpu"},
    }
    return Recipe.parse(content, source="test")


def recipe(encoder: str | None, *, members: int = 1) -> Recipe:
    """Return a Cox model of the clinical columns, and of CT slices where an encoder is named."""
    clinical = {"clinical": {"use": "tabular", "dim": 4}}
    content = {
        "title": "slices",
        "encoders": clinical | ({"ct": {"use": encoder}} if encoder else {}),
        "fusion": {"use": "attention", "dim": 8, "layers": 0} if encoder else "concat",
        "head": {"use": "cox"},
        "outcome": {"horizon": 700},
        "objective": ["cox"],
        "training": {
            "epochs": 2,
            "micro_batch": 8,
            "members": members,
            "accelerator": "cpu",
            "optimizer": {"lr": 0.05},
        },
    }
    return Recipe.parse(content, source="test")


def with_masks(phantom: Path) -> Path:
    """Let the cohort file name the masks of the true lesions."""
    table = pd.read_csv(phantom / "table.csv", dtype=str, keep_default_na=False)
    table["mask_path"] = [f"truth/masks/{name}.nii" for name in table["subject_id"]]
    table.to_csv(phantom / "table.csv", index=False)
    file = phantom / "cohort.yaml"
    content = yaml.safe_load(file.read_text())
    content["modalities"]["ct"]["mask"] = "mask_path"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the core's parts and the encoders of slices."""
    from survkit.components import survkit_register

    folder = tmp_path_factory.mktemp("encoder")
    (folder / "encoder_of_slices.py").write_text(dedent(ENCODER))
    (folder / "parts_of_volumes.py").write_text(dedent(VOLUMES))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        found = Registry()
        with found.adding_for(Plugin(CORE_PLUGIN, "survkit-core", "0")):
            survkit_register(found)
        for name in ("Slices", "Blind"):
            target = f"encoder_of_slices:{name}"
            found.add("encoder", name.lower(), target, summary="a token per slice")
        found.add("encoder", "mirror", "parts_of_volumes:Mirror", summary="shows volumes")
        (folder / "parts_of_pictures.py").write_text(dedent(of_pictures.PARTS))
        for name in ("Looker", "Careful"):
            target = f"parts_of_pictures:{name}"
            found.add("encoder", name.lower(), target, summary="says where it looked")
        found.add("fusion", "looking", "parts_of_volumes:Looking", summary="patches look")
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A phantom cohort with lesion masks, and runs on it: slices, blind, plain, fitted."""
    folder = tmp_path_factory.mktemp("explaining")
    write_cohort(generate_phantom(PhantomConfig(subjects=36, size=16, seed=3)), folder / "phantom")
    file = with_masks(folder / "phantom")
    cohort = Cohort.read(file)
    options: dict[str, Any] = {"replicates": 0, "progress": False, "registry": registry}
    plans = {
        "slices": recipe("slices", members=2),
        "blind": recipe("blind"),
        "plain": recipe(None),
    }
    for name, plan in plans.items():
        cross_validate(plan, cohort, folder / name, folds=2, **options)
    fit(recipe("slices"), cohort, folder / "fitted", progress=False, registry=registry)
    return folder


@pytest.fixture(scope="session")
def volumes(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A phantom cohort in which S0002 lacks the PET, and runs on it: looking, plain."""
    folder = tmp_path_factory.mktemp("volumes")
    write_cohort(generate_phantom(PhantomConfig(subjects=16, size=16, seed=3)), folder / "phantom")
    file = with_masks(folder / "phantom")
    table = pd.read_csv(folder / "phantom/table.csv", dtype=str, keep_default_na=False)
    table.loc[table["subject_id"] == "S0002", "pet_path"] = ""
    table.to_csv(folder / "phantom/table.csv", index=False)
    options: dict[str, Any] = {"replicates": 0, "progress": False, "registry": registry}
    for name, fusion in (("looking", "looking"), ("plain", "concat")):
        cross_validate(volumes_recipe(fusion), Cohort.read(file), folder / name, folds=2, **options)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """A cohort of pictures with masks, and a run and a model of encoders that say where they
    looked; the run's folds are of two networks.
    """
    folder = tmp_path_factory.mktemp("pictures")
    cohort = Cohort.read(of_pictures.write_pictures(folder / "cohort"))
    options: dict[str, Any] = {"progress": False, "registry": registry}
    cross_validate(
        of_pictures.recipe(members=2), cohort, folder / "run", folds=2, replicates=0, **options
    )
    fit(of_pictures.recipe(), cohort, folder / "fitted", **options)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be written into."""
    return Path(shutil.copytree(made, tmp_path / "place"))
