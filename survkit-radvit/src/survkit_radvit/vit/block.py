"""One block of the network, with or without saying how its tokens attended."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


def run_block(
    block: nn.Module, tokens: Tensor, real: Tensor | None, *, weights: bool
) -> tuple[Tensor, Tensor | None]:
    """Return the tokens behind a block, and its attention weights where they are asked for.

    Args:
        block: A block of timm's plain Vision Transformer.
        tokens: (batch, token, dim).
        real: Which of them are no padding; bool (batch, token). Padding is no key for anybody, and
            what stands there afterwards means nothing. ``None`` if all are.
        weights: Whether to return the mean over heads of the weights, (batch, query, key), at
            least in float32; each row sums to one. It makes the attention explicit, which at some
            hundred tokens costs nothing.

    Reference: Dosovitskiy et al. (2021), An image is worth 16 x 16 words, equations 2 and 3.
    """
    each: Any = block
    attended, shares = attend(each.attn, each.norm1(tokens), real, weights=weights)
    tokens = tokens + each.drop_path1(each.ls1(attended))
    return tokens + each.drop_path2(each.ls2(each.mlp(each.norm2(tokens)))), shares


def attend(
    attention: Any, tokens: Tensor, real: Tensor | None, *, weights: bool
) -> tuple[Tensor, Tensor | None]:
    """Return what the attention of a block gives, and its weights where they are asked for."""
    batch, count, _ = tokens.shape
    projected = attention.qkv(tokens).reshape(batch, count, 3, attention.num_heads, -1)
    query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
    query, key = attention.q_norm(query), attention.k_norm(key)
    mask = None if real is None else real[:, None, None, :]
    shares: Tensor | None = None
    if weights:
        scores = (query * attention.scale) @ key.transpose(-2, -1)
        scores = scores if mask is None else scores.masked_fill(~mask, -torch.inf)
        exact = torch.promote_types(scores.dtype, torch.float32)
        each_head = scores.softmax(dim=-1, dtype=exact)
        shares = each_head.mean(dim=1)
        result = attention.attn_drop(each_head).to(value.dtype) @ value
    else:
        rate = attention.attn_drop.p if attention.training else 0.0
        result = scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=rate)
    joined = result.transpose(1, 2).reshape(batch, count, -1)
    norm = getattr(attention, "norm", None)
    joined = joined if norm is None else norm(joined)
    return attention.proj_drop(attention.proj(joined)), shares
