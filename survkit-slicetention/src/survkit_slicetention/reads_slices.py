"""What every encoder of CT slices does alike: it leaves reading them to one reader."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit.protocols import Sample
from survkit_slicetention.slice_reader import SliceReader


class ReadsSlices(nn.Module):
    """An encoder whose slices, before anything of its own, come from a reader.

    Attributes:
        reader: Finds, scales and encodes the slices of a scan.
    """

    reader: SliceReader

    def prepare(self, sample: Sample) -> Tensor:
        """Return the slices in HU, (slice, y, x); or the trunk's features, (slice, feature) or
        (slice, 1 + views, feature), where nothing of it trains.
        """
        return self.reader.prepare(sample)

    def preparation_fingerprint(self) -> str:
        """Return the settings, weights and versions that ``prepare`` depends on."""
        return self.reader.fingerprint()

    def prepared_example(self, *, generator: torch.Generator) -> Tensor:
        """Return made-up slices or features."""
        return self.reader.example(generator)

    def load_weights(self) -> None:
        """Read the backbone's weights.

        Raises:
            DataError: They are neither at hand nor within reach, or another network's.
        """
        self.reader.trunk.load_weights()

    def recorded_settings(self) -> dict[str, str]:
        """Return the backbone's name in timm, where a folder of this machine describes it."""
        return self.reader.trunk.recorded_settings()

    def token_images(self, sample: Sample) -> Tensor:
        """Return the slices as pictures in [0, 1], in the order of the tokens."""
        return self.reader.images(sample)

    def token_mask_share(self, sample: Sample) -> Tensor:
        """Return the share of each slice that lies in the sample's mask."""
        return self.reader.region_share(sample)
