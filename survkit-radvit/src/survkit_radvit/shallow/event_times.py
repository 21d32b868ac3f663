"""Event times under proportional hazards, and censoring of a chosen share of the population."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from survkit.errors import ConfigError

RATE = 0.1
"""Of the baseline: its cumulative hazard is ``RATE * t ** shape``."""
_NODES, _HALVINGS = 300, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """How subjects are followed.

    Attributes:
        censored: Share of the population whose event is not observed.
        shape: Of the Weibull baseline; 1 is exponential, above 1 the hazard rises with time.
    """

    censored: float = 0.3
    shape: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.censored < 1:
            raise ConfigError(f"censored must be a share between 0 and 1, not {self.censored!r}")
        if not 0 < self.shape < float("inf"):
            raise ConfigError(f"the Weibull shape must be a positive number, not {self.shape!r}")


def observe(
    log_hazard: Tensor, follow: Follow, censoring_rate: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Draw event and censoring times and return what is seen of them.

    ``T = (-log(U) / (RATE * exp(log_hazard))) ** (1 / shape)``, C exponential.

    Args:
        log_hazard: Float64 (subject).
        follow: How they are followed.
        censoring_rate: Of :func:`censoring_rate`.
        generator: Of all chance.

    Returns:
        Duration ``min(T, C)``, float64 (subject), and whether ``T <= C``, bool (subject).
    """
    count = len(log_hazard)
    uniform = 1 - torch.rand(2, count, generator=generator, dtype=torch.float64)  # in (0, 1]
    event = (-uniform[0].log() / (RATE * log_hazard.exp())) ** (1 / follow.shape)
    censoring = -uniform[1].log() / censoring_rate
    return torch.minimum(event, censoring), event <= censoring


def censored_share(population: Tensor, rate: float, shape: float) -> float:
    """Return the share of a population that is censored at an exponential rate: the mean of
    ``P(C < T) = 1 - exp(-rate T)`` over its log hazards and over T.

    Args:
        population: Evenly weighted log hazards, float64.
        rate: Of the censoring.
        shape: Of the Weibull baseline.
    """
    return _share(*_event_times(population, shape), rate)


def censoring_rate(population: Tensor, follow: Follow) -> float:
    """Return the exponential rate at which the share asked for is censored, by bisection on the
    logarithm.

    Args:
        population: Evenly weighted log hazards of the whole population, float64: of its
            distribution, not of a sample.
        follow: With the share.
    """
    time, weight = _event_times(population, follow.shape)
    low, high = 1.0, 1.0
    while _share(time, weight, low) > follow.censored:
        low /= 2
    while _share(time, weight, high) < follow.censored:
        high *= 2
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        if _share(time, weight, middle) < follow.censored:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def _event_times(population: Tensor, shape: float) -> tuple[Tensor, Tensor]:
    """Return times T at the nodes of an integral over its quantiles, (log hazard, node), and the
    weights of the nodes.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    survival = torch.from_numpy((nodes + 1) / 2)
    time = (-survival.log() / (RATE * population[:, None].exp())) ** (1 / shape)
    return time, torch.from_numpy(weights / 2)


def _share(time: Tensor, weight: Tensor, rate: float) -> float:
    return 1 - float((torch.exp(-rate * time) @ weight).mean())
