"""A small encoder of pictures, for tests that need one without any plugin."""

from __future__ import annotations

from torch import nn

from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec


class PictureEncoder(nn.Module):
    """Three convolutions; positions of the last map are tokens, their mean the summary."""

    def __init__(self, input: InputSpec, *, dim: int = 8) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (input.shape[0], dim, dim):
            layers += [nn.Conv2d(channels, dim, 5, stride=4, padding=2), nn.ReLU()]
        self.network = nn.Sequential(*layers)
        self.encoding = EncodingSpec(dim=dim)

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode pictures; there are no penalties."""
        tokens = self.network(input.values / 255).flatten(2).transpose(1, 2)
        return Encoding(tokens=tokens, summary=tokens.mean(dim=1), present=input.present)
