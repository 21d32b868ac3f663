"""The kit notices components that break their contract, and subclasses that bend it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.gradcheck import GradcheckError

from survkit.encoders.vector import VectorEncoder
from survkit.errors import PluginError
from survkit.flow import Encoding, Fused, ModalityInput, ModelOutput, SurvivalTarget
from survkit.fusions.mean import MeanFusion
from survkit.heads.discrete_hazard import DiscreteHazardHead
from survkit.losses.cox import CoxLoss
from survkit.prediction import GridPrediction
from survkit.specs import EncodingSpec, InputSpec, OutcomeSpec
from survkit.testing import (
    EncoderConformance,
    FusionConformance,
    HeadConformance,
    LossConformance,
)
from survkit.testing.kit import Kit, bent_tests


class BrokenEncoder(nn.Module):
    """A vector encoder with one fault."""

    def __init__(self, input: InputSpec, *, fault: str) -> None:
        super().__init__()
        self.inner = VectorEncoder(input, dim=3, standardise=False)
        self.fault = fault
        if fault == "idle parameter":
            self.idle = nn.Parameter(torch.ones(2))
        if fault == "unsaved state":
            self.offset = torch.randn(())

    @property
    def encoding(self) -> EncodingSpec:
        return EncodingSpec(dim=4 if self.fault == "wrong width" else 3)

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        encoding = self.inner(input)
        summary = encoding.summary
        if self.fault == "sees its neighbours":
            summary = summary - summary.mean(dim=0)
        if self.fault == "writes into its input":
            input.values.mul_(2.0)
        if self.fault == "is random":
            summary = summary + torch.rand(())
        if self.fault == "unsaved state":
            summary = summary + self.offset
        extra = {"size": summary.abs().mean()} if self.fault == "penalty of the batch" else {}
        return replace(encoding, summary=summary, penalties=extra)


ENCODER_FAULTS = {
    "wrong width": "test_declared_encoding_is_measured",
    "sees its neighbours": "test_rows_are_independent",
    "writes into its input": "test_input_is_not_changed",
    "is random": "test_same_input_same_encoding",
    "idle parameter": "test_every_parameter_learns",
    "unsaved state": "test_state_round_trip",
    "penalty of the batch": "test_penalties_are_per_subject_and_optional",
}


@pytest.mark.parametrize("fault", ENCODER_FAULTS)
def test_a_broken_encoder_fails(fault: str) -> None:
    """Each fault is found by the test that is there for it."""

    class Broken(EncoderConformance):
        component = BrokenEncoder
        input = InputSpec(kind="vector", shape=(4,))
        settings: ClassVar = {"fault": fault}

    with pytest.raises(AssertionError):
        getattr(Broken(), ENCODER_FAULTS[fault])()


class BrokenFusion(nn.Module):
    """A mean fusion with one fault."""

    def __init__(self, encodings: Mapping[str, EncodingSpec], *, fault: str) -> None:
        super().__init__()
        self.inner = MeanFusion(encodings, dim=3)
        self.first = next(iter(encodings))
        self.fault = fault

    @property
    def dim(self) -> int:
        return self.inner.dim

    @property
    def penalties(self) -> tuple[str, ...]:
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        fused = self.inner(encodings)
        leak: Tensor = encodings["ct"].summary.sum(dim=1, keepdim=True)
        if self.fault == "depends on order":
            leak = encodings[self.first].summary.sum(dim=1, keepdim=True)
        return replace(fused, embedding=fused.embedding + leak)


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("shows absent rows", "test_absent_rows_have_no_influence"),
        ("depends on order", "test_order_of_modalities_is_irrelevant"),
    ],
)
def test_a_broken_fusion_fails(fault: str, test: str) -> None:
    """A leak of absent rows and a dependence on the order of names are found."""

    class Broken(FusionConformance):
        component = BrokenFusion
        encodings: ClassVar = {"pet": EncodingSpec(dim=2), "ct": EncodingSpec(dim=4)}
        settings: ClassVar = {"fault": fault}

    with pytest.raises(AssertionError):
        getattr(Broken(), test)()


class RisingSurvival(nn.Module):
    """A hazard head whose curves do not add up."""

    def __init__(self, in_dim: int, outcome: OutcomeSpec, *, fault: str) -> None:
        super().__init__()
        self.inner = DiscreteHazardHead(in_dim, outcome)
        self.fault = fault

    @property
    def parameterization(self) -> str:
        return self.inner.parameterization

    def forward(self, embedding: Tensor) -> Tensor:
        return self.inner(embedding)

    def predict(self, parameters: Tensor) -> GridPrediction:
        prediction = self.inner.predict(parameters)
        if self.fault == "falls":
            return replace(prediction, incidence=prediction.incidence.flip(2))
        return replace(prediction, log_hazard=-prediction.incidence[:, :, -1])


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("falls", "test_survival_falls_from_one"),
        ("falls", "test_incidences_and_survival_sum_to_one"),
        ("reversed risk", "test_risk_score_ranks_as_incidence_does"),
    ],
)
def test_a_broken_head_fails(fault: str, test: str) -> None:
    """Falling incidences and a risk score of the wrong sign are found."""

    class Broken(HeadConformance):
        component = RisingSurvival
        settings: ClassVar = {"fault": fault}

    with pytest.raises(AssertionError):
        getattr(Broken(), test)()


class BrokenLoss:
    """A Cox loss with one fault."""

    def __init__(self, outcome: OutcomeSpec, *, fault: str) -> None:
        self.inner, self.fault = CoxLoss(outcome), fault

    @property
    def accepts(self) -> tuple[str, ...]:
        return self.inner.accepts

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        value: Tensor = self.inner(output, replace(target, weight=None))
        faults: dict[str, Callable[[], Tensor]] = {
            "depends on order": lambda: value + output.parameters[0, 0],
            "depends on level": lambda: value + output.parameters.mean(),
            "detached": lambda: value.detach(),
            "ignores weights": lambda: value,
            "wrong gradient": lambda: value + output.parameters.square().sum().detach(),
        }
        return faults[self.fault]()


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("depends on order", "test_order_of_subjects_is_irrelevant"),
        ("depends on level", "test_relative_hazards_are_relative"),
        ("detached", "test_without_events_it_is_finite_and_differentiable"),
        ("ignores weights", "test_doubled_weight_is_a_doubled_row"),
    ],
)
def test_a_broken_loss_fails(fault: str, test: str) -> None:
    """Dependence on order or level, a lost graph and ignored weights are found."""

    class Broken(LossConformance):
        component = BrokenLoss
        settings: ClassVar = {"fault": fault}

    with pytest.raises(AssertionError):
        getattr(Broken(), test)()


def test_a_wrong_gradient_fails() -> None:
    """A value whose gradient is not its derivative is found."""

    class Broken(LossConformance):
        component = BrokenLoss
        settings: ClassVar = {"fault": "wrong gradient"}

    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        Broken().test_gradient_is_the_derivative()


def _subclass(**body: Any) -> type[Kit]:
    return type("Bent", (LossConformance,), body)


def test_a_replaced_or_removed_kit_test_is_found() -> None:
    """Overriding a kit test, or hiding it, is reported by name."""
    name = "test_one_subject_is_ordinary"

    assert list(bent_tests(_subclass())) == []
    assert list(bent_tests(_subclass(**{name: lambda self: None}))) == [name]
    assert list(bent_tests(_subclass(**{name: None}))) == [name]


def test_a_strict_reasoned_xfail_excuses() -> None:
    """Only strict=True with a reason excuses."""
    name = "test_one_subject_is_ordinary"

    def marked(**words: Any) -> type[Kit]:
        @pytest.mark.xfail(**words)
        def replacement(self: object) -> None:
            return

        return _subclass(**{name: replacement})

    assert list(bent_tests(marked(strict=True, reason="needs two"))) == []
    assert list(bent_tests(marked(strict=True))) == [name]
    assert list(bent_tests(marked(strict=False, reason="needs two"))) == [name]


def test_the_watching_test_cannot_be_replaced() -> None:
    """Whoever watches is not watched by itself, so replacing it is refused at once."""
    with pytest.raises(PluginError, match="may not replace test_no_kit_test_is_bent"):
        _subclass(test_no_kit_test_is_bent=lambda self: None)
