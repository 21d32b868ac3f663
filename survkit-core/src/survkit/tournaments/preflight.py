"""Everything is tried before anything trains: what does not fit is left out, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from survkit.data import Cohort, Splits
from survkit.errors import CompositionError, ConfigError, UserError
from survkit.registry import Registry
from survkit.suggest import did_you_mean
from survkit.tournaments.budget import Budget, budgets, first_difference
from survkit.tournaments.compositions import Composition
from survkit.tournaments.fair_choice import inner_folds_of
from survkit.tournaments.inner_parts import check_inner_parts
from survkit.training.cross_validate import fold_names
from survkit.training.preflight import check_run


@dataclass(frozen=True, slots=True)
class Entrants:
    """Who competes.

    Attributes:
        compositions: Those that fit, in the order of writing.
        left_out: By name, why a composition does not fit.
        inner_folds: By which the best is chosen; 1 for the validation part.
        budgets: By name, what it may spend in each outer fold; ``None`` for a baseline.
        equal_budget: Whether no network may spend more than another.
    """

    compositions: tuple[Composition, ...]
    left_out: Mapping[str, str]
    inner_folds: int
    budgets: Mapping[str, Sequence[Budget] | None]
    equal_budget: bool


def check_entrants(
    asked: Sequence[Composition],
    cohort: Cohort,
    splits: Splits,
    registry: Registry,
    *,
    inner_folds: int | None,
    cause: int,
    unequal_budget: bool,
) -> Entrants:
    """Compose every composition on made-up subjects and look at every fold.

    Parts that do not fit each other or their input are left out. Anything else that is wrong, such
    as an unknown name, is refused: leaving it out would only hide it.

    Args:
        asked: All that are to compete.
        cohort: Read with its outcome.
        splits: The outer division.
        registry: Where component names are looked up.
        inner_folds: By which the best is chosen; where ``None``, the fewest that are fair.
        cause: Code of the cause by which it is chosen.
        unequal_budget: Networks that may spend more than others are meant.

    Raises:
        UserError: A composition cannot be run for another reason, fewer than two fit, nobody can
            be chosen, or budgets differ.
    """
    fitting, left_out = _fitting(asked, cohort, splits, registry)
    folds = inner_folds_of([one.recipe for one in fitting], inner_folds)
    check_inner_parts(fitting[0].recipe, cohort, splits, folds, cause=cause)
    found = budgets(fitting, cohort, splits, folds)
    difference = first_difference(fitting, found, fold_names(splits))
    if difference is not None and not unequal_budget:
        raise ConfigError(
            f"unequal budget: {difference}, or say that it is meant: budget: unequal in the file, "
            "or --unequal-budget"
        )
    return Entrants(
        compositions=tuple(fitting),
        left_out=left_out,
        inner_folds=folds,
        budgets=found,
        equal_budget=difference is None,
    )


def _fitting(
    asked: Sequence[Composition], cohort: Cohort, splits: Splits, registry: Registry
) -> tuple[list[Composition], dict[str, str]]:
    """Return those whose parts fit, and by name why the others do not."""
    fitting: list[Composition] = []
    left_out: dict[str, str] = {}
    for one in asked:
        try:
            check_run(one.recipe, cohort.with_twins(one.recipe.twins), splits, registry)
        except CompositionError as error:
            left_out[one.name] = str(error)
            continue
        except UserError as error:
            raise type(error)(f"composition '{one.name}': {error}") from error
        fitting.append(one)
    if len(fitting) < 2:
        said = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise CompositionError(
            f"a tournament needs two compositions that fit at least, but of {len(asked)} only "
            f"{len(fitting)} fit{'s' * (len(fitting) == 1)}. {said}"
        )
    return fitting, left_out


def check_permutations(compositions: int, *, permutations: int, level: float) -> None:
    """Refuse so few permutations that no difference could be shown among so many pairs.

    The smallest p-value of a permutation test is one over the permutations and the observed
    arrangement; Holm multiplies it by the number of pairs.

    Args:
        compositions: How many compete.
        permutations: Random swaps of each test.
        level: One minus the level of the tests.

    Raises:
        ConfigError: With how many permutations it takes.
    """
    pairs = compositions * (compositions - 1) // 2
    if pairs > (1 - level) * (permutations + 1):
        least = ceil(pairs / (1 - level)) - 1
        raise ConfigError(
            f"with {permutations} permutations the smallest p-value is 1/{permutations + 1}, and "
            f"Holm multiplies it by the {pairs} pairs of {compositions} compositions, so that no "
            f"difference could be shown at {1 - level:g}; set --permutations to {least} or more"
        )


def check_reference(reference: str | None, entrants: Entrants) -> None:
    """Refuse a reference that does not compete.

    Raises:
        ConfigError: With why, where it was left out.
    """
    names = [one.name for one in entrants.compositions]
    if reference is None or reference in names:
        return
    if reference in entrants.left_out:
        raise ConfigError(
            f"the reference '{reference}' does not fit: {entrants.left_out[reference]}"
        )
    raise ConfigError(f"no composition is named {reference!r}. {did_you_mean(reference, names)}")
