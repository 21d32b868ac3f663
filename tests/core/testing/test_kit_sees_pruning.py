"""The kit passes an encoder that leaves tokens out as it should, and notices what breaks that."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec
from survkit.testing import PrunesTokensConformance


class Columns(nn.Module):
    """A token per entry of a vector, pooled by learned weights, with one fault where asked."""

    kept: Tensor

    def __init__(self, input: InputSpec, *, fault: str = "") -> None:
        super().__init__()
        if input.kind != "vector":
            from survkit.errors import CompositionError

            raise CompositionError(f"columns takes a vector, not a {input.kind}")
        self.fault = fault
        self.scale = nn.Parameter(torch.randn(input.shape[0], 3))
        self.encoding = EncodingSpec(dim=3, tokens=input.shape[0])
        every = torch.ones(input.shape[0], dtype=torch.bool)
        self.register_buffer("kept", every, persistent=fault != "forgets its choice")
        self.own: Tensor | None = None

    def weights(self, values: Tensor, kept: Tensor) -> Tensor:
        return values.masked_fill(~kept, -torch.inf).softmax(dim=1)

    def token_importance(self, values: Tensor) -> Tensor:
        kept = self.kept if self.fault == "importance of what is left" else self.kept | True
        found = self.weights(values, kept)
        if self.fault == "importance of the batch":
            found = found.mean(dim=0).expand_as(found)
        return found * 2 if self.fault == "importance is no share" else found

    def keep_tokens(self, kept: Tensor | None) -> None:
        if kept is None and self.fault == "cannot take it back":
            return
        self.own = kept if kept is not None and kept.ndim == 2 else None
        if kept is None or kept.ndim == 2:
            kept = self.kept | True
        self.kept.copy_(kept)

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        values = input.values
        choice = self.kept if self.own is None else self.own
        if self.fault == "one choice for all" and choice.ndim == 2:
            choice = choice[0]
        kept = choice.expand(len(values), -1)
        weights = self.weights(values, kept)
        tokens = values[..., None] * self.scale
        if self.fault != "leaves them in the tokens":
            tokens = tokens * kept[..., None]
        summary = (weights[..., None] * tokens).sum(dim=1)
        mask = None if self.fault == "says nothing of it" else kept
        return Encoding(
            tokens=tokens,
            summary=summary,
            present=input.present,
            token_mask=mask,
            attention_weights=weights,
        )


class TestColumns(PrunesTokensConformance):
    """Without a fault."""

    component = Columns
    input = InputSpec(kind="vector", shape=(6,))
    settings: ClassVar[dict[str, Any]] = {}


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("importance is no share", "test_tokens_count_by_shares"),
        ("importance of the batch", "test_tokens_count_by_shares"),
        ("cannot take it back", "test_keeping_all_changes_nothing"),
        ("importance of what is left", "test_left_out_tokens_are_zeros_and_masked"),
        ("leaves them in the tokens", "test_left_out_tokens_are_zeros_and_masked"),
        ("says nothing of it", "test_left_out_tokens_are_zeros_and_masked"),
        ("one choice for all", "test_choices_of_single_subjects_are_each_alone"),
        ("forgets its choice", "test_a_choice_for_everybody_is_saved"),
    ],
)
def test_a_fault_is_noticed(fault: str, test: str) -> None:
    """Each by the test that is about it."""

    class Faulty(TestColumns):
        settings: ClassVar[dict[str, Any]] = {"fault": fault}

    with pytest.raises(AssertionError):
        getattr(Faulty(), test)()
