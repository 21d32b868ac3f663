"""The Hannover collection: three endpoints from days, and what cannot be followed up is listed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.core.ingest.archive import rows_of, write_table

from survkit.cli import main
from survkit.data.check import check_cohort
from survkit.data.cohort import Cohort
from survkit.errors import ConfigError, DataError
from survkit.ingest import ingest_hannover

COURSES: dict[str, tuple[list[int], int | None, int | None, int | None]] = {
    "admitted": ([0, 3, 9], 4, 9, None),
    "died-in-icu": ([1, 5], 2, 8, 8),
    "died-on-ward": ([0], None, None, 12),
    "ward": ([2, 7], None, None, None),
    "once": ([0], None, None, None),
    "from-icu": ([5, 6, 20], 5, 6, 30),
    "dead-before": ([9], None, None, 8),
}
"""Days of images, of admission to and release from intensive care, and of death."""


def picture(path: Path, seed: int) -> None:
    """Write a picture of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 255, (12, 10)).astype(np.uint8)
    Image.fromarray(values).save(path)


def images() -> list[tuple[str, str, int]]:
    """Return id, patient and day of every image, later ones first."""
    found = [(p, day) for p, (days, *_) in COURSES.items() for day in days]
    return [(f"img{k}", patient, day) for k, (patient, day) in enumerate(found)][::-1]


def write_published(folder: Path) -> Path:
    """Write the collection as it is published: days relative to each image."""
    rows = []
    for number, (image, patient, day) in enumerate(images()):
        picture(folder / "png" / f"{image}.png", number)
        ends = ["" if each is None else f"{each - day}.0" for each in COURSES[patient][1:]]
        rows.append(
            {
                "patient_id": patient, "image_id": image, "sex": "f", "age": "",
                "admission_offset": str(-day), "icu_admission_offset": ends[0],
                "icu_release_offset": ends[1], "death_offset": ends[2], "modality": "CR",
                "projection": "ap", "crp_val": "-inf",
            }
        )  # fmt: skip
    write_table(folder / "data.csv", rows)
    return folder


def write_derived(folder: Path) -> Path:
    """Write the same with days since admission and a column of files."""
    rows = []
    for number, (image, patient, day) in enumerate(images()):
        picture(folder / "images" / f"{image}.png", number)
        ends = ["" if each is None else str(each) for each in COURSES[patient][1:]]
        rows.append(
            {
                "patient_id": patient, "image_id": image, "sex": "f", "modality": "CR",
                "projection": "ap", "exam_day": str(day), "icu_in_day": ends[0],
                "icu_out_day": ends[1], "death_day": ends[2], "file": f"images/{image}.png",
            }
        )  # fmt: skip
    write_table(folder / "images.csv", rows)
    return folder


WRITERS = {"published": write_published, "derived": write_derived}


@pytest.fixture(params=WRITERS)
def collection(request: Any, tmp_path: Path) -> Path:
    """Return the collection in either form."""
    return WRITERS[request.param](tmp_path / "collection")


def endings(rows: Sequence[dict[str, str]], key: str = "patient_id") -> dict[str, tuple[int, int]]:
    """Return days and event by patient or image."""
    return {row[key]: (int(row["time_days"]), int(row["event"])) for row in rows}


def rules(folder: Path) -> dict[str, str]:
    """Return the rule by which each subject was left out."""
    with (folder / "refused.csv").open() as file:
        return {row["subject"]: row["rule"] for row in csv.DictReader(file) if row["rule"] != LATER}


LATER = "later-image"


def test_intensive_care_or_death_from_the_first_image(collection: Path, tmp_path: Path) -> None:
    """Whichever comes first; who has no time after the image, or was there already, is listed."""
    out = tmp_path / "cohort"
    ingest_hannover(collection, out, outcome="composite")

    assert endings(rows_of(out / "table.csv")) == {
        "admitted": (4, 1),
        "died-in-icu": (1, 1),
        "died-on-ward": (12, 1),
        "ward": (5, 0),
    }
    assert rules(out) == {
        "once": "no-follow-up",
        "from-icu": "not-at-risk",
        "dead-before": "negative-follow-up",
    }
    assert [p for p in check_cohort(out / "cohort.yaml") if p.severity == "error"] == []


def test_death_from_the_first_image(collection: Path, tmp_path: Path) -> None:
    """Censored at the last day on which something is known: an image or intensive care."""
    out = tmp_path / "cohort"
    ingest_hannover(collection, out, outcome="death")

    assert endings(rows_of(out / "table.csv")) == {
        "admitted": (9, 0),
        "died-in-icu": (7, 1),
        "died-on-ward": (12, 1),
        "ward": (5, 0),
        "from-icu": (25, 1),
    }


def test_leaving_intensive_care_from_each_image_in_it(collection: Path, tmp_path: Path) -> None:
    """Alive is 1, death there 2; a patient is a group; on the day of release is no time."""
    out = tmp_path / "cohort"
    ingest_hannover(collection, out, outcome="landmark")
    rows = rows_of(out / "table.csv")
    cohort = Cohort.read(out / "cohort.yaml")

    found = sorted((row["patient_id"], int(row["time_days"]), int(row["event"])) for row in rows)
    assert found == [("died-in-icu", 3, 2), ("from-icu", 1, 1)]
    assert cohort.config.group == "patient_id"
    assert cohort.causes == ("discharge from ICU", "death")
    assert list(rules(out).values()).count("no-follow-up") == 2  # on the day of release
    assert list(rules(out).values()).count("not-at-risk") == 9


def test_the_cohort_reads_the_pictures_where_they_lie(collection: Path, tmp_path: Path) -> None:
    """Nothing is copied, and the path in the table leads from the cohort's folder to the file."""
    before = sorted(collection.rglob("*"))
    ingest_hannover(collection, tmp_path / "deep" / "cohort", outcome="death")
    cohort = Cohort.read(tmp_path / "deep" / "cohort" / "cohort.yaml")

    assert cohort.input_spec("cxr", range(len(cohort))).shape == (1, 12, 10)
    assert sorted(collection.rglob("*")) == before
    assert {p.name for p in (tmp_path / "deep" / "cohort").iterdir()} == {
        "cohort.yaml", "table.csv", "refused.csv", "quality.csv", "ingest.json",
    }  # fmt: skip


def test_bad_pictures_are_refused_by_name(tmp_path: Path) -> None:
    """Blank, a colour screenshot, torn, absent, and one that two patients have: for both."""
    folder = write_derived(tmp_path / "collection") / "images"
    name = {patient: image for image, patient, _ in images()}  # the first image of each
    Image.new("L", (10, 12), 7).save(folder / f"{name['admitted']}.png")
    shot = np.random.default_rng(0).integers(0, 255, (12, 10, 3)).astype(np.uint8)
    Image.fromarray(shot).save(folder / f"{name['died-on-ward']}.png")
    same = (folder / f"{name['from-icu']}.png").read_bytes()
    (folder / f"{name['ward']}.png").write_bytes(same)
    out = tmp_path / "cohort"
    ingest_hannover(tmp_path / "collection", out, outcome="death")

    found = rules(out)
    assert {k: found[k] for k in ("admitted", "died-on-ward", "ward", "from-icu")} == {
        "admitted": "blank",
        "died-on-ward": "unreadable",
        "ward": "shared-image",
        "from-icu": "shared-image",
    }
    assert set(endings(rows_of(out / "table.csv"))) == {"died-in-icu"}
    reasons = (out / "refused.csv").read_text()
    assert "the same bytes are listed for 'ward' and 'from-icu'" in reasons
    assert "the image is RGB, but color: gray is declared" in reasons


def test_gray_in_colours_is_read_without_loss(tmp_path: Path) -> None:
    """The cohort then says convert: true."""
    collection = write_derived(tmp_path / "collection")
    for path in (collection / "images").iterdir():
        Image.open(path).convert("RGB").save(path)
    ingest_hannover(collection, tmp_path / "cohort", outcome="death")

    cohort = Cohort.read(tmp_path / "cohort" / "cohort.yaml")
    assert cohort.config.modalities["cxr"]["convert"] is True
    assert cohort.input_spec("cxr", [0]).shape == (1, 12, 10)


def bent(folder: Path, row: int, **cells: str) -> Path:
    """Change cells of the derived table."""
    rows = rows_of(folder / "images.csv")
    rows[row].update(cells)
    write_table(folder / "images.csv", rows)
    return folder


def test_images_that_contradict_each_other_leave_their_patient_out(tmp_path: Path) -> None:
    """Two days of admission to intensive care: no time can be believed."""
    collection = write_derived(tmp_path / "collection")
    row = next(k for k, (_, patient, _) in enumerate(images()) if patient == "admitted")
    ingest_hannover(bent(collection, row, icu_in_day="5"), tmp_path / "cohort", outcome="composite")

    assert rules(tmp_path / "cohort")["admitted"] == "contradiction"
    reasons = (tmp_path / "cohort" / "refused.csv").read_text()
    assert "must agree on the day of icu in, but it is" in reasons


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"image_id": "img0"}, "the image 'img0' is listed twice"),
        ({"exam_day": "monday"}, "row 2: exam_day must be a day, not 'monday'"),
        ({"exam_day": ""}, "row 2: exam_day is missing"),
        ({"patient_id": ""}, "row 2: patient_id is missing"),
        ({"death_day": "inf"}, "row 2: death_day must be finite"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(
    tmp_path: Path, cells: dict[str, str], message: str
) -> None:
    """With its row, and nothing is left behind."""
    collection = bent(write_derived(tmp_path / "collection"), 0, **cells)

    with pytest.raises(DataError, match=message):
        ingest_hannover(collection, tmp_path / "cohort", outcome="death")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["collection"]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    """Neither table, both, or another's."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"data\.csv or images\.csv; neither is there"):
        ingest_hannover(tmp_path / "empty", tmp_path / "cohort", outcome="death")
    (tmp_path / "empty" / "data.csv").write_text("patient_id,image_id\na,b\n")
    with pytest.raises(ConfigError, match="not the table of the Hannover collection"):
        ingest_hannover(tmp_path / "empty", tmp_path / "cohort", outcome="death")
    with pytest.raises(ConfigError, match="composite, landmark, death"):
        ingest_hannover(tmp_path / "empty", tmp_path / "cohort", outcome="survival")


def test_the_command(collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The outcome is a word; options of DICOM, and none, are refused."""
    common = ["ingest", str(collection), "--layout", "hannover-cxr", "--out", str(tmp_path / "c")]
    assert main(common) == 2
    assert "give --outcome composite, landmark or death" in capsys.readouterr().err
    assert main([*common, "--outcome", "composite", "--roi", "lung"]) == 2
    assert "so --outcome, --out" in capsys.readouterr().err
    assert main([*common, "--outcome", "composite", "--jobs", "2"]) == 0
    shown = capsys.readouterr().out
    assert "4 of 13 subjects: 4 cxr_path" in shown
    assert "1 negative-follow-up, 1 no-follow-up" in shown


def test_the_real_collection_has_the_derived_endpoints(shared_data: Path, tmp_path: Path) -> None:
    """Every number equals what the collection's own tables say, and only times of 0 are missing."""
    source = shared_data / "covid-cxr-hannover"
    patients, exams = rows_of(source / "patients.csv"), rows_of(source / "images.csv")
    expected = {
        "composite": (patients, "patient_id", "composite_time_days", "composite_event"),
        "death": (patients, "patient_id", "time_days", "event"),
        "landmark": (exams, "image_id", "icu_time_days", "icu_event"),
    }
    counts = {"composite": (14, 18), "death": (26, 20), "landmark": (91, 9)}
    for outcome, (rows, key, time, event) in expected.items():
        out = tmp_path / outcome
        ingest_hannover(source, out, outcome=outcome)
        known = {row[key]: (int(row[time]), int(row[event])) for row in rows if row[event]}
        positive = {name: ending for name, ending in known.items() if ending[0] > 0}

        assert endings(rows_of(out / "table.csv"), key) == positive
        zero = sum(rule == "no-follow-up" for rule in rules(out).values())
        assert (len(positive), zero) == counts[outcome]
