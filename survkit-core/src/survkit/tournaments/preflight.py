"""Everything is tried before anything trains: what does not fit is left out, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survkit.data import Cohort, Splits
from survkit.errors import CompositionError, ConfigError, UserError
from survkit.registry import Registry
from survkit.suggest import did_you_mean
from survkit.tournaments.budget import Budget, budgets, check_equal
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_parts import check_inner_parts
from survkit.training.cross_validate import fold_names
from survkit.training.preflight import check_run


@dataclass(frozen=True, slots=True)
class Entrants:
    """Who competes.

    Attributes:
        compositions: Those that fit, in the order of writing.
        left_out: By name, why a composition does not fit.
        budgets: By name, what it may spend in each outer fold; ``None`` for a baseline.
    """

    compositions: tuple[Composition, ...]
    left_out: Mapping[str, str]
    budgets: Mapping[str, Sequence[Budget] | None]


def check_entrants(
    asked: Sequence[Composition],
    cohort: Cohort,
    splits: Splits,
    registry: Registry,
    *,
    inner_folds: int,
    unequal_budget: bool,
) -> Entrants:
    """Compose every composition on made-up subjects and look at every fold.

    Parts that do not fit each other or their input are left out. Anything else that is wrong, such
    as an unknown name, is refused: leaving it out would only hide it.

    Raises:
        UserError: A composition cannot be run for another reason, fewer than two fit, nobody can
            be chosen, or budgets differ.
    """
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
    check_inner_parts(fitting[0].recipe, cohort, splits, inner_folds)
    found = budgets(fitting, cohort, splits, inner_folds)
    if not unequal_budget:
        check_equal(found, fold_names(splits))
    return Entrants(tuple(fitting), left_out, found)


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
