"""The encoder of pictures: a Vision Transformer, a token per patch, the class token as summary."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.protocols import Sample
from survkit.published_weights import PRETRAINED
from survkit.specs import EncodingSpec, InputSpec
from survkit_radvit.vit.backbone import VitSettings, build_vit
from survkit_radvit.vit.picture import PictureScale, stretched
from survkit_radvit.vit.pruned_network import PrunedNetwork, VitResult, cut
from survkit_radvit.vit.tuning import Tune, freeze
from survkit_radvit.vit.weights import load_vit_weights


class VitEncoder(nn.Module):
    """Encodes an X-ray, or any picture, patch by patch.

    Each picture is stretched from its lowest to its highest value (one value everywhere becomes 0
    everywhere), then scaled by the mean and SD that the backbone's weights were learnt with; one
    grey channel is repeated to three. The picture's size is the one that the cohort declares;
    published positions are resampled to its grid as timm does it, kernels to another ``patch``.

    Tokens are the patches behind the last normalisation, row by row; the summary is the class token
    there; the attention weights are the last block's, from the class token to the patches, averaged
    over heads, summing to one.

    Patches are dropped from the computation, not masked, in two ways that may be combined. By
    :meth:`keep_tokens`, before the first block: the pixels of the others then count in the stretch
    alone. By ``prune_at`` and ``threshold``, for each subject by its own attention; this asks the
    device once per call how many patches the longest row keeps. Tokens that were dropped are zeros
    and no part of ``token_mask``.

    Args:
        input: The picture; one channel or three.
        backbone: Plain Vision Transformer by its name in timm, with or without a tag of weights.
        patch: Rows and columns of a patch; null for the backbone's own.
        dim: Width of a token; as ``depth`` and ``heads``, null for the backbone's own. They
            describe a network of another size, which starts from random weights.
        depth: Blocks.
        heads: Attention heads per block.
        weights: ``"pretrained"``, what timm names for the backbone; the path of a state dict of
            timm's names; or null for random ones, which want ``tune: all``.
        tune: ``last-blocks``: the last ``blocks`` blocks and the last normalisation train; ``all``:
            everything does; ``none``: nothing.
        blocks: How many of the last blocks train.
        dropout: Behind the positions and the linear layers of blocks that train.
        prune_at: Block behind which each subject's patches are dropped, or null.
        threshold: Share of that block's attention that a patch needs to stay, in units of the
            uniform share 1 / patch; the patch with the most stays always.

    Raises:
        CompositionError: No picture, or more than one per subject.
        ConfigError: No such backbone, a picture that is not made of whole patches, or settings that
            are out of range or contradict each other.

    Reference: Dosovitskiy et al. (2021), An image is worth 16 x 16 words; Shi, Li (2026), image
        branch, where patches of 32 x 32 on 384 x 384 and 12 blocks point to ViT-B/32.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        backbone: str = "vit_base_patch32_384",
        patch: int | None = None,
        dim: int | None = None,
        depth: int | None = None,
        heads: int | None = None,
        weights: str | None = PRETRAINED,
        tune: Tune = "last-blocks",
        blocks: int = 2,
        dropout: float = 0.0,
        prune_at: int | None = None,
        threshold: float | None = None,
    ) -> None:
        super().__init__()
        _check_picture(input)
        self.settings = VitSettings(
            backbone=backbone, patch=patch, dim=dim, depth=depth, heads=heads, dropout=dropout
        )
        if weights is not None and self.settings.reshaped:
            raise ConfigError(
                f"{', '.join(self.settings.reshaped)} describe a network of another size, for "
                "which there are no weights: set weights: null and tune: all, or leave them out"
            )
        self.weights = weights
        vit = build_vit(self.settings, input)
        known = getattr(vit, "pretrained_cfg", None) or {}
        self.scale = PictureScale(tuple(known["mean"]), tuple(known["std"]))
        self._frozen = freeze(vit, tune, blocks)
        self.network = PrunedNetwork(vit, prune_at=prune_at, threshold=threshold)
        self._encoding = EncodingSpec(
            dim=int(self.network.vit.embed_dim), tokens=self.network.patches, grid=self.network.grid
        )
        self.train(self.training)

    @property
    def encoding(self) -> EncodingSpec:
        """A token per patch, on the grid of the patches."""
        return self._encoding

    def train(self, mode: bool = True) -> VitEncoder:
        """Set the mode of what trains; the rest stays in eval mode."""
        super().train(mode)
        for module in self._frozen:
            module.training = False
        return self

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the pictures; ``penalties`` changes nothing, there are none."""
        result: VitResult = self.network(self.scale(input.values))
        return Encoding(
            tokens=result.tokens,
            summary=result.class_token,
            present=input.present,
            token_mask=result.kept,
            grid=self._encoding.grid,
            attention_weights=result.attention,
        )

    def load_weights(self) -> None:
        """Read the backbone's weights.

        Raises:
            DataError: They are neither at hand nor within reach, or another network's.
        """
        if self.weights is not None:
            load_vit_weights(self.network.vit, self.settings.backbone, self.weights)

    def keep_tokens(self, kept: Tensor | None) -> None:
        """Compute these patches alone from now on; ``None`` for all of them.

        Args:
            kept: bool (patch): for everybody, saved with the weights. bool (batch, patch): for the
                rows of the batches that follow, not saved.

        Raises:
            DataError: It is neither, or a subject would keep nothing.
        """
        self.network.keep(kept)

    @torch.no_grad()
    def token_importance(self, values: Tensor) -> Tensor:
        """Return how much the class token attends to each patch in the last block while none is
        dropped; (batch, patch), each row sums to one.
        """
        result: VitResult = self.network(self.scale(values), prune=False)
        return result.attention

    @torch.no_grad()
    def attention_maps(self, values: Tensor) -> Mapping[str, Tensor]:
        """Return the last block's attention and the attention rolled out over all blocks.

        Of the network as it predicts: patches that it drops have none.

        Reference: Abnar, Zuidema (2020), for the rollout.
        """
        result: VitResult = self.network(self.scale(values), rollout=True)
        assert result.rollout is not None
        shape = (len(values), *self.network.grid)
        return {
            "last block": result.attention.reshape(shape),
            "rollout": result.rollout.reshape(shape),
        }

    def token_images(self, sample: Sample) -> Tensor:
        """Return the pixels of each patch, the picture's darkest black and its brightest white."""
        picture = stretched(sample.values[None]).mean(dim=1, keepdim=True)
        return self._tiles(picture)

    def token_mask_share(self, sample: Sample) -> Tensor:
        """Return the share of each patch that lies in the sample's mask."""
        assert sample.mask is not None
        share: Tensor = self._tiles(sample.mask[None, None].float()).mean(dim=(1, 2))
        return share

    def _tiles(self, picture: Tensor) -> Tensor:
        size: tuple[int, int] = tuple(self.network.vit.patch_embed.patch_size)
        return cut(picture, size)[0].reshape(-1, *size)


def _check_picture(input: InputSpec) -> None:
    if input.kind == "image" and not input.has_tokens and input.shape[0] in (1, 3):
        return
    many = " with many pictures per subject" if input.has_tokens else ""
    channels = f" of {input.shape[0]} channels" if input.kind == "image" else ""
    raise CompositionError(
        f"radvit/vit needs an image modality, one picture per subject with one or three channels, "
        f"but this one is a {input.kind}{channels}{many}; tabular fits tables, vector fits "
        "precomputed embeddings, slicetention/slices a CT"
    )
