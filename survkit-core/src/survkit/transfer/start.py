"""Where the weights of each training come from, decided and refused before anything trains."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from survkit.data import Cohort, Splits
from survkit.errors import ConfigError
from survkit.recipe import Recipe
from survkit.transfer.exposure import Exposure, exposures_of, seen_among, unknown_cohorts
from survkit.transfer.find_source import find_source
from survkit.transfer.hub_source import Source
from survkit.transfer.refuse_seen import refuse_seen, refuse_unknown_search
from survkit.transfer.source_model import SourceModel, find_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSettings:
    """What training starts from, as it was asked.

    Attributes:
        source: A model folder, a run folder, ``RUN:fold-3``, or ``ORG/NAME`` on the Hub; ``None``
            to start as the recipe says.
        revision: Branch, tag or commit on the Hub; ``main`` by default.
        parts: Such as ``encoders.ct`` or ``head``; every part that fits where there are none.
        freeze: Parts that keep their weights.
        different_subjects: Subjects of the weights' cohort are other people than those here, also
            where they are numbered alike or nobody can tell who they are.
    """

    source: Source | None = None
    revision: str | None = None
    parts: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    different_subjects: bool = False

    def __post_init__(self) -> None:
        for name, value in (
            ("init_revision", self.revision),
            ("init_parts", self.parts),
            ("freeze", self.freeze),
            ("different_subjects", self.different_subjects),
        ):
            if value and self.source is None:
                shown = name.replace("_", "-")
                raise ConfigError(f"--{shown} needs --init-from: a trained model to start from")


@dataclass(frozen=True, slots=True)
class Start:
    """What one training starts from.

    Attributes:
        model: The trained model.
        parts: Parts asked for; every part that fits where there are none.
        freeze: Parts that keep their weights.
        exposures: Whom the weights have seen.
        others: Whether the user says that those are other people than the subjects here.
    """

    model: SourceModel
    parts: tuple[str, ...]
    freeze: tuple[str, ...]
    exposures: tuple[Exposure, ...]
    others: bool = False

    @property
    def cohorts(self) -> list[str]:
        """Names of the cohorts that the weights have seen, the latest first."""
        return list(dict.fromkeys(one.cohort for one in self.exposures))

    def seen(self, cohort: Cohort, subjects: Collection[str]) -> int | None:
        """Return how many subjects the weights have seen; ``None`` where nobody can tell."""
        if unknown_cohorts(self.exposures) and not self.others:
            return None
        return seen_among(self.exposures, cohort, subjects)


def plan_starts(
    settings: StartSettings,
    recipe: Recipe,
    cohort: Cohort,
    splits: Splits,
    names: Sequence[str],
) -> tuple[Start | None, ...]:
    """Return what each fold starts from; ``None`` where it starts as the recipe says.

    Args:
        settings: What was asked.
        recipe: Of the run.
        cohort: Of the run.
        splits: Of the run.
        names: Folder names of its folds, in their order.

    Raises:
        DataError: A test subject is among those that the weights were fitted on, or nobody can
            tell.
        RunError: There is no such model.
        HubError: There is none on the Hub.
        ConfigError: A baseline starts from nothing.
    """
    if settings.source is None:
        return (None,) * len(names)
    if recipe.baseline is not None:
        raise ConfigError(
            f"the baseline '{recipe.baseline.use}' is fitted in closed form or from its own start; "
            "only networks start from trained weights"
        )
    tested = any(fold.test for fold in splits.folds)
    source = find_source(settings.source, settings.revision)
    assert source is not None
    models = find_sources(source, splits if tested else None, names)
    starts = []
    for fold, model in zip(splits.folds, models, strict=True):
        exposures = exposures_of(model)
        refuse_seen(
            exposures,
            cohort,
            fold.test,
            source=model,
            where=fold.name,
            others=settings.different_subjects,
        )
        refuse_unknown_search(exposures, cohort, recipe, model)
        others = settings.different_subjects
        starts.append(Start(model, settings.parts, settings.freeze, exposures, others))
    return tuple(starts)


def start_facts(starts: Sequence[Start | None], names: Sequence[str]) -> dict[str, Any]:
    """Return what ``run.json`` says about the starts: a run of other weights is another run."""
    given = {name: start for name, start in zip(names, starts, strict=True) if start is not None}
    if not given:
        return {}
    first = next(iter(given.values()))
    facts: dict[str, Any] = {
        "weights": {name: start.model.sha256 for name, start in given.items()},
        "parts": list(first.parts),
        "freeze": list(first.freeze),
    }
    if first.model.hub:
        facts["hub"] = first.model.hub
    if unknown := unknown_cohorts(one for start in given.values() for one in start.exposures):
        facts["unknown_exposure"] = {
            "cohorts": list(unknown),
            "different_subjects": first.others,
        }
    return {"init": facts}
