"""Convolutions of float32 in float32 on a GPU too, so that every device predicts the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def whole_float32() -> Iterator[None]:
    """Switch TF32 off inside the block, or inside the function that this decorates.

    PyTorch lets cuDNN round what convolutions read to 10 bits. Such a prediction differs from that
    of a CPU by more than rounding, and a token may choose another code.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
