"""Slowly varying sensitivity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

import torch
from torch import Tensor

from survkit.corruptions.intensity import check_severity, intensity_range
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasField:
    """Multiplies intensities, counted from the lowest of the range, by a smooth field: coil
    sensitivity in MR, beam hardening and the heel effect in X-rays.

    The field is ``exp(strength * g)``, g a random polynomial of the position with Gaussian
    coefficients, scaled to a largest magnitude of 1; so sensitivity lies between
    ``exp(-strength)`` and ``exp(strength)``, alike in all channels.

    Args:
        strength: Largest magnitude of the field's logarithm.
        order: Degree of the polynomial.

    Reference: the polynomial model of Van Leemput, Maes, Vandermeulen and Suetens (1999).
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"strength": 0.1},
        "medium": {"strength": 0.3},
        "high": {"strength": 0.6},
    }
    stochastic: ClassVar[bool] = True

    strength: float = 0.3
    order: int = 3

    def __post_init__(self) -> None:
        check_severity("strength", self.strength, 0, 10, "sensitivity then varies e^20-fold")
        check_severity("order", self.order, 1, 10, "a higher degree is no slowly varying field")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Multiply by a field drawn from the generator."""
        if self.strength == 0:
            return sample
        low, _ = intensity_range(sample)
        shape = smooth_polynomial(sample.values.shape[1:], self.order, generator)
        field = torch.exp(self.strength * shape).to(sample.values.dtype)
        return replace(sample, values=(sample.values - low) * field + low)


def smooth_polynomial(spatial: torch.Size, order: int, generator: torch.Generator) -> Tensor:
    """Return a random polynomial without constant term, of largest magnitude 1; float64."""
    positions = [torch.linspace(-1, 1, length, dtype=torch.float64) for length in spatial]
    total = torch.zeros(spatial, dtype=torch.float64)
    for powers in product(range(order + 1), repeat=len(spatial)):
        if not 1 <= sum(powers) <= order:
            continue
        term = torch.randn((), generator=generator, dtype=torch.float64).expand(spatial)
        for axis, (position, power) in enumerate(zip(positions, powers, strict=True)):
            shape = [1] * len(spatial)
            shape[axis] = len(position)
            term = term * position.pow(power).view(shape)
        total = total + term
    largest = total.abs().max()
    return total / largest if float(largest) > 0 else total
