"""The encoder of precomputed embeddings: scaling, principal components, and a small network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit.encoders.fitted_state import FittedState
from survkit.encoders.linear_path import feature_network
from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec


class VectorScaling(FittedState):
    """Standardises vectors and projects them onto principal components of the training vectors.

    Components are scaled together so that the first has variance 1: their order of importance is
    kept, so that a penalty on the weights shrinks the minor ones most. The sign of each is fixed by
    its largest entry being positive. Components beyond what the training vectors vary in (fewer
    vectors than components, say) are always 0 and carry no weight.
    """

    mean: Tensor
    scale: Tensor
    rotation: Tensor

    def __init__(self, width: int, *, standardise: bool, components: int | None) -> None:
        super().__init__()
        if components is not None and not 1 <= components <= width:
            raise ConfigError(
                f"components must lie between 1 and the vector's {width} entries, not {components}"
            )
        self.standardise, self.components = standardise, components
        self.features = width if components is None else components
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer(
            "rotation", torch.eye(width, self.features) if components else torch.empty(0)
        )
        if not standardise and components is None:
            self.mark_fitted()  # nothing to estimate

    def fit(self, vectors: Tensor) -> None:
        """Estimate from training vectors (vector, entry), in float64.

        Raises:
            DataError: No vectors, or a value that is not finite.
        """
        if not self.standardise and self.components is None:
            return
        vectors = vectors.detach().to(torch.float64)
        if len(vectors) == 0:
            raise DataError(
                "a vector encoder is fitted on training subjects, but none has this modality"
            )
        if not bool(vectors.isfinite().all()):
            row = int((~vectors.isfinite()).any(dim=1).nonzero()[0])
            raise DataError(
                f"embeddings must be finite, but training vector {row} is not; correct the file"
            )
        mean, scale = vectors.mean(dim=0), torch.ones_like(vectors[0])
        if self.standardise:
            deviation = vectors.std(dim=0, correction=0)
            floor = 8 * torch.finfo(vectors.dtype).eps * vectors.abs().amax(dim=0)
            scale = torch.where(deviation > floor, deviation, scale)
        self.mean.copy_(mean)
        self.scale.copy_(scale)
        if self.components is not None:
            self.rotation.copy_(_principal_axes((vectors - mean) / scale, self.components))
        self.mark_fitted()

    def forward(self, vectors: Tensor) -> Tensor:
        """Return scaled vectors or components (..., feature), in the dtype of the fitted state."""
        self.check_fitted()
        scaled = (vectors.to(self.mean.dtype) - self.mean) / self.scale
        return scaled if self.components is None else scaled @ self.rotation


def _principal_axes(centred: Tensor, components: int) -> Tensor:
    """Return axes (entry, component) divided by the standard deviation along the first of them.

    Axes along which the training vectors do not vary are zero.
    """
    _, singular, axes = torch.linalg.svd(centred, full_matrices=False)
    rank = int((singular > singular[0] * max(centred.shape) * torch.finfo(centred.dtype).eps).sum())
    kept = axes[: min(components, rank)]
    result = centred.new_zeros(components, centred.shape[1])
    if len(kept):
        largest = kept.gather(1, kept.abs().argmax(dim=1, keepdim=True))
        spread = singular[0] / len(centred) ** 0.5
        result[: len(kept)] = kept * largest.sign() / spread
    return result.T


class VectorEncoder(nn.Module):
    """Encodes one precomputed embedding per subject, or a varying number of them (tiles, slices).

    With many per subject every one becomes a token, the token mask is handed on, and the summary is
    the mean over the real ones.

    Args:
        input: The embedding's width, and whether there are many per subject.
        dim: Width of the tokens; ``None`` leaves out the linear output layer.
        hidden: Widths of the hidden layers.
        dropout: Dropout rate after each hidden layer.
        linear_path: Put the features themselves beside the last hidden layer, so that a penalised
            linear head is a ridge model that the network may add to.
        standardise: Scale every entry by its training mean and SD.
        components: Number of principal components of the training vectors to keep; all entries
            where ``None``.

    Raises:
        CompositionError: The input is not a vector.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        dim: int | None = 16,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        linear_path: bool = False,
        standardise: bool = True,
        components: int | None = None,
    ) -> None:
        super().__init__()
        if input.kind != "vector":
            raise CompositionError(
                "VectorEncoder needs a vector modality (precomputed embeddings), but this one is a "
                f"{input.kind}; tabular fits tables, resnet3d-18 and densenet3d-121 fit volumes"
            )
        self.scaling = VectorScaling(input.shape[0], standardise=standardise, components=components)
        self.network, width = feature_network(
            self.scaling.features, hidden, dim=dim, dropout=dropout, linear_path=linear_path
        )
        tokens = None if input.has_tokens else 1
        self._encoding = EncodingSpec(dim=width, tokens=tokens)

    @property
    def encoding(self) -> EncodingSpec:
        """One token per embedding."""
        return self._encoding

    def fit(self, input: ModalityInput) -> None:
        """Estimate scaling and components from the real embeddings of present training subjects."""
        real = input.present
        if input.token_mask is not None:
            real = input.token_mask & input.present[:, None]
        self.scaling.fit(input.values[real].reshape(-1, input.values.shape[-1]))

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the embeddings; ``penalties`` changes nothing, there are none.

        Raises:
            DataError: Not fitted yet.
        """
        if self._encoding.tokens == 1:
            summary = self.network(self.scaling(input.values))
            return Encoding(tokens=summary[:, None], summary=summary, present=input.present)
        tokens = self.network(self.scaling(input.values))
        return Encoding(
            tokens=tokens,
            summary=masked_mean(tokens, input.token_mask),
            present=input.present,
            token_mask=input.token_mask,
        )


def masked_mean(tokens: Tensor, token_mask: Tensor | None) -> Tensor:
    """Return the mean (batch, dim) over real tokens of (batch, token, dim); zero without any."""
    if token_mask is None:
        return tokens.mean(dim=1)
    kept = torch.where(
        token_mask[..., None], tokens, torch.zeros((), dtype=tokens.dtype, device=tokens.device)
    )
    return kept.sum(dim=1) / token_mask.sum(dim=1, keepdim=True).clamp(min=1)
