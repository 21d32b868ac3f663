"""Corruptions that training subjects meet, checked against the model and the cohort before anything
trains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch

from survkit.corruptions.corrupted_sample import corrupted_sample
from survkit.corruptions.modality_corruption import ModalityCorruption, build_part, check_kind
from survkit.data import Cohort
from survkit.data.declared import declared_range, declared_spacing
from survkit.dry_run import made_up_values
from survkit.errors import CompositionError, ConfigError, UserError
from survkit.protocols import Prepares, Sample
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCorruption:
    """One entry of ``training.corruptions``.

    Attributes:
        part: What is done to which modality.
        probability: That a subject meets it in an epoch.
        readers: Names of the encoders that read the modality; they see the same draw.
        spec: What each of them is given.
        known: What the cohort declares of every sample; its values are not meant.
    """

    part: ModalityCorruption
    probability: float
    readers: tuple[str, ...]
    spec: InputSpec
    known: Sample


def training_corruptions(
    recipe: Recipe,
    cohort: Cohort,
    specs: Mapping[str, InputSpec],
    encoders: Mapping[str, object],
    registry: Registry,
) -> tuple[TrainingCorruption, ...]:
    """Build the recipe's corruptions, and try them on a made-up subject.

    Args:
        recipe: Of a network.
        cohort: Declares windows and voxel sizes.
        specs: What each encoder is given, by its name.
        encoders: By name.
        registry: Where corruptions are looked up.

    Raises:
        ConfigError: A setting is wrong, or the corruption does not apply to the modality.
        CompositionError: The encoder stores something else than what a corruption could change.
        UnknownComponentError: There is no such corruption.
        DataError: The corruption means nothing for such inputs.
    """
    found = tuple(_built(recipe, cohort, specs, encoders, registry))
    with torch.no_grad():
        _try(found)
    return found


def _built(
    recipe: Recipe,
    cohort: Cohort,
    specs: Mapping[str, InputSpec],
    encoders: Mapping[str, object],
    registry: Registry,
) -> Iterator[TrainingCorruption]:
    for number, config in enumerate(recipe.training.corruptions):
        modality, where = config.modality, f"training.corruptions.{number}"
        try:
            component = registry.find("corruption", config.use)
            part = build_part(component, modality, config.settings)
        except ConfigError as error:
            raise type(error)(f"{where}: {error}") from error
        readers = recipe.readers[modality]
        spec = specs[readers[0]]
        check_kind(part, spec.kind, where)
        for reader in readers:
            if isinstance(encoders[reader], Prepares):
                raise CompositionError(
                    f"{where}: encoders.{reader} ({recipe.encoders[reader].use}) prepares every "
                    "subject once and trains on what is stored of that, which is no longer the "
                    f"{spec.kind} that {part.name} could change; leave the corruption out, or use "
                    "an encoder without a preparation of its own"
                )
        known = Sample(
            values=torch.empty(0),
            spacing=declared_spacing(cohort, modality, spec),
            source=f"{where}: a subject's {modality}",
            intensity_range=declared_range(cohort, modality),
            columns=spec.columns,
        )
        yield TrainingCorruption(
            part=part, probability=config.probability, readers=readers, spec=spec, known=known
        )


def _try(corruptions: tuple[TrainingCorruption, ...]) -> None:
    """Run all corruptions of a modality in a row, as a subject may meet them."""
    samples: dict[str, Sample] = {}
    for number, one in enumerate(corruptions):
        modality = one.part.modality
        generator = torch.Generator().manual_seed(number)
        known = samples.get(modality) or _made_up(one, generator)
        before = replace(known, source=one.known.source)
        try:
            after = corrupted_sample(one.part, before, kind=one.spec.kind, generator=generator)
        except UserError as error:
            if one.known.source in str(error):
                raise
            raise type(error)(f"{one.known.source}: {error}") from error
        if after is not None and after.values is before.values and after.mask is not before.mask:
            raise ConfigError(
                f"training.corruptions.{number}: {one.part.name} changes the mask alone, which "
                f"encoders.{one.readers[0]} never sees in training; leave it out"
            )
        samples[modality] = before if after is None else after


def _made_up(one: TrainingCorruption, generator: torch.Generator) -> Sample:
    """Return a subject inside the declared intensities, with a mask where there may be one."""
    values, mask = made_up_values(one.spec, generator), None
    if one.spec.kind in ("image", "volume"):
        low, high = one.known.intensity_range or (0.0, 1.0)
        values = low + (high - low) * torch.rand(values.shape, generator=generator)
    if one.spec.kind in ("image", "volume") and not one.spec.has_tokens:
        mask = torch.ones(values.shape[1:], dtype=torch.bool)
    return replace(one.known, values=values, mask=mask)
