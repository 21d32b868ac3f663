"""From a recipe to a model and an objective that fit each other, refused in one sentence where they
do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from survkit.build import Part, Parts, build_model, build_part
from survkit.component_config import ComponentConfig
from survkit.dry_run import dry_run
from survkit.errors import CompositionError, ConfigError, SurvkitError, UserError
from survkit.model import SurvivalModel
from survkit.objective import Objective, Term
from survkit.protocols import ANY_PARAMETERIZATION, Encoder, Fusion, Loss, StartsFromWeights
from survkit.recipe import LossConfig, PenaltyConfig, Recipe
from survkit.registry import Registry
from survkit.specs import InputSpec, OutcomeSpec


@dataclass(frozen=True, slots=True)
class Composition:
    """A network and what it is trained for.

    Attributes:
        model: Untrained, on the CPU.
        objective: The weighted losses and penalties.
        parts: Every component under its full name with all its settings.
    """

    model: SurvivalModel
    objective: Objective
    parts: Parts


Begin = Callable[[SurvivalModel, Parts], None]
"""Puts weights into a network that was just built, instead of the encoders' published ones."""


def compose(
    recipe: Recipe,
    specs: Mapping[str, InputSpec],
    outcome: OutcomeSpec,
    registry: Registry,
    *,
    begin: Begin | None = None,
) -> Composition:
    """Build a recipe's model and objective, and try them on a few made-up subjects before any data
    is read.

    Args:
        recipe: What to build.
        specs: What the cohort gives, by modality or by encoder; more than the recipe uses is fine.
        outcome: Causes, horizon and time grid.
        registry: Where names are looked up.
        begin: Called with the network and its parts before it is tried; by default encoders that
            start from published weights read them.

    Raises:
        CompositionError: Components that do not fit; the sentence names both, and what would fit.
        ConfigError: An unknown name or a wrong setting.
    """
    parts = parts_of(recipe)
    specs = {name: specs[read] for name, read in recipe.twins.items() if read in specs} | {**specs}
    model, named = build_model(parts, specs, outcome, registry)
    if begin is None:
        start_from_weights(model.encoders.items())
    else:
        begin(model, named)
    objective = build_objective(recipe, model, outcome, registry)
    used = {modality: specs[modality] for modality in named.encoders}
    dry_run(model, objective, used, outcome, named)
    return Composition(model=model, objective=objective, parts=named)


def start_from_weights(encoders: Iterable[tuple[str, object]]) -> None:
    """Let encoders that start from published weights read them.

    Raises:
        DataError: Weights are not at hand; the message names the encoder.
    """
    for modality, encoder in encoders:
        if isinstance(encoder, StartsFromWeights):
            try:
                encoder.load_weights()
            except UserError as error:
                raise type(error)(f"encoders.{modality}: {error}") from error


def parts_of(recipe: Recipe) -> Parts:
    """Return the components a recipe names.

    Raises:
        ConfigError: The recipe is that of a baseline.
    """
    if recipe.head is None:
        raise ConfigError(
            "the recipe of a baseline names no network; only survkit cv runs it, fitting it anew "
            "in every fold"
        )

    def part(kind: str, config: ComponentConfig) -> Part:
        return Part(kind=kind, name=config.use, settings=config.settings)

    return Parts(
        encoders={name: part("encoder", config) for name, config in recipe.encoders.items()},
        fusion=part("fusion", recipe.fusion),
        head=part("head", recipe.head),
    )


def build_objective(
    recipe: Recipe, model: SurvivalModel, outcome: OutcomeSpec, registry: Registry
) -> Objective:
    """Build what a recipe minimises.

    Raises:
        CompositionError: A loss or penalty that does not fit the model.
    """
    terms: list[Term] = []
    penalties: dict[str, float] = {}
    for position, item in enumerate(recipe.objective):
        if isinstance(item, PenaltyConfig):
            _check_penalty(item.penalty, model, position)
            penalties[item.penalty] = penalties.get(item.penalty, 0.0) + item.weight
        else:
            terms.append(_term(item, position, recipe, model, outcome, registry))
    if not terms:
        raise CompositionError("objective: only penalties are weighed; at least one loss is needed")
    return Objective(terms=tuple(terms), penalty_weights=penalties)


def _term(
    item: LossConfig,
    position: int,
    recipe: Recipe,
    model: SurvivalModel,
    outcome: OutcomeSpec,
    registry: Registry,
) -> Term:
    part = Part(kind="loss", name=item.use, settings=item.settings)
    loss, named = build_part(part, registry, outcome, role=f"objective.{position}")
    _check_accepts(
        cast(Loss, loss), named.name, parts_of(recipe).head.name, model, outcome, registry
    )
    return Term(name=named.name, weight=item.weight, loss=loss)


def _check_accepts(
    loss: Loss,
    loss_name: str,
    head_name: str,
    model: SurvivalModel,
    outcome: OutcomeSpec,
    registry: Registry,
) -> None:
    """Refuse a loss that cannot read what the head gives, and name the losses that can."""
    given = model.parameterization
    if given in loss.accepts or ANY_PARAMETERIZATION in loss.accepts:
        return
    fitting = [
        component.full_name
        for component in registry.iterate("loss")
        if _accepts(component, given, outcome)
    ]
    raise CompositionError(
        f"the loss {loss_name} reads {' or '.join(loss.accepts)}, "
        f"but the head {head_name} gives {given}; "
        f"losses that read {given}: {', '.join(fitting) or 'none is installed'} "
        f"(for example --set objective={fitting[0] if fitting else '...'})"
    )


def _accepts(component: Any, given: str, outcome: OutcomeSpec) -> bool:
    """Whether a registered loss reads the parameterization; one that cannot be built does not."""
    try:
        accepts = cast(Callable[..., Loss], component.load())(outcome).accepts
    except (SurvkitError, TypeError, ImportError):
        return False
    return given in accepts


def _check_penalty(name: str, model: SurvivalModel, position: int) -> None:
    given = [
        f"{modality}.{penalty}"
        for modality, encoder in model.encoders.items()
        for penalty in cast(Encoder, encoder).encoding.penalties
    ]
    given += [f"fusion.{penalty}" for penalty in cast(Fusion, model.fusion).penalties]
    if name not in given:
        raise CompositionError(
            f"objective.{position}: no part of this model gives the penalty '{name}'; "
            f"given are: {', '.join(sorted(given)) or 'none'}"
        )
