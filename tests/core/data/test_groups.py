"""Images of one patient stay together: in folds, validation and inner folds, or are refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.data.cohort_summary import summarise_cohort
from survkit.data.make_splits import carve_validation, make_splits
from survkit.data.shared_files import refuse_shared_files
from survkit.data.split_units import refuse_parted_groups
from survkit.data.splits import Splits
from survkit.errors import DataError
from survkit.training.inner_folds import inner_folds


def grouped(small: Any, patients: int = 40, seed: int = 0) -> Cohort:
    """Return a cohort of 1 to 7 images per patient; a patient's images end alike."""
    generator = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        end, event = generator.integers(50, 400), generator.integers(0, 3)
        for number in range(generator.integers(1, 8)):
            rows.append(
                small.rows[0]
                | {
                    "patient_id": f"{patient:02d}-{number}",
                    "person": f"p{patient:02d}",
                    "time_days": str(end - 5 * number),
                    "event": str(event),
                    "site": "ABCDE"[patient % 5],
                }
            )
    generator.shuffle(rows)
    small.rows = rows
    small.config |= {"group": "person", "site": "site"}
    return small.read()  # type: ignore[no-any-return]


def owners(cohort: Cohort, names: Any) -> set[str]:
    """Return whose images these are."""
    assert cohort.group is not None
    group = dict(zip(cohort.subjects, cohort.group, strict=True))
    return {group[name] for name in names}


@pytest.mark.parametrize("by_site", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_no_patient_is_on_two_sides(small: Any, seed: int, by_site: bool) -> None:
    """In every fold of every repeat, validation included; and every image is tested once."""
    cohort = grouped(small, seed=seed)
    splits = make_splits(cohort, folds=4, repeats=2, seed=seed, group_by_site=by_site)

    for fold in splits.folds:
        train, chosen, test = (
            owners(cohort, part) for part in (fold.train, fold.validation, fold.test)
        )
        assert len(train | chosen | test) == len(train) + len(chosen) + len(test)
        assert chosen
    counted = Counter(name for fold in splits.folds for name in fold.test)
    assert set(counted.values()) == {2}
    assert splits.settings["group"] == "person"
    refuse_parted_groups(splits, cohort)


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_stratified_and_alike_in_size(small: Any, seed: int) -> None:
    """Folds differ by one patient of each cause at most, and by two of the largest in images."""
    cohort = grouped(small, seed=seed)
    assert cohort.outcome is not None
    cause = dict(zip(cohort.group or (), cohort.outcome.event.tolist(), strict=True))
    folds = make_splits(cohort, folds=4, seed=seed).folds

    for code in range(3):
        counts = [sum(cause[p] == code for p in owners(cohort, f.test)) for f in folds]
        assert max(counts) - min(counts) <= 1
    rows = [len(fold.test) for fold in folds]
    assert max(rows) - min(rows) <= 2 * 7


def test_inner_folds_and_validation_keep_patients_whole(small: Any) -> None:
    """What chooses settings and epochs has seen nobody of those it scores."""
    cohort = grouped(small)
    rows = list(range(0, len(cohort), 2))

    for inner in inner_folds(cohort, rows, 3, seed=1):
        here, there = (
            owners(cohort, [cohort.subjects[r] for r in part])
            for part in (inner.train, inner.left_out)
        )
        assert not here & there
    train, chosen = carve_validation(cohort, 0.25, seed=3)
    assert not owners(cohort, train) & owners(cohort, chosen)
    assert len(owners(cohort, chosen)) == 10


def test_groups_of_one_are_dealt_as_subjects_are(small: Any) -> None:
    """Parts and their causes count as without groups; and without them nothing changes."""
    plain = make_splits(small.read(), folds=4, seed=0)
    small.config["group"] = "patient_id"
    singles = make_splits(small.read(), folds=4, seed=0)

    assert "group" not in plain.settings
    assert plain.sha256.startswith("ebfca66d1926")  # as before there were groups
    event = {row["patient_id"]: row["event"] for row in small.rows}
    for one, other in zip(plain.folds, singles.folds, strict=True):
        for part in ("train", "validation", "test"):
            here, there = (Counter(event[s] for s in getattr(f, part)) for f in (one, other))
            assert here == there


def test_too_few_patients_with_an_event_are_named(small: Any) -> None:
    """Thirty images of two patients are two events, not thirty."""
    small.rows = [
        row | {"patient_id": str(k), "person": f"p{k % 8}", "event": str(int(k % 8 < 2))}
        for k, row in enumerate(small.rows * 5)
    ]
    small.config |= {"group": "person"}
    small.config["outcome"]["causes"] = {1: "tumour"}

    with pytest.raises(DataError, match="events of 'tumour' in 2 groups cannot be spread over 3"):
        make_splits(small.read(), folds=3, seed=0)


def test_a_patient_of_two_sites_cannot_be_tested_by_site(small: Any) -> None:
    """Neither the site nor the patient could be whole."""
    cohort = grouped(small)
    person = cohort.group[0] if cohort.group else ""
    rows = [row for row in small.rows if row["person"] == person]
    rows[0]["site"] = "E" if rows[0]["site"] != "E" else "A"
    small.rows[-1] |= {"person": person}
    if len(rows) == 1:
        small.rows[-1]["site"] = "E" if rows[0]["site"] != "E" else "A"

    with pytest.raises(DataError, match=f"the group '{person}' lies in the sites"):
        make_splits(small.read(), folds=3, seed=0, group_by_site=True)
    make_splits(small.read(), folds=3, seed=0)


def test_given_splits_that_part_a_patient_are_refused(small: Any) -> None:
    """Splits of images, made before the group was named, leak; the first patient is named."""
    grouped(small)
    del small.config["group"]
    careless = make_splits(small.read(), folds=4, seed=0)
    small.config["group"] = "person"
    cohort = small.read()

    with pytest.raises(DataError, match=r"the group 'p\d\d' \(person\) is in train and in"):
        refuse_parted_groups(careless, cohort)


def test_splits_files_keep_their_group(small: Any, tmp_path: Path) -> None:
    """Written and read, the setting is there and the hash the same."""
    cohort = grouped(small)
    made = make_splits(cohort, folds=4, seed=0)
    made.write(tmp_path / "splits.json")
    read = Splits.read(tmp_path / "splits.json", subjects=cohort.subjects)

    assert read == made
    assert json.loads((tmp_path / "splits.json").read_text())["settings"]["group"] == "person"


def test_a_missing_group_is_a_problem_with_its_row(small: Any) -> None:
    """A row without a patient can stand anywhere, so it is refused."""
    grouped(small)
    small.rows[4]["person"] = ""
    with pytest.raises(DataError, match=r"row 6, .*'person': the person is missing"):
        small.read()


def test_a_subset_keeps_its_groups(small: Any) -> None:
    """In the order of the rows."""
    cohort = grouped(small)
    part = cohort.subset([5, 0, 7])

    assert cohort.group is not None
    assert part.group == tuple(cohort.group[row] for row in (5, 0, 7))


def test_the_summary_counts_patients(small: Any) -> None:
    """N images of M patients, by the names that the cohort itself gives."""
    cohort = grouped(small)
    found = summarise_cohort(cohort, make_splits(cohort, folds=4, seed=0))["groups"]

    assert found == {
        "column": "person",
        "n": 40,
        "largest": 7,
        "rows_are": "rows",
        "groups_are": "groups",
    }


def pictures(small: Any) -> None:
    """Give every subject a picture of its own, and every second a patient."""
    for k, row in enumerate(small.rows):
        values = np.random.default_rng(k).integers(0, 255, (6, 6)).astype(np.uint8)
        Image.fromarray(values).save(small.folder / f"{k}.png")
        row |= {"file": f"{k}.png", "person": f"p{k // 2}"}
    small.config["modalities"] = {"cxr": {"kind": "image", "path": "file"}}


def errors(small: Any) -> list[tuple[int | None, str]]:
    """Return rows and messages of errors."""
    return [(p.row, p.message) for p in check_cohort(small.write()) if p.severity == "error"]


def test_an_image_listed_for_two_patients_is_refused(small: Any) -> None:
    """Under one path, or as a copy; both rows are named, since nobody knows whose it is."""
    pictures(small)
    assert errors(small) == []
    small.rows[5]["file"] = "2.png"
    (small.folder / "9.png").write_bytes((small.folder / "7.png").read_bytes())
    found = errors(small)

    assert [row for row, _ in found] == [4, 7, 9, 11]
    assert "this file is also the image of patient_id '005' in row 7" in found[0][1]
    assert "its bytes are those of the image of patient_id '009' in row 11" in found[2][1]


def test_images_of_one_patient_may_be_equal(small: Any) -> None:
    """Within a group nothing leaks; across groups it is refused as ever."""
    pictures(small)
    small.config["group"] = "person"
    (small.folder / "3.png").write_bytes((small.folder / "2.png").read_bytes())
    assert errors(small) == []
    (small.folder / "4.png").write_bytes((small.folder / "2.png").read_bytes())

    assert [row for row, _ in errors(small)] == [4, 5, 6]


def test_nothing_is_divided_where_two_patients_have_one_image(small: Any) -> None:
    """What the check lists is refused before training, of the images that are asked for alone."""
    pictures(small)
    refuse_shared_files(small.read(), ["cxr"])
    (small.folder / "9.png").write_bytes((small.folder / "7.png").read_bytes())
    cohort = small.read()

    refuse_shared_files(cohort, ["clinical"])
    for names in (["cxr"], ["clinical", "copy"]):
        with pytest.raises(DataError, match=r"'007', 'cxr': .*7\.png: its bytes .* '009', and"):
            refuse_shared_files(cohort.with_twins({"copy": "cxr"}), names)
