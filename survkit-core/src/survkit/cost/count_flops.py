"""Counts the floating-point operations of whatever runs inside.

Convention: a multiplication and an addition are two operations, so that one multiply-add (MAC) is
two FLOPs. Matrix products, convolutions and attention are counted, as by
:mod:`torch.utils.flop_counter`; element-wise operations, normalisation and pooling are not, which
are below one in a hundred of a network's arithmetic. Many papers print MACs under the name FLOPs:
compare with both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


@dataclass(slots=True)
class FlopCount:
    """Operations counted so far."""

    flops: int = 0


@contextmanager
def count_flops() -> Iterator[FlopCount]:
    """Count what runs inside, without gradients; the count is there afterwards.

    Fused paths of attention are switched off meanwhile: they do the same arithmetic in one kernel
    that no counter looks into.
    """
    found = FlopCount()
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as mode:
            yield found
        found.flops = int(mode.get_total_flops())
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
