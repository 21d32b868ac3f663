"""Repeated, stratified cross-validation by subject, by group or by whole sites.

Subjects of one cause (or censored ones) are ordered by duration and dealt to the folds in runs of
one subject per fold, so that every fold gets every cause and every stretch of durations alike: the
finest stratification on event
and duration quantile that the number of folds allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from survkit.data.cohort import Cohort
from survkit.data.split_units import Labels, SplitUnits, split_units
from survkit.data.splits import Fold, Splits, check_folds
from survkit.errors import DataError


def make_splits(
    cohort: Cohort,
    *,
    folds: int,
    repeats: int = 1,
    seed: int,
    validation: float = 0.2,
    group_by_site: bool = False,
) -> Splits:
    """Divide a cohort; every subject is tested exactly once per repeat.

    Where the cohort file names a ``group``, groups are divided, not subjects: all rows of one stay
    in one part. A group is stratified by its commonest cause and its mean duration.

    Args:
        cohort: With its outcome.
        folds: Number of test parts.
        repeats: How often everything is divided anew.
        seed: The same seed gives the same division.
        validation: Share of each training part that is carved out to choose the epoch; stratified
            alike.
        group_by_site: Whole sites are tested, so no site is in both training and test. The
            validation part is still drawn by subject from the training sites.

    Raises:
        DataError: The request cannot be met; the message says which numbers stand against it.
    """
    units = split_units(cohort, whole_sites=group_by_site)
    if seed < 0:
        raise DataError(f"the seed must be 0 or larger, not {seed}")
    _check_request(units, cohort.causes, folds, repeats, validation)
    if group_by_site:
        _check_sites(units.site, folds)
    deal = _deal_sites if group_by_site else _deal_groups if units.grouped else _deal
    made = []
    for repeat in range(repeats):
        generator = np.random.default_rng([seed, repeat])
        test_fold = deal(units, folds, generator)
        for fold in range(folds):
            training = np.flatnonzero(test_fold != fold)
            chosen = _carve(units, training, validation, generator)
            parts = (np.setdiff1d(training, chosen), chosen, np.flatnonzero(test_fold == fold))
            _check_parts(units, parts, repeat, fold)
            names = [tuple(cohort.subjects[row] for row in units.rows(part)) for part in parts]
            made.append(Fold(repeat, fold, *names))
    settings: dict[str, Any] = {
        "folds": folds,
        "repeats": repeats,
        "seed": seed,
        "validation": validation,
        "group_by_site": group_by_site,
    }
    if units.grouped:
        settings["group"] = cohort.config.group
    check_folds(made, cohort.subjects, source="splits")
    return Splits(cohort.name, settings, tuple(made))


def carve_validation(
    cohort: Cohort, share: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Divide a cohort into training and validation, stratified on event and duration.

    Raises:
        DataError: A part would hold no event.
    """
    units = split_units(cohort)
    everybody = np.arange(len(units.event))
    chosen = _carve(units, everybody, share, np.random.default_rng([seed, 0]))
    train = np.setdiff1d(everybody, chosen)
    for name, rows in (("training", train), ("validation", chosen)):
        if not (units.event[rows] > 0).any():
            raise DataError(
                f"{cohort.source}: no event among the {len(rows)} {name} {units.noun}; set "
                "training.validation to another share, or to 0"
            )
    return (
        tuple(cohort.subjects[row] for row in units.rows(train)),
        tuple(cohort.subjects[row] for row in units.rows(chosen)),
    )


def _deal(units: SplitUnits, folds: int, generator: np.random.Generator) -> Labels:
    """Return every subject's test fold; folds differ by at most one, overall and of each cause."""
    test_fold = np.empty(len(units.event), dtype=np.int64)
    sizes = np.zeros(folds, dtype=np.int64)
    for cause in np.unique(units.event)[::-1]:
        members = _by_duration(units, np.flatnonzero(units.event == cause), generator)
        for start in range(0, len(members), folds):
            run = members[start : start + folds]
            # The smallest folds come first, in random order among equals.
            order = np.lexsort((generator.random(folds), sizes))[: len(run)]
            test_fold[run] = order[generator.permutation(len(run))]
            sizes[order] += 1
    return test_fold


def _deal_groups(units: SplitUnits, folds: int, generator: np.random.Generator) -> Labels:
    """Return every group's test fold; of each cause folds hold alike many groups.

    Groups of one cause are dealt in runs by duration, as subjects are; within a run the group with
    the most rows goes where the fewest rows are, so that parts are alike in rows too.
    """
    test_fold = np.empty(len(units.event), dtype=np.int64)
    rows = np.zeros(folds, dtype=np.int64)
    groups = np.zeros(folds, dtype=np.int64)
    for cause in np.unique(units.event)[::-1]:
        members = _by_duration(units, np.flatnonzero(units.event == cause), generator)
        for start in range(0, len(members), folds):
            run = members[start : start + folds]
            chosen = np.lexsort((generator.random(folds), rows, groups))[: len(run)]
            lightest = chosen[np.argsort(rows[chosen], kind="stable")]
            heaviest = run[np.argsort(-units.size[run], kind="stable")]
            test_fold[heaviest] = lightest
            rows[lightest] += units.size[heaviest]
            groups[lightest] += 1
    return test_fold


def _deal_sites(units: SplitUnits, folds: int, generator: np.random.Generator) -> Labels:
    """Return every subject's test fold; sites stay whole, folds hold alike many of each cause.

    The largest site first, each goes where the sum of squares of the counts grows least.
    """
    sites, member = np.unique(np.array(units.site), return_inverse=True)
    causes = np.unique(units.event)
    count = np.stack(
        [np.bincount(member[units.event == c], minlength=len(sites)) for c in causes], axis=1
    )
    share = count / count.sum(axis=0)
    load = np.zeros((folds, len(causes)))
    home = np.empty(len(sites), dtype=np.int64)
    filled = np.zeros(folds, dtype=bool)
    order = np.lexsort((generator.random(len(sites)), -count.sum(axis=1)))
    for position, site in enumerate(order):
        growth = ((load + share[site]) ** 2 - load**2).sum(axis=1)
        if len(sites) - position <= (~filled).sum():  # the rest is needed to fill empty folds
            growth[filled] = np.inf
        home[site] = np.lexsort((generator.random(folds), growth))[0]
        load[home[site]] += share[site]
        filled[home[site]] = True
    return home[member]


def _carve(
    units: SplitUnits, training: Labels, share: float, generator: np.random.Generator
) -> Labels:
    """Return the validation subjects: of each cause one at random from equal runs of durations."""
    events = units.event[training]
    causes, count = np.unique(events, return_counts=True)
    wanted = count * share
    quota = np.floor(wanted).astype(np.int64)
    rest = round(len(training) * share) - int(quota.sum())
    quota[np.argsort(-(wanted - quota), kind="stable")[: max(rest, 0)]] += 1
    chosen: list[int] = []
    for cause, number in zip(causes, quota, strict=True):
        members = _by_duration(units, training[events == cause], generator)
        chosen += [
            int(generator.choice(run)) for run in np.array_split(members, number or 1)[:number]
        ]
    return np.array(sorted(chosen), dtype=np.int64)


def _by_duration(units: SplitUnits, rows: Labels, generator: np.random.Generator) -> Labels:
    """Return the rows by duration, equal ones in random order."""
    return rows[np.lexsort((generator.random(len(rows)), units.duration[rows]))]


def _check_request(
    units: SplitUnits, causes: tuple[str, ...], folds: int, repeats: int, validation: float
) -> None:
    if folds < 2 or repeats < 1:
        raise DataError(
            f"cross-validation needs at least 2 folds and 1 repeat, not {folds} and {repeats}"
        )
    if not 0 <= validation < 1:
        raise DataError(f"the validation share must be in [0, 1), not {validation:g}")
    for code, cause in enumerate(causes, start=1):
        events = int((units.event == code).sum())
        if events < folds:
            what = f"{events} events of '{cause}'"
            if units.grouped:
                what = f"events of '{cause}' in {events} groups"
            raise DataError(
                f"{what} cannot be spread over {folds} folds; ask for at most {events} folds, or "
                "count the cause as censored (outcome.censor)"
            )


def _check_sites(site: tuple[str, ...] | None, folds: int) -> None:
    if site is None:
        raise DataError("grouping by site needs 'site' in the cohort file")
    if len(set(site)) < folds:
        sites = len(set(site))
        raise DataError(
            f"{sites} sites cannot be spread over {folds} folds; ask for at most {sites}"
        )


def _check_parts(
    units: SplitUnits, parts: tuple[Labels, Labels, Labels], repeat: int, fold: int
) -> None:
    """Refuse parts without an event: nothing could be trained, chosen or reported there."""
    for name, rows in zip(("training", "validation", "test"), parts, strict=True):
        if name == "validation" and not len(rows):
            continue
        if not (units.event[rows] > 0).any():
            raise DataError(
                f"repeat {repeat}, fold {fold}: no event among the {len(rows)} {name} "
                f"{units.noun}; ask for fewer folds or another validation share"
            )
