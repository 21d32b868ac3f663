"""What is refused before a baseline is fitted anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, cast

from survkit.baselines.design_matrix import Rows
from survkit.baselines.inner_cv import chooses, inner_parts
from survkit.baselines.protocol import Baseline
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError
from survkit.recipe import InputConfig, Recipe
from survkit.settings import check_settings

if TYPE_CHECKING:
    from survkit.registry import Registry


def build_baseline(recipe: Recipe, registry: Registry) -> Baseline:
    """Return the recipe's baseline.

    Raises:
        MissingExtraError: The package that computes it is not installed.
        ConfigError: No such baseline, or a setting is wrong.
    """
    assert recipe.baseline is not None  # the callers have looked
    component = registry.find("baseline", recipe.baseline.use)
    constructor = cast(Callable[..., Baseline], component.load())
    where = f"baseline ({component.full_name})"
    settings = check_settings(constructor, recipe.baseline.settings, where=where)
    try:
        return constructor(**settings)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def check_baseline(recipe: Recipe, cohort: Cohort, registry: Registry) -> None:
    """Refuse a baseline that cannot be built, inputs it cannot read, and what it would ignore.

    Raises:
        UserError: One of these, in one sentence.
    """
    build_baseline(recipe, registry)
    for item in recipe.inputs:
        _check_input(item, cohort)
    assert cohort.outcome is not None  # it was read with its outcome
    for name, values in (
        ("delayed entry (outcome.entry)", cohort.outcome.entry),
        ("case weights (outcome.weight)", cohort.outcome.weight),
        ("strata", cohort.outcome.strata),
    ):
        if values is not None:
            raise DataError(
                f"{cohort.source}: declares {name}, which the baselines of scikit-survival do not "
                "honour; leave it out for all models that are compared, or use the head cox, whose "
                "loss honours it"
            )


def check_fold(
    candidates: Sequence[Recipe], cohort: Cohort, train: Rows, registry: Registry
) -> None:
    """Refuse a training part that an inner cross-validation is needed for and cannot divide.

    Raises:
        DataError: It holds too few events.
    """
    if len(candidates) > 1 or chooses(build_baseline(candidates[0], registry)):
        inner_parts(cohort, train, seed=0)


def software(recipe: Recipe, registry: Registry) -> dict[str, str]:
    """Return what computes the baseline, by distribution, with its version."""
    return {name: version(name) for name in build_baseline(recipe, registry).software}


def _check_input(item: InputConfig, cohort: Cohort) -> None:
    name = item.modality
    cohort.available(name)  # refuses an unknown modality by name
    kind = cohort.config.modality(name, source=cohort.source).kind
    if kind not in ("table", "vector"):
        raise ConfigError(
            f"inputs: '{name}' is a modality of kind {kind}, but a baseline reads tables and "
            "embeddings only; leave it out, or give embeddings of the images as a modality of "
            "kind: vector"
        )
    spec = cohort.input_spec(name, range(len(cohort)))
    if spec.has_tokens:
        raise ConfigError(
            f"inputs: '{name}' holds many embeddings per subject, but a baseline reads one; give "
            "one row per subject (their mean, say) without tokens: true"
        )
    if item.components is None:
        return
    if spec.kind != "vector":
        raise ConfigError(
            f"inputs: '{name}' is a table, and components are those of an embedding; leave them out"
        )
    if item.components > spec.shape[0]:
        raise ConfigError(
            f"inputs: '{name}' has {spec.shape[0]} entries, so {item.components} components cannot "
            "be kept; ask for fewer"
        )
