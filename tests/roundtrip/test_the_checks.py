"""What the other tests here rest on can fail."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.utils import canonicalize_name
from tests.fresh_environment.requirements import entries_of, installed_here, needed_by
from tests.fresh_environment.settings import strangers_variables
from tests.fresh_environment.wheels import read_wheels
from tests.roundtrip.models import TIMES, assert_same_bits


@pytest.fixture
def ours(wheels: Path) -> dict[str, Distribution]:
    """Return what the wheels say, by name."""
    return {canonicalize_name(each.name): each for each in read_wheels(wheels)}


def test_one_unit_in_the_last_place_is_seen(tmp_path: Path) -> None:
    """Of one subject, at one time."""
    rows = np.linspace(0.1, 0.9, 4)
    columns = {"subject": list("abcd"), "risk_score": rows}
    frame = pd.DataFrame(columns | {f"survival@{time}": rows for time in TIMES.split(",")})
    frame.to_parquet(tmp_path / "first.parquet")
    assert_same_bits(tmp_path / "first.parquet", tmp_path / "first.parquet")

    frame.loc[2, "survival@365"] = np.nextafter(frame.loc[2, "survival@365"], 1)
    frame.to_parquet(tmp_path / "second.parquet")

    with pytest.raises(AssertionError, match="survival@365"):
        assert_same_bits(tmp_path / "second.parquet", tmp_path / "first.parquet")


def test_needs_are_followed_to_the_end_and_no_further(ours: dict[str, Distribution]) -> None:
    """Extras bring theirs, here by way of another distribution; what nobody asked for stays out."""
    core, robsurv = needed_by(["survkit-core"], ours), needed_by(["survkit-robsurv"], ours)

    assert robsurv - core == {"survkit-robsurv", *needed_by(["survkit-core[imaging]"], ours)} - core
    assert {"monai", "nibabel", "pydicom", "simpleitk"} <= robsurv - core
    assert {"sympy", "fsspec"} <= core, "torch's own needs"
    assert "timm" in needed_by(["survkit-radvit"], ours) - robsurv


def test_what_is_not_here_cannot_be_linked(ours: dict[str, Distribution]) -> None:
    """Neither another name nor another version."""
    for wanted in ("a-package-that-is-nowhere", "numpy>=999"):
        with pytest.raises(AssertionError, match=wanted):
            needed_by([wanted], ours)


def test_nothing_of_this_checkout_can_get_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """No distribution of survkit, nothing that start-up would run, no path and no setting."""
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("SURVKIT_DISABLE_PLUGINS", "*")

    linked = {top for name in ("numpy", "setuptools", "torch") for top in entries_of(name)}

    assert "setuptools" in linked
    assert not any(top.startswith("survkit") or top.endswith(".pth") for top in linked)
    assert not any(name.startswith("survkit-") for name in installed_here())
    assert not {"PYTHONPATH", "SURVKIT_DISABLE_PLUGINS"} & strangers_variables({}).keys()
