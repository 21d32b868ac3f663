"""Which series is the subject's volume: by a declared rule, or not at all."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from tests.core.dicom.writer import random_volume, write_series

from survkit.dicom import RefusedSeriesError, Series, choose_series, discover
from survkit.errors import ConfigError


@pytest.fixture
def several(tmp_path: Path) -> tuple[Series, ...]:
    """Return a thick soft, a thin soft and a thin sharp CT, and a PET."""
    for name, slices, step, kernel in (
        ("thick", 8, 5.0, "B30f"),
        ("thin", 6, 1.0, "B30f"),
        ("sharp", 7, 1.0, "B70f"),
    ):
        write_series(
            tmp_path / name,
            random_volume((slices, 3, 3)),
            spacing=(step, 1.0, 1.0),
            tags={"ConvolutionKernel": kernel},
        )
    write_series(tmp_path / "pet", random_volume().clip(0), modality="PT", intercept=0.0)
    return discover(tmp_path).series


def test_several_equals_are_refused_with_what_would_choose(several: tuple[Series, ...]) -> None:
    """The message lists them with slices, spacing and kernel."""
    with pytest.raises(RefusedSeriesError, match=r"3 are equally good: .*kernel B70f.*thinnest"):
        choose_series(several, modality="CT")


def test_the_only_one_needs_no_rule(several: tuple[Series, ...]) -> None:
    choice = choose_series(several, modality="PT")

    assert choice.series.modality == "PT"
    assert choice.why == "the only PT series"


def test_rules_choose_and_say_so(several: tuple[Series, ...]) -> None:
    """Most slices; thinnest within a kernel."""
    most = choose_series(several, modality="CT", prefer="most-slices")
    thin = choose_series(several, modality="CT", prefer="thinnest", kernel="B30f")

    assert (most.series.slices, most.why) == (8, "1 of 3 CT series by most slices")
    assert (thin.series.slices, thin.why) == (
        6,
        "1 of 3 CT series by kernel B30f and thinnest slices",
    )


def test_a_tie_under_a_rule_is_refused(several: tuple[Series, ...]) -> None:
    """Two series of 1 mm are equally thin."""
    with pytest.raises(RefusedSeriesError, match="2 are equally good"):
        choose_series(several, modality="CT", prefer="thinnest")


def test_what_is_not_there_is_said(several: tuple[Series, ...]) -> None:
    """With what there is instead."""
    with pytest.raises(RefusedSeriesError, match=r"a MR series .* \(there are: CT, PT\)"):
        choose_series(several, modality="MR")
    with pytest.raises(RefusedSeriesError, match=r"kernel 'X' \(there are: B30f, B70f\)"):
        choose_series(several, modality="CT", kernel="X")
    with pytest.raises(ConfigError, match="only, thinnest, most-slices"):
        choose_series(several, modality="CT", prefer="best")  # type: ignore[arg-type]


def test_a_refusal_travels_between_processes() -> None:
    """Workers raise it; rule and reason arrive."""
    sent = RefusedSeriesError("tilt", "leans by 12 degrees")

    came = pickle.loads(pickle.dumps(sent))

    assert (came.rule, str(came)) == ("tilt", "leans by 12 degrees")
