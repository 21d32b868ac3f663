"""DeepMTS keeps the contract of fusions, and its drawing goes into the cascade."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from tests.robsurv.compared.systems import ALL, IMAGES, SMALL, UNMASKED, VOXELS, built, subjects

from survkit.errors import CompositionError, ConfigError
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance
from survkit_robsurv.compared.dense_network import DenseNetwork
from survkit_robsurv.compared.joint_segmentation import JointSegmentation


class TestImages(FusionConformance):
    component = JointSegmentation
    encodings = IMAGES
    settings = UNMASKED[JointSegmentation]


class TestImagesAndTable(FusionConformance):
    component = JointSegmentation
    encodings: ClassVar = {**IMAGES, "clinical": EncodingSpec(dim=3)}
    settings = UNMASKED[JointSegmentation]


class TestWithMask(FusionConformance):
    component = JointSegmentation
    encodings = ALL
    settings: ClassVar = SMALL[JointSegmentation] | {"voxel_loss": "cross-entropy"}


def test_the_embedding_is_levels_blocks_and_table() -> None:
    """Two levels and two blocks of 4 features, and 3 columns as they are."""
    fusion = built(JointSegmentation)
    given = subjects()

    embedding = fusion(given).embedding

    assert fusion.dim == 2 * 4 + 2 * 4 + 3
    assert torch.equal(embedding[:, -3:], given["clinical"].summary)


def test_the_cascade_reads_the_drawing() -> None:
    """Another drawing changes what the dense network pools, and nothing of the U-Net's encoder."""
    fusion, given = built(JointSegmentation), subjects()
    before = fusion(given).embedding
    with torch.no_grad():
        fusion.draw.bias.add_(2.0)

    after = fusion(given).embedding

    assert torch.equal(after[:, :8], before[:, :8])
    assert not torch.allclose(after[:, 8:16], before[:, 8:16])


def test_a_dense_layer_adds_its_growth_to_all_before() -> None:
    """Stem 2 * growth, two layers, halved, one layer: the last pool sees (8+8)/2 + 4 channels."""
    network = DenseNetwork(3, layers=(2, 1), growth=4, features=5)

    assert network.dim == 10
    assert network.pools[0][1].project.in_channels == 16
    assert network.pools[1][1].project.in_channels == 12


def test_volumes_that_cannot_be_halved_are_refused() -> None:
    """The sentence says by what their axes must divide."""
    with pytest.raises(CompositionError, match=r"halves the volume 4 times.*multiples of 16"):
        JointSegmentation({"ct": VOXELS}, channels=(4, 4, 4, 4, 4))


def test_wrong_settings_are_refused() -> None:
    """Widths, growth and features."""
    for change in ({"channels": (4,)}, {"growth": 1}, {"features": 0}, {"voxel_loss": "bce"}):
        with pytest.raises(ConfigError):
            JointSegmentation(IMAGES, **(UNMASKED[JointSegmentation] | change))
