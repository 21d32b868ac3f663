"""Forests and boosted trees."""

from __future__ import annotations

from typing import Any

from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest

from survkit.baselines.protocol import TrainingPart
from survkit.baselines.sksurv_model import SOFTWARE, SksurvModel, fit_model
from survkit.errors import ConfigError

_CURE = "fewer columns or larger leaves help"


class RandomForest:
    """A random survival forest: the mean over trees grown on resamples by the log-rank test.

    The risk score is the expected number of events, summed over all event times.

    Args:
        trees: How many.
        leaf: Fewest subjects in a leaf.
        depth: Most splits on a path; ``None`` for no limit.
        features: Share of the columns, or ``"sqrt"`` of their number, that each split looks at.

    Raises:
        ConfigError: A setting is out of range.

    Reference: Ishwaran, Kogalur, Blackstone and Lauer (2008), Random survival forests, Annals of
    Applied Statistics 2:841.
    """

    software = SOFTWARE

    def __init__(
        self,
        *,
        trees: int = 200,
        leaf: int = 15,
        depth: int | None = None,
        features: float | str = "sqrt",
    ) -> None:
        _check_counts(trees=trees, leaf=leaf, depth=depth)
        if features != "sqrt" and not (isinstance(features, float) and 0 < features <= 1):
            raise ConfigError(
                f"features must be 'sqrt' or a share above 0 up to 1, not {features!r}"
            )
        self._settings = {
            "n_estimators": trees,
            "min_samples_leaf": leaf,
            "min_samples_split": 2 * leaf,
            "max_depth": depth,
            "max_features": features,
        }

    def fit(self, part: TrainingPart, penalty: float | None) -> SksurvModel:
        """Grow the trees; the part's seed decides resamples and columns."""
        model = RandomSurvivalForest(random_state=part.seed, n_jobs=1, **self._settings)
        return SksurvModel(fit_model(model, part, cure=_CURE))


class GradientBoosting:
    """Regression trees, each fitted to the gradient of Cox's partial likelihood of the sum so far.

    The risk score is a log hazard; the baseline is Breslow's.

    Args:
        trees: How many.
        rate: Share of each tree that is added.
        depth: Most splits on a path.
        leaf: Fewest subjects in a leaf.
        sample: Share of the subjects that each tree is fitted on.

    Raises:
        ConfigError: A setting is out of range.

    Reference: Ridgeway (1999), The state of boosting, Computing Science and Statistics 31:172;
    Friedman (2002), Stochastic gradient boosting, Comput. Stat. Data Anal. 38:367.
    """

    software = SOFTWARE

    def __init__(
        self,
        *,
        trees: int = 100,
        rate: float = 0.1,
        depth: int = 3,
        leaf: int = 5,
        sample: float = 1.0,
    ) -> None:
        _check_counts(trees=trees, leaf=leaf, depth=depth)
        if not rate > 0:
            raise ConfigError(f"rate must be above 0, not {rate:g}")
        if not 0 < sample <= 1:
            raise ConfigError(f"sample must be above 0 and at most 1, not {sample:g}")
        self._settings: dict[str, Any] = {
            "loss": "coxph",
            "n_estimators": trees,
            "learning_rate": rate,
            "max_depth": depth,
            "min_samples_leaf": leaf,
            "subsample": sample,
        }

    def fit(self, part: TrainingPart, penalty: float | None) -> SksurvModel:
        """Grow the trees; the part's seed decides resamples and ties between splits."""
        model = GradientBoostingSurvivalAnalysis(random_state=part.seed, **self._settings)
        return SksurvModel(fit_model(model, part, cure=_CURE))


def _check_counts(**counts: int | None) -> None:
    for name, value in counts.items():
        if value is not None and value < 1:
            raise ConfigError(f"{name} must be at least 1, not {value}")
