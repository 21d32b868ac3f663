"""Any encoder's tokens replaced by codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, DataError
from survkit.flow import Encoding, ModalityInput, projected
from survkit.plugins import default_registry
from survkit.protocols import FitsBatches, Prepares
from survkit.settings import check_settings
from survkit.showing import ShownVolume, ShowsVolumes
from survkit.specs import EncodingSpec, InputSpec
from survkit_robsurv.quantizer.start_codes import checked_start_seed, start_codes
from survkit_robsurv.quantizer.vector_quantizer import Learning, Start, VectorQuantizer

_HANDED_ON = (
    "check_batches", "fit", "load_weights", "prepare", "preparation_fingerprint",
    "prepared_example", "token_images", "token_mask_share",
)  # fmt: skip


class VQEncoder(nn.Module):
    """Quantizes the tokens of another encoder.

    Tokens are the nearest codes, the continuous twin is what the other encoder gave, the summary is
    the mean of the real tokens: what an encoder says beside its tokens would bypass the codes.
    Penalties are ``codebook`` (absent with ``learning: ema``), ``commitment`` and the other
    encoder's own. Everything else that the other encoder can do (preparing, scaling, published
    weights, pictures of its tokens) it does as without the codes. The codes of volumes whose tokens
    lie on a grid are shown in pictures.

    Args:
        input: What the other encoder is built for.
        encoder: Its registry name, such as resnet3d-18 or slicetention/slices.
        encoder_settings: Its own settings.
        codebook_size: How many codes.
        code_dim: Width of the codes, with a linear map to and from it; null for the tokens' own.
        normalised: Compare directions instead of places, see
            :class:`survkit_robsurv.quantizer.vector_quantizer.VectorQuantizer`.
        learning: ``gradient`` of the codebook penalty, or ``ema``, moving averages.
        start: ``uniform`` in ±1 / codebook_size, or ``kmeans`` on training tokens.
        start_seed: Of the tokens that k-means is run on, and of its own draws.
        restart_after: Steps without use after which a code becomes a token of the last step; null
            for never.

    Raises:
        CompositionError: The other encoder refuses the input, or quantizes already.
        ConfigError: No such encoder, a setting that it has not, or one out of range.

    Reference: Farooq et al. (2025), arXiv 2505.02529, DualVQ, eqs. 1-5, over any tokens.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        encoder: str = "resnet3d-18",
        encoder_settings: dict[str, Any] | None = None,
        codebook_size: int = 1024,
        code_dim: int | None = None,
        normalised: bool = False,
        learning: Learning = "gradient",
        start: Start = "uniform",
        start_seed: int = 0,
        restart_after: int | None = 10,
    ) -> None:
        super().__init__()
        self.network = _built(encoder, input, encoder_settings or {})
        inner: EncodingSpec = self.network.encoding
        if inner.has_continuous:
            raise CompositionError(
                f"vq quantizes tokens, but those of {encoder} are quantized already; use it alone"
            )
        self.start_seed = checked_start_seed(start_seed)
        self.quantizer = VectorQuantizer(
            inner.dim,
            codebook_size=codebook_size,
            code_dim=code_dim,
            normalised=normalised,
            learning=learning,
            start=start,
            restart_after=restart_after,
        )
        if taken := set(inner.penalties) & set(self.quantizer.penalties):
            raise CompositionError(
                f"{encoder} gives a penalty {', '.join(sorted(taken))} itself, which vq would hide"
            )
        self._encoding = replace(
            inner, has_continuous=True, penalties=(*self.quantizer.penalties, *inner.penalties)
        )
        for name in _HANDED_ON:  # what it cannot do is not offered either
            if hasattr(self.network, name):
                setattr(self, name, getattr(self.network, name))
        one_volume = input.kind == "volume" and not input.has_tokens
        if one_volume and inner.grid is not None and not isinstance(self.network, Prepares):
            self.volumes = self._volumes

    @property
    def encoding(self) -> EncodingSpec:
        """That of the other encoder, with a continuous twin and the penalties of the codes."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode, and quantize the tokens."""
        inner = projected(self.network(input, penalties=penalties))
        found = self.quantizer(inner.tokens, inner.token_mask, losses=penalties)
        return replace(
            inner,
            tokens=found.quantized,
            continuous=inner.tokens,
            summary=_masked_mean(found.quantized, inner.token_mask),
            penalties={**found.losses, **inner.penalties},
        )

    def code_index(self, values: Tensor) -> Tensor:
        """Return the codes of inputs (batch, ...) on the grid of the tokens, int64 (batch, *grid).

        Raises:
            CompositionError: The tokens lie on no grid.
        """
        grid = self._encoding.grid
        if grid is None:
            raise CompositionError("the tokens of this encoder lie on no grid, so no map of codes")
        present = torch.ones(len(values), dtype=torch.bool, device=values.device)
        tokens, _ = self._tokens_of(ModalityInput(values, present))
        return self.quantizer.code_index(tokens).view(len(tokens), *grid)

    def _volumes(self, values: Tensor) -> dict[str, ShownVolume]:
        """Return the codes for pictures, beside what the other encoder shows."""
        shown: dict[str, ShownVolume] = {}
        if isinstance(self.network, ShowsVolumes):
            shown.update(self.network.volumes(values))
        shown["codes"] = ShownVolume(self.code_index(values), "label", len(self.quantizer.codebook))
        return shown

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Let the other encoder estimate what it does, then start the codes where ``start`` says
        so.

        Raises:
            DataError: Both need the batches, which can be read once only.
        """
        starts = self.quantizer.start == "kmeans"
        if isinstance(self.network, FitsBatches):
            if starts and iter(batches) is batches:
                raise DataError(
                    "the encoder and its codes each need to see the training subjects, but these "
                    "batches can be read once only; give a list, or what can be iterated again"
                )
            self.network.fit_batches(batches)
        if starts:
            start_codes(self, self.quantizer, self._tokens_of, batches, seed=self.start_seed)

    def _tokens_of(self, input: ModalityInput) -> tuple[Tensor, Tensor | None]:
        inner = projected(self.network(input, penalties=False))
        return inner.tokens, inner.token_mask


def _built(name: str, input: InputSpec, settings: dict[str, Any]) -> Any:
    component = default_registry().find("encoder", name)
    constructor: Any = component.load()
    where = f"encoder_settings ({component.full_name})"
    return constructor(input, **check_settings(constructor, settings, where=where))


def _masked_mean(tokens: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean over real tokens, (batch, dim); 0 where there is none."""
    if mask is None:
        return tokens.mean(dim=1)
    total = torch.where(mask[..., None], tokens, 0).sum(dim=1)
    return total / mask.sum(dim=1, keepdim=True).clamp(min=1)
