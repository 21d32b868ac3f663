"""The kit notices wrong volumes of encoders, and wrong looks of fusions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from survkit.encoders.cnn3d import CNN3DEncoder
from survkit.flow import Encoding, Fused, ModalityInput
from survkit.fusions.mean import MeanFusion
from survkit.showing import ShownVolume
from survkit.specs import EncodingSpec, InputSpec
from survkit.testing import EncoderConformance, FusionConformance


class Shows(nn.Module):
    """A convolutional encoder that shows its input and its sign, with one fault or none."""

    def __init__(self, input: InputSpec, *, fault: str) -> None:
        super().__init__()
        self.inner = CNN3DEncoder(input, dim=4, channels=(2,), halvings=1, norm="group")
        self.fault = fault

    @property
    def encoding(self) -> EncodingSpec:
        return self.inner.encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        encoding: Encoding = self.inner(input, penalties=penalties)
        return encoding

    def volumes(self, values: Tensor) -> dict[str, Any]:
        image, sign = values[:, 0], (values[:, 0, ::4, ::4, ::4] > 0).long()
        if self.fault == "sees its neighbours":
            image = image - image.mean()
        if self.fault == "finer than the input":
            image = image.repeat_interleave(2, dim=1)
        if self.fault == "labels beyond":
            sign = sign + 1
        if self.fault == "labels that are no whole numbers":
            return {"sign": ShownVolume(sign.double(), "label", 2)}
        if self.fault == "a channel too many":
            return {"image": ShownVolume(values, "intensity")}
        return {"image": ShownVolume(image, "intensity"), "sign": ShownVolume(sign, "label", 2)}


@pytest.mark.parametrize(
    "fault",
    [
        "",
        "sees its neighbours",
        "finer than the input",
        "labels beyond",
        "labels that are no whole numbers",
        "a channel too many",
    ],
)
def test_wrong_volumes_are_found(fault: str) -> None:
    """Each fault fails the kit's test; without one it passes."""

    class Given(EncoderConformance):
        component = Shows
        input = InputSpec(kind="volume", shape=(1, 16, 16, 16))
        settings: ClassVar = {"fault": fault}

    if not fault:
        Given().test_shown_volumes_lie_over_the_input()
        return
    with pytest.raises(AssertionError):
        Given().test_shown_volumes_lie_over_the_input()


class Looks(nn.Module):
    """The mean of modalities, whose patches look at one another evenly, with one fault or none."""

    def __init__(self, encodings: Mapping[str, EncodingSpec], *, fault: str) -> None:
        super().__init__()
        self.inner = MeanFusion(encodings, dim=4)
        self.fault = fault

    @property
    def dim(self) -> int:
        return self.inner.dim

    penalties = ()

    @property
    def patch_grids(self) -> dict[str, tuple[int, int, int]]:
        if self.fault == "patches that tile nothing":
            return {"ct": (3, 1, 1), "pet": (1, 1, 1)}
        return {"ct": (2, 1, 1), "pet": (1, 1, 1)}

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        fused: Fused = self.inner(encodings)
        return fused

    def cross_attention(self, encodings: Mapping[str, Encoding]) -> dict[tuple[str, str], Tensor]:
        batch = len(encodings["ct"].present)
        weight = 1.0 if self.fault == "no weights" else 0.5
        return {("pet", "ct"): torch.full((batch, 1, 2), weight)}


@pytest.mark.parametrize("fault", ["", "no weights", "patches that tile nothing"])
def test_wrong_looks_are_found(fault: str) -> None:
    """Rows that do not sum to one, and patches that do not fit the grid of the tokens."""

    class Given(FusionConformance):
        component = Looks
        encodings: ClassVar = {
            "ct": EncodingSpec(dim=4, tokens=8, grid=(2, 2, 2)),
            "pet": EncodingSpec(dim=3, tokens=8, grid=(2, 2, 2)),
        }
        settings: ClassVar = {"fault": fault}

    if not fault:
        Given().test_cross_attention_is_over_its_patches()
        return
    with pytest.raises(AssertionError):
        Given().test_cross_attention_is_over_its_patches()
