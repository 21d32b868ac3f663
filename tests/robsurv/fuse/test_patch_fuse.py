"""The discrete path against loops that transcribe the paper, and numbers worked by hand."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest
import torch
from torch import Tensor

from survkit_robsurv.fuse.patch_fuse import PatchFuse
from survkit_robsurv.fuse.patch_grid import PatchGrid
from survkit_robsurv.fuse.penalties import align_penalty, forgetting
from survkit_robsurv.fuse.token_mean import TokenMean

CUT = PatchGrid((2, 4, 2), (2, 2, 2))
BOTH = torch.ones(3, 2, dtype=torch.bool)


def built(cut: PatchGrid = CUT, **settings: Any) -> PatchFuse:
    torch.manual_seed(0)
    chosen = {"dim": 6, "heads": 2, "head_dim": 5, "preserve_weight": 0.5, "symmetric_align": False}
    fuse = PatchFuse((3, 2), cut, **(chosen | settings)).double()
    with torch.no_grad():
        fuse.beta.copy_(torch.tensor([0.7, 0.2]))
    return fuse


def tokens(cut: PatchGrid = CUT, subjects: int = 3) -> list[Tensor]:
    torch.manual_seed(1)
    return [torch.randn(subjects, cut.tokens, width, dtype=torch.float64) for width in (3, 2)]


def transcribed(fuse: PatchFuse, given: list[Tensor], row: int) -> tuple[Tensor, list[Tensor]]:
    """Return F and both E of one subject: eq. 7 and 8, patch by patch and head by head."""
    patches = [
        [layer.weight @ patch + layer.bias + fuse.position[0, i] for i, patch in enumerate(cells)]
        for layer, cells in zip(
            fuse.embed, (fuse.cut.patchify(each)[row] for each in given), strict=True
        )
    ]
    first, second = fuse.projections

    def answers(asker: Any, asked: Any, own: list[Tensor], others: list[Tensor], out: Any) -> Any:
        results = []
        for patch in own:
            heads = []
            for head in range(fuse.heads):
                rows = slice(5 * head, 5 * head + 5)
                query = (asker.query.weight @ patch)[rows]
                keys = [(asked.key.weight @ other)[rows] for other in others]
                scores = torch.stack([query @ key / sqrt(5) for key in keys])
                shares = scores.exp() / scores.exp().sum()
                values = [(asked.value.weight @ other)[rows] for other in others]
                heads.append(sum((s * v for s, v in zip(shares, values, strict=True)),
                                 torch.zeros(5)))  # fmt: skip
            results.append(out.weight @ torch.cat(heads) + out.bias)
        return results

    answer1 = answers(first, second, patches[0], patches[1], fuse.outputs[0])
    answer2 = answers(second, first, patches[1], patches[0], fuse.outputs[1])
    fused = [
        0.7 * (a1 + e1) + 0.2 * (a2 + e2)
        for a1, e1, a2, e2 in zip(answer1, patches[0], answer2, patches[1], strict=True)
    ]
    return torch.stack(fused), [torch.stack(each) for each in patches]


@pytest.mark.parametrize("heads", [1, 2])
def test_it_is_the_papers_equations(heads: int) -> None:
    """7 to 10, in plain loops over subjects, patches and heads."""
    fuse, given = built(heads=heads), tokens()

    discrete = fuse(given, BOTH)

    for row in range(3):
        fused, (first, second) = transcribed(fuse, given, row)
        torch.testing.assert_close(discrete.fused[row], fused)
        query, key = fuse.projections[0].query.weight, fuse.projections[1].key.weight
        cosines = [
            torch.dot(query @ a, key @ b) / (query @ a).norm() / (key @ b).norm()
            for a, b in zip(first, second, strict=True)
        ]
        align = -sum(cosines, torch.tensor(0.0)) / 2
        norms = [
            (f - a).norm() + 0.5 * (f - b).norm()
            for f, a, b in zip(fused, first, second, strict=True)
        ]
        preserve = sum(norms, torch.tensor(0.0)) / 2 / sqrt(6)
        torch.testing.assert_close(discrete.penalties["align"][row], align)
        torch.testing.assert_close(discrete.penalties["preserve"][row], preserve)
        torch.testing.assert_close(discrete.modality[1][row], second.mean(0))


def test_symmetric_alignment_is_the_mean_of_both_directions() -> None:
    """CT's queries with PET's keys, and PET's queries with CT's keys."""
    given = tokens()
    fuse = built(symmetric_align=True)
    first, second = fuse.embedded(given)

    align = fuse(given, BOTH).penalties["align"]

    one, other = fuse.projections
    forwards = align_penalty(one.query(first), other.key(second))
    backwards = align_penalty(other.query(second), one.key(first))
    assert not torch.allclose(forwards, backwards)
    torch.testing.assert_close(align, (forwards + backwards) / 2)


def test_a_lone_modality_takes_both_weights() -> None:
    """F = (b1 + b2) E of it, whatever stands for the other; penalties say what is defined."""
    fuse, given = built(), tokens()
    first, second = fuse.embedded(given)

    discrete = fuse(given, torch.tensor([[True, False], [False, True], [True, True]]))

    torch.testing.assert_close(discrete.fused[0], 0.9 * first[0])
    torch.testing.assert_close(discrete.fused[1], 0.9 * second[1])
    torch.testing.assert_close(discrete.fused[2], fuse(given, BOTH).fused[2])
    assert discrete.penalties["align"][:2].tolist() == [0.0, 0.0]
    lost = [0.1 * each.norm(dim=1).mean() / sqrt(6) for each in (first[0], second[1])]
    torch.testing.assert_close(discrete.penalties["preserve"][0], lost[0])
    torch.testing.assert_close(discrete.penalties["preserve"][1], 0.5 * lost[1])


def test_alignment_by_hand() -> None:
    """Two patches: parallel, cosine 1; (3, 4) with (4, 3), cosine 24 / 25."""
    query = torch.tensor([[[1.0, 0.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]])
    key = torch.tensor([[[5.0, 0.0], [4.0, 3.0]], [[-2.0, 0.0], [1.0, 0.0]]])

    penalty = align_penalty(query, key)

    torch.testing.assert_close(penalty, torch.tensor([-(1 + 24 / 25) / 2, 0.5]))


def test_forgetting_by_hand() -> None:
    """Distances 5 and 13 over patches of width 2: their mean, 9, by the root of 2."""
    fused = torch.tensor([[[3.0, 4.0], [5.0, 12.0]]])

    penalty = forgetting(fused, torch.zeros(1, 2, 2))

    torch.testing.assert_close(penalty, torch.tensor([9 / sqrt(2)]))


def test_penalties_have_a_gradient_where_a_norm_is_zero() -> None:
    """Zero where F equals E; for a query of zeros that of its product with the key's direction."""
    fused = torch.ones(2, 3, 4, requires_grad=True)
    query = torch.zeros(2, 3, 4, requires_grad=True)

    total = forgetting(fused, torch.ones(2, 3, 4)).sum()
    total = total + align_penalty(query, torch.ones(2, 3, 4)).sum()

    gradients = torch.autograd.grad(total, [fused, query])
    assert float(gradients[0].abs().sum()) == 0.0
    assert float(gradients[1].abs().max()) == pytest.approx(1 / 3 / 2)


def test_fresh_weights_forget_nothing_of_a_lone_modality() -> None:
    """b1 + b2 is one, so F is E, and every gradient of the penalty is a number."""
    torch.manual_seed(0)
    fuse = PatchFuse((3, 2), CUT, dim=6, heads=2, head_dim=5, preserve_weight=0.5,
                     symmetric_align=False)  # fmt: skip
    given = [each.float() for each in tokens()]

    penalty = fuse(given, torch.tensor([[True, False]] * 3)).penalties["preserve"].sum()

    assert float(penalty.detach()) == 0.0
    gradients = torch.autograd.grad(penalty, list(fuse.parameters()), allow_unused=True)
    assert all(each is None or bool(each.isfinite().all()) for each in gradients)


def test_the_mean_is_the_mean() -> None:
    """Of tokens under a layer each, then of the modalities that count."""
    torch.manual_seed(0)
    mean, given = TokenMean((3, 2), dim=4).double(), tokens()
    used = torch.tensor([[True, True], [True, False], [False, True]])

    fused = mean(given, used).fused

    first, second = (layer(each).mean(1) for layer, each in zip(mean.project, given, strict=True))
    torch.testing.assert_close(fused[0, 0], (first[0] + second[0]) / 2)
    torch.testing.assert_close(fused[1, 0], first[1])
    torch.testing.assert_close(fused[2, 0], second[2])
