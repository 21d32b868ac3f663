"""What one subject costs in a recipe's network, measured by running it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from survkit.build import build_model
from survkit.compose import parts_of
from survkit.cost.count_flops import count_flops
from survkit.data import Cohort, read_modality
from survkit.errors import ConfigError, DataError
from survkit.flow import Encoding, ModalityInput
from survkit.hub.save import weights_size
from survkit.model import SurvivalModel, encode_present
from survkit.part_sizes import part_sizes
from survkit.protocols import Encoder, FitsBatches, FitsInput, Prepares
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import InputSpec, OutcomeSpec
from survkit.suggest import did_you_mean
from survkit.time_grid import fit_time_grid
from survkit.training.fit_outcome import fit_outcome

SCALING_ROWS = 32
"""Subjects on whom scalings of columns are estimated; they decide nothing about the cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCost:
    """One part of one network.

    Attributes:
        parameters: Number of single weights.
        trainable: Of them, those that are trained.
        flops: Of one subject's forward; two per multiply-add.
        prepare_flops: Of an encoder's own preparation of that subject, which is done once and kept.
    """

    parameters: int
    trainable: int
    flops: int
    prepare_flops: int = 0

    def to_json(self) -> dict[str, int | float]:
        """Plain numbers; ``gmacs`` counts a multiply-add as one."""
        whole = self.flops + self.prepare_flops
        return {
            "parameters": self.parameters,
            "trainable": self.trainable,
            "flops": self.flops,
            "prepare_flops": self.prepare_flops,
            "gflops": whole / 1e9,
            "gmacs": whole / 2e9,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a recipe costs.

    Attributes:
        subject: Who was run through it.
        parts: By role; of one network.
        members: Networks whose predictions are averaged.
        tokens: By modality whose subjects hold varying numbers of tokens (slices, tiles): how many
            the subject has, and how many were counted.
        saved_bytes: Of the saved model, all members together.
    """

    subject: str
    parts: Mapping[str, PartCost]
    members: int
    tokens: Mapping[str, tuple[int, int]]
    saved_bytes: int

    @property
    def total(self) -> PartCost:
        """All parts of all members."""
        parts = self.parts.values()
        return PartCost(
            parameters=self.members * sum(part.parameters for part in parts),
            trainable=self.members * sum(part.trainable for part in parts),
            flops=self.members * sum(part.flops for part in parts),
            prepare_flops=self.members * sum(part.prepare_flops for part in parts),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and texts."""
        return {
            "subject": self.subject,
            "members": self.members,
            "tokens": {
                name: {"own": own, "counted": counted}
                for name, (own, counted) in self.tokens.items()
            },
            "parts": {role: part.to_json() for role, part in self.parts.items()},
            "total": self.total.to_json(),
            "saved_bytes": self.saved_bytes,
        }


def cost(
    recipe: Recipe,
    cohort: Cohort,
    *,
    registry: Registry,
    subject: str | None = None,
    tokens: int | None = None,
) -> Cost:
    """Build a recipe's network, run one subject through it, and count.

    Weights are drawn, not read: they change nothing about the count.

    Args:
        recipe: Of a network.
        cohort: Gives the subject, with its outcome.
        registry: Where component names are looked up.
        subject: Who is run; the first who has every modality of the recipe by default.
        tokens: Slices or tiles to count instead of the subject's own, for encoders of a varying
            number of them; what is prepared is then scaled in proportion.

    Raises:
        ConfigError: The recipe is of a baseline, or no encoder takes a varying number of tokens.
        DataError: There is no such subject, or it lacks a modality.
    """
    cohort = cohort.with_twins(recipe.twins)
    row = _row(cohort, recipe, subject)
    everybody = list(range(len(cohort)))
    specs = {name: cohort.input_spec(name, everybody) for name in recipe.encoders}
    outcome = _outcome(recipe, cohort)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        model, _ = build_model(parts_of(recipe), specs, outcome, registry)
    model.eval()
    if tokens is not None and all(_fixed(model, name) for name in model.encoders):
        raise ConfigError(
            f"tokens={tokens} was asked, but no encoder of this recipe takes a varying number of "
            "them; leave it out"
        )
    runs = {name: _encode(model, name, cohort, row, spec, tokens) for name, spec in specs.items()}
    fusion, head = _decide(model, {name: run.encoding for name, run in runs.items()})
    flops = {f"encoders.{name}": run.flops for name, run in runs.items()}
    prepared = {f"encoders.{name}": run.prepare_flops for name, run in runs.items()}
    flops |= {"fusion": fusion, "head": head}
    parts = {
        role: PartCost(**size, flops=flops[role], prepare_flops=prepared.get(role, 0))
        for role, size in part_sizes(model).items()
    }
    return Cost(
        subject=cohort.subjects[row],
        parts=parts,
        members=recipe.training.members,
        tokens={name: run.tokens for name, run in runs.items() if run.tokens is not None},
        saved_bytes=weights_size([model] * recipe.training.members),
    )


def _outcome(recipe: Recipe, cohort: Cohort) -> OutcomeSpec:
    """Return the grid, which decides the size of the head; it asks for events only if it must."""
    asked = recipe.outcome
    if asked.grid.kind == "quantile":
        return fit_outcome(recipe, cohort, range(len(cohort)))
    grid = fit_time_grid(
        asked.grid.kind,
        intervals=asked.grid.intervals,
        horizon=asked.horizon,
        edges=asked.grid.edges,
    )
    return OutcomeSpec(
        causes=cohort.causes, horizon=asked.horizon, time_grid=grid, time_unit=asked.unit
    )


def _row(cohort: Cohort, recipe: Recipe, subject: str | None) -> int:
    """Return the position of the subject, who must have every modality of the recipe."""
    there = {name: cohort.available(name) for name in recipe.encoders}
    if subject is None:
        whole = [row for row in range(len(cohort)) if all(has[row] for has in there.values())]
        if not whole:
            raise DataError(
                f"{cohort.source}: no subject has all of {', '.join(there)}; give --subject and a "
                "recipe of its modalities"
            )
        return whole[0]
    if subject not in cohort.subjects:
        raise DataError(
            f"{cohort.source}: no subject is named {subject!r}. "
            f"{did_you_mean(subject, cohort.subjects)}"
        )
    row = cohort.subjects.index(subject)
    missing = [name for name, has in there.items() if not has[row]]
    if missing:
        raise DataError(f"{cohort.source}: subject '{subject}' has no {', '.join(missing)}")
    return row


@dataclass(frozen=True, slots=True)
class _Encoded:
    """One modality of the subject."""

    encoding: Encoding
    flops: int
    prepare_flops: int
    tokens: tuple[int, int] | None


def _fixed(model: SurvivalModel, modality: str) -> bool:
    return cast(Encoder, model.encoders[modality]).encoding.tokens is not None


def _encode(
    model: SurvivalModel,
    name: str,
    cohort: Cohort,
    row: int,
    spec: InputSpec,
    tokens: int | None,
) -> _Encoded:
    encoder = cast(Encoder, model.encoders[name])
    _estimate_scaling(encoder, name, cohort, row, spec)
    sample = cohort.read_sample(name, row, spec)
    assert sample is not None  # the subject was chosen for having it
    values, prepare_flops = sample.values, 0
    if isinstance(encoder, Prepares):
        with count_flops() as counted:
            values = encoder.prepare(sample)
        prepare_flops = counted.flops
    held = None
    if not _fixed(model, name):
        own = len(values)
        wanted = own if tokens is None else tokens
        values = values[torch.arange(wanted) % own]
        prepare_flops, held = round(prepare_flops * wanted / own), (own, wanted)
    with count_flops() as counted:
        encoding = encode_present(encoder, _alone(values, spec), penalties=False)
    return _Encoded(encoding, counted.flops, prepare_flops, held)


def _alone(values: Tensor, spec: InputSpec) -> ModalityInput:
    """Return a batch of one subject."""
    mask = torch.ones(1, len(values), dtype=torch.bool) if spec.has_tokens else None
    return ModalityInput(values[None].float(), torch.ones(1, dtype=torch.bool), token_mask=mask)


def _estimate_scaling(
    encoder: object, name: str, cohort: Cohort, row: int, spec: InputSpec
) -> None:
    """Let an encoder that scales its inputs do so, for it runs on nothing else."""
    if not isinstance(encoder, FitsInput | FitsBatches):
        return
    rows = [row]
    if spec.kind in ("table", "vector"):
        rows = [one for one in range(len(cohort)) if cohort.available(name)[one]][:SCALING_ROWS]
    given = read_modality(cohort, name, rows, spec, encoder=encoder)
    if isinstance(encoder, FitsInput):
        encoder.fit(given)
    if isinstance(encoder, FitsBatches):
        encoder.fit_batches([given])


def _decide(model: SurvivalModel, encodings: Mapping[str, Encoding]) -> tuple[int, int]:
    """Return the operations of the fusion (with projections left to it) and of the head."""
    with count_flops() as both:
        output = model.decide(encodings)
    with count_flops() as head:
        model.head(output.embedding)
    return both.flops - head.flops, head.flops
