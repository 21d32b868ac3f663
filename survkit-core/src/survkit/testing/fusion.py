"""The conformance tests of fusions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from survkit.errors import UserError
from survkit.flow import Encoding, Fused, concatenate, map_tensors, projected, select
from survkit.showing import ShowsCrossAttention
from survkit.specs import EncodingSpec
from survkit.testing.batches import random_encodings
from survkit.testing.kit import (
    Kit,
    assert_close,
    assert_every_parameter_learns,
    assert_same_state,
)


class FusionConformance(Kit):
    """What every fusion must keep; a subclass gives ``component``, ``encodings``, ``settings``.

    A fusion that cannot do without a modality refuses by name (a ``UserError``) where it would
    have to; that passes too.
    """

    encodings: ClassVar[Mapping[str, EncodingSpec]]
    """What the encoders promise, at least two modalities."""

    def build(self, seed: int = 0) -> Any:
        """Return the fusion in eval mode."""
        torch.manual_seed(seed)
        return type(self).component(self.encodings, **self.settings).eval()

    def all_subsets(self) -> Tensor:
        """Return every non-empty choice of modalities, one subject each; bool."""
        rows = list(product([True, False], repeat=len(self.encodings)))[:-1]
        return torch.tensor(rows)

    def batch(self, present: Tensor | None = None, *, seed: int = 1) -> dict[str, Encoding]:
        """Return random float64 encodings."""
        subjects = 6 if present is None else len(present)
        return random_encodings(
            self.encodings, subjects, seed=seed, present=present, dtype=torch.float64
        )

    def fuse_or_skip(self, fusion: Any, encodings: Mapping[str, Encoding]) -> Fused:
        """Fuse; where the fusion refuses absent modalities by name, that is the end of the test."""
        try:
            fused: Fused = fusion(encodings)
        except UserError as error:
            refusal = str(error)
        else:
            return fused
        assert any(name in refusal for name in self.encodings)
        pytest.skip(f"refused by name: {refusal}")

    def test_declared_width_and_penalties_are_measured(self) -> None:
        """The embedding is as wide, and the penalties are those, that were declared."""
        fusion = self.build().double()

        fused = fusion(self.batch())

        assert fused.embedding.shape == (6, fusion.dim)
        assert set(fused.penalties) == set(fusion.penalties)
        assert set(fused.modality_embeddings) <= set(self.encodings)
        for name, penalty in fused.penalties.items():
            assert penalty.shape == (6,), name
            assert bool(penalty.isfinite().all()), name
        for name, embedding in fused.modality_embeddings.items():
            assert embedding.ndim == 2, name
            assert len(embedding) == 6, name
        assert bool(fused.embedding.isfinite().all())

    def test_order_of_modalities_is_irrelevant(self) -> None:
        """Neither the order of the specs nor that of the encodings changes anything."""
        fusion = self.build().double()
        torch.manual_seed(0)
        backwards = dict(reversed(list(self.encodings.items())))
        other = type(self).component(backwards, **self.settings).eval().double()
        batch = self.batch()

        expected = fusion(batch)

        reverse = dict(reversed(batch.items()))
        torch.testing.assert_close(_tensors(fusion(reverse)), _tensors(expected), rtol=0, atol=0)
        torch.testing.assert_close(_tensors(other(reverse)), _tensors(expected), rtol=0, atol=0)

    def test_rows_are_independent(self) -> None:
        """In eval mode a subject alone is fused as among others."""
        fusion = self.build().double()
        batch = self.batch()

        together = fusion(batch)

        alone = [
            fusion({name: select(each, torch.tensor([row])) for name, each in batch.items()})
            for row in range(6)
        ]
        assert_close(_tensors(concatenate(alone)), _tensors(together))

    def test_every_subset_of_modalities_works(self) -> None:
        """Each of the 2^m - 1 choices of modalities gives a finite embedding."""
        fusion = self.build().double()

        fused = self.fuse_or_skip(fusion, self.batch(self.all_subsets()))

        assert bool(fused.embedding.isfinite().all())
        for name, penalty in fused.penalties.items():
            assert bool(penalty.isfinite().all()), name

    def test_absent_rows_have_no_influence(self) -> None:
        """Whatever stands in absent rows, the result stays, and no gradient flows to them."""
        fusion = self.build().double()
        batch = self.batch(self.all_subsets())
        noisy = {name: _with_noise(each) for name, each in batch.items()}
        leaves = [each.tokens.requires_grad_() for each in noisy.values()]
        leaves += [each.summary.requires_grad_() for each in noisy.values()]

        expected, fused = self.fuse_or_skip(fusion, batch), fusion(noisy)

        torch.testing.assert_close(_tensors(fused), _tensors(expected), rtol=0, atol=0)
        present = [each.present for each in noisy.values()] * 2
        gradients = torch.autograd.grad(fused.embedding.sum(), leaves, allow_unused=True)
        for gradient, rows in zip(gradients, present, strict=True):
            assert gradient is None or not bool(gradient[~rows].any())

    def test_padding_tokens_have_no_influence(self) -> None:
        """Whatever stands in tokens that are not real, the result stays."""
        fusion = self.build().double()
        batch = self.batch()

        expected = fusion(batch)
        fused = fusion({name: _with_padding(each) for name, each in batch.items()})

        assert_close(_without_weights(fused), _without_weights(expected))

    def test_a_pending_projection_changes_nothing(self) -> None:
        """Tokens that a linear layer is still to be applied to are fused as if it had been."""
        fusion = self.build().double()
        if not getattr(fusion, "reads_unprojected", False):
            return
        batch = {name: _unprojected(each) for name, each in self.batch().items()}

        expected = fusion({name: projected(each) for name, each in batch.items()})

        assert_close(_tensors(fusion(batch)), _tensors(expected))

    def test_one_modality_is_taken_or_refused(self) -> None:
        """A recipe with a single modality works or is refused in a sentence while composing."""
        for name, spec in self.encodings.items():
            try:
                fusion = type(self).component({name: spec}, **self.settings).eval().double()
            except UserError:
                continue
            fused = fusion({name: self.batch()[name]})

            assert fused.embedding.shape == (6, fusion.dim)

    def test_other_modalities_are_refused(self) -> None:
        """A mapping without one of the modalities is refused in a sentence that names it."""
        fusion = self.build().double()
        batch = self.batch()
        lost = sorted(batch)[0]
        del batch[lost]

        with pytest.raises(UserError, match=lost):
            fusion(batch)

    def test_input_is_not_changed(self) -> None:
        """Neither training nor prediction writes into what it was given."""
        fusion = self.build().double()
        batch = self.batch()
        before = {name: map_tensors(each, torch.Tensor.clone) for name, each in batch.items()}

        fusion(batch)
        fusion.train()(batch)

        for name, each in batch.items():
            assert torch.equal(each.tokens, before[name].tokens), name
            assert torch.equal(each.summary, before[name].summary), name

    def test_every_parameter_learns(self) -> None:
        """Every trainable parameter gets a gradient, some subjects lacking a modality."""
        fusion = self.build().double().train()
        fused = self.fuse_or_skip(fusion, self.batch(self.all_subsets()))

        if any(each.requires_grad for each in fusion.parameters()):
            results = [fused.embedding, *fused.penalties.values()]
            results += fused.modality_embeddings.values()
            assert_every_parameter_learns(fusion, [each for each in results if each.requires_grad])

    def test_state_round_trip(self) -> None:
        """A fresh fusion with the saved state fuses alike, bit for bit."""
        fusion, fresh = self.build().double(), self.build(seed=5).double()
        assert_same_state(fusion, fresh)
        batch = self.batch()

        torch.testing.assert_close(_tensors(fresh(batch)), _tensors(fusion(batch)), rtol=0, atol=0)

    def test_attention_sums_to_one(self) -> None:
        """Weights over modalities, and over each present modality's tokens, sum to one."""
        fusion = self.build().double()
        present = self.all_subsets()
        fused = self.fuse_or_skip(fusion, self.batch(present))

        for name, weights in fused.attention_weights.items():
            rows = torch.ones(len(present), dtype=torch.bool)
            if name == "modality":
                assert not bool(weights[~present].any())
            else:
                rows = present[:, sorted(self.encodings).index(name)]
            ones = torch.ones(int(rows.sum()), dtype=weights.dtype)
            torch.testing.assert_close(weights[rows].sum(dim=1), ones)

    def test_cross_attention_is_over_its_patches(self) -> None:
        """Each row sums to one for subjects with both modalities; patches tile the grids."""
        fusion = self.build().double()
        if not isinstance(fusion, ShowsCrossAttention) or not fusion.patch_grids:
            return
        present = self.all_subsets()
        self.fuse_or_skip(fusion, self.batch(present))

        grids = fusion.patch_grids
        found = fusion.cross_attention(self.batch(present))

        assert found
        for name, patches in grids.items():
            grid = self.encodings[name].grid
            assert grid is not None, name
            whole = (1,) * (3 - len(grid)) + grid
            assert all(axis % cut == 0 for axis, cut in zip(whole, patches, strict=True)), name
        for (looks, seen), weights in found.items():
            assert weights.shape == (len(present), prod(grids[looks]), prod(grids[seen]))
            columns = [sorted(self.encodings).index(name) for name in (looks, seen)]
            sums = weights[present[:, columns].all(dim=1)].sum(dim=2)
            torch.testing.assert_close(sums, torch.ones_like(sums))


def _with_noise(encoding: Encoding) -> Encoding:
    def noisy(values: Tensor) -> Tensor:
        rows = encoding.present.reshape(-1, *[1] * (values.ndim - 1))
        return torch.where(rows, values, torch.full_like(values, 37.0))

    continuous = encoding.continuous
    return replace(
        encoding,
        tokens=noisy(encoding.tokens),
        summary=noisy(encoding.summary),
        continuous=None if continuous is None else noisy(continuous),
    )


def _with_padding(encoding: Encoding) -> Encoding:
    """Return the encoding with two more tokens that are not real."""
    batch, tokens, dim = encoding.tokens.shape
    mask = encoding.token_mask
    if mask is None:
        if encoding.grid is not None or encoding.continuous is not None:
            return encoding  # their number of tokens is fixed
        mask = torch.ones(batch, tokens, dtype=torch.bool)
    padding = encoding.tokens.new_full((batch, 2, dim), 37.0)
    return replace(
        encoding,
        tokens=torch.cat([encoding.tokens, padding], dim=1),
        token_mask=torch.cat([mask, torch.zeros(batch, 2, dtype=torch.bool)], dim=1),
    )


def _unprojected(encoding: Encoding) -> Encoding:
    """Return an encoding of tokens that are half as wide again before their projection."""
    batch, tokens, dim = encoding.tokens.shape
    torch.manual_seed(3)
    layer = torch.nn.Linear(dim + dim // 2, dim).double()
    raw = torch.randn(batch, tokens, layer.in_features, dtype=torch.float64)
    return replace(encoding, tokens=raw, continuous=None, projection=layer)


def _without_weights(fused: Fused) -> dict[str, Tensor]:
    return {name: each for name, each in _tensors(fused).items() if "attention" not in name}


def _tensors(fused: Fused) -> dict[str, Tensor]:
    found = {"embedding": fused.embedding, **fused.penalties}
    found |= {f"modality {name}": each for name, each in fused.modality_embeddings.items()}
    return found | {f"attention {name}": each for name, each in fused.attention_weights.items()}
