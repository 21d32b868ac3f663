"""A backbone that starts from nothing: seeded, and with normalisation that fits what it sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

IMAGES = 8
LARGEST = 96
"""Made-up images and their largest edge: enough for means and variances, and quick."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from a seed of its own, and leave the generators as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def set_batch_statistics(network: nn.Module, shape: tuple[int, ...], seed: int) -> None:
    """Set running means and variances once, from made-up images, so that a random network carries
    a signal.

    A frozen network normalises by running statistics; fresh ones (0 and 1) let the signal fade
    from layer to layer until every image looks the same. No subject's data has a part in this.

    Args:
        network: In eval mode afterwards.
        shape: Of one input, (channel, y, x) or (channel, z, y, x).
        seed: Of the images.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    kept = [module.momentum for module in norms]
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # the plain mean over batches: here of one
    network.eval()
    for module in norms:
        module.train()
    with torch.no_grad():
        network(made_up_images(IMAGES, shape, seed))
    for module, momentum in zip(norms, kept, strict=True):
        module.momentum = momentum
    network.eval()


def made_up_images(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Return smooth blobs with some noise, of mean 0 and SD 1 each; (count, channel, ...)."""
    generator = torch.Generator().manual_seed(seed)
    mode = "bilinear" if len(shape) == 3 else "trilinear"
    coarse = torch.randn(count, shape[0], *[6] * (len(shape) - 1), generator=generator)
    smooth = functional.interpolate(coarse, size=shape[1:], mode=mode, align_corners=False)
    images = smooth + 0.1 * torch.randn(smooth.shape, generator=generator)
    flat = images.flatten(1)
    flat = (flat - flat.mean(dim=1, keepdim=True)) / flat.std(dim=1, keepdim=True)
    return flat.reshape(images.shape)
