"""Who a model was trained on, in counts of those subjects alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from survkit.data.part_summary import summarise_part

Small = Any
FIRST = list(range(18))


def test_counts_and_follow_up_are_those_of_the_part(small: Small) -> None:
    """Of 18 subjects, six are censored, at 100, 130, …, 250 days.

    The reverse Kaplan–Meier estimate is 17/18 · 14/15 · 11/12 · 8/9 · 5/6 = 0.60 behind 220 days
    and two thirds of that, 0.40, behind 250: the median.
    """
    small.config["site"] = "site"
    found = summarise_part(small.read(), FIRST, ["clinical"])

    assert found == {
        "subjects": 18,
        "events": {"tumour": 6, "other": 6},
        "censored": 6,
        "follow_up": {"unit": "days", "method": "reverse Kaplan–Meier", "median": 250.0},
        "sites": 4,
        "groups": None,
        "modalities": {"clinical": {"kind": "table", "present": 18}},
    }


def test_nobody_else_has_a_part_in_it(small: Small) -> None:
    """Whatever happens to those who are tested, what is told of the training part stays."""
    small.config["site"] = "site"
    before = summarise_part(small.read(), FIRST, ["clinical"])
    for row in small.rows[18:]:
        row |= {"time_days": "9999", "event": "1", "site": "Z", "age": "", "stage": ""}

    assert summarise_part(small.read(), FIRST, ["clinical"]) == before


def test_nobody_is_named(small: Small) -> None:
    """No identifier, site or level; too few who were censored have no median."""
    small.config["site"] = "site"
    small.config["group"] = "stage"
    found = summarise_part(small.read(), FIRST[:12], ["clinical"])
    told = json.dumps(found)

    assert found["follow_up"]["reason"] == "too few subjects were censored for a median follow-up"
    assert found["groups"] == {
        "column": "stage", "n": 3, "largest": 4, "rows_are": "rows", "groups_are": "groups"
    }  # fmt: skip
    for secret in ('"A"', '"II"', "003", "patients.csv", str(small.folder)):
        assert secret not in told


def test_without_a_column_of_sites(small: Small) -> None:
    """Their number is not known, which is not one."""
    assert summarise_part(small.read(), FIRST, ["clinical"])["sites"] is None


@pytest.mark.parametrize("absent", [0, 3])
def test_who_lacks_a_modality_is_counted(small: Small, absent: int) -> None:
    """A table of its own has no row for some."""
    small.write_rows("blood.csv", [{"patient_id": row["patient_id"], "hb": "12"}
                                   for row in small.rows[absent:]])  # fmt: skip
    small.config["modalities"]["blood"] = {"kind": "table", "file": "blood.csv"}
    found = summarise_part(small.read(), FIRST, ["blood"])

    assert found["modalities"] == {"blood": {"kind": "table", "present": 18 - absent}}
