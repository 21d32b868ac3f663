"""One linear projection per modality, to a width of the fusion's choice."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.flow import Encoding
from survkit.fusions.modalities import sorted_modalities, where_present
from survkit.specs import EncodingSpec


class Projections(nn.Module):
    """Projects each modality's summary, and gives zeros for subjects without the modality.

    Args:
        encodings: What the encoders give.
        dim: Common width; ``None`` hands the summaries on as they are.
    """

    def __init__(self, encodings: Mapping[str, EncodingSpec], *, dim: int | None) -> None:
        super().__init__()
        if dim is not None and dim < 1:
            raise ConfigError(f"dim must be at least 1, or None for no projection, not {dim}")
        self.names = sorted_modalities(encodings)
        self.dims = {name: encodings[name].dim if dim is None else dim for name in self.names}
        # A list, since a modality may have a name that a module's child may not.
        self.layers = nn.ModuleList(
            nn.Identity() if dim is None else nn.Linear(encodings[name].dim, dim)
            for name in self.names
        )

    def forward(self, encodings: Mapping[str, Encoding]) -> dict[str, Tensor]:
        """Return the projected summaries in sorted order of names; each (batch, dim)."""
        return {
            name: where_present(
                layer(where_present(encodings[name].summary, encodings[name].present)),
                encodings[name].present,
            )
            for name, layer in zip(self.names, self.layers, strict=True)
        }
