"""The convolutional block attention module, for tokens on a grid of three axes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError

PAPER_KERNEL = 7


class CBAM(nn.Module):
    """Weighs channels, then places.

    In formulas::

        z'  = sigmoid(MLP(mean over places) + MLP(max over places)) z,   C -> C / reduction -> C
        z'' = sigmoid(conv([mean over channels; max over channels of z'])) z'

    The two layers of the MLP and the convolution have no bias.

    Args:
        channels: C.
        grid: Places along z, y, x.
        reduction: How many times narrower the hidden layer of the MLP is.
        kernel: Side of the convolution, odd; the border is padded with zeros. At most what reaches
            from one end of the grid's longest axis to the other, or the paper's 7 if that is more.

    Raises:
        ConfigError: A setting out of range.

    Reference: Woo, Park, Lee, Kweon (2018), CBAM: convolutional block attention module, ECCV, eq. 2
        and 3, with a convolution of three axes in place of two.
    """

    def __init__(
        self, channels: int, grid: tuple[int, int, int], *, reduction: int, kernel: int
    ) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ConfigError(
                f"reduction must lie between 1 and the channels of both modalities together, "
                f"{channels}, not {reduction}"
            )
        if kernel < 1 or kernel % 2 == 0:
            raise ConfigError(f"kernel must be an odd number of places, not {kernel}")
        if kernel > (largest := max(2 * max(grid) - 1, PAPER_KERNEL)):
            places = " x ".join(map(str, grid))
            raise ConfigError(
                f"kernel must be at most {largest} on a grid of {places} places, where a wider one "
                f"would weigh nothing but the border of zeros, not {kernel}"
            )
        self.grid = grid
        self.narrow = nn.Linear(channels, channels // reduction, bias=False)
        self.widen = nn.Linear(channels // reduction, channels, bias=False)
        self.place = nn.Conv3d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the weighed tokens; (batch, token, channel), as given."""
        statistics = torch.stack([tokens.mean(1), tokens.amax(1)], dim=1)
        channel = self.widen(self.narrow(statistics).relu()).sum(1, keepdim=True).sigmoid()
        weighed = channel * tokens
        planes = torch.stack([weighed.mean(2), weighed.amax(2)], dim=1)
        place = self.place(planes.reshape(len(planes), 2, *self.grid)).sigmoid().flatten(1)
        result: Tensor = place[:, :, None] * weighed
        return result
