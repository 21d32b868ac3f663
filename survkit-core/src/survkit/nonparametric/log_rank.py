"""The log-rank test of equal hazards in groups, also stratified and weighted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.chi_square import chi_square_p_value
from survkit.nonparametric.observations import check_codes, check_target


@dataclass(frozen=True, slots=True)
class LogRankGroup:
    """One group of a log-rank test.

    Attributes:
        code: The group's code.
        n: Subjects.
        observed: Events; weighted where the test is.
        expected: Events expected if all groups had the same hazard; weighted likewise.
    """

    code: int
    n: int
    observed: float
    expected: float


@dataclass(frozen=True, slots=True)
class LogRank:
    """Result of a log-rank test.

    Attributes:
        statistic: Chi-square statistic.
        degrees_of_freedom: Number of groups that could be compared, less one.
        p_value: P of a statistic at least as large if all groups have the same hazard.
        groups: In order of their codes.
        method: What was computed and how, in words for a reader.
        n: Subjects that entered.
        events: Events among them.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    groups: tuple[LogRankGroup, ...]
    method: str
    n: int
    events: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return asdict(self)


def log_rank(
    target: SurvivalTarget,
    group: Tensor,
    *,
    cause: int = 1,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank | Undefined:
    """Test whether groups have the same cause-specific hazard.

    With ``target.strata`` subjects are compared within their stratum only. Delayed entry is
    honoured; other causes leave as if censored. Weights are refused: the hypergeometric variance
    is not that of weighted subjects.

    Args:
        target: What was observed.
        group: Group of each subject, codes >= 0; int (batch).
        cause: The cause asked about.
        rho: Events weigh S(t-)^rho (1 - S(t-))^gamma, S the Kaplan–Meier curve of the stratum;
            0 and 0 is the log-rank test, 1 and 0 Peto and Peto's.
        gamma: See ``rho``; a positive one stresses late differences.

    Returns:
        The test, or Undefined without events or where groups are never at risk together.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Mantel (1966); Peto and Peto (1972); weights of Fleming and Harrington (1991, 7.4).
    """
    checked = check_target(target)
    size = len(checked.duration)
    codes = check_codes("group", group, size)
    if checked.weight is not None:
        raise DataError("target.weight: a log-rank test has no variance for weighted subjects")
    if isinstance(cause, bool) or not isinstance(cause, int) or cause < 1:
        raise DataError(f"cause must be a whole number from 1, not {cause!r}")
    if not (0 <= rho < float("inf") and 0 <= gamma < float("inf")):
        raise DataError(f"rho and gamma must be numbers >= 0, not {rho} and {gamma}")
    names, member = torch.unique(codes, return_inverse=True)
    events = int((checked.event == cause).sum())
    if len(names) < 2:
        return Undefined("a log-rank test compares two groups at least, here is one", size, events)
    if events == 0:
        return Undefined("nobody has the event", size, 0)
    strata = torch.zeros_like(codes) if checked.strata is None else checked.strata
    observed = checked.duration.new_zeros(len(names))
    expected, covariance = torch.zeros_like(observed), observed.new_zeros(len(names), len(names))
    for stratum in torch.unique(strata):
        rows = strata == stratum
        sums = _sums(select(checked, rows), member[rows], len(names), (cause, rho, gamma))
        observed, expected = observed + sums[0], expected + sums[1]
        covariance += sums[2]
    return _test(
        tuple(
            LogRankGroup(int(name), int((codes == name).sum()), float(o), float(e))
            for name, o, e in zip(names, observed, expected, strict=True)
        ),
        covariance,
        _describe(cause, rho, gamma, stratified=checked.strata is not None),
        events,
    )


def _sums(
    target: SurvivalTarget, member: Tensor, groups: int, question: tuple[int, float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Observed and expected events (group) and their covariance (group, group) in a stratum."""
    cause, rho, gamma = question
    own = target.event == cause
    times, place = torch.unique(target.duration[own], return_inverse=True)
    events = times.new_zeros(groups, len(times))
    events.index_put_((member[own], place), times.new_ones(len(place)), accumulate=True)
    risk = torch.stack([_at_risk(target, member == one, times) for one in range(groups)])
    at_risk, gone = risk.sum(dim=0), events.sum(dim=0)
    survival = (1 - gone / at_risk).cumprod(0)
    before = torch.cat([survival.new_ones(1), survival[:-1]])[: len(times)]
    weight = before**rho * (1 - before) ** gamma
    share = risk / at_risk
    # One subject at risk has no variance, and would divide by zero.
    factor = torch.where(at_risk > 1, gone * (at_risk - gone) / (at_risk - 1), 0.0) * weight**2
    covariance = torch.diag((share * factor).sum(dim=1)) - (share * factor) @ share.T
    return (weight * events).sum(dim=1), (weight * gone * share).sum(dim=1), covariance


def _at_risk(target: SurvivalTarget, rows: Tensor, times: Tensor) -> Tensor:
    """Number of the subjects with entry < t <= duration; float64 (grid)."""
    leaving = torch.sort(target.duration[rows]).values
    present = len(leaving) - torch.searchsorted(leaving, times)
    if target.entry is not None:
        entering = torch.sort(target.entry[rows]).values
        present = present - (len(entering) - torch.searchsorted(entering, times))
    return present.to(torch.float64)


def _test(
    groups: tuple[LogRankGroup, ...], covariance: Tensor, method: str, events: int
) -> LogRank | Undefined:
    size = sum(group.n for group in groups)
    compared = [row for row, group in enumerate(groups) if group.expected > 0]
    covariance = covariance[compared][:, compared]
    surplus = covariance.new_tensor(
        [groups[row].observed - groups[row].expected for row in compared]
    )
    degrees = int(torch.linalg.matrix_rank(covariance, hermitian=True)) if compared else 0
    if degrees == 0:
        return Undefined("no two groups are at risk together at an event", size, events)
    statistic = float(surplus @ torch.linalg.pinv(covariance, hermitian=True) @ surplus)
    p_value = chi_square_p_value(statistic, degrees)
    return LogRank(statistic, degrees, p_value, groups, method, size, events)


def _describe(cause: int, rho: float, gamma: float, *, stratified: bool) -> str:
    name = "log-rank test" if rho == gamma == 0 else f"Fleming–Harrington test ({rho:g}, {gamma:g})"
    return f"{'stratified ' if stratified else ''}{name}, cause {cause}"
