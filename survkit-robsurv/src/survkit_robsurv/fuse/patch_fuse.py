"""The discrete path: patches of two modalities that attend to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from survkit.fusions.modalities import where_present
from survkit_robsurv.fuse.cross_attention import PatchProjections, attended, attention_weights
from survkit_robsurv.fuse.patch_grid import PatchGrid
from survkit_robsurv.fuse.penalties import align_penalty, forgetting


@dataclass(frozen=True, slots=True)
class Discrete:
    """What the discrete path says.

    Attributes:
        fused: The fused tokens or patches; (batch, patch, dim).
        modality: A vector per modality, means over its own patches; each (batch, dim).
        attention_weights: Per modality the weights over its patches, without a gradient; each
            (batch, patch). Empty where nothing attends.
        penalties: By name; each (batch).
    """

    fused: Tensor
    modality: tuple[Tensor, Tensor]
    attention_weights: tuple[Tensor, ...] = ()
    penalties: Mapping[str, Tensor] = field(default_factory=dict)


class PatchFuse(nn.Module):
    """Bidirectional cross-attention between the patches of two modalities.

    With E_m the embedded patches of modality m, beside a learned position::

        A_12[i] = sum_j softmax_j(Q_1[i] . K_2[j] / sqrt(d_k)) V_2[j],   A_21 alike     (7)
        F = b1 (A_12 + E_1) + b2 (A_21 + E_2),   b1 and b2 learned, from 0.5            (8)

    A linear layer takes the heads, side by side, back to the width of E. A subject with one
    modality alone has nothing to attend to: both A vanish, and its E takes both weights, F =
    (b1 + b2) E, so that the weights of what is added have the same sum for everybody.

    Args:
        dims: Width of the tokens of the first and the second modality.
        cut: How the grid is cut into patches.
        dim: Width of an embedded patch, d_model.
        heads: Attention heads.
        head_dim: Width of a head, d_k.
        preserve_weight: b3 of eq. 10, the weight of forgetting the second modality.
        symmetric_align: Take the mean of both directions of eq. 9.

    Reference: Farooq et al. (2025), RobSurv, arXiv 2505.02529, eq. 7 to 11.
    """

    def __init__(
        self,
        dims: tuple[int, int],
        cut: PatchGrid,
        *,
        dim: int,
        heads: int,
        head_dim: int,
        preserve_weight: float,
        symmetric_align: bool,
    ) -> None:
        super().__init__()
        self.cut, self.heads = cut, heads
        self.preserve_weight, self.symmetric_align = preserve_weight, symmetric_align
        self.embed = nn.ModuleList(nn.Linear(cut.block_tokens * each, dim) for each in dims)
        self.position = nn.Parameter(torch.randn(1, cut.patches, dim) * 0.02)
        self.projections = nn.ModuleList(
            PatchProjections(dim, heads=heads, head_dim=head_dim) for _ in dims
        )
        self.outputs = nn.ModuleList(nn.Linear(heads * head_dim, dim) for _ in dims)
        self.beta = nn.Parameter(torch.full((2,), 0.5))

    def forward(self, tokens: Sequence[Tensor], used: Tensor) -> Discrete:
        """Fuse the tokens of both modalities.

        Args:
            tokens: Of the first and the second modality, zeros where absent; each (batch, token,
                dim of it).
            used: Which modalities count; bool (batch, 2), never none.
        """
        first, second = patches = self.embedded(tokens)
        (query1, key1, value1), (query2, key2, value2) = self._projected(patches)
        onto_second = attention_weights(query1, key2, self.heads)
        onto_first = attention_weights(query2, key1, self.heads)
        answer1 = self.outputs[0](attended(onto_second, value2))
        answer2 = self.outputs[1](attended(onto_first, value1))
        both = used.all(dim=1)
        together = self.beta[0] * (answer1 + first) + self.beta[1] * (answer2 + second)
        alone = self.beta.sum() * torch.where(used[:, :1, None], first, second)
        fused = torch.where(both[:, None, None], together, alone)
        align = align_penalty(query1, key2)
        if self.symmetric_align:
            align = (align + align_penalty(query2, key1)) / 2
        penalties = {
            "align": where_present(align, both),
            "preserve": self._preserve(fused, patches, used),
        }
        return Discrete(
            fused=fused,
            modality=(first.mean(1), second.mean(1)),
            attention_weights=(
                _over_patches(onto_first, both, used[:, 0]),
                _over_patches(onto_second, both, used[:, 1]),
            ),
            penalties=penalties,
        )

    def embedded(self, tokens: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return E of both modalities, each (batch, patch, dim)."""
        first, second = (
            layer(self.cut.patchify(each)) + self.position
            for layer, each in zip(self.embed, tokens, strict=True)
        )
        return first, second

    def cross_attention(self, tokens: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the weights of the first modality's patches over the second's, and the reverse,
        means over heads; each (batch, query patch, key patch).
        """
        (query1, key1, _), (query2, key2, _) = self._projected(self.embedded(tokens))
        onto_second = attention_weights(query1, key2, self.heads).mean(1)
        return onto_second, attention_weights(query2, key1, self.heads).mean(1)

    def _projected(self, patches: tuple[Tensor, Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
        return [layer(each) for layer, each in zip(self.projections, patches, strict=True)]

    def _preserve(self, fused: Tensor, patches: tuple[Tensor, Tensor], used: Tensor) -> Tensor:
        """Return eq. 10; of a subject with one modality the term of that one alone."""
        first, second = (
            where_present(forgetting(fused, each), used[:, column])
            for column, each in enumerate(patches)
        )
        return first + self.preserve_weight * second


def _over_patches(weights: Tensor, both: Tensor, used: Tensor) -> Tensor:
    """Return the weights over a modality's patches, means over heads and over who asked.

    Alone, its patches weigh the same; where it is absent, nothing.
    """
    mean = weights.detach().mean((1, 2))
    even = torch.full_like(mean, 1 / mean.shape[1])
    return where_present(torch.where(both[:, None], mean, even), used)
