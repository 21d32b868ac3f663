"""A Vision Transformer of timm by name, or a smaller one described by its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from torch import nn

from survkit.errors import ConfigError
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class VitSettings:
    """Which network; ``None`` where the backbone's own number holds.

    Attributes:
        backbone: Name in timm, with or without the tag of its weights.
        patch: Rows and columns of a patch.
        dim: Width of a token.
        depth: Number of blocks.
        heads: Attention heads of a block.
        dropout: Share of entries dropped behind the positions and behind every linear layer of a
            block but that of queries, keys and values.
    """

    backbone: str
    patch: int | None = None
    dim: int | None = None
    depth: int | None = None
    heads: int | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("patch", "dim", "depth", "heads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is at least 1, or null for the backbone's own: {value}")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout is in [0, 1), not {self.dropout}")

    @property
    def reshaped(self) -> tuple[str, ...]:
        """Return the sizes that published weights cannot follow."""
        return tuple(n for n in ("dim", "depth", "heads") if getattr(self, n) is not None)


def build_vit(settings: VitSettings, input: InputSpec) -> nn.Module:
    """Return the network for three channels, without classifier, randomly initialised.

    Raises:
        ConfigError: There is no such network, it is no plain Vision Transformer with a class token,
            or the picture is not made of whole patches.
    """
    import timm

    check_name(settings.backbone)
    rows, columns = input.shape[1:]
    given = {
        "patch_size": settings.patch,
        "embed_dim": settings.dim,
        "depth": settings.depth,
        "num_heads": settings.heads,
    }
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    options |= {"proj_drop_rate": settings.dropout, "pos_drop_rate": settings.dropout}
    try:
        network: nn.Module = timm.create_model(
            settings.backbone, num_classes=0, img_size=(rows, columns), **options
        )
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        raise ConfigError(
            f"timm cannot build backbone {settings.backbone!r} for a picture of {rows} x {columns} "
            f"with {options}: {_line(error)}; radvit/vit takes plain Vision Transformers, such as "
            "vit_base_patch32_384"
        ) from error
    _check_plain(network, settings.backbone)
    _check_whole_patches(network, settings.backbone, (rows, columns))
    return network


def check_name(name: str) -> None:
    """Refuse a name or a tag of weights that timm does not know."""
    import timm

    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        close = get_close_matches(base, timm.list_models("*vit*"), n=3, cutoff=0.6)
        hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise ConfigError(f"timm has no backbone {base!r}. {hint}Name one of its vit_ models")
    tags = [each.partition(".")[2] for each in timm.list_models(f"{base}.*", pretrained=True)]
    if tag and tag not in tags:
        raise ConfigError(
            f"timm has no weights {tag!r} for {base!r}; it has {', '.join(tags) or 'none'}"
        )


def _check_plain(network: nn.Module, name: str) -> None:
    """Refuse a network whose blocks are not those of Dosovitskiy et al. (2021)."""
    from timm.layers.attention import Attention
    from timm.models.vision_transformer import Block, VisionTransformer

    found = ""
    if type(network) is not VisionTransformer:
        found = f"it is a {type(network).__name__}"
    elif network.cls_token is None:
        found = "it has no class token"
    elif isinstance(network.norm, nn.Identity):
        found = "it has no normalisation behind its last block"
    else:
        for block in network.blocks:
            attention = getattr(block, "attn", None)
            if type(block) is not Block or type(attention) is not Attention:
                found = f"its blocks are {type(block).__name__}"
            elif getattr(attention, "gate", None) is not None:
                found = "its attention is gated"
    if found:
        raise ConfigError(
            f"radvit/vit takes plain Vision Transformers with a class token, but of backbone "
            f"{name!r} {found}; vit_base_patch32_384, say, or deit_small_patch16_224 fit"
        )


def _check_whole_patches(network: Any, name: str, size: tuple[int, int]) -> None:
    patch: tuple[int, int] = tuple(network.patch_embed.patch_size)
    if any(whole % part for whole, part in zip(size, patch, strict=True)):
        fits = [max(1, round(w / p)) * p for w, p in zip(size, patch, strict=True)]
        raise ConfigError(
            f"the patches of backbone {name!r} have {patch[0]} x {patch[1]} pixels and do not tile "
            f"a picture of {size[0]} x {size[1]}; declare size: [{fits[0]}, {fits[1]}] for this "
            "modality in the cohort (fit: pad keeps the proportions), or set patch to a divisor"
        )


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
