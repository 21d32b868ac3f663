"""A recipe with the methods of scikit-learn and scikit-survival."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from survkit.catalog import extra_line
from survkit.errors import DataError, MissingExtraError
from survkit.estimator.curve import curves
from survkit.estimator.memory_cohort import memory_cohort
from survkit.estimator.plan import read_inputs, read_plan
from survkit.estimator.survival_array import read_survival
from survkit.hub import FittedModel, save_pretrained
from survkit.metrics.estimate import Undefined
from survkit.metrics.harrell import harrell_concordance
from survkit.plugins import default_registry
from survkit.prediction import SurvivalPrediction
from survkit.recipe import Recipe
from survkit.training import fit

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils import check_array, check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingExtraError(
        f"SurvivalEstimator needs scikit-learn, which is not installed: {extra_line('sklearn')}"
    ) from error

Floats = NDArray[np.float64]
_PATH = "recipe__"


class SurvivalEstimator(BaseEstimator):  # type: ignore[misc]
    """Trains a recipe for tables and embeddings on arrays or data frames.

    ``X`` is a DataFrame (numbers, and texts that are categories; missing cells are ordinary) or a
    float array. ``y`` is a structured array of event (bool) and time, as scikit-survival has it, or
    a DataFrame of two such columns. There is one event; competing causes are refused.

    A part of the subjects is set aside to choose the epoch where the recipe's
    ``training.validation`` says so, exactly as ``survkit fit`` does.

    Args:
        recipe: A :class:`survkit.Recipe`, a mapping, a recipe file, or an installed recipe's name.
            ``outcome.horizon`` is in the unit of the times in ``y``.
        modalities: Columns of X (names, or positions for an array) by modality of the recipe; not
            needed where the recipe has one. A mapping ``{"kind": "vector", "columns": [...]}`` says
            that columns are an embedding; those of the encoder ``vector`` are one anyway.
        changes: Values of the recipe by dotted path, such as ``{"training.epochs": 20}``. In
            ``set_params``, and so in a grid search, ``recipe__training__epochs`` means the same.
        random_state: A seed or a generator of seeds; ``None`` for the recipe's seed. Same seed,
            same machine: same model.
        progress: Show a progress bar.

    Attributes:
        model_: The trained :class:`survkit.hub.FittedModel`.
        recipe_: The recipe as it was trained, changes and seed included.
        unique_times_: Different training times up to the last time the model knows, increasing;
            where ``return_array`` gives the curves.
        n_features_in_: Number of columns of X.
        feature_names_in_: Their names, where X was a DataFrame.
    """

    def __init__(
        self,
        recipe: Recipe | Mapping[str, Any] | str | Path,
        *,
        modalities: Mapping[str, Any] | None = None,
        changes: Mapping[str, Any] | None = None,
        random_state: Any = None,
        progress: bool = False,
    ) -> None:
        self.recipe = recipe
        self.modalities = modalities
        self.changes = changes
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any) -> SurvivalEstimator:
        """Train on all subjects.

        Raises:
            DataError: X or y cannot be used.
            ConfigError: The recipe does not fit them.
        """
        plan, registry = read_plan(self.recipe, self.changes), default_registry()
        frame = self._frame(X, reset=True)
        outcome = read_survival(y, len(frame))
        inputs = read_inputs(plan, self.modalities, list(frame.columns), registry)
        cohort = memory_cohort(frame, outcome, inputs, plan.outcome.unit)
        seed = plan.training.seed
        if self.random_state is not None:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with TemporaryDirectory() as folder, _generators_kept():
            self.model_: FittedModel = fit(
                plan, cohort, Path(folder) / "model", seed=seed, progress=self.progress
            )
        training = plan.training.model_copy(update={"seed": seed})
        self.recipe_ = plan.model_copy(update={"training": training})
        self._inputs = inputs
        last = self._predicted(frame.iloc[:1]).last_time
        times = np.unique(outcome.duration)
        self.unique_times_: Floats = times[times <= last]
        return self

    def predict(self, X: Any) -> Floats:
        """Return risk scores by the recipe's horizon, higher means an earlier event; (subject)."""
        horizon = self._fitted().description.outcome.horizon
        score = self._predicted(self._frame(X, reset=False)).risk_score(horizon)
        found: Floats = score.double().numpy()
        return found

    def predict_survival_function(self, X: Any, return_array: bool = False) -> NDArray[Any]:
        """Return S(t) of every subject.

        Args:
            X: The subjects.
            return_array: Values at ``unique_times_``, float (subject, time), instead of functions
                of time.
        """
        self._fitted()
        prediction = self._predicted(self._frame(X, reset=False))
        return self._curves(prediction, prediction.survival, return_array)

    def predict_cumulative_hazard_function(
        self, X: Any, return_array: bool = False
    ) -> NDArray[Any]:
        """Return H(t) = -log S(t) of every subject; otherwise as ``predict_survival_function``."""
        self._fitted()
        prediction = self._predicted(self._frame(X, reset=False))
        return self._curves(prediction, prediction.cumulative_hazard, return_array)

    def score(self, X: Any, y: Any) -> float:
        """Return Harrell's concordance of the risk scores.

        Raises:
            DataError: No two subjects can be compared.
        """
        score = torch.from_numpy(self.predict(X))
        rows = np.arange(len(score))
        result = harrell_concordance(score, read_survival(y, len(score)).target(rows))
        if isinstance(result, Undefined):
            raise DataError(f"the concordance is not defined: {result.reason}")
        return result.value

    def save_pretrained(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the model folder that ``survkit.from_pretrained`` reads."""
        return save_pretrained(self._fitted(), folder, overwrite=overwrite)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments; ``deep`` adds every change as ``recipe__...``."""
        params: dict[str, Any] = super().get_params(deep=False)
        if deep and isinstance(self.changes, Mapping):
            changes = self.changes.items()
            params |= {_PATH + path.replace(".", "__"): value for path, value in changes}
        return params

    def set_params(self, **params: Any) -> SurvivalEstimator:
        """Set arguments, or values of the recipe as ``recipe__training__epochs=20``."""
        paths = {name: value for name, value in params.items() if name.startswith(_PATH)}
        super().set_params(**{name: params[name] for name in params if name not in paths})
        if paths:
            named = {
                name.removeprefix(_PATH).replace("__", "."): value for name, value in paths.items()
            }
            self.changes = {**(self.changes or {}), **named}
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _fitted(self) -> FittedModel:
        check_is_fitted(self, "model_")
        return self.model_

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Return X as a frame with text column names, after scikit-learn's checks of its form."""
        fewest = 2 if reset else 1
        if isinstance(X, pd.DataFrame):
            if len(X) < fewest or not len(X.columns):
                raise DataError(
                    f"X must have columns and at least {fewest} rows, but its shape is {X.shape}"
                )
            names, frame = [str(name) for name in X.columns], X
        else:
            values = check_array(
                X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=fewest
            )
            frame = pd.DataFrame(values)
            names = [f"x{place}" for place in range(values.shape[1])]
        validate_data(self, X, skip_check_array=True, reset=reset)
        if reset:
            self._columns = names
        return frame.set_axis(self._columns, axis=1)

    def _predicted(self, frame: pd.DataFrame) -> SurvivalPrediction:
        unit = self.recipe_.outcome.unit
        return self.model_.predict(memory_cohort(frame, None, self._inputs, unit))

    def _curves(
        self, prediction: SurvivalPrediction, evaluate: Any, return_array: bool
    ) -> NDArray[Any]:
        if return_array:
            found: Floats = evaluate(torch.from_numpy(self.unique_times_)).double().numpy()
            return found
        return curves(prediction, evaluate, self.unique_times_)


@contextmanager
def _generators_kept() -> Iterator[None]:
    """Put the global generators back: training seeds them, and the caller may be drawing too."""
    python, state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(state)  # noqa: NPY002
