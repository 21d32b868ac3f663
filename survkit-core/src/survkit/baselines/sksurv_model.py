"""What the models of scikit-survival have in common: how they are fitted and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sksurv.util import Surv

from survkit.baselines.protocol import Curves, Floats, TrainingPart
from survkit.errors import DataError

SOFTWARE = ("scikit-survival", "scikit-learn")


def fit_model(model: Any, part: TrainingPart, *, cure: str) -> Any:
    """Fit and return a model of scikit-survival.

    Args:
        model: Not fitted.
        part: Whom it is fitted on.
        cure: What helps where it cannot be fitted.

    Raises:
        DataError: It failed; in its own words, with the cure.
    """
    if not part.observed.any():
        raise DataError(
            f"no event among {len(part.observed)} training subjects, so {type(model).__name__} has "
            "nothing to learn; ask for fewer folds"
        )
    try:
        return model.fit(part.features, Surv.from_arrays(part.observed, part.duration))
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{type(model).__name__} cannot be fitted on {part.features.shape[0]} subjects and "
            f"{part.features.shape[1]} columns: {reason}; {cure}"
        ) from error


@dataclass(frozen=True, slots=True)
class SksurvModel:
    """A fitted model of scikit-survival; it is used and forgotten, never stored.

    Attributes:
        model: It.
        rotation: Columns are turned into these coordinates first, where the model was fitted so.
        center: Subtracted before.
    """

    model: Any
    center: Floats | None = None
    rotation: Floats | None = None

    def risk_score(self, features: Floats) -> Floats:
        """Return the model's own risk score: log hazard, or expected number of events; (subject).

        Raises:
            DataError: It is not finite.
        """
        score = np.asarray(self.model.predict(self._turned(features)), dtype=np.float64)
        if not np.isfinite(score).all():
            raise DataError(
                f"{type(self.model).__name__} gave {int((~np.isfinite(score)).sum())} risk scores "
                "that are not finite; a stronger penalty helps"
            )
        return score

    def curves(self, features: Floats) -> Curves:
        """Return survival and cumulative hazard at the times at which the model steps."""
        turned = self._turned(features)
        return Curves(
            times=np.asarray(self.model.unique_times_, dtype=np.float64),
            survival=self.model.predict_survival_function(turned, return_array=True),
            cumulative_hazard=self.model.predict_cumulative_hazard_function(
                turned, return_array=True
            ),
        )

    def _turned(self, features: Floats) -> Floats:
        if self.rotation is None or self.center is None:
            return features
        turned: Floats = (features - self.center) @ self.rotation
        return turned
