"""What is wrong with images, recipe or causes of a CT/PET model: one sentence, exit code 2.

PET series without the tags of SUV are in tests/core/ingest/test_petct_layouts.py, what is wrong
with a volume alone in tests/core/data/test_bad_cohorts.py and test_shared_grid.py.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from survkit.cli import main

sitk = pytest.importorskip("SimpleITK")

Bend = Callable[[Path], object]
SUBJECT = "S0003"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of 16 subjects with CT and PET of 16^3 voxels."""
    folder = tmp_path_factory.mktemp("good") / "phantom"
    line = ["phantom", "--out", str(folder), "--subjects", "16", "--size", "16", "--seed", "1"]
    assert main([*line, "--modality", "ct", "--modality", "pet"]) == 0
    return folder


def cohort(change: Callable[[dict[str, Any]], object]) -> Bend:
    """Let a function bend the modalities of the cohort file."""

    def bend(folder: Path) -> None:
        content = yaml.safe_load((folder / "cohort.yaml").read_text())
        change(content["modalities"])
        (folder / "cohort.yaml").write_text(yaml.safe_dump(content))

    return bend


def image(change: Callable[[Any], Any]) -> Bend:
    """Let a function replace the PET of one subject."""

    def bend(folder: Path) -> None:
        path = folder / "images" / f"{SUBJECT}_pet.nii"
        sitk.WriteImage(change(sitk.ReadImage(str(path))), str(path))

    return bend


def values(change: Callable[[Any], object]) -> Bend:
    """Let a function bend the voxels of that PET."""

    def bend(given: Any) -> Any:
        array = sitk.GetArrayFromImage(given).astype(np.float32)
        change(array)
        made = sitk.GetImageFromArray(array)
        made.CopyInformation(given)
        return made

    return image(bend)


def both(*changes: Bend) -> Bend:
    """Apply several changes."""
    return lambda folder: [change(folder) for change in changes]


def size_of_pet(*size: int) -> Bend:
    """Prepare the PET at another size than the CT."""
    return cohort(lambda modalities: modalities["pet"].update(size=list(size)))


def on_the_grid_of_ct(modalities: dict[str, Any]) -> None:
    """Declare the PET on the CT's grid."""
    for key in ("size", "spacing"):
        modalities["pet"].pop(key)
    modalities["pet"]["grid"] = "ct"


def without_size(modalities: dict[str, Any]) -> None:
    """Prepare both at the size that their files happen to have."""
    for settings in modalities.values():
        settings.pop("size")


def elsewhere(given: Any) -> Any:
    """The same image, a metre away."""
    given.SetOrigin([coordinate + 1000.0 for coordinate in given.GetOrigin()])
    return given


def add_gtv(modalities: dict[str, Any]) -> None:
    """Declare a mask as a modality; what file it is does not matter here."""
    for key in ("kind", "path", "size", "spacing"):
        modalities.setdefault("gtv", {})[key] = copy.copy(modalities["ct"][key])


VQ = {"use": "robsurv/vq3d", "width": 0.0625, "codebook_size": 8}
VOXELS = "{use: robsurv/voxels}"


def penalty(name: str) -> tuple[str, ...]:
    """An objective with one penalty."""
    return (f"objective=[{{use: hazard-likelihood}}, {{penalty: {name}}}]",)


WRONG: dict[str, tuple[Bend | None, tuple[str, ...], tuple[str, ...]]] = {
    "another size": (
        size_of_pet(32, 16, 16),
        (),
        ("grids of one shape", "pet", "give both"),
    ),
    "no multiple of 16": (
        size_of_pet(24, 16, 20),
        (),
        ("encoders.pet", "multiple of 16 voxels", "24 x 16 x 20", "crops of 32 x 16 x 32"),
    ),
    "another size in one file": (
        both(cohort(without_size), image(lambda given: given[:8])),
        (),
        (f"{SUBJECT}_pet.nii", "size"),
    ),
    "the grid of one that lies elsewhere": (
        both(cohort(on_the_grid_of_ct), image(elsewhere)),
        (),
        (f"{SUBJECT}_pet.nii", "of the grid of 'ct'"),
    ),
    "grid and a size of its own": (
        cohort(lambda modalities: modalities["pet"].update(grid="ct")),
        (),
        ("modalities.pet", "grid", "size"),
    ),
    "zeros": (
        values(lambda array: array.fill(0)),
        (),
        (f"{SUBJECT}_pet.nii", "every intensity of the prepared volume is"),
    ),
    "one NaN": (
        values(lambda array: array.__setitem__((3, 3, 3), np.nan)),
        (),
        (f"{SUBJECT}_pet.nii", "1 of 4096 intensities are NaN or infinite"),
    ),
    "beyond the tanh": (
        cohort(lambda modalities: modalities["pet"].pop("window")),
        (),
        ("encoders.pet: ", "must be in [-1, 1]", "give the modality a window in the cohort file"),
    ),
    "one modality": (
        None,
        (f"encoders={{ct: {VQ}}}", *penalty("fusion.align")),
        ("dual-patch-fuse fuses exactly two modalities, but the recipe has 1: ct", "concat"),
    ),
    "three modalities": (
        cohort(add_gtv),
        (f"encoders.gtv={VQ}",),
        ("exactly two modalities, but the recipe has 3: ct, gtv, pet",),
    ),
    "misspelt penalty": (
        None,
        penalty("ct.comitment"),
        ("'ct.comitment'", "ct.commitment"),
    ),
    "penalty of no part": (
        None,
        penalty("mri.codebook"),
        ("'mri.codebook'", "ct.codebook"),
    ),
    "codebook loss of moving averages": (
        None,
        ("encoders.ct.learning=ema",),
        ("'ct.codebook'", "ct.commitment"),
    ),
    "reconstruction of no decoder": (
        None,
        ("encoders.pet.reconstruct=false",),
        ("'pet.reconstruction'", "pet.commitment"),
    ),
    "a mask alone": (
        cohort(add_gtv),
        (
            f"encoders={{gtv: {VOXELS}}}",
            "fusion={use: robsurv/joint-segmentation, target: gtv, channels: [4, 4]}",
            *penalty("fusion.segmentation"),
        ),
        ("reads the voxels of at least one image, but none of gtv gives them",),
    ),
    "a mask that is no modality": (
        None,
        (
            f"encoders={{ct: {VOXELS}, pet: {VOXELS}}}",
            "fusion={use: robsurv/joint-segmentation, target: gtv, channels: [4, 4]}",
            *penalty("fusion.segmentation"),
        ),
        ("'gtv' is none of ct, pet", "set fusion.target=null where there is no mask"),
    ),
    "a penalty without a mask": (
        None,
        (
            f"encoders={{ct: {VOXELS}, pet: {VOXELS}}}",
            "fusion={use: robsurv/joint-segmentation, target: null, channels: [4, 4]}",
            *penalty("fusion.segmentation"),
        ),
        ("gives the penalty 'fusion.segmentation'", "given are: none"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_sentence_and_exit_code_2(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is wrong; no run folder is left."""
    bend, changes, fragments = WRONG[name]
    folder = tmp_path / "phantom"
    shutil.copytree(good, folder)
    if bend is not None:
        bend(folder)
    capsys.readouterr()

    found = fit(folder, tmp_path, *changes)
    said = capsys.readouterr().err.splitlines()
    (error,) = [line for line in said if not line.startswith("warning: ")] or [""]
    assert found == 2, said
    assert error.startswith("error: ")
    assert [part for part in fragments if part not in error] == [], error
    assert not (tmp_path / "run").exists()


def fit(folder: Path, place: Path, *changes: str, options: tuple[str, ...] = ()) -> int:
    """Type ``survkit fit robsurv/small`` for one short epoch."""
    line = ["fit", "robsurv/small", "--cohort", str(folder / "cohort.yaml"), "--quiet"]
    line += ["--out", str(place / "run"), "--cache", str(place / "cache")]
    small = ("encoders.ct.width=0.0625", "encoders.pet.width=0.0625", "training.epochs=1")
    given = [one for one in small if not any(each.startswith("encoders=") for each in changes)]
    for change in (*given, "training.epochs=1", "training.validation=0", *changes):
        line += ["--set", change]
    return main([*line, *options])


def test_more_codes_than_tokens_start_from_k_means(good: Path, tmp_path: Path) -> None:
    """16 subjects have 16 tokens; those are codes, the other codes stay, and training goes on."""
    from survkit.hub import from_pretrained

    kmeans = tuple(f"encoders.{name}.start=kmeans" for name in ("ct", "pet"))

    assert fit(good, tmp_path, *kmeans) == 0
    (member,) = from_pretrained(tmp_path / "run").members
    lengths = member.encoders["ct"].quantizer.codebook.norm(dim=1)
    assert lengths.isfinite().all()
    assert int((lengths > 1.0).sum()) <= 16
    assert len(lengths) == 64


def test_a_start_from_trained_weights_is_no_way_around_the_tanh(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is estimated then, but the range of the new cohort is looked at all the same."""
    folder = tmp_path / "phantom"
    shutil.copytree(good, folder)
    (tmp_path / "first").mkdir()
    assert fit(folder, tmp_path / "first") == 0
    cohort(lambda modalities: modalities["pet"].pop("window"))(folder)
    capsys.readouterr()

    source = str(tmp_path / "first/run")
    found = fit(folder, tmp_path, options=("--init-from", source, "--init-parts", "encoders.pet"))

    assert found == 2
    assert "encoders.pet: vq3d reconstructs the volume by a tanh" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
