"""The conformance kit on encoders that show their tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.protocols import Sample
from survkit.registry import Registry
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance

VOLUME = InputSpec(kind="volume", shape=(1, 12, 8, 8))


def kit(component: Any) -> Any:
    """Return the kit's tests of an encoder of volumes."""
    values = torch.rand(VOLUME.shape, generator=torch.Generator().manual_seed(0))
    given = {"component": component, "input": VOLUME, "sample": Sample(values=values)}
    return type("Conformance", (EncoderConformance,), given)()


@pytest.fixture
def slices(registry: Registry) -> Any:
    return registry.find("encoder", "slices").load()


def test_an_encoder_that_keeps_the_contract_passes(slices: Any) -> None:
    """One picture and one share per token."""
    kit(slices).test_shown_tokens_are_those_encoded()
    kit(slices).test_declared_encoding_is_measured()
    kit(slices).test_preparation_is_a_pure_function()


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("token_images", lambda found: found[:-1]),
        ("token_images", lambda found: found * 3),
        ("token_images", lambda found: found[None]),
        ("token_mask_share", lambda found: found[1:]),
        ("token_mask_share", lambda found: found + 0.5),
        ("token_mask_share", lambda found: found * 0),
    ],
)
def test_one_that_does_not_fails(slices: Any, method: str, change: Any) -> None:
    """Pictures of other tokens, of other ranges, or shares that mean nothing."""

    def changed(self: Any, sample: Sample) -> torch.Tensor:
        result: torch.Tensor = change(getattr(slices, method)(self, sample))
        return result

    wrong = type("Wrong", (slices,), {method: changed})
    with pytest.raises(AssertionError):
        kit(wrong).test_shown_tokens_are_those_encoded()


def test_who_shows_nothing_is_not_asked(registry: Registry) -> None:
    """The ability is optional."""
    kit(registry.find("encoder", "blind").load()).test_shown_tokens_are_those_encoded()
