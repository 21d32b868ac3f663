"""The models of several folds as one model: the mean of what they predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.description import ModelDescription
from survkit.hub.ensemble_description import EnsembleDescription
from survkit.hub.fitted_model import FittedModel, Progress
from survkit.hub.origin import Origin
from survkit.prediction import SurvivalPrediction

if TYPE_CHECKING:
    from survkit.data import Cohort, PreparationCache
    from survkit.hub.push_settings import PushOptions


@dataclass(frozen=True, slots=True, eq=False)
class FittedEnsemble:
    """Trained models of one recipe, each with the levels, scalers and time grid of its own fold.

    Attributes:
        models: The models, in the order of the folds.
        ensemble: What they are, one by one.
        source: Which commit on the Hub they were fetched from; ``None`` if they were not.
    """

    models: tuple[FittedModel, ...]
    ensemble: EnsembleDescription
    source: Origin | None = None

    @property
    def description(self) -> ModelDescription:
        """What the models have in common; what is a fold's own is that of the first."""
        return self.ensemble.summary()

    def predict(
        self,
        cohort: Cohort,
        rows: Sequence[int] | None = None,
        *,
        micro_batch: int = 16,
        device: str = "cpu",
        cache: PreparationCache | None = None,
        progress: Progress | None = None,
    ) -> SurvivalPrediction:
        """Return the mean of the models' cumulative incidences for subjects of a cohort.

        Args:
            cohort: Declares the same modalities, prepared alike.
            rows: Positions in it; everybody by default.
            micro_batch: Subjects in memory at once; changes nothing but memory and time.
            device: Where the networks run.
            cache: Where prepared images are kept; without one each model prepares them anew.
            progress: Told how many images each network has been given, and of how many.

        Raises:
            DataError: The cohort lacks a modality or prepares it otherwise.
        """
        return AveragePrediction(
            [
                model.predict(
                    cohort,
                    rows,
                    micro_batch=micro_batch,
                    device=device,
                    cache=cache,
                    progress=progress,
                )
                for model in self.models
            ]
        )

    def save_pretrained(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the model folder, as :func:`survkit.save_pretrained` does."""
        from survkit.hub.save import save_pretrained

        return save_pretrained(self, folder, overwrite=overwrite)

    def push_to_hub(self, name: str, **options: Unpack[PushOptions]) -> Origin:
        """Publish the model, as :meth:`survkit.hub.FittedModel.push_to_hub` does."""
        from survkit.hub.push_fitted import push_fitted

        return push_fitted(self, name, **options)


Pretrained = FittedModel | FittedEnsemble
"""What a model folder may hold."""
