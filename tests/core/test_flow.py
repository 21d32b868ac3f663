from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from survkit.flow import (
    Batch,
    Encoding,
    ModalityInput,
    SurvivalTarget,
    concatenate,
    map_tensors,
    select,
)


def batch_of(subjects: int, tokens: int, *, seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    present = torch.ones(subjects, dtype=torch.bool)
    return Batch(
        inputs={
            "ct": ModalityInput(
                values=torch.randn(subjects, tokens, 3, generator=generator),
                present=present,
                token_mask=torch.ones(subjects, tokens, dtype=torch.bool),
            )
        },
        target=SurvivalTarget(
            duration=torch.rand(subjects, generator=generator, dtype=torch.float64),
            event=torch.ones(subjects, dtype=torch.int64),
        ),
        row=torch.arange(subjects),
    )


def test_cutting_and_joining_gives_the_record_back() -> None:
    """A batch cut into its rows and joined again is the same batch, at every depth."""
    batch = batch_of(5, 4, seed=0)

    joined = concatenate([select(batch, torch.tensor([row])) for row in range(5)])

    torch.testing.assert_close(
        joined.inputs["ct"].values, batch.inputs["ct"].values, rtol=0, atol=0
    )
    torch.testing.assert_close(joined.target.duration, batch.target.duration, rtol=0, atol=0)
    assert len(joined) == 5


def test_joining_ragged_tokens_masks_the_padding() -> None:
    """Tokens that exist only because another subject has more are not real."""
    joined = concatenate([batch_of(2, 3, seed=0), batch_of(1, 5, seed=1)])

    mask = joined.inputs["ct"].token_mask
    assert mask is not None
    assert mask.sum(dim=1).tolist() == [3, 3, 5]
    assert (joined.inputs["ct"].values[:2, 3:] == 0).all()


def test_absent_optional_tensors_stay_absent() -> None:
    """No entry time in the parts means none in the whole."""
    joined = concatenate([batch_of(2, 3, seed=0), batch_of(2, 3, seed=1)])

    assert joined.target.entry is None


def test_a_joined_input_is_complete_only_if_all_parts_are() -> None:
    """One incomplete micro-batch makes the union incomplete."""
    part = batch_of(1, 2, seed=0).inputs["ct"]

    assert concatenate([part, part]).complete
    assert not concatenate([part, replace(part, complete=False)]).complete


def test_static_facts_that_differ_are_refused() -> None:
    """Tokens on different grids are not one encoding."""
    encoding = Encoding(
        tokens=torch.zeros(1, 8, 2),
        summary=torch.zeros(1, 2),
        present=torch.ones(1, dtype=torch.bool),
        grid=(2, 2, 2),
    )

    with pytest.raises(ValueError, match="differ in grid"):
        concatenate([encoding, replace(encoding, grid=(8, 1, 1))])


def test_names_that_differ_are_refused() -> None:
    """Batches of different modalities cannot be joined."""
    batch = batch_of(1, 2, seed=0)

    with pytest.raises(ValueError, match="different names in inputs"):
        concatenate([batch, replace(batch, inputs={"pet": batch.inputs["ct"]})])


def test_mapping_reaches_every_tensor() -> None:
    """A cast applied to a record reaches the tensors inside dictionaries and inner records."""
    doubled = map_tensors(batch_of(2, 2, seed=0), lambda tensor: tensor.double())

    assert doubled.inputs["ct"].values.dtype == torch.float64
    assert doubled.target.event.dtype == torch.float64
