"""The kit notices wrong maps of attention."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec
from survkit.testing import EncoderConformance


class Looks(nn.Module):
    """Looks at bright cells of a picture, with one fault or none."""

    def __init__(self, input: InputSpec, *, fault: str) -> None:
        super().__init__()
        self.project = nn.Linear(1, 4)
        self.fault = fault
        self.encoding = EncodingSpec(dim=4, tokens=4, grid=(2, 2))

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        cells = nn.functional.adaptive_avg_pool2d(input.values, 2).flatten(1)
        tokens = self.project(cells[..., None])
        return Encoding(tokens=tokens, summary=tokens.mean(1), present=input.present, grid=(2, 2))

    def attention_maps(self, values: Tensor) -> dict[str, Tensor]:
        cells = nn.functional.adaptive_avg_pool2d(values, 2)[:, 0]
        if self.fault == "sees its neighbours":
            cells = cells - cells.mean(0)
        if self.fault == "random":
            cells = torch.rand_like(cells)
        weight = cells.flatten(1).softmax(1).unflatten(1, (2, 2))
        if self.fault == "sums to two":
            weight = 2 * weight
        if self.fault == "negative":
            weight = (
                weight
                - weight.mean((1, 2), keepdim=True)
                + 0.25
                + 9 * cells.diff(dim=1).mul(torch.tensor([1.0, -1.0]))
            )
        if self.fault == "flattened":
            weight = weight.flatten(1)
        if self.fault == "finer than the picture":
            weight = weight.repeat_interleave(5, dim=1) / 5
        if self.fault == "NaN":
            weight = weight / 0 * 0
        return {"bright": weight}


FAULTS = (
    "sees its neighbours", "random", "sums to two", "negative", "flattened",
    "finer than the picture", "NaN",
)  # fmt: skip


@pytest.mark.parametrize("fault", ["", *FAULTS])
def test_the_kit_sees_wrong_maps(fault: str) -> None:
    """Every fault fails the test, and none passes it."""

    class TestLooks(EncoderConformance):
        component = Looks
        input: ClassVar[InputSpec] = InputSpec(kind="image", shape=(1, 8, 8))
        settings: ClassVar[dict[str, str]] = {"fault": fault}

    if not fault:
        TestLooks().test_attention_maps_lie_over_the_picture()
        return
    with pytest.raises(AssertionError):
        TestLooks().test_attention_maps_lie_over_the_picture()
