"""The conformance tests of encoders."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from survkit.errors import UserError
from survkit.flow import Encoding, ModalityInput, concatenate, map_tensors, projected, select
from survkit.protocols import Prepares
from survkit.specs import ColumnSpec, InputKind, InputSpec
from survkit.testing.kit import (
    assert_close,
    assert_every_parameter_learns,
    assert_same_state,
)
from survkit.testing.shown_by_encoder import ShownByEncoder

OTHER_INPUTS: dict[InputKind, InputSpec] = {
    "table": InputSpec(kind="table", shape=(1,), columns=(ColumnSpec("age"),)),
    "vector": InputSpec(kind="vector", shape=(4,)),
    "image": InputSpec(kind="image", shape=(1, 32, 32)),
    "volume": InputSpec(kind="volume", shape=(1, 32, 32, 32)),
}


class EncoderConformance(ShownByEncoder):
    """What every encoder must keep; a subclass gives ``component``, ``input``, ``settings``."""

    def test_declared_encoding_is_measured(self) -> None:
        """Width, tokens, grid, twin and penalties are those declared before any data."""
        encoder = self.build()
        spec = encoder.encoding

        encoding = projected(encoder(self.batch(encoder)))

        tokens = encoding.tokens.shape[1]
        assert encoding.tokens.shape == (self.subjects, spec.tokens or tokens, spec.dim)
        assert encoding.summary.shape == (self.subjects, spec.dim)
        assert encoding.grid == spec.grid
        assert (encoding.continuous is not None) == spec.has_continuous
        if encoding.continuous is not None:
            assert encoding.continuous.shape == encoding.tokens.shape
        assert set(encoding.penalties) == set(spec.penalties)
        assert bool(encoding.present.all())
        assert bool(encoding.tokens.isfinite().all() & encoding.summary.isfinite().all())

    def test_rows_are_independent(self) -> None:
        """In eval mode a subject alone is encoded as among others."""
        encoder = self.build().double()
        batch = _as_double(self.batch(encoder))

        together = encoder(batch)

        alone = [encoder(select(batch, torch.tensor([row]))) for row in range(self.subjects)]
        assert_close(_tensors(concatenate(alone)), _tensors(together))

    def test_same_input_same_encoding(self) -> None:
        """In eval mode nothing is random, and a call leaves nothing behind."""
        encoder = self.build()
        batch = self.batch(encoder)

        first, second = encoder(batch), encoder(batch)

        torch.testing.assert_close(_tensors(second), _tensors(first), rtol=0, atol=0)

    def test_input_is_not_changed(self) -> None:
        """Neither training nor prediction writes into what it was given."""
        encoder = self.build()
        batch = self.batch(encoder)
        before = map_tensors(batch, torch.Tensor.clone)

        encoder(batch)
        encoder.train()(batch)

        torch.testing.assert_close(batch.values, before.values, rtol=0, atol=0, equal_nan=True)
        assert torch.equal(batch.present, before.present)

    def test_every_parameter_learns(self) -> None:
        """Every trainable parameter gets a gradient from what the encoder gives."""
        encoder = self.build().train()

        encoding = projected(encoder(self.batch(encoder)))

        if any(each.requires_grad for each in encoder.parameters()):
            assert_every_parameter_learns(encoder, _differentiable(encoding))

    def test_state_round_trip(self) -> None:
        """A fresh encoder with the saved state encodes alike, bit for bit."""
        encoder, fresh = self.build(), self.build(seed=5, fitted=False)
        assert_same_state(encoder, fresh)
        batch = self.batch(encoder)

        torch.testing.assert_close(_tensors(fresh(batch)), _tensors(encoder(batch)), rtol=0, atol=0)

    def test_penalties_are_per_subject_and_optional(self) -> None:
        """Penalties are one finite number per subject, and leaving them out changes nothing."""
        encoder = self.build()
        batch = self.batch(encoder)

        full, bare = encoder(batch), encoder(batch, penalties=False)

        for name, penalty in full.penalties.items():
            assert penalty.shape == (self.subjects,), name
            assert bool(penalty.isfinite().all()), name
        assert bare.penalties == {}
        torch.testing.assert_close(bare.tokens, full.tokens, rtol=0, atol=0)
        torch.testing.assert_close(bare.summary, full.summary, rtol=0, atol=0)

    def test_attention_sums_to_one(self) -> None:
        """Weights over tokens sum to one, and padding has none of it."""
        encoder = self.build()
        encoding = encoder(self.batch(encoder))
        weights = encoding.attention_weights

        if weights is not None:
            torch.testing.assert_close(weights.sum(dim=1), torch.ones(self.subjects))
            if encoding.token_mask is not None:
                assert not bool((weights * ~encoding.token_mask).any())

    def test_padding_has_no_influence(self) -> None:
        """What stands in padding tokens changes neither the summary nor the real tokens."""
        encoder = self.build()
        batch = self.batch(encoder)
        if encoder.encoding.tokens is None and batch.token_mask is None:  # counted by preparing
            batch = replace(batch, token_mask=_some_tokens(batch))
        if batch.token_mask is None:
            return
        mask = batch.token_mask.reshape(*batch.token_mask.shape, *[1] * (batch.values.ndim - 2))
        other = replace(batch, values=torch.where(mask, batch.values, batch.values + 3.0))

        expected, encoding = encoder(batch), encoder(other)

        assert encoding.token_mask is not None
        assert torch.equal(encoding.token_mask, expected.token_mask)
        torch.testing.assert_close(encoding.summary, expected.summary)
        torch.testing.assert_close(
            encoding.tokens[encoding.token_mask], expected.tokens[encoding.token_mask]
        )

    @pytest.mark.parametrize("kind", list(OTHER_INPUTS))
    def test_other_inputs_are_taken_or_refused(self, kind: InputKind) -> None:
        """A kind of input that the encoder cannot use is refused in a sentence, not by a crash."""
        if kind == self.input.kind:
            return
        refusal = ""
        try:
            type(self).component(OTHER_INPUTS[kind], **self.settings)
        except UserError as error:
            refusal = str(error)

        assert refusal == "" or kind in refusal

    def test_preparation_is_a_pure_function(self) -> None:
        """Preparing twice gives the same, leaves the sample alone, and has a stable fingerprint."""
        encoder = self.build()
        if not isinstance(encoder, Prepares):
            return
        sample = self.given_sample(encoder)
        before = sample.values.clone()

        first, second = encoder.prepare(sample), encoder.prepare(sample)

        assert torch.equal(first, second)
        assert torch.equal(sample.values, before)
        assert encoder.preparation_fingerprint() == self.build().preparation_fingerprint()


def _some_tokens(batch: ModalityInput) -> Tensor:
    """Return a mask that leaves row i all tokens but i, at least one."""
    subjects, tokens = batch.values.shape[:2]
    real = (tokens - torch.arange(subjects)).clamp(min=1)
    return torch.arange(tokens)[None] < real[:, None]


def _as_double(batch: ModalityInput) -> ModalityInput:
    return replace(batch, values=batch.values.double())


def _tensors(encoding: Encoding) -> dict[str, Tensor]:
    """Return what is comparable: the tokens of padding mean nothing."""
    encoding = projected(encoding)
    tokens = {"tokens": encoding.tokens, "continuous": encoding.continuous}
    found = {"summary": encoding.summary, "present": encoding.present, **encoding.penalties}
    for name, values in tokens.items():
        if values is not None:
            mask = encoding.token_mask
            found[name] = values if mask is None else values * mask[..., None]
    return found


def _differentiable(encoding: Encoding) -> list[Tensor]:
    results = [encoding.tokens, encoding.summary, encoding.continuous]
    results += list(encoding.penalties.values())
    return [each for each in results if each is not None and each.requires_grad]
