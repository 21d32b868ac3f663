"""Two modalities whose risks are mixed in fixed shares: the fusion of the hybrid model."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import check_modalities, sorted_modalities, where_present
from survkit.specs import EncodingSpec

RADIOMICS = "radiomics"


class MixedRisk(nn.Module):
    """Gives [(1 - alpha) ReLU(image summary), alpha ReLU(radiomics summary)], side by side.

    With the head ``cox`` (linear, no intercept) the log hazard is then the paper's
    F = (1 - alpha) beta' ReLU(s_image) + alpha gamma' ReLU(s_radiomics): beta and gamma are the two
    parts of the head's weight. Any two encodings fit: "image" is whichever is not the radiomics.

    ``modality_embeddings`` are the summaries through a projection head each (linear, ReLU, linear),
    as contrastive losses compare them. A subject without a modality has zeros there and in its half
    of the embedding: that half adds nothing to its log hazard, and the other keeps its share.

    Args:
        encodings: What the encoders of exactly two modalities give.
        radiomics: The modality whose share is ``alpha``; by default the one called ``radiomics``.
        alpha: Share of the radiomics, in [0, 1]. At 0 the risk is the image's alone; the radiomics
            then train through a contrastive loss, if at all.
        learn_alpha: Let alpha be learnt, as a sigmoid that starts at ``alpha``; not in the paper.
        projection: Width of the modality embeddings.
        hidden: Width within the projection heads; each summary's own where null.

    Raises:
        CompositionError: Not two modalities, or neither is known to be the radiomics.
        ConfigError: A setting out of range.

    Reference: Shi, Li (2026), arXiv 2604.21056, eqs. 2 and 3; the layers of the projection heads
        are a third party's.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        radiomics: str | None = None,
        alpha: float = 0.5,
        learn_alpha: bool = False,
        projection: int = 64,
        hidden: int | None = None,
    ) -> None:
        super().__init__()
        _check_settings(alpha, projection, hidden, learn_alpha=learn_alpha)
        self.radiomics = _radiomics(encodings, radiomics)
        (self.image,) = encodings.keys() - {self.radiomics}
        self.logit: nn.Parameter | None = None
        if learn_alpha:
            self.logit = nn.Parameter(torch.tensor(alpha).logit())
        self._alpha = alpha
        widths = [encodings[name].dim for name in (self.image, self.radiomics)]
        self._dim = sum(widths)
        self.projections = nn.ModuleList(
            _projection_head(width, hidden or width, projection) for width in widths
        )

    @property
    def dim(self) -> int:
        """The widths of both modalities together."""
        return self._dim

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def alpha(self) -> Tensor | float:
        """Share of the radiomics, as set or as learnt so far."""
        return self._alpha if self.logit is None else self.logit.sigmoid()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Mix; refuses other modalities than it was built for."""
        names = (self.image, self.radiomics)
        check_modalities(sorted(names), encodings)
        halves, embeddings = [], {}
        alpha = self.alpha
        for name, share, head in zip(names, (1 - alpha, alpha), self.projections, strict=True):
            present = encodings[name].present
            summary = where_present(encodings[name].summary, present)
            halves.append(share * summary.relu())
            embeddings[name] = where_present(head(summary), present)
        return Fused(embedding=torch.cat(halves, dim=1), modality_embeddings=embeddings)


def _projection_head(width: int, hidden: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, out))


def _radiomics(encodings: Mapping[str, EncodingSpec], named: str | None) -> str:
    """Return which modality is the radiomics, or refuse."""
    names = sorted_modalities(encodings)
    if len(names) != 2:
        raise CompositionError(
            f"mixed-risk mixes exactly two modalities, but the recipe names {', '.join(names)}; "
            "concat, mean and attention take any number"
        )
    wanted = RADIOMICS if named is None else named
    if wanted not in names:
        said = "none is called 'radiomics'" if named is None else f"not {named!r}"
        raise CompositionError(
            f"mixed-risk must know which modality's share is alpha: set radiomics to {names[0]} or "
            f"{names[1]} ({said})"
        )
    return wanted


def _check_settings(
    alpha: float, projection: int, hidden: int | None, *, learn_alpha: bool
) -> None:
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha is a share and must lie in [0, 1], not {alpha:g}")
    if learn_alpha and not 0 < alpha < 1:
        raise ConfigError(f"an alpha that is learnt must start within (0, 1), not at {alpha:g}")
    if projection < 1 or (hidden is not None and hidden < 1):
        raise ConfigError(
            f"projection and hidden must be at least 1, not {projection} and {hidden}"
        )
