"""The Cox model with a ridge penalty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sksurv.linear_model import CoxPHSurvivalAnalysis

from survkit.baselines.protocol import Floats, TrainingPart
from survkit.baselines.sksurv_model import SOFTWARE, SksurvModel, fit_model
from survkit.errors import ConfigError

_CURE = "a stronger penalty or fewer columns help"


class RidgeCox:
    """Cox regression with the penalty ``penalty / 2 * |b|²`` on the log partial likelihood's sum.

    Where no penalty is given, the one of highest concordance in an inner cross-validation is taken
    from ``penalties``. The solution lies in the span of the training rows, so the model is fitted
    on coordinates in that span: the same solution, sooner where there are more columns than
    subjects, and also where columns repeat one another.

    Args:
        penalty: Instead of a choice.
        penalties: What is chosen among.
        ties: How tied events share a risk set.

    Raises:
        ConfigError: A setting is out of range.

    Reference: Verweij and van Houwelingen (1994), Penalized likelihood in Cox regression,
    Statistics in Medicine 13:2427.
    """

    software = SOFTWARE

    def __init__(
        self,
        *,
        penalty: float | None = None,
        penalties: Sequence[float] = (3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 1.0),
        ties: str = "breslow",
    ) -> None:
        given = [*penalties, *([] if penalty is None else [penalty])]
        if not penalties or not all(each > 0 for each in given):
            raise ConfigError(f"penalties must be above 0, not {given}")
        if ties not in ("breslow", "efron"):
            raise ConfigError(f"ties must be 'breslow' or 'efron', not {ties!r}")
        self.penalty, self.ties = penalty, ties
        self.penalties = tuple(sorted(penalties, reverse=True))

    def path(self, part: TrainingPart) -> tuple[float, ...]:
        """Return the penalties as set, the strongest first."""
        return self.penalties

    def path_scores(
        self, part: TrainingPart, penalties: Sequence[float], features: Floats
    ) -> Floats:
        """Return the log hazards of other subjects at every penalty; (penalty, subject)."""
        return np.stack([self.fit(part, each).risk_score(features) for each in penalties])

    def fit(self, part: TrainingPart, penalty: float | None) -> SksurvModel:
        """Fit at one penalty, with Breslow's baseline hazard."""
        center = part.features.mean(axis=0)
        _, singular, axes = np.linalg.svd(part.features - center, full_matrices=False)
        rotation = axes[singular > 1e-9 * singular[0]].T
        turned = TrainingPart(
            (part.features - center) @ rotation, part.duration, part.observed, part.seed
        )
        alpha = self.penalty if penalty is None else penalty
        model = CoxPHSurvivalAnalysis(alpha=alpha, ties=self.ties, n_iter=200)
        return SksurvModel(fit_model(model, turned, cure=_CURE), center, rotation)
