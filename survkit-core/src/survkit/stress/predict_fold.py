"""What a fold's model predicts for its own test subjects, clean, corrupted, and with less.

A subject is read once, and only the corrupted modality is prepared and encoded anew; so what a
corruption of one modality cannot reach stays the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from survkit.data import Cohort, store_for
from survkit.errors import UserError
from survkit.flow import Encoding
from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.fitted_model import FittedModel, as_model_input, check_preparation
from survkit.model import SurvivalModel, encode_present
from survkit.prediction import SurvivalPrediction
from survkit.protocols import Encoder, SurvivalHead
from survkit.stress.corrupted_input import CleanBatch, corrupt, read_samples
from survkit.stress.scenario import Scenario
from survkit.stress.subsets import predict_subsets

if TYPE_CHECKING:
    from survkit.data import PreparationCache

CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTask:
    """What is predicted.

    Attributes:
        fitted: The fold's model.
        cohort: Declares the same modalities.
        rows: The fold's test subjects as positions in it.
        scenarios: What is done to them.
        seeds: How often.
        subsets: Which modalities alone are left, by key.
        micro_batch: Subjects in memory at once.
        device: Where the networks run.
        cache: Where prepared images are kept.
        advance: Told of every subject and scenario, once however many networks are averaged.
    """

    fitted: FittedModel
    cohort: Cohort
    rows: Sequence[int]
    scenarios: Sequence[Scenario]
    seeds: Sequence[int]
    subsets: Mapping[str, frozenset[str]]
    micro_batch: int
    device: str
    cache: PreparationCache | None
    advance: Callable[[int], None]


@dataclass(slots=True)
class FoldOutcome:
    """What was predicted.

    Attributes:
        predictions: By key: ``"clean"``, :func:`table_key` of scenario and seed, keys of subsets.
        rows: By key of a subset, which of the fold's subjects it is about.
        failed: Why a scenario or subset has no prediction, by its key.
        gone: By scenario, from how many subjects the modality was taken.
        kept: By scenario, from how many it was not, because they have no other.
    """

    predictions: dict[str, SurvivalPrediction] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


def table_key(scenario: Scenario, seed: int) -> str:
    """Return the name of the predictions of a scenario under a seed."""
    return f"{scenario.key}.seed-{seed}"


def seeds_of(scenario: Scenario, seeds: Sequence[int]) -> Sequence[int]:
    """Return the seeds that are worth predicting: one where nothing is random."""
    return seeds if scenario.corruption.stochastic else seeds[:1]


def predict_fold(task: FoldTask) -> FoldOutcome:
    """Predict clean, under every scenario and seed, and for every subset.

    Raises:
        DataError: The cohort does not fit the model, or a file is wrong.
        PluginError: A corruption broke its contract.
    """
    check_preparation(task.fitted.description, task.cohort)
    outcome = FoldOutcome()
    found: dict[str, list[SurvivalPrediction]] = {}
    for number, member in enumerate(task.fitted.members):
        head = cast(SurvivalHead, member.head)
        told = task if number == 0 else replace(task, advance=lambda steps: None)
        for key, parts in _of_member(member, told, outcome).items():
            if key not in outcome.failed and parts:
                found.setdefault(key, []).append(head.predict(torch.cat(parts)))
    outcome.predictions = {
        key: each[0] if len(each) == 1 else AveragePrediction(each) for key, each in found.items()
    }
    return outcome


def _of_member(
    member: SurvivalModel, task: FoldTask, outcome: FoldOutcome
) -> dict[str, list[Tensor]]:
    """Return the head's parameters by key, batch by batch."""
    specs, rows = task.fitted.description.inputs, list(task.rows)
    encoders = dict(member.encoders.items())
    store = store_for(task.cohort, rows, specs, encoders=encoders, cache=task.cache)
    outcome.rows = {key: [] for key in task.subsets}
    outcome.gone, outcome.kept = {}, {}
    found: dict[str, list[Tensor]] = {CLEAN: []}
    dtype = next(member.parameters()).dtype
    member.eval().to(task.device)
    try:
        for start in range(0, len(rows), task.micro_batch):
            part = rows[start : start + task.micro_batch]
            inputs = store.inputs(part)
            given = as_model_input(inputs, dtype, task.device)
            with torch.no_grad():
                encodings = member.encode(given, penalties=False)
                found[CLEAN].append(member.decide(encodings).parameters.cpu())
                batch = _Batch(member, task, outcome, encodings, found)
                for modality in member.modalities:
                    batch.corrupt_modality(modality, part, inputs[modality])
                predict_subsets(batch.decide, task.subsets, encodings, start, outcome)
    finally:
        member.cpu()
    return found


@dataclass(slots=True)
class _Batch:
    """Some subjects of the fold, encoded clean, and where their predictions go."""

    member: SurvivalModel
    task: FoldTask
    outcome: FoldOutcome
    encodings: Mapping[str, Encoding]
    found: dict[str, list[Tensor]]

    def decide(self, key: str, encodings: Mapping[str, Encoding]) -> None:
        """Keep what the model says to these encodings."""
        parameters = self.member.decide(encodings).parameters.cpu()
        self.found.setdefault(key, []).append(parameters)

    def corrupt_modality(self, modality: str, rows: Sequence[int], clean: object) -> None:
        """Predict with the modality corrupted in every way that is asked for."""
        task = self.task
        scenarios = [each for each in task.scenarios if each.modality == modality]
        if not scenarios:
            return
        spec = task.fitted.description.inputs[modality]
        others = [each.present for name, each in self.encodings.items() if name != modality]
        own = self.encodings[modality].present
        batch = CleanBatch(
            subjects=[task.cohort.subjects[row] for row in rows],
            samples=read_samples(task.cohort, modality, rows, spec),
            input=clean,  # type: ignore[arg-type]
            spec=spec,
            encoder=self.member.encoders[modality],
            alone=~torch.stack(others).any(dim=0).cpu() if others else torch.ones(len(own)).bool(),
        )
        for scenario in scenarios:
            for seed in seeds_of(scenario, task.seeds):
                if scenario.key not in self.outcome.failed:
                    self._scenario(batch, scenario, seed)
                task.advance(len(rows))

    def _scenario(self, batch: CleanBatch, scenario: Scenario, seed: int) -> None:
        """Predict one corruption, or say why it cannot be: a model may refuse what is missing."""
        dtype, modality = next(self.member.parameters()).dtype, scenario.modality
        try:
            corrupted = corrupt(batch, scenario, seed)
            given = as_model_input({modality: corrupted.input}, dtype, self.task.device)
            encoder = cast(Encoder, self.member.encoders[modality])
            encoding = encode_present(encoder, given[modality], penalties=False)
            self.decide(table_key(scenario, seed), {**self.encodings, modality: encoding})
        except UserError as error:
            self.outcome.failed[scenario.key] = str(error)
            return
        if seed == self.task.seeds[0]:
            key, outcome = scenario.key, self.outcome
            outcome.gone[key] = outcome.gone.get(key, 0) + corrupted.gone
            outcome.kept[key] = outcome.kept.get(key, 0) + corrupted.kept
