"""Bounds what building a network from a stranger's config.json may ask of memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

SPARE_BYTES = 1 << 29
SPARE_TENSORS = 20_000


class OverBudgetError(Exception):
    """Building asks for more than the weights beside the configuration can fill."""


class BuildBudget(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuse inside the block what a network of these weights cannot need, before it is allocated.

    All that a network stores lies in its weights file, in the same or half the precision. So the
    tensors that are made from nothing may have four times the file's bytes together, and half a
    GiB to spare for what is not stored; so may each single result of a computation. Sizes are found
    by running the operation on the meta device first.

    Args:
        stored_bytes: Size of the weights file.
        stored_tensors: Number of tensors in it.
    """

    def __init__(self, stored_bytes: int, stored_tensors: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most_bytes = 4 * stored_bytes + SPARE_BYTES
        self.most_tensors = 20 * stored_tensors + SPARE_TENSORS
        self.made_bytes = self.made_tensors = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation of torch, if its result is within the budget."""
        kwargs = kwargs or {}
        if not func._schema.is_mutable:
            self._check(func, args, kwargs)
        return func(*args, **kwargs)

    def _check(self, func: Any, args: Any, kwargs: dict[str, Any]) -> None:
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        if not given and all(one.name != "device" for one in func._schema.arguments):
            return
        size = _size_of_result(func, args, kwargs, anew=not given)
        if not given:
            self.made_tensors += 1
            self.made_bytes += size
            size = self.made_bytes
        if size > self.most_bytes:
            raise OverBudgetError(f"{size:,} bytes of memory")
        if self.made_tensors > self.most_tensors:
            raise OverBudgetError(f"more than {self.most_tensors:,} tensors")


def _size_of_result(func: Any, args: Any, kwargs: dict[str, Any], *, anew: bool) -> int:
    """Return the bytes of what an operation gives, without doing it; 0 where that is not known.

    What cannot be run on the meta device gives numbers or has the size of its inputs.
    """
    args, kwargs = tree_map_only(Tensor, lambda one: one.detach().to("meta"), (args, kwargs))
    if anew:
        kwargs = kwargs | {"device": torch.device("meta")}
    try:
        result = func(*args, **kwargs)
    except RuntimeError:
        return 0
    return sum(
        one.numel() * one.element_size() for one in tree_leaves(result) if isinstance(one, Tensor)
    )
