"""One model per distribution: its phantom cohort, its small recipe, and where it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

TIMES = "1,90,180,365,547.5,730,1000"
DRAW = "phantom --subjects 24 --size {size} {modalities}"


@dataclass(frozen=True)
class PublishedModel:
    """A model that is trained for an epoch.

    Attributes:
        distribution: What brings its recipe and parts.
        recipe: The recipe's name, and what is changed in it.
        modalities: Of the phantom, with options that the recipe asks for.
        size: Voxels or pixels per edge.
        absent: Packages that nobody needs who has this distribution, by the name they are imported.
    """

    distribution: str
    recipe: str
    modalities: str
    size: int
    absent: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its folder, and its name on the Hub after ``org/``."""
        return self.distribution.removeprefix("survkit-")


PEERS = ("sklearn", "sksurv", "radiomics", "pycox", "lifelines", "pytest", "ruff", "mypy")
IMAGING = ("monai", "nibabel", "pydicom", "SimpleITK")
TABLE = "demo --set 'encoders={clinical: {use: tabular, dim: 8}}'"
MODELS = (
    PublishedModel(
        "survkit-core", TABLE, "--modality clinical", 16,
        (*PEERS, *IMAGING, "timm", "torchvision"),
    ),
    PublishedModel(
        "survkit-slicetention", "slicetention/small", "--modality ct --hu", 16, PEERS
    ),
    PublishedModel(
        "survkit-robsurv", "robsurv/small", "--modality ct --modality pet", 16,
        (*PEERS, "timm", "torchvision"),
    ),
    PublishedModel("survkit-radvit", "radvit/small", "--modality cxr", 48, PEERS),
)  # fmt: skip


def lines_of_training(model: PublishedModel) -> Iterator[str]:
    """Yield what is typed to train and publish it, and to predict other subjects."""
    name = model.name
    yield draw(f"{name}-cohort", model, seed=0)
    yield draw(f"{name}-others", model, seed=1)
    training = "--set training.epochs=1 --quiet"
    yield f"fit {model.recipe} --cohort {name}-cohort/cohort.yaml --out {name} {training}"
    yield f"push {name} org/{name}"
    yield predict(name, f"{name}-others", f"{name}.parquet")


def draw(out: str, model: PublishedModel, *, seed: int) -> str:
    """Return the line that generates a cohort."""
    words = DRAW.format(size=model.size, modalities=model.modalities)
    return f"{words} --seed {seed} --out {out}"


def predict(model: str, cohort: object, out: object) -> str:
    """Return the line that predicts the curves of a cohort."""
    return f"predict {model} --cohort {cohort}/cohort.yaml --times {TIMES} --out {out}"


def assert_same_bits(found: Path, expected: Path) -> None:
    """The same subjects, columns and numbers, to the last bit; and the subjects differ."""
    ours, theirs = pd.read_parquet(found), pd.read_parquet(expected)

    assert list(ours) == list(theirs)
    assert ours["subject"].tolist() == theirs["subject"].tolist()
    curves = ours.drop(columns="subject")
    assert len(curves.columns) == 1 + len(TIMES.split(","))
    assert set(map(str, curves.dtypes)) == {"float64"}
    assert (curves.std() > 0).sum() > 2, "subjects are predicted alike, whatever the model is"
    for column in curves:
        assert ours[column].to_numpy().tobytes() == theirs[column].to_numpy().tobytes(), column
