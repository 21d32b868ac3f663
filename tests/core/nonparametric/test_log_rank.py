"""The log-rank test against R's survdiff, lifelines and simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.chi_square import chi_square_p_value
from survkit.nonparametric.log_rank import LogRank, log_rank

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())
VETERAN = {
    name: torch.tensor(values)
    for name, values in json.loads((FOLDER / "golden.json").read_text())["veteran"].items()
}
CELLTYPE = torch.tensor(GOLDEN["celltype"])


def veteran(**optional: torch.Tensor) -> SurvivalTarget:
    return SurvivalTarget(VETERAN["duration"].double(), VETERAN["event"], **optional)


def defined(result: LogRank | Undefined) -> LogRank:
    assert isinstance(result, LogRank), result
    return result


@pytest.mark.parametrize(
    ("reference", "stratified", "rho"),
    [
        ("log_rank", False, 0.0),
        ("log_rank_strata", True, 0.0),
        ("peto", False, 1.0),
        ("peto_strata", True, 1.0),
    ],
)
def test_four_groups_equal_r(reference: str, stratified: bool, rho: float) -> None:
    """Statistic, observed and expected events of survdiff: ties, strata, rho."""
    target = veteran(strata=VETERAN["trt"]) if stratified else veteran()
    expected = GOLDEN[reference]

    result = defined(log_rank(target, CELLTYPE, rho=rho))

    assert result.statistic == pytest.approx(expected["statistic"][0], rel=1e-10)
    assert [group.observed for group in result.groups] == pytest.approx(expected["observed"])
    assert [group.expected for group in result.groups] == pytest.approx(expected["expected"])
    assert result.degrees_of_freedom == 3


def test_delayed_entry_equals_the_score_test_of_r() -> None:
    """The score test of coxph(ties="exact") at zero is the log-rank test."""
    result = defined(log_rank(veteran(entry=VETERAN["entry"].double()), CELLTYPE))

    assert result.statistic == pytest.approx(GOLDEN["log_rank_entry"][0], rel=1e-9)


def test_equals_lifelines_and_scipy() -> None:
    """Statistic and p-value of independent implementations."""
    lifelines = pytest.importorskip("lifelines.statistics")
    data = (VETERAN["duration"].numpy(), CELLTYPE.numpy(), VETERAN["event"].numpy())
    result = defined(log_rank(veteran(), CELLTYPE))

    peer = lifelines.multivariate_logrank_test(*data)
    assert result.statistic == pytest.approx(peer.test_statistic, rel=1e-10)
    assert result.p_value == pytest.approx(peer.p_value, rel=1e-8)


@pytest.mark.parametrize(("rho", "gamma"), [(0.5, 0.5), (0.0, 1.0), (1.0, 2.0)])
def test_late_weights_equal_lifelines(rho: float, gamma: float) -> None:
    """Fleming and Harrington's weights of an independent implementation, with ties."""
    lifelines = pytest.importorskip("lifelines.statistics")
    data = (VETERAN["duration"].numpy(), CELLTYPE.numpy(), VETERAN["event"].numpy())

    found = defined(log_rank(veteran(), CELLTYPE, rho=rho, gamma=gamma)).statistic

    peer = lifelines.multivariate_logrank_test(
        *data, weightings="fleming-harrington", p=rho, q=gamma
    )
    assert found == pytest.approx(peer.test_statistic, rel=1e-9)


@pytest.mark.parametrize(("statistic", "degrees"), [(0.3, 1), (9.2, 3), (300.0, 1), (800.0, 9)])
def test_tail_of_chi_square_equals_scipy(statistic: float, degrees: int) -> None:
    """Also for p-values near the smallest numbers."""
    special = pytest.importorskip("scipy.special")

    found = chi_square_p_value(statistic, degrees)

    assert found == pytest.approx(special.chdtrc(degrees, statistic), rel=1e-10)


def test_two_subjects_by_hand() -> None:
    """One event with one of each group at risk: (1 - 1/2)² / (1/4) = 1."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([1, 0]))

    result = defined(log_rank(target, torch.tensor([0, 1])))

    assert result.statistic == pytest.approx(1.0)


def test_late_weights_ignore_the_first_event() -> None:
    """With gamma the weight 1 - S(t-) is 0 at the first event time."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([1, 1, 0, 0]))
    group = torch.tensor([0, 1, 0, 1])

    result = defined(log_rank(target, group, gamma=1.0))

    assert [one.observed for one in result.groups] == pytest.approx([0.0, 0.25])
    assert result.statistic == pytest.approx((1 - 2 / 3) ** 2 / (2 / 9))


def test_other_causes_leave_as_if_censored() -> None:
    """The test of cause 2 equals that of a target where cause 1 is censored."""
    event = torch.randint(0, 3, (137,), generator=torch.Generator().manual_seed(1))
    several = SurvivalTarget(VETERAN["duration"].double(), event)
    single = SurvivalTarget(VETERAN["duration"].double(), (event == 2).long())

    found = defined(log_rank(several, CELLTYPE, cause=2))

    assert found.statistic == pytest.approx(defined(log_rank(single, CELLTYPE)).statistic)


def test_p_values_are_uniform_under_equal_hazards() -> None:
    """Of 400 simulated trials without effect 5 % are significant, within Monte Carlo error."""
    generator = torch.Generator().manual_seed(3)
    rejected = 0
    for _ in range(400):
        time = torch.rand(80, generator=generator).double() + 0.01
        event = torch.randint(0, 2, (80,), generator=generator)
        group = torch.randint(0, 3, (80,), generator=generator)
        rejected += defined(log_rank(SurvivalTarget(time, event), group)).p_value < 0.05

    assert 0.02 < rejected / 400 < 0.09


def test_order_of_rows_and_names_of_groups_do_not_matter() -> None:
    """Permuted subjects and renamed groups give the same statistic."""
    order = torch.randperm(137, generator=torch.Generator().manual_seed(1))
    result = defined(log_rank(veteran(), CELLTYPE))

    other = defined(log_rank(select(veteran(), order), 9 - CELLTYPE[order]))

    assert other.statistic == pytest.approx(result.statistic)


@pytest.mark.parametrize(
    ("event", "group", "reason"),
    [
        ([0, 0, 0], [0, 1, 1], "nobody has the event"),
        ([1, 0, 1], [2, 2, 2], "two groups at least"),
        ([0, 0, 1], [0, 0, 1], "no two groups are at risk together"),
    ],
)
def test_what_the_data_do_not_tell_is_undefined(
    event: list[int], group: list[int], reason: str
) -> None:
    """All censored, one group, or an event after everybody else left: no p-value, and a reason."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor(event))

    result = log_rank(target, torch.tensor(group))

    assert isinstance(result, Undefined)
    assert reason in result.reason


@pytest.mark.parametrize(
    ("group", "settings", "message"),
    [
        (torch.tensor([0.0, 1.0, 1.0]), {}, "group must hold integer codes"),
        (torch.tensor([0, 1]), {}, "group must hold one value for each of 3 subjects"),
        (torch.tensor([0, 1, 1]), {"cause": 0}, "cause must be"),
        (torch.tensor([0, 1, 1]), {"rho": -1.0}, "rho and gamma must be"),
        (torch.tensor([0, 1, 1]), {"gamma": float("nan")}, "rho and gamma must be"),
    ],
)
def test_bad_input_is_refused_by_name(group: Any, settings: Any, message: str) -> None:
    """The message names the argument."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 0, 1]))

    with pytest.raises(DataError, match=message):
        log_rank(target, group, **settings)


def test_weights_are_refused_by_name() -> None:
    """The hypergeometric variance counts subjects."""
    with pytest.raises(DataError, match=r"target\.weight"):
        log_rank(veteran(weight=VETERAN["diagtime"].double()), CELLTYPE)
