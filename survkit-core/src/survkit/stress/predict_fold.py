"""What a fold's model predicts for its own test subjects, clean, corrupted, and with less.

A subject is read once, and only corrupted modalities are prepared and encoded anew; so what a
corruption cannot reach stays the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from survkit.data import Cohort, store_for
from survkit.errors import UserError
from survkit.flow import Encoding, ModalityInput
from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.fitted_model import FittedModel, as_model_input, check_preparation
from survkit.hub.whole_float32 import whole_float32
from survkit.model import SurvivalModel, encode_present
from survkit.prediction import SurvivalPrediction
from survkit.protocols import Encoder, SurvivalHead
from survkit.stress.corrupted_input import CleanBatch, Reader, corrupt, read_samples
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
        cohort: Declares the same modalities, and has a name for every encoder.
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
        reached: By scenario, how many subjects were corrupted.
        kept: By scenario, how many were not, because no modality would have been left to them.
    """

    predictions: dict[str, SurvivalPrediction] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


def table_key(scenario: Scenario, seed: int) -> str:
    """Return the name of the predictions of a scenario under a seed."""
    return f"{scenario.key}.seed-{seed}"


def seeds_of(scenario: Scenario, seeds: Sequence[int]) -> Sequence[int]:
    """Return the seeds that are worth predicting: one where nothing is random."""
    return seeds if scenario.stochastic else seeds[:1]


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


@whole_float32()
def _of_member(
    member: SurvivalModel, task: FoldTask, outcome: FoldOutcome
) -> dict[str, list[Tensor]]:
    """Return the head's parameters by key, batch by batch."""
    specs, rows = task.fitted.description.inputs, list(task.rows)
    encoders = dict(member.encoders.items())
    store = store_for(task.cohort, rows, specs, encoders=encoders, cache=task.cache)
    modality_of = task.fitted.description.modality_of
    subsets = {
        key: frozenset(name for name in specs if modality_of(name) in kept)
        for key, kept in task.subsets.items()
    }
    outcome.rows = {key: [] for key in subsets}
    outcome.reached, outcome.kept = {}, {}
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
                batch = _Batch(member, task, outcome, encodings, found, part, inputs)
                for scenario in task.scenarios:
                    batch.corrupt(scenario)
                predict_subsets(batch.decide, subsets, encodings, start, outcome)
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
    rows: Sequence[int]
    inputs: Mapping[str, ModalityInput]
    read: dict[str, CleanBatch] = field(default_factory=dict)

    def decide(self, key: str, encodings: Mapping[str, Encoding]) -> None:
        """Keep what the model says to these encodings."""
        parameters = self.member.decide(encodings).parameters.cpu()
        self.found.setdefault(key, []).append(parameters)

    def corrupt(self, scenario: Scenario) -> None:
        """Predict one scenario under every seed."""
        for seed in seeds_of(scenario, self.task.seeds):
            if scenario.key not in self.outcome.failed:
                self._under_seed(scenario, seed)
            self.task.advance(len(self.rows))

    def _under_seed(self, scenario: Scenario, seed: int) -> None:
        """Predict, or say why that cannot be: a model may refuse what is missing."""
        batches = {name: self._clean(name) for name in scenario.modalities}
        dtype = next(self.member.parameters()).dtype
        try:
            corrupted = corrupt(scenario, batches, self._elsewhere(scenario), seed)
            given = as_model_input(corrupted.inputs, dtype, self.task.device)
            changed = {
                name: encode_present(
                    cast(Encoder, self.member.encoders[name]), given[name], penalties=False
                )
                for name in corrupted.inputs
            }
            self.decide(table_key(scenario, seed), {**self.encodings, **changed})
        except UserError as error:
            self.outcome.failed[scenario.key] = str(error)
            return
        if seed == self.task.seeds[0]:
            key, outcome = scenario.key, self.outcome
            outcome.reached[key] = outcome.reached.get(key, 0) + corrupted.reached
            outcome.kept[key] = outcome.kept.get(key, 0) + corrupted.kept

    def _clean(self, modality: str) -> CleanBatch:
        """Return a modality as it was read; once, however many scenarios corrupt it."""
        if modality not in self.read:
            cohort, description = self.task.cohort, self.task.fitted.description
            names = description.readers[modality]
            spec = description.inputs[names[0]]
            self.read[modality] = CleanBatch(
                subjects=[cohort.subjects[row] for row in self.rows],
                samples=read_samples(cohort, modality, self.rows, spec),
                spec=spec,
                readers={
                    name: Reader(self.member.encoders[name], self.inputs[name]) for name in names
                },
            )
        return self.read[modality]

    def _elsewhere(self, scenario: Scenario) -> Tensor:
        """Return who has a modality that the scenario leaves alone; bool (batch)."""
        modality_of = self.task.fitted.description.modality_of
        others = [
            encoding.present.cpu()
            for name, encoding in self.encodings.items()
            if modality_of(name) not in scenario.modalities
        ]
        if not others:
            return torch.zeros(len(self.rows), dtype=torch.bool)
        return torch.stack(others).any(dim=0)
