"""A stress test of a cross-validation, from the run folder to ``stress.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from survkit.data import Cohort
from survkit.errors import ConfigError
from survkit.evaluation import Predictions
from survkit.protocols import Prepares
from survkit.registry import Registry
from survkit.steps import Steps
from survkit.stress.examples import write_examples
from survkit.stress.folder import EXAMPLES, StressFolder
from survkit.stress.measure import scenario_json
from survkit.stress.predicted import Plan, Predicted, predict_run
from survkit.stress.run_parts import RunParts, open_run
from survkit.stress.scenario import Scenario, parse_scenario
from survkit.stress.settings import StressOptions, StressSettings
from survkit.stress.subset_numbers import subsets_json, undefined_subsets
from survkit.stress.subsets import modality_subsets
from survkit.stress.suite import DEFAULT_SEVERITIES, OF_MASKS, suite
from survkit.stress.write_stress import write_stress
from survkit.stress.yardstick import Yardstick, yardstick

FORMAT = 1
"""Version of ``stress.json``. Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """A finished stress test.

    Attributes:
        folder: Where it was written.
        content: Of ``stress.json``.
        clean: The run's predictions, made again.
        corrupted: By scenario and seed, predictions with every subject corrupted.
    """

    folder: Path
    content: Mapping[str, Any]
    clean: Predictions
    corrupted: Mapping[str, Predictions]


def stress_run(
    run: str | Path,
    cohort: Cohort,
    *,
    out: str | Path | None = None,
    **options: Unpack[StressOptions],
) -> Stress:
    """Predict a run's test subjects again with worse inputs, and measure what is lost.

    Every fold's own model predicts the subjects it never saw: clean, and corrupted once per
    corruption and seed. Clean and corrupted predictions are then mixed for every fraction, so
    fractions cost no prediction. Nothing is trained or chosen.

    Args:
        run: A finished run of ``survkit cv``.
        cohort: What it was made from, read with its outcome.
        out: Folder to write; ``stress`` in the run by default.
        options: Fields of :class:`survkit.stress.StressSettings`.

    Raises:
        RunError: It is no such run, or results are there already.
        DataError: Its models do not predict on this cohort what they predicted then.
        ConfigError: A corruption, metric or setting does not exist or does not apply.
    """
    settings = StressSettings(**options)
    registry = settings.components()
    parts = open_run(run, cohort, registry)
    gauge = yardstick(
        parts.table,
        settings.metric,
        settings.cause,
        replicates=settings.replicates,
        level=settings.level,
    )
    plan = _plan(parts, settings, registry)
    target = Path(out) if out is not None else parts.folder / "stress"
    folder = StressFolder(target, overwrite=settings.overwrite, resume=settings.resume)
    folder.start(_described(parts, plan))
    advance = Steps(_total(parts, plan, settings), settings.progress)
    with folder.attempt():
        predicted = predict_run(parts, plan, folder, settings, advance)
        content = _content(parts, plan, predicted, gauge, settings, advance)
        write_stress(folder.work, content, predicted)
        write_examples(folder.work / EXAMPLES, cohort, plan.scenarios)
    return Stress(
        folder=folder.finish(),
        content=content,
        clean=predicted.clean,
        corrupted=predicted.corrupted,
    )


def _plan(parts: RunParts, settings: StressSettings, registry: Registry) -> Plan:
    """Return what is predicted: what was asked, or the suite for the model's modalities."""
    fitted = parts.fold(parts.splits.folds[0]).fitted
    readers, inputs = fitted.description.readers, fitted.description.inputs
    kinds = {modality: inputs[names[0]].kind for modality, names in readers.items()}
    masked = [
        modality
        for modality, names in readers.items()
        if any(isinstance(fitted.members[0].encoders[name], Prepares) for name in names)
        and getattr(parts.cohort.declaration(modality), "mask", None) is not None
    ]
    scenarios: list[Scenario]
    if settings.corruptions:
        scenarios = [parse_scenario(text, kinds, registry) for text in settings.corruptions]
    else:
        scenarios = suite(kinds, masked, settings.severities or DEFAULT_SEVERITIES, registry)
    wanted = [part for scenario in scenarios for part in scenario.parts]
    unseen = [each for each in wanted if each.name == OF_MASKS and each.modality not in masked]
    if unseen:
        raise ConfigError(
            f"{unseen[0].label}: no mask of '{unseen[0].modality}' reaches the model: either the "
            "cohort names none, or the encoder prepares nothing from it"
        )
    keys = [scenario.key for scenario in scenarios]
    twice = next((each for each in scenarios if keys.count(each.key) > 1), None)
    if twice is not None:
        raise ConfigError(f"the corruption {twice.label} is asked for twice")
    return Plan(
        modalities=tuple(kinds),
        scenarios=scenarios,
        subsets=modality_subsets(list(kinds)),
        seeds=range(settings.seeds),
    )


def _described(parts: RunParts, plan: Plan) -> dict[str, Any]:
    """Return what predictions depend on; an interrupted stress test goes on with the same only."""
    return {
        "predictions": parts.table.fingerprint(),
        "cohort": parts.cohort.fingerprint(),
        "corruptions": [each.label for each in plan.scenarios],
        "seeds": list(plan.seeds),
    }


def _total(parts: RunParts, plan: Plan, settings: StressSettings) -> int:
    return plan.passes * len(parts.table) + len(plan.scenarios) * len(settings.fractions)


def _content(
    parts: RunParts,
    plan: Plan,
    predicted: Predicted,
    gauge: Yardstick,
    settings: StressSettings,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Return the content of ``stress.json``."""
    table = parts.table
    return {
        "format": FORMAT,
        "settings": settings.to_json(),
        "metric": gauge.metric.key,
        "metric_label": gauge.metric.label,
        "chance": gauge.metric.chance if gauge.metric.best == "highest" else None,
        "cause": table.causes[gauge.cause - 1],
        "model": table.model,
        "predictions": table.fingerprint(),
        "subjects": table.subjects,
        "corruptions": [
            scenario_json(scenario, predicted, gauge, settings, advance)
            for scenario in plan.scenarios
        ],
        "subsets": subsets_json(plan.subsets, predicted, gauge)
        if plan.subsets
        else undefined_subsets(predicted, gauge, len(plan.modalities)),
    }
