"""What encoder and decoder are made of."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from survkit_robsurv.vq3d.conv3 import Conv3

Activation = Literal["leaky", "relu"]

MOST_GROUPS = 8


class ResidualBlock(nn.Module):
    """x + act(norm(conv(act(norm(conv(x)))))), both times with the same normalisation layer.

    Args:
        channels: In and out.
        activation: See :func:`activation_of`.
    """

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        self.first = Conv3(channels, channels)
        self.second = Conv3(channels, channels)
        self.norm = group_norm(channels)
        self.activation = activation_of(activation)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (batch, channel, z, y, x)."""
        inner = self.activation(self.norm(self.first(features)))
        result: Tensor = features + self.activation(self.norm(self.second(inner)))
        return result


def group_norm(channels: int) -> nn.GroupNorm:
    """Return group normalisation in 8 groups, or in the most below that leave 2 channels each."""
    groups = max(
        count
        for count in range(1, MOST_GROUPS + 1)
        if channels % count == 0 and (channels // count >= 2 or count == 1)
    )
    return nn.GroupNorm(groups, channels, eps=1e-6)


def activation_of(name: Activation) -> nn.Module:
    """Return the leaky ReLU of slope 0.2 or the ReLU; in place, for it follows a normalisation that
    does not need its own result again.
    """
    return nn.LeakyReLU(0.2, inplace=True) if name == "leaky" else nn.ReLU(inplace=True)


def set_weights(network: nn.Module) -> None:
    """Draw every convolution's weights from N(0, 0.02²), biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
