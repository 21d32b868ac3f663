"""The conformance tests of losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from survkit.errors import UserError
from survkit.flow import ModelOutput, SurvivalTarget, map_tensors, select
from survkit.protocols import ANY_PARAMETERIZATION
from survkit.specs import OutcomeSpec
from survkit.testing.batches import random_output, random_target
from survkit.testing.kit import Kit, assert_close

_ONE_CAUSE = ("interval-hazard", "weibull")


class LossConformance(Kit):
    """What every loss must keep; a subclass gives ``component``, ``settings``, ``outcome``.

    A loss may refuse what it cannot honour (entry, weights, strata) with a ``UserError``.
    """

    outcome: ClassVar[OutcomeSpec] = OutcomeSpec(
        causes=("death",), horizon=24.0, time_grid=(3.0, 6.0, 12.0, 18.0, 24.0)
    )
    """What is predicted."""
    subjects: ClassVar[int] = 12

    def build(self) -> Any:
        """Return the loss."""
        return type(self).component(self.outcome, **self.settings)

    def outputs(self, subjects: int | None = None) -> Iterator[ModelOutput]:
        """Yield a random float64 output for every parameterization that the loss accepts.

        A loss that reads a plugin's own parameterization overrides this.
        """
        accepts = self.build().accepts
        for name in ("log-hazard",) if ANY_PARAMETERIZATION in accepts else accepts:
            if name in _ONE_CAUSE and len(self.outcome.causes) > 1:
                continue
            yield random_output(name, self.outcome, subjects or self.subjects, dtype=torch.float64)

    def target(self, *optional: str, subjects: int | None = None) -> SurvivalTarget:
        """Return a random target with ties, all causes and censoring."""
        return random_target(self.outcome, subjects or self.subjects, seed=3, optional=optional)

    def test_value_is_a_finite_scalar(self) -> None:
        """One finite number in float64 for float64, and a finite one for float32 and bfloat16."""
        loss, target = self.build(), self.target()
        for output in self.outputs():
            for dtype in (torch.float64, torch.float32, torch.bfloat16):
                value = loss(_cast(output, dtype), target)

                assert value.shape == ()
                assert bool(value.isfinite())
                assert dtype != torch.float64 or value.dtype == torch.float64

    def test_order_of_subjects_is_irrelevant(self) -> None:
        """A permutation of the risk set changes nothing."""
        loss, target = self.build(), self.target()
        order = torch.randperm(self.subjects, generator=torch.Generator().manual_seed(0))
        for output in self.outputs():
            assert_close(loss(select(output, order), select(target, order)), loss(output, target))

    def test_gradient_is_the_derivative(self) -> None:
        """The gradient agrees with finite differences in float64."""
        loss, target = self.build(), self.target(subjects=6)
        for output in self.outputs(subjects=6):
            names = sorted(output.modality_embeddings)
            vectors = [output.modality_embeddings[name] for name in names]
            leaves = [output.parameters, output.embedding, *vectors]

            def value(
                parameters: Tensor,
                embedding: Tensor,
                *vectors: Tensor,
                output: ModelOutput = output,
                names: list[str] = names,
            ) -> Tensor:
                modality_embeddings = dict(zip(names, vectors, strict=True))
                changed = replace(
                    output,
                    parameters=parameters,
                    embedding=embedding,
                    modality_embeddings=modality_embeddings,
                )
                result: Tensor = loss(changed, target)
                return result

            for leaf in leaves:
                leaf.requires_grad_()
            assert torch.autograd.gradcheck(value, leaves)

    def test_without_events_it_is_finite_and_differentiable(self) -> None:
        """A risk set in which everybody is censored gives a finite value and a finite gradient."""
        target = self.target()
        censored = replace(target, event=torch.zeros_like(target.event))
        for output in self.outputs():
            self._assert_finite(output, censored)

    def test_one_subject_is_ordinary(self) -> None:
        """A single subject, censored or not, gives a finite value and a finite gradient."""
        target = self.target(subjects=1)
        for event in range(len(self.outcome.causes) + 1):
            alone = replace(target, event=torch.full_like(target.event, event))
            for output in self.outputs(subjects=1):
                self._assert_finite(output, alone)

    def test_doubled_weight_is_a_doubled_row(self) -> None:
        """A weight of 2 means the same subject twice, or weights are refused."""
        loss, target = self.build(), self.target()
        twice = torch.arange(self.subjects) % 3 == 0
        weighted = replace(target, weight=1.0 + twice.double())
        rows = torch.cat([torch.arange(self.subjects), twice.nonzero().flatten()])
        for output in self.outputs():
            value = self._value_or_refused(output, weighted)
            if value is not None:
                assert_close(value, loss(select(output, rows), select(target, rows)))

    @pytest.mark.parametrize("name", ["entry", "weight", "strata"])
    def test_optional_columns_are_honoured_or_refused(self, name: str) -> None:
        """With delayed entry, weights or strata the value is finite, or refused by that name."""
        for output in self.outputs():
            value = self._value_or_refused(output, self.target(name), name)
            assert value is None or bool(value.isfinite())

    def test_nothing_is_changed(self) -> None:
        """The loss is a pure function: same call, same value, and its arguments stay."""
        loss, target = self.build(), self.target()
        for output in self.outputs():
            before = map_tensors(output, torch.Tensor.clone)

            first, second = loss(output, target), loss(output, target)

            assert torch.equal(first, second)
            assert torch.equal(output.parameters, before.parameters)
            assert torch.equal(output.embedding, before.embedding)

    def test_relative_hazards_are_relative(self) -> None:
        """On log hazards: no shift of all of them, and no monotone change of time, matters.

        A subject 2,000 above the others keeps value and gradient finite.
        """
        loss, target = self.build(), self.target()
        if "log-hazard" not in loss.accepts:
            return
        output = random_output("log-hazard", self.outcome, self.subjects, dtype=torch.float64)
        expected = loss(output, target)

        for shift in (-1000.0, 1000.0):
            shifted = replace(output, parameters=output.parameters + shift)
            torch.testing.assert_close(loss(shifted, target), expected, rtol=1e-9, atol=1e-9)
        later = target.duration**2 / self.outcome.horizon  # the horizon stays where it is
        assert_close(loss(output, replace(target, duration=later)), expected)
        above = output.parameters.clone()
        above[0] += 2000.0
        self._assert_finite(replace(output, parameters=above), target)

    def _assert_finite(self, output: ModelOutput, target: SurvivalTarget) -> None:
        output = map_tensors(output, lambda values: values.clone().requires_grad_())
        value = self.build()(output, target)

        assert bool(value.isfinite())
        assert value.requires_grad, "the graph must be kept, or a rank without events stalls"
        leaves = [output.parameters, output.embedding, *output.modality_embeddings.values()]
        for gradient in torch.autograd.grad(value, leaves, allow_unused=True):
            assert gradient is None or bool(gradient.isfinite().all())

    def _value_or_refused(
        self, output: ModelOutput, target: SurvivalTarget, name: str = "weight"
    ) -> Tensor | None:
        refusal = name
        try:
            value: Tensor = self.build()(output, target)
        except UserError as error:
            refusal = str(error)
        else:
            return value
        assert name in refusal
        return None


def _cast(output: ModelOutput, dtype: torch.dtype) -> ModelOutput:
    return map_tensors(output, lambda values: values.to(dtype))
