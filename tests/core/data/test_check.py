"""The check lists everything with its row, warns of what is suspicious, and drops nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from survkit.data.check import check_cohort
from survkit.data.problem import Problem


def warnings_of(path: Path, **settings: Any) -> dict[str, list[str]]:
    """Return the warnings by column."""
    found: dict[str, list[str]] = {}
    for problem in check_cohort(path, **settings):
        assert problem.severity == "warning", problem
        found.setdefault(str(problem.column), []).append(problem.message)
    return found


def test_a_clean_cohort_has_no_problem(small: Any) -> None:
    """Nothing is said where nothing is wrong."""
    small.rows = [
        row | {"patient_id": f"{k}-{row['patient_id']}"} for k in range(3) for row in small.rows
    ]
    for row in small.rows:
        row["time_days"] = str(400 + int(row["time_days"]))
        row["age"] = str(int(row["age"]) * 7919 % 50)

    assert check_cohort(small.write()) == []


def test_every_problem_is_listed_with_its_row(small: Any) -> None:
    """Six wrong cells are six errors, ordered by row; a row may have several."""
    small.rows[1].update(time_days="-1", event="9")
    small.rows[5].update(patient_id="000")
    small.rows[8].update(patient_id="", time_days="")
    small.rows[20].update(event="")
    errors = [p for p in check_cohort(small.write()) if p.severity == "error"]

    assert [problem.row for problem in errors] == [3, 3, 7, 10, 10, 22]
    assert errors[2] == Problem(
        7, "000", "patient_id", "the subject stands already in row 2; one row per subject"
    )


def test_a_cohort_read_for_use_refuses_the_first_and_counts_the_rest(small: Any) -> None:
    """Reading stops with the first error and says where all are."""
    from survkit.errors import DataError

    small.rows[1].update(time_days="-1")
    small.rows[3].update(time_days="-1")
    with pytest.raises(
        DataError, match=r"row 3, subject '001', 'time_days'.*\(and 1 more; `survkit"
    ):
        small.read()


@pytest.mark.parametrize(
    ("unit", "factor", "message"),
    [
        ("days", 1, "the longest duration is 330 days; are these months or years?"),
        ("months", 9, "the longest duration is 2970 months; is that a smaller unit?"),
        ("years", 1, "the longest duration is 330 years; is that a smaller unit?"),
    ],
)
def test_units_that_look_wrong_are_a_warning(
    small: Any, unit: str, factor: int, message: str
) -> None:
    """Months labelled days, and days labelled months, are noticed, not repaired."""
    small.config["outcome"]["unit"] = unit
    for row in small.rows:
        row["time_days"] = str(factor * int(row["time_days"]))

    assert message in warnings_of(small.write())["time_days"]


def test_columns_that_look_like_the_outcome_are_a_warning(small: Any) -> None:
    """By their name, or because they order subjects as the duration or the event does."""
    for k, row in enumerate(small.rows):
        row |= {"recurrence": str(k % 2), "marker": str(-(k**2)), "flag": str(int(k % 3 > 0))}
        row["age"], row["same"] = str(k * 7919 % 50), "1"
    columns = ["age", "recurrence", "marker", "flag", "same"]
    small.config["modalities"]["clinical"]["columns"] = columns
    found = warnings_of(small.write())

    assert found["clinical.recurrence"] == [
        "the name looks like an outcome, which a model must not see"
    ]
    assert "rank correlation with the duration is -1.000" in found["clinical.marker"][0]
    assert "rank correlation with having the event is 1.000" in found["clinical.flag"][0]
    assert found["clinical.same"] == ["the column is constant"]
    assert "16 events for 5 columns (3.2 per column)" in found["clinical"][0]
    assert "clinical.age" not in found
    assert "only 8 events of 'tumour'" in found["event"][0]


def test_images_of_different_shapes_are_a_warning(small: Any) -> None:
    """A prepared size, or an encoder that prepares, is needed for them."""
    from PIL import Image

    for k, row in enumerate(small.rows):
        row["cxr"] = f"{k}.png"
        Image.new("L", (4, 3 + k % 2), k).save(small.folder / f"{k}.png")
    small.config["modalities"] = {"cxr": {"kind": "image", "path": "cxr"}}
    seen: list[tuple[int, int]] = []
    found = warnings_of(small.write(), progress=lambda done, total: seen.append((done, total)))

    assert any("2 different shapes ((1, 3, 4), (1, 4, 4))" in each for each in found["cxr"])
    assert any("'fit: pad'" in each and "spacing" not in each for each in found["cxr"])
    assert seen[-1] == (24, 24)


@pytest.mark.slow
def test_workers_find_what_one_process_finds(small: Any) -> None:
    """Parallel checks give the same problems in the same order."""
    for k, row in enumerate(small.rows):
        row["cxr"] = f"absent-{k}.png"
    small.config["modalities"]["cxr"] = {"kind": "image", "path": "cxr"}
    path = small.write()

    assert check_cohort(path, jobs=2) == check_cohort(path)


def test_patients_without_follow_up_are_found_in_a_real_cohort(
    shared_data: Path, small: Any
) -> None:
    """Some COVID-19 patients were seen only once: their duration is 0 days."""
    small.config["outcome"]["causes"] = {1: "death"}
    small.config["modalities"] = {"clinical": {"kind": "table", "columns": ["sex", "lab_crp"]}}
    errors = [
        problem
        for problem in check_cohort(small.write(), data_folder=shared_data / "demo-cxr")
        if problem.severity == "error"
    ]

    assert errors
    assert {problem.message for problem in errors} == {"a duration must be > 0, but is 0"}


def test_a_cohort_without_censoring_is_suspicious(small: Any) -> None:
    """Codes 1 and 2 read as two causes, where 1 may mean alive."""
    for number, row in enumerate(small.rows):
        row["event"] = "12"[number % 2]

    messages = [problem.message for problem in check_cohort(small.write())]

    assert any("nobody is censored; if one of the codes" in message for message in messages)
