"""What a fold's model predicts for its test subjects with all tokens and with fewer, and how fast.

Full and pruned run in turn on the same micro-batches, one after the other, so that what else the
machine does meets them alike; short ones several times, of which the median counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from survkit.data import Cohort, store_for
from survkit.flow import ModalityInput
from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.fitted_model import FittedModel, as_model_input, check_preparation
from survkit.hub.whole_float32 import whole_float32
from survkit.model import SurvivalModel
from survkit.prediction import SurvivalPrediction
from survkit.protocols import SurvivalHead
from survkit.prunes_tokens import PrunesTokens
from survkit.pruning.choice import Choice
from survkit.pruning.importance import importance_of, population_importance
from survkit.pruning.settings import Map

if TYPE_CHECKING:
    from survkit.data import PreparationCache

FULL = "full"
IMPORTANCE = "importance"
ROUNDS, LONG_ENOUGH = 5, 0.5
"""A micro-batch is run so often, but no further round begins after so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTask:
    """What is predicted.

    Attributes:
        fitted: The fold's model.
        cohort: Declares the same modalities.
        train: The fold's training subjects as positions in it; they alone make the population map.
        test: Its test subjects.
        modality: Whose tokens are left out.
        choices: By which rules.
        map: Whose importance decides.
        micro_batch: Subjects in memory at once.
        device: Where the networks run.
        cache: Where prepared images are kept.
        advance: Told of every subject and pass.
    """

    fitted: FittedModel
    cohort: Cohort
    train: Sequence[int]
    test: Sequence[int]
    modality: str
    choices: Sequence[Choice]
    map: Map
    micro_batch: int
    device: str
    cache: PreparationCache | None
    advance: Callable[[int], None]


@dataclass(slots=True)
class FoldOutcome:
    """What was predicted.

    Attributes:
        predictions: By key: ``"full"`` and those of the choices.
        seconds: By the same keys, and ``"importance"``: what the forward of all networks and
            subjects took, reading apart.
        importance: Of each network, mean over training subjects, float64 (token); empty where each
            subject has a choice of its own.
        kept: By key of a choice, the tokens of each network, bool (token); empty likewise.
        shares: By key of a choice, the share of tokens kept, one per network, or per network and
            subject.
    """

    predictions: dict[str, SurvivalPrediction] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    importance: list[Tensor] = field(default_factory=list)
    kept: dict[str, list[Tensor]] = field(default_factory=dict)
    shares: dict[str, list[float]] = field(default_factory=dict)


def predict_fold(task: FoldTask) -> FoldOutcome:
    """Predict with all tokens and under every choice.

    Raises:
        DataError: The cohort does not fit the model, or no training subject has the modality.
        PluginError: The encoder broke its contract.
    """
    check_preparation(task.fitted.description, task.cohort)
    outcome = FoldOutcome()
    found: dict[str, list[SurvivalPrediction]] = {}
    for member in task.fitted.members:
        head = cast(SurvivalHead, member.head)
        for key, parts in _of_member(member, task, outcome).items():
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
    specs, test = task.fitted.description.inputs, list(task.test)
    encoders = dict(member.encoders.items())
    store = store_for(task.cohort, test, specs, encoders=encoders, cache=task.cache)
    dtype = next(member.parameters()).dtype
    found: dict[str, list[Tensor]] = {}
    member.eval().to(task.device)
    try:
        wanted = task.choices and task.map == "population"
        fixed = _for_everybody(member, task, outcome) if wanted else {}
        run = _Timed(member, task, outcome.seconds)
        with torch.no_grad():
            for start in range(0, len(test), task.micro_batch):
                part = test[start : start + task.micro_batch]
                inputs = as_model_input(store.inputs(part), dtype, task.device)
                own = {} if fixed or not task.choices else run.own_choices(inputs, outcome)
                for key, parameters in run.in_turn(inputs, {FULL: None, **fixed, **own}).items():
                    found.setdefault(key, []).append(parameters)
                    task.advance(len(part))
    finally:
        member.cpu()
    return found


def _for_everybody(
    member: SurvivalModel, task: FoldTask, outcome: FoldOutcome
) -> dict[str, Tensor | None]:
    """Return by key the tokens that the training subjects found important."""
    rows, specs = list(task.train), task.fitted.description.inputs
    encoders = dict(member.encoders.items())
    importance = population_importance(
        member,
        task.modality,
        store_for(task.cohort, rows, specs, encoders=encoders, cache=task.cache),
        rows,
        micro_batch=task.micro_batch,
        device=task.device,
        advance=task.advance,
    )
    outcome.importance.append(importance)
    choices: dict[str, Tensor | None] = {}
    for choice in task.choices:
        kept = choice.kept(importance)
        choices[choice.key] = kept.to(task.device)
        outcome.kept.setdefault(choice.key, []).append(kept)
        outcome.shares.setdefault(choice.key, []).append(float(kept.double().mean()))
    return choices


@dataclass(slots=True)
class _Timed:
    """Runs a network and adds up what it takes; the first call of each kind is repeated, so that
    none pays for what is done once.
    """

    member: SurvivalModel
    task: FoldTask
    seconds: dict[str, float]
    warm: set[str] = field(default_factory=set)

    def in_turn(
        self, inputs: Mapping[str, ModalityInput], choices: Mapping[str, Tensor | None]
    ) -> dict[str, Tensor]:
        """Return the head's parameters by key, each with its tokens alone; on the CPU."""
        encoder = cast(PrunesTokens, self.member.encoders[self.task.modality])
        taken: dict[str, list[float]] = {key: [] for key in choices}
        found: dict[str, Tensor] = {}
        begin = perf_counter()
        for _ in range(ROUNDS):
            for key, kept in choices.items():
                if kept is not None:
                    encoder.keep_tokens(kept)
                try:
                    output, seconds = self._timed(
                        key, lambda: self.member(inputs, penalties=False).parameters
                    )
                finally:
                    if kept is not None:
                        encoder.keep_tokens(None)
                found[key] = output.cpu()
                taken[key].append(seconds)
            if perf_counter() - begin > LONG_ENOUGH:
                break
        for key, each in taken.items():
            self._add(key, median(each))
        return found

    def own_choices(
        self, inputs: Mapping[str, ModalityInput], outcome: FoldOutcome
    ) -> dict[str, Tensor | None]:
        """Return by key the tokens that each subject's own importance keeps; ``None`` where nobody
        has the modality.
        """
        encoder = cast(PrunesTokens, self.member.encoders[self.task.modality])
        given = inputs[self.task.modality]
        taken: list[float] = []
        while len(taken) < ROUNDS and sum(taken) <= LONG_ENOUGH:
            importance, seconds = self._timed(IMPORTANCE, lambda: importance_of(encoder, given))
            taken.append(seconds)
        self._add(IMPORTANCE, median(taken))
        choices: dict[str, Tensor | None] = {}
        for choice in self.task.choices:
            kept = None if importance is None else choice.kept(importance.double())
            shares = [] if kept is None else kept.double().mean(dim=1).tolist()
            outcome.shares.setdefault(choice.key, []).extend(shares)
            choices[choice.key] = kept
        return choices

    def _timed(self, key: str, call: Callable[[], Any]) -> tuple[Any, float]:
        if key not in self.warm:
            self.warm.add(key)
            call()
        self._wait()
        begin = perf_counter()
        found = call()
        self._wait()
        return found, perf_counter() - begin

    def _add(self, key: str, seconds: float) -> None:
        self.seconds[key] = self.seconds.get(key, 0.0) + seconds

    def _wait(self) -> None:
        device = torch.device(self.task.device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)


def without_choices(task: FoldTask, fitted: FittedModel) -> FoldTask:
    """Return the task of predicting with another model as it is."""
    return replace(task, fitted=fitted, choices=())
