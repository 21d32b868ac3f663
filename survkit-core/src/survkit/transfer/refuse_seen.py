"""Refuses to test, or to choose on, subjects whom weights have seen or may have seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from survkit.data import Cohort
from survkit.errors import DataError
from survkit.recipe import Recipe
from survkit.transfer.exposure import Exposure
from survkit.transfer.source_model import SourceModel


def refuse_seen(
    exposures: Sequence[Exposure],
    cohort: Cohort,
    test: Collection[str],
    *,
    source: SourceModel,
    where: str,
    others: bool,
) -> None:
    """Refuse to test subjects whom the weights have seen.

    A model without the list of its training subjects, as every model on the Hub is, may have seen
    anybody. It is taken only where the user says that its subjects are other people.

    Args:
        exposures: Of the source.
        cohort: That is tested on.
        test: Its test subjects.
        source: For the message.
        where: The fold.
        others: The user says that the subjects of the weights' cohorts are other people; never
            believed of a cohort of the same name or content.

    Raises:
        DataError: With the number of subjects, or because it cannot be told.
    """
    if not test:
        return
    for one in sorted(exposures, key=lambda each: not each.same(cohort)):
        if one.subjects is None:
            _refuse_unknown(one, cohort, test, f"{where}: {source.name}", others=others)
        elif seen := len(one.seen(cohort, test)):
            _refuse_known(one, cohort, f"{where}: {seen} of the {len(test)}", source, others=others)


def _refuse_unknown(
    one: Exposure, cohort: Cohort, test: Collection[str], who: str, *, others: bool
) -> None:
    if one.same(cohort):
        raise DataError(
            f"{who} was trained on a cohort named {one.cohort!r}, as is the one tested here, and "
            "no list of its training subjects lies beside it, so nobody can tell whom it has seen; "
            "start from the run folder that it came from"
        )
    if not others:
        named = f"the cohort {one.cohort!r}" if one.cohort else "a cohort without a name"
        raise DataError(
            f"{who} was trained on {named}, and no list of its training subjects lies beside it, "
            f"so nobody can tell whether the {len(test)} test subjects are among them; start from "
            f"the run folder that it came from, or, if the people of '{cohort.name}' are others, "
            "say so with --different-subjects: the run then tells that it rests on your word"
        )


def _refuse_known(
    one: Exposure, cohort: Cohort, how_many: str, source: SourceModel, *, others: bool
) -> None:
    if others and not one.same(cohort):
        return
    cure = (
        "start from a run of the same splits (each fold then starts from its own), from "
        "other weights, or test other subjects"
        if one.same(cohort)
        else f"if the subjects of '{one.cohort}' and '{cohort.name}' are different people "
        "who are numbered alike, say so with --different-subjects"
    )
    raise DataError(
        f"{how_many} test subjects are among those that {source.name} was trained on (cohort "
        f"'{one.cohort}'); {cure}"
    )


def refuse_unknown_search(
    exposures: Sequence[Exposure], cohort: Cohort, recipe: Recipe, source: SourceModel
) -> None:
    """Refuse a search on inner folds whose left-out subjects the weights may have seen.

    Where they are known, that is counted later.

    Raises:
        DataError: The weights are of the same cohort, and no list of their subjects is there.
    """
    if not recipe.search or recipe.training.search_folds == 1:
        return
    if any(one.subjects is None and one.same(cohort) for one in exposures):
        raise DataError(
            f"recipe.search chooses on inner folds of the training part, but {source.name} was "
            f"trained on a cohort named '{cohort.name}', too, and no list of its training subjects "
            "lies beside it; leave out the search, or start from the run folder that it came from"
        )
