"""Self-attention over slices, and the class token as the patient's vector."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import check_modalities, real_tokens, sorted_modalities
from survkit.specs import EncodingSpec
from survkit_slicetention.token_transformer import Positions, TokenTransformer


class ClassTokenFusion(nn.Module):
    """Pools each modality's tokens by a transformer with a class token.

    A transformer per modality; the class tokens stand side by side in sorted order of names, zeros
    for a subject without the modality. ``attention_weights`` are those of the class token over a
    modality's real tokens in the last layer, the mean over heads.

    Deviations from the paper's code, which has two faults: padding is masked, and every layer reads
    what the one before gave, not the original tokens. Its numbers of heads and layers are unknown.

    Args:
        encodings: What the encoders give.
        heads: Attention heads; they must divide the width of every modality's tokens.
        layers: Layers of self-attention.
        feed_forward: Width within the feed-forward part.
        dropout: Within the layers.
        positions: ``sinusoidal`` tells the layers the place of a slice; ``none``, as in the paper,
            lets a patient be a set of slices.

    Raises:
        CompositionError: No modality.
        ConfigError: Heads that do not divide a width.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20, the rival of soft attention.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        heads: int = 8,
        layers: int = 1,
        feed_forward: int = 2048,
        dropout: float = 0.1,
        positions: Positions = "none",
    ) -> None:
        super().__init__()
        self.names = sorted_modalities(encodings)
        self._dims = {name: encodings[name].dim for name in self.names}
        # A list, since a modality may have a name that a module's child may not.
        self.transformers = nn.ModuleList(
            TokenTransformer(
                self._dims[name],
                heads=heads,
                layers=layers,
                feed_forward=feed_forward,
                dropout=dropout,
                positions=positions,
            )
            for name in self.names
        )

    @property
    def dim(self) -> int:
        """The widths of the modalities together."""
        return sum(self._dims.values())

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Pool each modality; refuses other modalities than it was built for."""
        check_modalities(self.names, encodings)
        embeddings: dict[str, Tensor] = {}
        attention: dict[str, Tensor] = {}
        for name, transformer in zip(self.names, self.transformers, strict=True):
            encoding = encodings[name]
            pool, _, weights = transformer(encoding.tokens, real_tokens(encoding))
            embeddings[name] = torch.where(encoding.present[:, None], pool, 0)
            attention[name] = weights
        return Fused(
            embedding=torch.cat([embeddings[name] for name in self.names], dim=1),
            modality_embeddings=embeddings,
            attention_weights=attention,
        )
