"""C^td with pycox's adjustment for tied durations."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import check_columns, check_incidence, column_counts
from survkit.metrics.censoring_weights import check_no_entry
from survkit.metrics.column_counts import column_pair_weights
from survkit.metrics.estimate import Result
from survkit.metrics.harrell import describe
from survkit.metrics.pair_counts import PairCounts
from survkit.metrics.pair_statistic import concordance_of
from survkit.metrics.pairs import (
    Competing,
    Outcome,
    RiskOrder,
    outcome_of,
    outcome_without_events,
    risk_orders,
    suffix_weights,
)


def adjusted_antolini_concordance(
    incidence: Tensor,
    column: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tau: float | None = None,
    competing: Competing = "censored",
) -> Result:
    """C^td as pycox's ``concordance_td(method="adj_antolini")`` counts it.

    Equal predictions count one half; a pair of an event and a censoring at the same duration
    counts twice; two events at the same duration are comparable, with credit 1 if their
    predictions agree and 0.5 if not, and count twice. Use it to compare with published numbers; a
    model that can only tie gains from ties. Strata are honoured. Weights and delayed entry are
    refused: pairs at one duration count twice here, so that a subject of weight two is not two
    subjects, and one followed in two records is not one.

    Args:
        incidence: As in :func:`survkit.metrics.antolini_concordance`; (batch, grid).
        column: Equal for events of equal duration; int (batch).
        target: What was observed.
        cause: The cause asked about.
        tau: Only pairs whose event happens by then.
        competing: ``"censored"`` or ``"at-risk"``.

    Raises:
        DataError: An argument has the wrong type, shape or value, tied events use different
            columns, or there are weights or delayed entry.

    Reference: Kvamme, Borgan and Scheel (2019) after Ishwaran and others (2008), section 5.1.
    """
    outcome = outcome_of(target, cause=cause, tau=tau, competing=competing)
    values = check_incidence(incidence, outcome.n)
    columns = check_columns(column, outcome, values.shape[1])
    check_no_entry(target, "the adjustment for tied durations")
    if outcome.weight is not None:
        raise DataError(
            "target.weight: the adjustment for tied durations is not defined for weighted "
            "subjects; use antolini_concordance"
        )
    undefined = outcome_without_events(outcome)
    if undefined is not None:
        return undefined
    counts = column_counts(values, columns, outcome)
    for order in risk_orders(outcome):
        counts += _tied_censorings(values, columns, order)
        counts += _tied_events(values, columns, outcome, order.anchors)
    method = describe("Antolini concordance adjusted for tied durations", cause, tau, competing)
    return concordance_of(counts, 0.5, outcome, method)


def _tied_censorings(values: Tensor, columns: Tensor, order: RiskOrder) -> PairCounts:
    """Pairs of an event and a censoring at its time: all not before it less all after it."""
    counts = PairCounts()
    for suffixes, sign in ((order.later, 1), (order.after, -1)):
        smaller, tied = column_pair_weights(
            values, columns[order.anchors], order.anchors, suffixes, None
        )
        comparable = float(suffix_weights(None, suffixes).sum())
        counts += PairCounts(sign * smaller, sign * tied, sign * comparable)
    return counts


def _tied_events(values: Tensor, columns: Tensor, outcome: Outcome, anchors: Tensor) -> PairCounts:
    """Ordered pairs of events at one time: credit 1 where predictions agree, else 0.5."""
    column = columns[anchors]
    time = outcome.time[anchors]
    same_time = time[1:] == time[:-1]
    apart = same_time & (column[1:] != column[:-1])
    if bool(apart.any()):
        raise DataError(
            f"events of equal duration need one column, but those at {float(time[1:][apart][0]):g} "
            "use several"
        )
    own = values[anchors, column]
    all_pairs = _pairs_within(time[:, None])
    agreeing = _pairs_within(torch.stack([time, own], dim=1))
    # Concordant credit 1 of agreeing pairs, half credit of the others.
    return PairCounts(agreeing, all_pairs - agreeing, all_pairs)


def _pairs_within(keys: Tensor) -> float:
    """Number of ordered pairs of different rows with equal keys."""
    sizes = torch.unique(keys, dim=0, return_counts=True)[1]
    return float((sizes * (sizes - 1)).sum())
