"""A backbone that starts from nothing: seeded, and with normalisation that fits what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def set_batch_statistics(network: nn.Module, run: Callable[[], object]) -> None:
    """Set running means and variances once, from made-up images, so that a random network carries
    a signal.

    A frozen network normalises by running statistics; fresh ones (0 and 1) let the signal fade
    from layer to layer until every image looks the same. No subject's data has a part in this.
    Computed in float64 and rounded once: sums in float32 differ in their last bit with the number
    of threads, and weights that differ in a bit are other weights to the cache.

    Args:
        network: In float32, and in eval mode afterwards.
        run: Shows the images, in float64, to the network.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    kept = [module.momentum for module in norms]
    network.eval()
    if not norms:
        return
    network.double()
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # the plain mean over batches: here of one
        module.train()
    with torch.no_grad():
        run()
    network.float()
    for module, momentum in zip(norms, kept, strict=True):
        module.momentum = momentum
    network.eval()


def made_up_images(count: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Return blobs of several sizes and noise, of mean 0 and SD 1 each; (count, channel, ...).

    Something at every scale, so that no filter of the network is set by what it never sees. Worked
    out in float64 and rounded, so that the number of threads shows in no bit.
    """
    generator = torch.Generator().manual_seed(seed)
    mode = "bilinear" if len(shape) == 3 else "trilinear"
    images = 0.5 * torch.randn(count, *shape, generator=generator).double()
    for blobs in (4, 12, 36):
        axes = [min(blobs, axis) for axis in shape[1:]]
        coarse = torch.randn(count, shape[0], *axes, generator=generator).double()
        images += functional.interpolate(coarse, size=shape[1:], mode=mode, align_corners=False)
    flat = images.flatten(1)
    flat = (flat - flat.mean(dim=1, keepdim=True)) / flat.std(dim=1, keepdim=True)
    return flat.reshape(images.shape).float()
