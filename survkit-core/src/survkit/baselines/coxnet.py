"""The elastic-net Cox model along its path of penalties."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sksurv.linear_model import CoxnetSurvivalAnalysis

from survkit.baselines.protocol import Floats, TrainingPart
from survkit.baselines.sksurv_model import SOFTWARE, SksurvModel, fit_model
from survkit.errors import ConfigError

_CURE = "a stronger penalty or fewer columns help"


class Coxnet:
    """Cox regression with the penalty ``penalty * (l1_ratio |b| + (1 - l1_ratio) b² / 2)``.

    Where no penalty is given, the one of highest concordance in an inner cross-validation is taken
    from a path that begins where all coefficients are 0 and falls evenly on a log scale.

    Args:
        l1_ratio: Share of the absolute values, above 0 up to 1 (the lasso).
        penalty: Instead of a choice.
        penalties: Length of the path.
        smallest: Last penalty of the path as a share of the first; ``None`` for 0.01 where there
            are more columns than subjects, else 0.0001.

    Raises:
        ConfigError: A setting is out of range.

    Reference: Simon, Friedman, Hastie and Tibshirani (2011), Regularization paths for Cox's
    proportional hazards model via coordinate descent, J. Stat. Softw. 39(5).
    """

    software = SOFTWARE

    def __init__(
        self,
        *,
        l1_ratio: float = 0.5,
        penalty: float | None = None,
        penalties: int = 50,
        smallest: float | None = None,
    ) -> None:
        if not 0 < l1_ratio <= 1:
            raise ConfigError(
                f"l1_ratio must be above 0 and at most 1, not {l1_ratio:g}; for 0 use ridge-cox"
            )
        if penalty is not None and not penalty > 0:
            raise ConfigError(f"penalty must be above 0, not {penalty:g}")
        if penalties < 2:
            raise ConfigError(f"a path has at least 2 penalties, not {penalties}")
        if smallest is not None and not 0 < smallest < 1:
            raise ConfigError(f"smallest must lie between 0 and 1, not {smallest:g}")
        self.l1_ratio, self.penalty = l1_ratio, penalty
        self.penalties, self.smallest = penalties, smallest

    def path(self, part: TrainingPart) -> tuple[float, ...]:
        """Return the penalties of the whole training part, the strongest first."""
        ratio = "auto" if self.smallest is None else self.smallest
        model = self._fit(part, n_alphas=self.penalties, alpha_min_ratio=ratio)
        return tuple(float(penalty) for penalty in model.alphas_)

    def path_scores(
        self, part: TrainingPart, penalties: Sequence[float], features: Floats
    ) -> Floats:
        """Return the log hazards of other subjects at every penalty; (penalty, subject)."""
        model = self._fit(part, alphas=list(penalties))
        return np.stack([model.predict(features, alpha=penalty) for penalty in penalties])

    def fit(self, part: TrainingPart, penalty: float | None) -> SksurvModel:
        """Fit at one penalty, with Breslow's baseline hazard."""
        asked = self.penalty if penalty is None else penalty
        return SksurvModel(self._fit(part, alphas=[asked], fit_baseline_model=True))

    def _fit(self, part: TrainingPart, **settings: Any) -> CoxnetSurvivalAnalysis:
        model = CoxnetSurvivalAnalysis(l1_ratio=self.l1_ratio, **settings)
        with warnings.catch_warnings():
            # At the start of the path it is what is meant; a chosen model without coefficients
            # shows in its concordance of one half.
            warnings.filterwarnings("ignore", message="all coefficients are zero")
            return fit_model(model, part, cure=_CURE)
