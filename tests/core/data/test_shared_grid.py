"""Two volumes of one subject on one grid: the same points, the same box, or a refusal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from tests.core.data.painted_petct import (
    CT_GRID,
    PET_GRID,
    SPOT,
    ball,
    painted,
    plane,
    sample,
    spot,
)

from survkit.data.cache import preparation_key
from survkit.data.check import check_cohort
from survkit.data.load import read_modality
from survkit.errors import ConfigError, DataError


@pytest.mark.parametrize("crop", [{}, {"size": None}, {"spacing": None}, {"crop": "mask"}])
def test_both_show_the_same_points(petct: Any, crop: dict[str, Any]) -> None:
    """An intensity that is linear in the patient's mm is the same number in every voxel."""
    declared = petct.config["modalities"]["ct"] | crop | {"mask": "gtv", "pad": 0.0}
    petct.config["modalities"]["ct"] = {k: v for k, v in declared.items() if v is not None}
    petct.config["modalities"]["pet"]["pad"] = 0.0
    petct.rows[0]["gtv"] = ball(petct.folder, "ct.nii.gz", "gtv.nii.gz")
    cohort = petct.read()
    ct, pet = sample(cohort, "ct"), sample(cohort, "pet")

    assert ct.values.shape == pet.values.shape
    assert ct.spacing == pytest.approx(pet.spacing)
    inner = (slice(None),) + (slice(1, -1),) * 3  # the CT's rim takes its nearest voxel
    both = (ct.values[inner] != 0) & (pet.values[inner] != 0)
    assert both.float().mean() > 0.9
    torch.testing.assert_close(pet.values[inner][both], ct.values[inner][both], atol=0.02, rtol=0)


def test_the_reference_may_be_the_pet_and_its_peak(petct: Any) -> None:
    """The box lies round the hot place, not round a brighter voxel of noise; the CT follows."""
    sitk.WriteImage(painted(*PET_GRID, spot, "RAI"), str(petct.folder / "pet.nii.gz"))
    petct.config["modalities"] = {
        "ct": {"kind": "volume", "path": "ct", "grid": "pet"},
        "pet": {
            "kind": "volume", "path": "pet", "spacing": [2, 2, 2], "size": [9, 9, 9],
            "crop": "peak",
        },
    }  # fmt: skip
    cohort = petct.read()
    ct, pet = sample(cohort, "ct"), sample(cohort, "pet")
    middle = (0, 4, 4, 4)

    brightest = np.array(np.unravel_index(int(pet.values.argmax()), pet.values.shape))
    assert np.abs(brightest - middle).max() <= 1  # half a voxel of the PET is 2 mm
    assert float(ct.values[middle]) == pytest.approx(float(plane(*SPOT)), abs=2.0 + 6.0 + 4.0)
    for axis, step in zip((3, 2, 1), (2.0, 6.0, -4.0), strict=True):
        assert ct.values.diff(dim=axis).mean() == pytest.approx(step, abs=1e-3)


def test_masks_of_both_lie_over_each_other(petct: Any) -> None:
    """Each mask is drawn on its own grid; on the shared one they are the same ball."""
    petct.rows[0]["gtv"] = ball(petct.folder, "ct.nii.gz", "gtv.nii.gz")
    petct.rows[0]["pet_gtv"] = ball(petct.folder, "pet.nii.gz", "pet_gtv.nii.gz")
    petct.config["modalities"]["ct"] |= {
        "mask": "gtv", "crop": "mask", "spacing": [2, 2, 2], "size": [16, 16, 16],
    }  # fmt: skip
    petct.config["modalities"]["pet"]["mask"] = "pet_gtv"
    cohort = petct.read()
    ct, pet = sample(cohort, "ct").mask, sample(cohort, "pet").mask

    assert ct is not None
    assert pet is not None
    assert 2 * (ct & pet).sum() / (ct.sum() + pet.sum()) > 0.8
    volume = float(pet.sum()) * 8.0
    assert volume == pytest.approx(4 / 3 * np.pi * 9.0**3, rel=0.15)


def test_what_lies_outside_the_moving_volume_is_padded(petct: Any) -> None:
    """The PET ends below the CT's head: those slices hold the declared intensity, as -1."""
    low = (PET_GRID[0], PET_GRID[1], (-63.0, -82.0, -81.0))  # 111 mm high, up to z = 28
    sitk.WriteImage(painted(*low, plane), str(petct.folder / "pet.nii.gz"))
    petct.config["modalities"]["ct"] = {"kind": "volume", "path": "ct"}
    petct.config["modalities"]["pet"]["window"] = [0, 1000]
    pet = sample(petct.read(), "pet").values[0]

    assert pet.shape == (24, 50, 60)
    heads = -20.0 + 3.0 * np.arange(24)
    outside = heads > -81.0 + 3.7 * 29.5
    assert outside.sum() == 7
    assert (pet[outside] == -1).all()
    assert (pet[~outside] > -1).any()
    assert float(pet.max()) <= 1


@pytest.mark.parametrize("away", [400.0, 60.0])
def test_volumes_that_do_not_overlap_are_refused(petct: Any, away: float) -> None:
    """Both files, the share and both extents in mm stand in the sentence."""
    far = (PET_GRID[0], PET_GRID[1], (-63.0, -82.0, -41.0 + away))
    sitk.WriteImage(painted(*far, plane), str(petct.folder / "pet.nii.gz"))
    petct.config["modalities"]["ct"] = {"kind": "volume", "path": "ct"}
    cohort = petct.read()

    with pytest.raises(DataError, match=r"pet\.nii\.gz: \d+% of the grid of 'ct'.*ct\.nii\.gz"):
        sample(cohort, "pet")
    found = [problem.message for problem in check_cohort(petct.path) if problem.column == "pet"]
    assert len(found) == 3
    assert f"z {-41 - 1.85 + away:.0f} to {-41 - 1.85 + away + 111:.0f} mm; the grid" in found[0]
    assert "register them" in found[0]


def test_padding_does_not_count_as_missing_overlap(petct: Any) -> None:
    """A box that is mostly beyond both images shares what there is."""
    petct.config["modalities"]["ct"]["size"] = [64, 64, 64]

    assert sample(petct.read(), "pet").values.shape == (1, 64, 64, 64)


def test_a_subject_without_the_reference(petct: Any) -> None:
    """Refused with its cure; with ``alone`` it is cropped by itself, at the same size."""
    petct.rows[1]["ct"] = ""
    petct.rows[2]["pet"] = ""
    cohort = petct.read()
    with pytest.raises(DataError, match=r"has 'pet' but not 'ct'.*set modalities\.pet\.alone"):
        sample(cohort, "pet", 1)
    assert [p.row for p in check_cohort(petct.path) if p.severity == "error"] == [3]

    petct.config["modalities"]["pet"]["alone"] = "center"
    cohort = petct.read()
    pet = sample(cohort, "pet", 1)
    spec = cohort.input_spec("pet", [0, 1, 2])
    stacked = read_modality(cohort, "pet", [0, 1, 2], spec)

    assert pet.values.shape == (1, 8, 9, 10)
    assert pet.spacing == (4, 4, 4)
    assert stacked.present.tolist() == [True, True, False]
    assert [p for p in check_cohort(petct.path) if p.severity == "error"] == []


def test_the_cache_knows_the_reference(petct: Any) -> None:
    """The PET is prepared anew when the CT's bytes, mask or declaration change, or it appears."""
    petct.rows[0]["gtv"] = ball(petct.folder, "ct.nii.gz", "gtv.nii.gz")
    petct.config["modalities"]["ct"]["mask"] = "gtv"
    petct.config["modalities"]["pet"]["alone"] = "center"

    def key() -> str:
        cohort = petct.read()
        spec = cohort.input_spec("pet", [0])
        return preparation_key(cohort.sources["pet"], 0, spec, None)

    keys = [key(), key()]
    assert keys[0] == keys[1]
    petct.config["modalities"]["ct"]["size"] = [8, 8, 8]
    keys.append(key())
    petct.config["modalities"]["ct"]["crop"] = "mask"
    keys.append(key())
    ball(petct.folder, "ct.nii.gz", "gtv.nii.gz", radius=12.0)
    keys.append(key())
    sitk.WriteImage(painted(*CT_GRID, spot), str(petct.folder / "ct.nii.gz"))
    keys.append(key())
    petct.rows[0]["ct"] = ""
    keys.append(key())
    assert len(set(keys)) == len(keys) - 1


@pytest.mark.parametrize(
    ("ct", "pet", "message"),
    [
        ({}, {"size": [4, 4, 4]}, "grid: ct takes spacing, size and crop from 'ct'; leave them"),
        ({}, {"crop": "peak", "size": [4, 4, 4]}, "leave them out here"),
        ({}, {"grid": "pet"}, r"no other modality of kind volume is 'pet'"),
        ({}, {"grid": "cr"}, r"is 'cr'\. Known: ct"),
        ({}, {"grid": "clinical"}, "no other modality of kind volume is 'clinical'"),
        ({"grid": "pet", "size": None, "spacing": None}, {}, "has itself the grid of"),
        ({"size": None}, {"alone": "peak"}, "'ct' declares no 'size'|ct declares no 'size'"),
        ({}, {"alone": "mask"}, "alone: mask needs a 'mask' column"),
        ({}, {"grid": None, "alone": "peak"}, "alone is about subjects without the volume"),
        ({"crop": "peak", "size": None}, {}, "crop: peak needs a 'size'"),
    ],
)
def test_declarations_that_do_not_fit_are_refused(
    petct: Any, ct: dict[str, Any], pet: dict[str, Any], message: str
) -> None:
    """One sentence each, before any file is read."""
    for name, changes in (("ct", ct), ("pet", pet)):
        declared = petct.config["modalities"][name] | changes
        petct.config["modalities"][name] = {k: v for k, v in declared.items() if v is not None}
    petct.config["modalities"]["clinical"] = {"kind": "table", "columns": ["age"]}

    with pytest.raises(ConfigError, match=message):
        petct.read()


def test_boxes_of_one_size_at_different_places_are_a_warning(petct: Any) -> None:
    """Both are cropped by themselves round something of their own."""
    alone = {"kind": "volume", "path": "pet", "size": [8, 9, 10], "crop": "peak"}
    petct.config["modalities"]["pet"] = alone
    petct.write()
    found = [problem.message for problem in check_cohort(petct.path) if problem.column == "pet"]
    assert [text for text in found if "declare grid: ct for 'pet'" in text] == found
    assert len(found) == 1

    petct.config["modalities"]["pet"] = {"kind": "volume", "path": "pet", "grid": "ct"}
    petct.write()
    assert [p for p in check_cohort(petct.path) if p.column == "pet"] == []


def test_a_saved_model_knows_the_reference(petct: Any) -> None:
    """What it records of the PET holds the spacing, size and crop of the CT."""
    from survkit.hub.fitted_model import declared

    assert declared(petct.read(), "pet")["grid"] == {
        "of": "ct", "spacing": [4.0, 4.0, 4.0], "size": [8, 9, 10], "crop": "center",
    }  # fmt: skip
    assert declared(petct.read(), "ct")["grid"] is None


@pytest.mark.parametrize(
    ("pet", "ct", "words"),
    [
        ({"alone": "peak"}, {}, "has no 'alone', but the model was trained with peak; add 'alone"),
        ({"channel": 1}, {}, "the model was trained with 1; add 'channel: 1' there"),
        ({"interpolation": "nearest"}, {}, "is linear, but the model was trained with nearest; de"),
        ({}, {"size": [8, 8, 8]}, "modalities.ct.size is [8, 9, 10], but the model was trained wi"),
        ({}, {"size": None}, "ct.size is [8, 9, 10], but the model was trained without it; leave"),
        ({"grid": None}, {}, "pet.grid is ct, but the model was trained without it; leave out 'g"),
    ],
)
def test_another_preparation_is_told_in_the_words_of_the_file(
    petct: Any, pet: dict[str, Any], ct: dict[str, Any], words: str
) -> None:
    """What is there, what was in training, and the line to write; never ``None``."""
    from survkit.hub.fitted_model import check_preparation, declared

    here = petct.read()
    petct.config["modalities"]["pet"] |= pet
    petct.config["modalities"]["ct"] |= ct
    there = petct.read()
    model = SimpleNamespace(
        outcome=SimpleNamespace(time_unit="days"),
        preparation={"pet": declared(there, "pet")},
        modality_of=lambda name: name,
    )

    check_preparation(cast(Any, model), there)
    with pytest.raises(DataError) as refusal:
        check_preparation(cast(Any, model), here)

    assert words in str(refusal.value)
    assert "None" not in str(refusal.value)


def test_the_shared_spacing_is_declared_by_the_reference(petct: Any) -> None:
    """So a corruption in mm knows the voxels of the PET too; without a spacing nobody does."""
    from survkit.data.declared import declared_spacing

    cohort = petct.read()
    spec = cohort.input_spec("pet", [0])
    assert declared_spacing(cohort, "pet", spec) == (4.0, 4.0, 4.0)
    del petct.config["modalities"]["ct"]["spacing"]
    assert declared_spacing(petct.read(), "pet", spec) is None
