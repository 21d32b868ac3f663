"""The network over those patches that are kept: the others are not computed at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from survkit.errors import ConfigError, DataError
from survkit.token_threshold import above_threshold
from survkit_radvit.vit.block import run_block
from survkit_radvit.vit.kept_patches import Places, chosen, narrowed
from survkit_radvit.vit.rollout import Rollout


@dataclass(frozen=True, slots=True)
class VitResult:
    """What the network says, laid back on the whole grid.

    Attributes:
        class_token: Behind the last normalisation; (batch, dim).
        tokens: Patches behind it, zeros where dropped; (batch, patch, dim).
        kept: Which patches went through the last block; bool (batch, patch), ``None`` for all.
        attention: Of the last block, class token to patches, mean over heads, summing to one,
            zeros where dropped; (batch, patch).
        rollout: Attention rolled out over all blocks, alike, where it was asked for.
    """

    class_token: Tensor
    tokens: Tensor
    kept: Tensor | None
    attention: Tensor
    rollout: Tensor | None = None


class PrunedNetwork(nn.Module):
    """A Vision Transformer of timm whose patches can be dropped.

    The buffer ``kept`` says which patches of the grid are computed, for every subject alike; it is
    saved with the weights. A patch keeps its position whatever happens to the others.

    Args:
        vit: The network, as :func:`survkit_radvit.vit.backbone.build_vit` gives it.
        prune_at: Block behind which each subject's patches are thinned out by that block's
            attention, or ``None``.
        threshold: Share of attention that a patch needs to stay, in units of the uniform share.
    """

    _everyones: Tensor | None

    def __init__(self, vit: Any, *, prune_at: int | None, threshold: float | None) -> None:
        super().__init__()
        self.vit = vit
        self.grid: tuple[int, int] = tuple(vit.patch_embed.grid_size)
        self.patches = self.grid[0] * self.grid[1]
        _check_pruning(prune_at, threshold, depth=len(vit.blocks))
        self.prune_at, self.threshold = prune_at, threshold
        self.register_buffer("kept", torch.ones(self.patches, dtype=torch.bool))
        self.register_buffer("_everyones", None, persistent=False)
        self._each_ones: Tensor | None = None
        self.register_load_state_dict_post_hook(_follow_loaded)  # type: ignore[no-untyped-call]

    def keep(self, kept: Tensor | None) -> None:
        """Compute these patches alone from now on; ``None`` for all.

        Args:
            kept: bool (patch), for everybody and saved with the weights; or bool (batch, patch),
                for the rows of the batches that follow, not saved.

        Raises:
            DataError: No such choice, or a subject would keep nothing.
        """
        buffer = self.get_buffer("kept")
        every = torch.ones_like(buffer)
        if kept is None:
            kept = every
        if kept.dtype != torch.bool or kept.ndim not in (1, 2) or kept.shape[-1] != self.patches:
            raise DataError(
                f"the patches to keep are bool (patch) or (batch, patch) with {self.patches} "
                f"patches, not {kept.dtype} {tuple(kept.shape)}"
            )
        if not bool(kept.any(dim=-1).all()):
            raise DataError("no patch would be kept; keep at least one of every subject")
        kept = kept.to(buffer.device)
        buffer.copy_(kept if kept.ndim == 1 else every)
        self._each_ones = kept if kept.ndim == 2 else None
        self.follow_kept()

    def follow_kept(self) -> None:
        """Remember the places that everybody keeps, so that no step asks the device for them."""
        buffer = self.get_buffer("kept")
        self._everyones = None if bool(buffer.all()) else buffer.nonzero().flatten()

    def forward(self, pixels: Tensor, *, prune: bool = True, rollout: bool = False) -> VitResult:
        """Return class token, patches and attention.

        Args:
            pixels: (batch, 3, y, x), scaled as the weights want it.
            prune: ``False`` computes every patch in every block, whatever was chosen.
            rollout: Whether to roll the attention out.
        """
        places = self._places(len(pixels), pixels.device) if prune else None
        tokens = self._embedded(pixels, places)
        given = places or Places(_all_of(self.patches, pixels))
        prefix = int(self.vit.num_prefix_tokens)
        rolled = Rollout(given, prefix) if rollout else None
        last = len(self.vit.blocks)
        share = tokens
        for number, block in enumerate(self.vit.blocks, start=1):
            here = prune and number == self.prune_at
            explicit = here or rollout or number == last
            real = _with_prefix(given, prefix)
            tokens, weights = run_block(block, tokens, real, weights=explicit)
            if weights is None:
                continue
            share = patch_share(weights, prefix)
            if rolled is not None:
                rolled.add(weights)
            if here:
                assert self.threshold is not None
                kept = above_threshold(share, self.threshold, given.real)
                given, within = narrowed(given, kept)
                tokens = torch.cat([tokens[:, :prefix], within.take(tokens[:, prefix:])], dim=1)
                places = given
                if rolled is not None:
                    rolled.narrow(within)
        return self._result(self.vit.norm(tokens), share, places, rolled)

    def _result(
        self, tokens: Tensor, share: Tensor, places: Places | None, rolled: Rollout | None
    ) -> VitResult:
        result = VitResult(
            class_token=tokens[:, 0],
            tokens=tokens[:, int(self.vit.num_prefix_tokens) :],
            kept=None,
            attention=share,
            rollout=None if rolled is None else rolled.shares(self.patches),
        )
        if places is None:
            return result
        return replace(
            result,
            tokens=places.lay(result.tokens, self.patches),
            kept=places.mask(self.patches),
            attention=places.lay(share, self.patches),
        )

    def _places(self, batch: int, device: torch.device) -> Places | None:
        if self._each_ones is not None:
            if len(self._each_ones) != batch:
                raise DataError(
                    f"patches were chosen for {len(self._each_ones)} subjects one by one, but "
                    f"{batch} came; choose for each batch before it, or for everybody"
                )
            return chosen(self._each_ones.to(device))
        index = self._everyones
        return None if index is None else Places(index[None].expand(batch, -1))

    def _embedded(self, pixels: Tensor, places: Places | None) -> Tensor:
        """Return class and register tokens, then the kept patches, with their positions.

        Patches do not overlap, so that the convolution is a linear layer on the pixels of each.
        """
        vit, embed = self.vit, self.vit.patch_embed
        patches = cut(pixels, embed.patch_size)
        patches = patches if places is None else places.take(patches)
        tokens = embed.norm(linear(patches, embed.proj.weight.flatten(1), embed.proj.bias))
        first = [each for each in (vit.cls_token, vit.reg_token) if each is not None]
        front = torch.cat(first, dim=1)
        if vit.pos_embed is not None:
            before = vit.pos_embed.shape[1] - self.patches
            if before:
                front = front + vit.pos_embed[:, :before]
            spots = vit.pos_embed[:, before:].expand(len(pixels), -1, -1)
            tokens = tokens + (spots if places is None else places.take(spots))
        front = front.expand(len(pixels), -1, -1)
        joined = torch.cat([front.to(tokens.dtype), tokens], dim=1)
        embedded: Tensor = vit.norm_pre(vit.pos_drop(joined))
        return embedded


def cut(pixels: Tensor, patch: tuple[int, int]) -> Tensor:
    """Return the pixels of each patch, (batch, patch, channel * y * x), x fastest."""
    batch, channels, rows, columns = pixels.shape
    high, wide = patch
    tiles = pixels.reshape(batch, channels, rows // high, high, columns // wide, wide)
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * high * wide)


def patch_share(weights: Tensor, prefix: int) -> Tensor:
    """Return the class token's attention to patches, summing to one; (batch, patch).

    Args:
        weights: (batch, query, key), class and register tokens first.
        prefix: How many these are.
    """
    share = weights[:, 0, prefix:]
    return share / share.sum(dim=1, keepdim=True)


def _with_prefix(places: Places, prefix: int) -> Tensor | None:
    if places.real is None:
        return None
    return torch.cat([places.real.new_ones(len(places.real), prefix), places.real], dim=1)


def _all_of(patches: int, like: Tensor) -> Tensor:
    return torch.arange(patches, device=like.device)[None].expand(len(like), -1)


def _check_pruning(prune_at: int | None, threshold: float | None, *, depth: int) -> None:
    if (prune_at is None) != (threshold is None):
        raise ConfigError(
            f"prune_at and threshold belong together: set both, or neither, not "
            f"prune_at={prune_at}, threshold={threshold}"
        )
    if prune_at is not None and not 1 <= prune_at < depth:
        raise ConfigError(
            f"prune_at is a block with one behind it, 1 to {depth - 1} of {depth}, not {prune_at}"
        )
    if threshold is not None and not 0 <= threshold < float("inf"):
        raise ConfigError(f"threshold is in units of the uniform share, at least 0: {threshold}")


def _follow_loaded(module: nn.Module, _: object) -> None:
    assert isinstance(module, PrunedNetwork)
    module._each_ones = None
    module.follow_kept()
