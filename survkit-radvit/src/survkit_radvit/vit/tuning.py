"""Which part of the network trains."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn

from survkit.errors import ConfigError

Tune = Literal["last-blocks", "all", "none"]
"""``last-blocks``: the last few blocks and the normalisation behind them; ``all``: everything;
``none``: nothing, the network is a fixed description of the picture."""


def freeze(vit: Any, tune: Tune, blocks: int) -> list[nn.Module]:
    """Take out of training what the settings say; return it, to be kept in eval mode.

    Raises:
        ConfigError: No such choice, or more blocks than there are.
    """
    if tune not in ("last-blocks", "all", "none"):
        raise ConfigError(f"tune must be one of last-blocks, all, none, not {tune!r}")
    if not 1 <= blocks <= len(vit.blocks):
        raise ConfigError(
            f"blocks, how many of the last ones train, is 1 to {len(vit.blocks)}, not {blocks}"
        )
    if tune == "all":
        return []
    vit.requires_grad_(False)
    if tune == "none":
        return [vit]
    trained = [*list(vit.blocks)[-blocks:], vit.norm]
    for module in trained:
        module.requires_grad_(True)
    inside = {id(each) for module in trained for each in module.modules()}
    parents = {id(vit), id(vit.blocks)}
    return [each for each in vit.modules() if id(each) not in inside | parents]
