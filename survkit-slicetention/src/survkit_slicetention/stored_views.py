"""Augmentation over a frozen trunk: some views of every slice are encoded once, and drawn from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.errors import ConfigError
from survkit_slicetention.preparation.augment import augmented


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How slices are changed in training, each by itself.

    Attributes:
        rate: Probability that a slice is turned at all.
        degrees: Largest angle.
        flip: Probability that a turned slice is mirrored.
        views: Changed views of every slice that are stored over a frozen trunk.
    """

    rate: float = 0.2
    degrees: float = 20.0
    flip: float = 0.5
    views: int = 0

    def __post_init__(self) -> None:
        for name in ("rate", "flip"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is a probability, not {getattr(self, name)}")
        if self.views < 0 or not 0 <= self.degrees <= 180:
            raise ConfigError(
                "views is a number that is not negative, and degrees from 0 to 180, not "
                f"{self.views}, {self.degrees}"
            )

    def apply(self, slices: Tensor) -> Tensor:
        """Return slices (slice, y, x), some changed, drawn from torch's generator on the CPU."""
        if self.rate == 0:
            return slices
        seed = int(torch.randint(2**62, ()))
        return self._changed(slices, seed, self.rate)

    def views_of(self, slices: Tensor) -> Tensor:
        """Return (slice, 1 + views, y, x): every slice as it is, then changed for certain.

        The draws follow from the pixels, so that the same slices have the same views everywhere.
        """
        digest = hashlib.sha256(slices.detach().cpu().contiguous().numpy().tobytes()).digest()
        seed = int.from_bytes(digest[:7], "big")
        changed = [self._changed(slices, seed + view, 1.0) for view in range(self.views)]
        return torch.stack([slices, *changed], dim=1)

    def draw(self, features: Tensor, *, training: bool) -> Tensor:
        """Return (batch, slice, feature) of stored views (batch, slice, 1 + views, feature).

        In training a slice is left as it is with probability 1 - rate, else each changed view is
        as likely as the others.
        """
        views = features.shape[2] - 1
        if not training or views == 0 or self.rate == 0:
            return features[:, :, 0]
        draw = torch.rand(features.shape[:2], device=features.device)
        # the same number decides whether and which: given that it is below the rate it is uniform
        chosen = torch.where(draw < self.rate, (draw / self.rate * views).long() + 1, 0)
        chosen = chosen.clamp(max=views)[:, :, None, None]
        return features.gather(2, chosen.expand(-1, -1, 1, features.shape[3])).squeeze(2)

    def _changed(self, slices: Tensor, seed: int, rate: float) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return augmented(slices, generator, rate=rate, degrees=self.degrees, flip=self.flip)
