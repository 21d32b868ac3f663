"""Random records for specs: what tests feed to components."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from survkit.errors import ConfigError
from survkit.flow import Encoding, ModalityInput, ModelOutput, SurvivalTarget
from survkit.specs import EncodingSpec, InputSpec, OutcomeSpec

TOKENS = 5
"""Tokens per subject, padding included, where a spec lets them vary."""


def random_input(
    spec: InputSpec,
    subjects: int = 6,
    *,
    seed: int = 0,
    missing: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> ModalityInput:
    """Return normal values, or level indices for categorical columns, of present subjects.

    Args:
        spec: What to imitate. With ``has_tokens`` the subjects have 1 to 5 real tokens.
        subjects: How many.
        seed: Same seed, same values.
        missing: Probability that a table's value is missing (NaN).
        dtype: Of the values.
    """
    generator = torch.Generator().manual_seed(seed)
    axes = (subjects, TOKENS, *spec.shape) if spec.has_tokens else (subjects, *spec.shape)
    values = torch.randn(axes, generator=generator, dtype=dtype)
    for position, column in enumerate(spec.columns):
        if column.levels is not None:
            drawn = torch.randint(max(len(column.levels), 1), axes[:-1], generator=generator)
            values[..., position] = drawn.to(dtype)
    if missing:
        lost = torch.rand(axes, generator=generator) < missing
        values = values.masked_fill(lost, torch.nan)
    token_mask = _token_mask(subjects, generator) if spec.has_tokens else None
    present = torch.ones(subjects, dtype=torch.bool)
    return ModalityInput(values=values, present=present, token_mask=token_mask)


def random_encoding(
    spec: EncodingSpec,
    subjects: int = 6,
    *,
    seed: int = 0,
    present: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
) -> Encoding:
    """Return an encoding as the spec promises it, with zeros in the rows of absent subjects."""
    generator = torch.Generator().manual_seed(seed)
    if present is None:
        present = torch.ones(subjects, dtype=torch.bool)
    tokens = TOKENS if spec.tokens is None else spec.tokens

    def draw(*axes: int) -> Tensor:
        values = torch.randn(subjects, *axes, generator=generator, dtype=dtype)
        return values * present.reshape(-1, *[1] * len(axes)).to(dtype)

    mask = None
    if spec.tokens is None:
        mask = _token_mask(subjects, generator) & present[:, None]
    return Encoding(
        tokens=draw(tokens, spec.dim),
        summary=draw(spec.dim),
        present=present,
        token_mask=mask,
        grid=spec.grid,
        continuous=draw(tokens, spec.dim) if spec.has_continuous else None,
        penalties={name: draw().abs() for name in spec.penalties},
    )


def random_encodings(
    specs: Mapping[str, EncodingSpec],
    subjects: int = 6,
    *,
    seed: int = 0,
    present: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Encoding]:
    """Return one encoding per modality.

    Args:
        specs: What the encoders promise.
        subjects: How many.
        seed: Same seed, same values.
        present: Who has which modality; bool (batch, modality) in sorted order of names. All do
            where it is ``None``.
        dtype: Of the values.
    """
    return {
        name: random_encoding(
            specs[name],
            subjects,
            seed=1000 * seed + position,
            present=None if present is None else present[:, position],
            dtype=dtype,
        )
        for position, name in enumerate(sorted(specs))
    }


def random_target(
    outcome: OutcomeSpec,
    subjects: int = 12,
    *,
    seed: int = 0,
    optional: tuple[str, ...] = (),
) -> SurvivalTarget:
    """Return durations up to the horizon with ties, and every cause and censoring among the events.

    Args:
        outcome: Gives causes and horizon.
        subjects: How many.
        seed: Same seed, same values.
        optional: Which of ``"entry"``, ``"weight"`` and ``"strata"`` to give too.
    """
    generator = torch.Generator().manual_seed(seed)
    steps = 4 * outcome.intervals
    step = torch.randint(1, steps + 1, (subjects,), generator=generator)
    duration = step.double() / steps * outcome.horizon
    order = torch.randperm(subjects, generator=generator)
    event = (order % (len(outcome.causes) + 1)).long()
    share = torch.rand(3, subjects, generator=generator, dtype=torch.float64)
    return SurvivalTarget(
        duration=duration,
        event=event,
        entry=duration * share[0] * 0.9 if "entry" in optional else None,
        weight=0.5 + share[1] if "weight" in optional else None,
        strata=(share[2] * 2).long() if "strata" in optional else None,
    )


def parameter_shape(parameterization: str, outcome: OutcomeSpec) -> tuple[int, ...]:
    """Return the axes after the batch's of a parameterization that survkit itself defines.

    Raises:
        ConfigError: It is a plugin's own.
    """
    causes, intervals = len(outcome.causes), outcome.intervals
    shapes: dict[str, tuple[int, ...]] = {
        "log-hazard": (causes,),
        "pmf": (causes * intervals + 1,),
        "interval-hazard": (intervals,),
        "cause-interval-hazard": (intervals, causes + 1),
        "piecewise-hazard": (intervals,),
        "weibull": (2,),
    }
    if parameterization not in shapes:
        raise ConfigError(
            f"the shape of {parameterization!r} parameters is known to their plugin only; "
            f"survkit knows {', '.join(shapes)}"
        )
    return shapes[parameterization]


def random_output(
    parameterization: str,
    outcome: OutcomeSpec,
    subjects: int = 12,
    *,
    seed: int = 0,
    modalities: tuple[str, ...] = ("ct", "pet"),
    dtype: torch.dtype = torch.float32,
) -> ModelOutput:
    """Return normal parameters of that meaning, and normal embeddings of width 4."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*axes: int) -> Tensor:
        return torch.randn(subjects, *axes, generator=generator, dtype=dtype)

    parameters = draw(*parameter_shape(parameterization, outcome))
    if parameterization == "weibull":
        parameters[:, 0] += torch.tensor(outcome.horizon, dtype=dtype).log()
    return ModelOutput(
        parameters=parameters,
        parameterization=parameterization,
        embedding=draw(4),
        modality_embeddings={name: draw(4) for name in modalities},
    )


def _token_mask(subjects: int, generator: torch.Generator) -> Tensor:
    real = torch.randint(1, TOKENS + 1, (subjects, 1), generator=generator)
    return torch.arange(TOKENS)[None] < real
