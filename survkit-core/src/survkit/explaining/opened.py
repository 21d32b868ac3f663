"""A run, opened to be looked at: whose models predict whom, and what they predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from survkit.data import Cohort, Fold, Splits
from survkit.errors import DataError, RunError
from survkit.evaluation import Predictions
from survkit.evaluation.observed_groups import first_repeat
from survkit.evaluation.read_run import PREDICTIONS_FILE, read_run
from survkit.explaining.choose_subjects import Ranked
from survkit.explaining.settings import ExplainSettings
from survkit.hub import FittedModel, Origin, load_model
from survkit.registry import Registry
from survkit.report.token_weights import read_token_weights
from survkit.training.cross_validate import fold_folder

CURVE_POINTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPart:
    """A model and some subjects that it predicts.

    Attributes:
        name: Of the fold, or of the model.
        fold: Repeat and fold that held the subjects out; ``None`` for a model fitted on a whole
            cohort.
        fitted: The model.
        rows: Positions in the cohort.
        expected: What the run says was predicted, in the order of ``rows``; ``None`` for a model.
    """

    name: str
    fold: tuple[int, int] | None
    fitted: FittedModel
    rows: Sequence[int]
    expected: Predictions | None = None


class OpenedRun(Protocol):
    """What can be asked of a run, whichever command made it."""

    @property
    def title(self) -> str:
        """Name of the model."""

    @property
    def fingerprint(self) -> str | None:
        """Of the run's predictions; ``None`` for a model."""

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody whom its models predict."""

    def ranked(self, settings: ExplainSettings) -> Ranked:
        """Return whom one can choose from."""

    def parts(self, subjects: Sequence[str]) -> list[ModelPart]:
        """Return the models that predict these subjects, each with those that it predicts."""


def open_run(
    run: Path, cohort: Cohort, registry: Registry, origin: Origin | None = None
) -> OpenedRun:
    """Open a run of ``survkit cv``, or a model folder; ``origin`` is what it is on the Hub.

    Raises:
        RunError: It is neither, has not finished, or keeps no models.
        DataError: The cohort speaks of other causes.
    """
    if (run / "config.json").is_file():
        fitted = load_model(run, registry=registry)
        causes = fitted.description.outcome.causes
        if cohort.outcome is not None and cohort.causes != causes:
            raise DataError(
                f"{cohort.source}: the causes of the event are {', '.join(cohort.causes)}, but the "
                f"model's are {', '.join(causes)}; name them alike"
            )
        title = run.resolve().name if origin is None else str(origin)
        return _Model(title, cohort.with_twins(fitted.description.twins), fitted)
    for name in (PREDICTIONS_FILE, "splits.json"):
        if not (run / name).is_file():
            raise RunError(
                f"{run}: no {name} is there; give a finished run of survkit cv, or the folder of a "
                "model, such as a run of survkit fit"
            )
    table = first_repeat(read_run(run))
    splits = Splits.read(run / "splits.json", subjects=cohort.subjects)
    found = _CrossValidation(run, cohort, registry, table, splits)
    if not (found.folder(splits.folds[0]) / "config.json").is_file():
        raise RunError(
            f"{found.folder(splits.folds[0])}: no model is there: a baseline keeps none, and does "
            "not attend to anything"
        )
    return found


@dataclass(frozen=True, slots=True)
class _CrossValidation:
    """The first repeat of a cross-validation: everybody by the model that never saw them."""

    run: Path
    cohort: Cohort
    registry: Registry
    table: Predictions
    splits: Splits

    @property
    def title(self) -> str:
        """Name of the model."""
        return self.table.model

    @property
    def fingerprint(self) -> str | None:
        """Of the predictions of all repeats."""
        return read_run(self.run).fingerprint()

    @property
    def subjects(self) -> tuple[str, ...]:
        """The test subjects."""
        return tuple(map(str, self.table.subject))

    def folder(self, fold: Fold) -> Path:
        """Return where the model of a fold lies."""
        return fold_folder(self.run, self.splits, fold)

    def ranked(self, settings: ExplainSettings) -> Ranked:
        """Return the subjects over whose tokens the models attended; all where no file says it."""
        table = self.table
        if table.cumulative_incidence is None:
            raise DataError(f"{self.run / PREDICTIONS_FILE}: has no probabilities to choose by")
        known = read_token_weights(self.run).values()
        attended = {row.subject for tokens in known for row in tokens.rows}
        if attended:
            table = table.select(np.array([str(name) in attended for name in table.subject]))
        return Ranked(
            subject=tuple(map(str, table.subject)),
            risk=table.incidence_at([table.horizon])[:, 0, 0],
            fold=table.fold,
            duration=table.duration,
            event=table.event,
            entry=table.entry,
            strata=table.strata,
        )

    def parts(self, subjects: Sequence[str]) -> list[ModelPart]:
        """Return one part per fold that tested some of them."""
        place = {name: row for row, name in enumerate(self.cohort.subjects)}
        known = {str(name): row for row, name in enumerate(self.table.subject)}
        strangers = [name for name in subjects if name not in known]
        if strangers:
            raise DataError(
                f"{self.run}: {', '.join(strangers)} was no test subject of this run; its test "
                f"subjects are {', '.join(list(known)[:3])}, …"
            )
        found = []
        for fold in self.splits.folds:
            own = [name for name in subjects if name in set(fold.test)]
            if fold.repeat != int(self.table.repeat[0]) or not own:
                continue
            expected = self.table.select(np.array([known[name] for name in own]))
            rows = [place[name] for name in own]
            self._check_outcome(expected, rows)
            found.append(
                ModelPart(
                    name=self.folder(fold).name,
                    fold=(fold.repeat, fold.fold),
                    fitted=load_model(self.folder(fold), registry=self.registry),
                    rows=rows,
                    expected=expected,
                )
            )
        return found

    def _check_outcome(self, table: Predictions, rows: list[int]) -> None:
        target = self.cohort.target(rows)
        same = (target.duration.numpy() == table.duration) & (target.event.numpy() == table.event)
        if not same.all():
            subject = table.subject[int(np.flatnonzero(~same)[0])]
            raise DataError(
                f"{self.cohort.source}: duration or event of subject '{subject}' is not what "
                f"{self.run / PREDICTIONS_FILE} says; give the cohort that the run was made from"
            )


@dataclass(frozen=True, slots=True)
class _Model:
    """A model that predicts anybody."""

    title: str
    cohort: Cohort
    fitted: FittedModel

    @property
    def fingerprint(self) -> str | None:
        """A model has no predictions of its own."""
        return None

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody of the cohort."""
        return self.cohort.subjects

    def ranked(self, settings: ExplainSettings) -> Ranked:
        """Predict everybody who has some modality of the model."""
        names = self.fitted.description.inputs
        there = np.stack([self.cohort.available(name) for name in names]).any(axis=0)
        rows = np.flatnonzero(there).tolist()
        if not rows:
            raise DataError(f"{self.cohort.source}: nobody has any of {', '.join(names)}")
        prediction = self.fitted.predict(
            self.cohort, rows, device=settings.device, cache=settings.cache
        )
        horizon = self.fitted.description.outcome.horizon
        risk = prediction.cumulative_incidence([horizon])[:, 0, 0].double().numpy()
        known = None if self.cohort.outcome is None else self.cohort.target(rows)
        return Ranked(
            subject=tuple(self.cohort.subjects[row] for row in rows),
            risk=risk,
            fold=np.zeros(len(rows), dtype=np.int64),
            duration=None if known is None else known.duration.numpy(),
            event=None if known is None else known.event.numpy(),
            entry=None if known is None else _numpy(known.entry),
            strata=None if known is None else _numpy(known.strata),
        )

    def parts(self, subjects: Sequence[str]) -> list[ModelPart]:
        """Return all of them under the one model."""
        place = {name: row for row, name in enumerate(self.cohort.subjects)}
        strangers = [name for name in subjects if name not in place]
        if strangers:
            raise DataError(f"{self.cohort.source}: nobody is called {', '.join(strangers)}")
        rows = [place[name] for name in subjects]
        return [ModelPart(name="model", fold=None, fitted=self.fitted, rows=rows)]


def _numpy(values: torch.Tensor | None) -> np.ndarray | None:
    return None if values is None else values.numpy()
