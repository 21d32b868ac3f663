"""Masks feed a penalty and nothing else, in every fusion that reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.robsurv.compared.systems import (
    ALL,
    IMAGES,
    PATCH,
    SMALL,
    UNMASKED,
    VOLUME,
    VOXELS,
    built,
    encoded,
    subjects,
)
from torch import Tensor

from survkit.compose import compose
from survkit.errors import CompositionError, DataError
from survkit.flow import Encoding, ModalityInput, select
from survkit.model import SurvivalModel
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import EncodingSpec, InputSpec, OutcomeSpec
from survkit.testing import random_encodings
from survkit.testing.kit import assert_every_parameter_learns
from survkit_robsurv.compared.joint_segmentation import JointSegmentation
from survkit_robsurv.compared.merging_diverging import MergingDiverging
from survkit_robsurv.compared.patch_transformer import PatchTransformer
from survkit_robsurv.compared.voxels import VoxelSpec

FUSIONS = [JointSegmentation, MergingDiverging, PatchTransformer]
NAMES = {
    JointSegmentation: "joint-segmentation",
    MergingDiverging: "merging-diverging",
    PatchTransformer: "patch-transformer",
}
every_fusion = pytest.mark.parametrize("fusion", FUSIONS)


def without(encoding: Encoding, *rows: int) -> Encoding:
    present = encoding.present.clone()
    present[list(rows)] = False
    return replace(encoding, present=present)


@every_fusion
def test_no_prediction_reads_the_mask(fusion: Any) -> None:
    """Another mask, or none for anybody, and the embedding is the same bit for bit."""
    network, given = built(fusion), subjects()
    other = encoded(torch.rand(4, 8, 8, 8, dtype=torch.float64) * 3)

    expected = network(given).embedding

    for gtv in (other, without(given["gtv"], 0, 1, 2, 3)):
        assert torch.equal(network(given | {"gtv": gtv}).embedding, expected)


@every_fusion
def test_in_training_the_mask_reaches_no_prediction_either(fusion: Any) -> None:
    """With dropout: no random number is drawn for the penalty before the embedding is done."""
    network, given = built(fusion, dropout=0.3).train(), subjects()

    def embedding(gtv: Encoding) -> Tensor:
        torch.manual_seed(3)
        result: Tensor = network(given | {"gtv": gtv}).embedding
        return result

    assert torch.equal(embedding(given["gtv"]), embedding(without(given["gtv"], 0, 2)))


@every_fusion
def test_who_has_no_mask_has_no_penalty(fusion: Any) -> None:
    """Nor does it depend on whoever else is in the batch."""
    network, given = built(fusion), subjects()

    full = network(given).penalties["segmentation"]
    some = network(given | {"gtv": without(given["gtv"], 1, 3)}).penalties["segmentation"]

    assert bool((full > 0).all())
    torch.testing.assert_close(some, full * torch.tensor([1, 0, 1, 0]), rtol=0, atol=0)


@every_fusion
def test_a_mask_alone_is_no_subject(fusion: Any) -> None:
    """Refused with the row and what it lacks; a table would do."""
    network, given = built(fusion), subjects()
    blind = given | {name: without(given[name], 2) for name in ("ct", "pet")}

    with pytest.raises(DataError, match=r"row 2 .* none of clinical, ct, pet; gtv is a mask"):
        network(blind | {"clinical": without(given["clinical"], 2)})

    fused = network(blind)
    assert bool(fused.embedding.isfinite().all())
    assert fused.penalties["segmentation"][2] == 0


@every_fusion
def test_an_absent_image_is_as_a_black_one(fusion: Any) -> None:
    """Whatever stands in its place; for who has neither, nothing of the images is left."""
    network, given = built(fusion), subjects()
    zero = replace(given["pet"], tokens=given["pet"].tokens * 0, summary=given["pet"].summary * 0)
    absent = without(given["pet"], 0, 1, 2, 3)

    embedding = network(given | {"pet": absent}).embedding

    blackened = network(given | {"pet": replace(zero, present=absent.present)}).embedding
    assert torch.equal(embedding, blackened)
    assert not torch.allclose(embedding, network(given).embedding)


@every_fusion
def test_every_parameter_learns_from_embedding_and_penalty(fusion: Any) -> None:
    """Subjects with some of the modalities, each with at least an image or the table."""
    network = built(fusion).train()
    present = torch.tensor(
        [[1, 1, 1, 1], [0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 0], [1, 0, 0, 1], [0, 0, 1, 1]]
    ).bool()
    given = random_encodings(ALL, seed=1, present=present, dtype=torch.float64)
    given["gtv"] = replace(given["gtv"], tokens=given["gtv"].tokens.mul(2).clamp(0, 2).round())

    fused = network(given)

    assert_every_parameter_learns(network, [fused.embedding, fused.penalties["segmentation"]])


@every_fusion
def test_rows_without_images_get_no_gradient(fusion: Any) -> None:
    """Nor do masks, which need none."""
    network, given = built(fusion), subjects()
    blind = {name: without(given[name], 1) for name in ("ct", "pet")}
    leaves = [blind[name].tokens.requires_grad_() for name in blind]

    fused = network(given | blind)
    total = fused.embedding.square().sum() + fused.penalties["segmentation"].sum()

    for gradient in torch.autograd.grad(total, leaves):
        assert bool(gradient[0].any())
        assert not bool(gradient[1].any())


@every_fusion
def test_any_number_of_images_is_taken(fusion: Any) -> None:
    """One and three."""
    for names in (("ct",), ("ct", "mr", "pet")):
        network = built(fusion, {**dict.fromkeys(names, VOXELS), "gtv": VOXELS})
        given = {name: subjects(2, seed=i)["ct"] for i, name in enumerate(names)}

        fused = network(given | {"gtv": subjects(2)["gtv"]})

        assert fused.embedding.shape == (2, network.dim)


@every_fusion
def test_the_drawing_is_learnt(fusion: Any) -> None:
    """Thirty steps on bright cubes bring the penalty down."""
    network, given = built(fusion).train(), subjects()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    values = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = network(given).penalties["segmentation"].mean()
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))

    assert values[-1] < 0.8 * values[0]


@every_fusion
def test_tokens_of_another_encoder_are_no_voxels(fusion: Any) -> None:
    """Even if their width is a third power and they lie on a grid."""
    tokens = EncodingSpec(dim=64, tokens=8, grid=(2, 2, 2))

    with pytest.raises(CompositionError, match=r"none of ct gives them; use .* robsurv/voxels"):
        fusion({"ct": tokens}, **SMALL[fusion])
    with pytest.raises(CompositionError, match="gtv is the mask to draw and needs"):
        fusion({"ct": VOXELS, "gtv": tokens}, **SMALL[fusion])


@every_fusion
def test_a_misspelt_target_is_refused(fusion: Any) -> None:
    """Else the mask would be one more image to predict from."""
    with pytest.raises(CompositionError, match="'gvt' is none of clinical, ct, gtv, pet, and a"):
        built(fusion, target="gvt")

    assert built(fusion, {"ct": VOXELS, "mask": VOXELS}, target="mask").supervision == ("mask",)


@every_fusion
def test_a_mask_of_another_name_is_asked_for(fusion: Any) -> None:
    """Of several volumes any could be it: whoever has none says so, and then none is."""
    for specs in (IMAGES, {"ct": VOXELS, "tumour": VOXELS}):
        with pytest.raises(CompositionError, match=r"name it .*, or set fusion\.target=null where"):
            built(fusion, specs)

    assert built(fusion, IMAGES, target=None).supervision == ()
    assert built(fusion, {"ct": VOXELS}).supervision == ()


@every_fusion
def test_volumes_of_different_grids_are_refused(fusion: Any) -> None:
    """The sentence names both."""
    larger = VoxelSpec(dim=64, tokens=12, grid=(3, 2, 2), patch=4)

    with pytest.raises(CompositionError, match=r"ct has \(2, 2, 2\).*pet \(3, 2, 2\)"):
        fusion({"ct": VOXELS, "pet": larger}, **UNMASKED[fusion])


@every_fusion
def test_bfloat16_autocast_runs_forward_and_backward(fusion: Any) -> None:
    """Finite, as on a GPU in mixed precision."""
    network = built(fusion).float().train()
    given = {
        name: replace(each, tokens=each.tokens.float(), summary=each.summary.float())
        for name, each in subjects().items()
    }

    with torch.autocast("cpu", dtype=torch.bfloat16):
        fused = network(given)
    (fused.embedding.float().sum() + fused.penalties["segmentation"].sum()).backward()

    assert bool(fused.embedding.isfinite().all())
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters() if p.grad is not None)


def model_of(fusion: Any, names: tuple[str, ...]) -> tuple[SurvivalModel, dict[str, InputSpec]]:
    """Compose a model of volumes by its recipe, as a user does."""
    settings = {key: list(v) if isinstance(v, tuple) else v for key, v in SMALL[fusion].items()}
    recipe = Recipe.parse(
        {
            "encoders": {name: {"use": "robsurv/voxels", "patch": PATCH} for name in names},
            "fusion": {"use": f"robsurv/{NAMES[fusion]}", **settings},
            "head": "cox",
            "outcome": {"horizon": 10, "grid": {"intervals": 5}},
            "objective": [{"use": "cox"}, {"penalty": "fusion.segmentation"}],
        },
        source="test",
    )
    outcome = OutcomeSpec(causes=("death",), horizon=10.0, time_grid=(2.0, 4.0, 6.0, 8.0, 10.0))
    specs = dict.fromkeys(names, VOLUME)
    return compose(recipe, specs, outcome, default_registry()).model, specs


@every_fusion
@pytest.mark.parametrize("names", [("ct", "gtv"), ("ct", "gtv", "pet")])
def test_a_model_predicts_alike_with_and_without_masks(fusion: Any, names: tuple[str, ...]) -> None:
    """It composes with one image or two, and a cohort without masks is predicted bit for bit so."""
    model, _ = model_of(fusion, names)
    model.eval()
    generator = torch.Generator().manual_seed(0)
    there = torch.ones(3, dtype=torch.bool)
    inputs = {
        name: ModalityInput(torch.randn(3, 1, 8, 8, 8, generator=generator), there)
        for name in names
    }
    nobody = ModalityInput(torch.zeros(3, 1, 8, 8, 8), ~there, complete=False)

    with torch.no_grad():
        expected = model(inputs, penalties=False).parameters
        found = model(inputs | {"gtv": nobody}, penalties=False).parameters
        alone = model(
            {
                name: select(nobody if name == "gtv" else each, torch.tensor([1]))
                for name, each in inputs.items()
            },
            penalties=False,
        ).parameters

    assert torch.equal(found, expected)
    torch.testing.assert_close(alone, expected[1:2], rtol=1e-4, atol=1e-5)


def test_the_images_alone_decide_who_is_a_subject() -> None:
    """Without a mask in the recipe nothing is asked of the device, and nobody refused."""
    network = built(JointSegmentation, IMAGES, target=None)
    given = {name: without(each, 0) for name, each in subjects(names=("ct", "pet")).items()}

    embedding = network(given).embedding

    assert not bool(embedding[0].any())
