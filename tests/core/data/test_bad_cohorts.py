"""Everything that can be wrong with a cohort, each with its one-line error and exit code 2."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.core.data.refusals import expect, messages

Bend = Callable[[Any], None]


CT = {"kind": "volume", "path": "ct"}


def config(**changes: Any) -> Bend:
    """Replace keys of the cohort file."""
    return lambda small: small.config.update(changes)


def outcome(**changes: Any) -> Bend:
    """Replace keys of its outcome."""
    return lambda small: small.config["outcome"].update(changes)


def modality(**settings: Any) -> Bend:
    """Replace the modalities by one."""
    return config(modalities={"ct": settings})


def cell(column: str, value: str, row: int = 4) -> Bend:
    """Change one cell; row 4 is row 6 of the spreadsheet."""
    return lambda small: small.rows[row].update({column: value})


def column(name: str, value: str, **also: Any) -> Bend:
    """Add a column of one value, and name it in the outcome or the file."""

    def change(small: Any) -> None:
        for row in small.rows:
            row[name] = value
        (small.config if name == "site" else small.config["outcome"]).update(also or {name: name})

    return change


def both(*changes: Bend) -> Bend:
    """Apply several changes."""

    def change(small: Any) -> None:
        for each in changes:
            each(small)

    return change


def second_table(text: str, **settings: Any) -> Bend:
    """Add a modality with a file of its own."""

    def change(small: Any) -> None:
        name = settings.pop("file", "second.csv")
        (small.folder / name).write_bytes(text.encode())
        small.config["modalities"]["second"] = {"kind": "table", "file": name, **settings}

    return change


def archive(**arrays: Any) -> Bend:
    """Add an .npz of embeddings."""

    def change(small: Any) -> None:
        np.savez(small.folder / "e.npz", **arrays)
        small.config["modalities"]["second"] = {"kind": "vector", "file": "e.npz"}

    return change


CASES: dict[str, tuple[Bend, str]] = {
    # the cohort file
    "unknown key": (config(tabel="x"), "unknown key 'tabel'"),
    "no outcome": (lambda small: small.config.pop("outcome"), "the key 'outcome' is required"),
    "unit": (outcome(unit="weeks"), "outcome.unit: "),
    "no causes": (outcome(causes={}), "outcome.causes: "),
    "code twice": (outcome(causes={0: "death"}), "every event code means one thing, but 0 stands"),
    "cause twice": (outcome(causes={1: "a", 2: "a"}), "causes need different names"),
    "type": (outcome(duration=3), "outcome.duration: "),
    "no modality": (config(modalities={}), "modalities: "),
    "name of modality": (config(modalities={"CT scan": CT}), "modalities.CT scan"),
    "no kind": (modality(path="ct"), "modalities.ct: the key 'kind' is required"),
    "unknown kind": (modality(kind="volum"), "no kind is 'volum'. Did you mean 'volume'"),
    "key of modality": (modality(**CT, spacin=[1, 1, 1]), "unknown key 'spacin'"),
    "table without columns": (modality(kind="table"), "needs 'columns'"),
    "vector without file": (modality(kind="vector"), "needs 'file' or 'columns'"),
    "duration as a feature": (
        modality(kind="table", columns=["age", "time_days"]),
        "'time_days' is the outcome's duration, which a model must not see; leave it out",
    ),
    "event as a vector": (
        modality(kind="vector", columns=["event"]),
        "'event' is the outcome's event, which a model must not see; leave it out",
    ),
    "column repeated": (modality(kind="table", columns=["age", "age"]), "'age' stands twice"),
    "foreign category": (
        modality(kind="table", columns=["age"], categorical=["stage"]),
        "categorical names 'stage', which is not in columns",
    ),
    "columns and exclude": (
        modality(kind="table", columns=["age"], exclude=["stage"]),
        "give 'columns' or 'exclude', not both",
    ),
    "window": (modality(**CT, window=[5.0, -5.0]), "from a smaller to a larger value"),
    "spacing": (modality(**CT, spacing=[1.0, 1.0]), "spacing: "),
    "size": (modality(**CT, size=[8, 8, 0]), "size.2: "),
    "crop": (modality(**CT, crop="mask", size=[8, 8, 8]), "crop: mask needs a 'mask' column"),
    # the table
    "no table": (config(table="other.csv"), "other.csv: there is no such file"),
    "kind of table": (config(table="cohort.yaml"), "a table is a .csv, .csv.gz or .parquet file"),
    "no column": (outcome(duration="time_day"), "no column 'time_day'. Did you mean 'time_days'"),
    "no modality column": (
        modality(kind="table", columns=["agee"]),
        "no column 'agee'. Did you mean 'age'",
    ),
    "negative duration": (cell("time_days", "-3"), "row 6: a duration must be > 0, but is -3"),
    "zero duration": (cell("time_days", "0"), "row 6: a duration must be > 0, but is 0"),
    "no duration": (cell("time_days", ""), "row 6: a duration is missing"),
    "NaN duration": (cell("time_days", "NaN"), "row 6: a duration is missing"),
    "infinite duration": (cell("time_days", "inf"), "row 6: a duration must be finite, not inf"),
    "text duration": (
        cell("time_days", "1_000"),
        "row 6: a duration must be a number, not '1_000'",
    ),
    "unknown code": (cell("event", "7"), "row 6: unknown event code 7; known are 0, 1, 2"),
    "broken code": (cell("event", "0.5"), "row 6: event codes are integers, not 0.5"),
    "no event cell": (cell("event", "NA"), "row 6: the event is missing (codes: 0, 1, 2)"),
    "unnamed cause": (outcome(causes={1: "death"}), "row 4: unknown event code 2"),
    "no events": (
        lambda small: [row.update(event="0") for row in small.rows],
        "no subject has an event: all 24 are censored",
    ),
    "subject twice": (cell("patient_id", "001"), "row 6: the subject stands already in row 3"),
    "no subject": (cell("patient_id", ""), "row 6: the subject is missing"),
    "no site": (
        both(config(site="site"), cell("site", "")),
        "row 6: the site is missing",
    ),
    "late entry": (column("entry", "140"), "row 2: the entry time 140 must be before the duration"),
    "negative entry": (column("entry", "-1"), "row 2: an entry time must be >= 0, but is -1"),
    "zero weight": (column("weight", "0"), "row 2: a case weight must be > 0, but is 0"),
    "numbers and text": (
        cell("age", "sixty"),
        "column 'age' mixes numbers and text (row 6: 'sixty')",
    ),
    "infinite number": (cell("age", "-inf"), "column 'age' holds infinite numbers"),
    # further tables
    "two rows": (
        second_table("patient_id,x\n001,1\n002,2\n001,3\n"),
        "subject '001' has more than one row (2 and 4)",
    ),
    "strangers": (
        second_table("patient_id,x\n1,1\n2,2\n"),
        "none of its 2 subjects (such as '1') is in the cohort (such as '000')",
    ),
    "row without subject": (second_table("patient_id,x\n,1\n"), "row 2 has no 'patient_id'"),
    "ragged": (second_table("patient_id,x\n001,1,7\n"), "row 2 has 3 cells, but the header has 2"),
    "doubled header": (second_table("patient_id,x,x\n001,1,7\n"), "'x' stands twice in the header"),
    "semicolons": (second_table("patient_id;x\n001;1\n"), "separated by semicolons"),
    "no rows": (second_table("patient_id,x\n"), "the table has no rows"),
    "open quote": (second_table('patient_id,x\n001,"1\n'), "not a CSV table"),
    "not gzip": (second_table("x", file="x.csv.gz"), "not a complete gzip file"),
    "not parquet": (second_table("x", file="x.parquet"), "not a readable Parquet file"),
    "half an embedding": (
        second_table("patient_id,a,b\n001,1,\n", kind="vector"),
        "the embedding of subject '001' holds missing or infinite numbers",
    ),
    "text in an embedding": (
        second_table("patient_id,a\n001,x\n", kind="vector"),
        "column 'a' of an embedding must hold numbers, but row 2 has 'x'",
    ),
    "widths": (archive(a=np.ones(2), b=np.ones(3)), "vectors must have one width, not [2, 3]"),
    "pickled": (archive(a=np.array([{}])), "not a readable .npz archive of plain arrays"),
    "no modality at all": (
        both(
            second_table("patient_id,x\n001,1\n"),
            lambda small: small.config["modalities"].pop("clinical"),
        ),
        "row 2: the subject has none of the modalities (second)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_cohort_is_refused_in_one_line(
    small: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """``survkit cohort check`` names what is wrong and exits with 2."""
    bend, message = CASES[name]
    bend(small)

    expect(capsys, small, message)


FILES: dict[str, tuple[bytes, str]] = {
    "not YAML": (b"name: [", "not valid YAML"),
    "empty": (b"", "expected keys and values"),
    "list": (b"- name", "expected keys and values"),
    "key twice": (b"name: a\nname: b\n", "'name' stands twice"),
    "alias": (b"name: &a x\ntable: *a\n", "aliases (*a) are not allowed"),
    "latin-1": ("name: Köln".encode("latin-1"), "not UTF-8 text"),
    "bomb": (b"a: " + b"[" * 200 + b"]" * 200, "nested deeper than"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_in_one_line(
    small: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whatever the cohort file is, the answer is one line."""
    content, message = FILES[name]
    small.write().write_bytes(content)
    code, found = messages(capsys, str(small.path))

    assert code == 2
    assert message in found[0]
    assert "\n" not in found[0]


def test_a_table_that_is_not_utf8_or_torn_is_refused(
    small: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The byte is named; half a gzip file is not a table."""
    path = small.write()
    (small.folder / "patients.csv").write_bytes("patient_id\nMüller\n".encode("latin-1"))
    assert "not UTF-8 text (byte 12)" in messages(capsys, str(path))[1][0]
    (small.folder / "t.csv.gz").write_bytes(gzip.compress(b"patient_id\n1\n" * 99)[:-9])
    code, found = messages(capsys, str(path), "--table", str(small.folder / "t.csv.gz"))

    assert (code, "not a complete gzip file" in found[0]) == (2, True)
