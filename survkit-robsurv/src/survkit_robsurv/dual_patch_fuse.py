"""RobSurv's fusion: a discrete path patch by patch, a continuous path by block attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import (
    check_modalities,
    drop_modalities,
    presence,
    real_tokens,
    sorted_modalities,
    where_present,
)
from survkit.specs import EncodingSpec
from survkit_robsurv.check_rates import check_rates
from survkit_robsurv.fuse.continuous_path import ContinuousPath, Pooling
from survkit_robsurv.fuse.patch_fuse import Discrete, PatchFuse
from survkit_robsurv.fuse.patch_grid import cut_grid
from survkit_robsurv.fuse.token_mean import TokenMean

DiscretePath = Literal["patch-fuse", "mean"]


class DualPatchFuse(nn.Module):
    """Fuses two modalities whose tokens lie on grids of one shape, CT and PET in the paper.

    The discrete path cuts the tokens into patches, lets them attend to those of the other modality
    (:class:`survkit_robsurv.fuse.patch_fuse.PatchFuse`), and pools them under transformer layers;
    the continuous path reads the unquantized twins of the tokens, or the tokens where an encoder
    has no such twin (:class:`survkit_robsurv.fuse.continuous_path.ContinuousPath`). The embedding
    is ReLU(Linear([discrete; continuous])) with dropout.

    Penalties of a subject: ``align``, in [-1, 1], and ``preserve``, >= 0. A subject with one
    modality alone has no ``align`` (0) and of ``preserve`` the term of that one.

    ``attention_weights`` of a modality: how the patches of the other look at it, means over heads
    and over the patches that look, shared evenly by a patch's tokens; where the other is absent,
    all tokens weigh the same. ``modality_embeddings`` are means over a modality's embedded patches,
    zero where it is absent.

    Args:
        encodings: What the encoders give: two modalities on grids of one shape, of any widths.
        first: The modality whose queries are aligned with the other's keys, and whose term
            in ``preserve`` has weight one; ``None`` takes the first by name, so "ct" before "pet".
        patch: Tokens of a patch along each axis; it divides the axes that are longer.
        dim: Width of an embedded patch, d_model.
        heads: Heads of the cross-attention; 1 is eq. 7 to the letter.
        head_dim: Width of a head, d_k.
        discrete: ``patch-fuse``; or ``mean``, the plain mean of the tokens, the paper's model
            without patch-wise fusion: no patches, no attention, no layers and no penalties.
        continuous: Whether there is a continuous path.
        continuous_dim: Width of its result.
        pooling: How it is pooled.
        reduction: Of its channel attention.
        kernel: Side of the convolution of its spatial attention, odd.
        layers: Transformer layers over the fused patches; 0 for none.
        layer_heads: Their heads, a divisor of ``dim``.
        feed_forward: Width within their feed-forward part.
        layer_dropout: Dropout within them.
        preserve_weight: Weight of the second modality in ``preserve``, b3.
        symmetric_align: Align in both directions, as the text says and the formula does not.
        out_dim: Width of the embedding.
        dropout: On the embedding.
        modality_dropout: Probability that a present modality is treated as absent in training;
            never a subject's last.

    Raises:
        CompositionError: Other than two modalities, or grids that do not fit.
        ConfigError: A setting out of range.

    Reference: Farooq, Singh, Mishra, Chaudhury (2025), RobSurv, arXiv 2505.02529. Absent modalities
        are beyond the paper. Eq. 8 adds attention of width d_k to patches of width d_model: several
        heads and a linear layer bridge that. The "global transformer" is named there, no more.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        first: str | None = None,
        patch: int = 2,
        dim: int = 256,
        heads: int = 4,
        head_dim: int = 64,
        discrete: DiscretePath = "patch-fuse",
        continuous: bool = True,
        continuous_dim: int = 512,
        pooling: Pooling = "avg",
        reduction: int = 16,
        kernel: int = 7,
        layers: int = 1,
        layer_heads: int = 4,
        feed_forward: int = 512,
        layer_dropout: float = 0.1,
        preserve_weight: float = 0.5,
        symmetric_align: bool = False,
        out_dim: int = 512,
        dropout: float = 0.3,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.names = _two_modalities(encodings, first)
        _check_sizes(dim=dim, heads=heads, head_dim=head_dim, feed_forward=feed_forward,
                     continuous_dim=continuous_dim, out_dim=out_dim)  # fmt: skip
        check_rates(dropout=dropout, layer_dropout=layer_dropout,
                    modality_dropout=modality_dropout)  # fmt: skip
        _check_paths(discrete, layers, layer_heads, dim, preserve_weight)
        dims = (encodings[self.names[0]].dim, encodings[self.names[1]].dim)
        attends = discrete == "patch-fuse"
        grids = {name: encodings[name].grid for name in sorted(self.names)}
        cut = cut_grid(grids, patch if attends else 1)
        self.discrete: nn.Module
        if attends:
            self.discrete = PatchFuse(
                dims, cut, dim=dim, heads=heads, head_dim=head_dim,
                preserve_weight=preserve_weight, symmetric_align=symmetric_align,
            )  # fmt: skip
        else:
            self.discrete = TokenMean(dims, dim=dim)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                dim, layer_heads, feed_forward, layer_dropout, batch_first=True, norm_first=True
            )
            for _ in range(layers if attends else 0)
        )
        self.continuous = None
        if continuous:
            self.continuous = ContinuousPath(
                dims, cut.grid, dim=continuous_dim, reduction=reduction, kernel=kernel,
                pooling=pooling,
            )  # fmt: skip
        self.output = nn.Linear(dim + (continuous_dim if continuous else 0), out_dim)
        self.dropout = nn.Dropout(dropout)
        self.modality_dropout = modality_dropout

    @property
    def dim(self) -> int:
        """Width of the embedding."""
        return self.output.out_features

    @property
    def penalties(self) -> tuple[str, ...]:
        """Disagreement of the modalities' patches, and what the fused ones lost of them."""
        return ("align", "preserve") if isinstance(self.discrete, PatchFuse) else ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Fuse; refuses other modalities than it was built for."""
        tokens = self._tokens(encodings)
        present = presence(self.names, encodings)
        used = drop_modalities(present, self.modality_dropout if self.training else 0.0)
        discrete = cast(Discrete, self.discrete(tokens, used))
        patches = discrete.fused
        for layer in self.layers:
            patches = layer(patches)
        vectors = [patches.mean(1)]
        if self.continuous is not None:
            vectors.append(self.continuous(self._twins(encodings), used))
        embedding = self.dropout(self.output(torch.cat(vectors, dim=1)).relu())
        own = zip(self.names, discrete.modality, strict=True)
        return Fused(
            embedding=embedding,
            modality_embeddings={
                name: where_present(vector, encodings[name].present) for name, vector in own
            },
            attention_weights=self._over_tokens(discrete),
            penalties=discrete.penalties,
        )

    @property
    def patch_grids(self) -> dict[str, tuple[int, int, int]]:
        """Patches of each modality along z, y, x; empty where there is no cross-attention."""
        if not isinstance(self.discrete, PatchFuse):
            return {}
        return dict.fromkeys(self.names, self.discrete.cut.counts)

    def cross_attention(self, encodings: Mapping[str, Encoding]) -> dict[tuple[str, str], Tensor]:
        """Return by (who looks, who is looked at) the weights of patches over patches, means over
        heads; (batch, query patch, key patch). Each row sums to one; those of subjects without
        both modalities are zero.

        Raises:
            ConfigError: There is no cross-attention.
        """
        if not isinstance(self.discrete, PatchFuse):
            raise ConfigError("there is cross-attention with discrete='patch-fuse' only")
        onto_second, onto_first = self.discrete.cross_attention(self._tokens(encodings))
        both = presence(self.names, encodings).all(dim=1)
        first, second = self.names
        return {
            (first, second): where_present(onto_second, both),
            (second, first): where_present(onto_first, both),
        }

    def _tokens(self, encodings: Mapping[str, Encoding]) -> list[Tensor]:
        """Return the tokens of both modalities, zeros where there is none."""
        check_modalities(self.names, encodings)
        return [_real(encodings[name], encodings[name].tokens) for name in self.names]

    def _twins(self, encodings: Mapping[str, Encoding]) -> list[Tensor]:
        """Return the unquantized tokens likewise."""
        found = []
        for name in self.names:
            encoding = encodings[name]
            twin = encoding.tokens if encoding.continuous is None else encoding.continuous
            found.append(_real(encoding, twin))
        return found

    def _over_tokens(self, discrete: Discrete) -> dict[str, Tensor]:
        if not isinstance(self.discrete, PatchFuse):
            return {}
        weights = zip(self.names, discrete.attention_weights, strict=True)
        return {name: self.discrete.cut.spread(each) for name, each in weights}


def _real(encoding: Encoding, values: Tensor) -> Tensor:
    """Return values (batch, token, dim), zeros where a token is not real, whatever was there."""
    return torch.where(real_tokens(encoding)[:, :, None], values, 0)


def _two_modalities(encodings: Mapping[str, EncodingSpec], first: str | None) -> tuple[str, str]:
    """Return the names, the one that is to be first in front."""
    names = sorted_modalities(encodings)
    if len(names) != 2:
        raise CompositionError(
            f"dual-patch-fuse fuses exactly two modalities, but the recipe has {len(names)}: "
            f"{', '.join(names)}; take two of one grid, or a fusion of any number such as "
            "attention, gated or concat"
        )
    if first is None:
        return names[0], names[1]
    if first not in names:
        raise ConfigError(f"first must be {names[0]} or {names[1]}, not {first!r}")
    return first, names[1 - names.index(first)]


def _check_paths(
    discrete: str, layers: int, layer_heads: int, dim: int, preserve_weight: float
) -> None:
    if discrete not in ("patch-fuse", "mean"):
        raise ConfigError(f"discrete must be patch-fuse or mean, not {discrete!r}")
    if layers < 0 or layer_heads < 1 or dim % layer_heads:
        raise ConfigError(
            f"layers must not be negative and layer_heads divide dim={dim}, not "
            f"layers={layers}, layer_heads={layer_heads}"
        )
    if not preserve_weight >= 0.0:
        raise ConfigError(f"preserve_weight must be at least 0, not {preserve_weight:g}")


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ConfigError(f"{name} must be at least 1, not {size}")
