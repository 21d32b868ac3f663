"""The pixel design: phantom chest X-rays whose patches are the tokens, with a lesion at varying
places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from survkit.errors import ConfigError
from survkit.phantom import CauseEffects, Phantom, PhantomConfig, WeibullBaseline, generate_phantom
from survkit_radvit.shallow.event_times import Follow
from survkit_radvit.shallow.subjects import Study, Subjects

PATCH = 8
"""Pixels per edge of a patch."""
IMAGE_SIZES = (48, 96)
SIZES = (600, 300, 600)
_FOLLOW_UP = 36_500.0
"""Days; so long that censoring is by chance alone, as in the other designs."""
_SCALE = 800.0
"""Days by which 63 % of subjects of log hazard 0 have the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XrayPatches:
    """Draws studies of the pixel design.

    The log hazard is the standardized volume of the lesion, whose shadow is a bright disc somewhere
    in a lung; relevant are the patches that the shadow touches. All come from one scanner.

    Attributes:
        image_size: Pixels per edge, 48 (36 patches) or 96 (144).
        follow: How subjects are followed.
        sizes: Training, validation and test subjects.
    """

    image_size: int
    follow: Follow
    sizes: tuple[int, int, int] = SIZES

    def __post_init__(self) -> None:
        if self.image_size not in IMAGE_SIZES:
            raise ConfigError(f"image_size must be 48 or 96 pixels, not {self.image_size!r}")

    def draw(self, generator: Generator) -> Study:
        """Draw a study; patches are standardized by the training subjects."""
        seed = int(torch.randint(2**62, (1,), generator=generator))
        phantom = generate_phantom(self._config(seed))
        pictures, shadows = _pictures(phantom)
        tokens = standardize(patches_of(pictures), self.sizes[0])
        subjects = Subjects(
            tokens=tokens,
            relevant=patches_of(shadows).any(dim=-1),
            log_hazard=torch.from_numpy(phantom.log_hazard[:, 0]),
            duration=torch.from_numpy(phantom.outcome.duration),
            observed=torch.from_numpy(phantom.outcome.event > 0),
        )
        train, validation, _ = self.sizes
        ends = (0, train, train + validation, len(phantom))
        return Study(*(subjects.rows(slice(first, last)) for first, last in pairwise(ends)))

    def _config(self, seed: int) -> PhantomConfig:
        return PhantomConfig(
            subjects=sum(self.sizes),
            size=self.image_size,
            seed=seed,
            censored=self.follow.censored,
            follow_up=_FOLLOW_UP,
            modalities=("cxr",),
            sites=1,
            site_shift=0.0,
            effects=(CauseEffects(size=1.0),),
            baseline=WeibullBaseline(shape=self.follow.shape, scales=(_SCALE,)),
        )


def _pictures(phantom: Phantom) -> tuple[Tensor, Tensor]:
    """Return the X-rays, float32 (subject, row, column), and the shadows of the lesions, bool on
    the same grid: the projection of the X-ray, along the front-to-back axis, head on top.
    """
    pictures: list[NDArray[np.float32]] = []
    shadows: list[NDArray[np.bool_]] = []
    for images in phantom.all_images():
        if images.cxr is None:
            raise ConfigError("every subject of the pixel design has an X-ray")
        pictures.append(images.cxr)
        shadows.append(np.asarray(images.lesion.any(axis=1))[::-1])
    return torch.from_numpy(np.stack(pictures)), torch.from_numpy(np.stack(shadows))


def patches_of(pictures: Tensor) -> Tensor:
    """Cut pictures (subject, row, column) into patches, (subject, patch, pixel), row by row."""
    cut = pictures.unfold(1, PATCH, PATCH).unfold(2, PATCH, PATCH)
    return cut.flatten(3).flatten(1, 2).contiguous()


def standardize(patches: Tensor, train: int) -> Tensor:
    """Return patches whose every pixel has mean 0 in the first ``train`` subjects, and so that a
    typical patch has length 1, as the patterns of the other designs.

    What all subjects share, the anatomy, is thereby gone. A pixel that is the same in all training
    subjects is 0.

    Args:
        patches: Float32 (subject, patch, pixel), the training subjects first.
        train: Number of training subjects, alone used for mean and SD.
    """
    known = patches[:train].double()
    mean, sd = known.mean(dim=0), known.std(dim=0, correction=0)
    centred: Tensor = (patches - mean) / torch.where(sd > 0, sd, torch.inf)
    return (centred / math.sqrt(patches.shape[-1])).float()
