"""A cohort says what its files say: nothing cast, filled, or learnt from the wrong subjects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from survkit.errors import ConfigError, DataError
from survkit.specs import ColumnSpec, InputSpec


def test_identifiers_keep_their_zeros_and_columns_their_meaning(small: Any) -> None:
    """Subject 007 stays '007'; durations, events and causes are those of the table."""
    cohort = small.read()

    assert cohort.subjects[7] == "007"
    assert cohort.causes == ("tumour", "other")
    target = cohort.target([0, 1, 2])
    assert target.duration.tolist() == [100.0, 110.0, 120.0]
    assert target.event.tolist() == [0, 1, 2]
    assert (target.duration.dtype, target.event.dtype) == (torch.float64, torch.int64)


def test_levels_are_those_of_the_given_rows(small: Any) -> None:
    """A category that only a test subject has is not a level; it reads as one beyond the last."""
    cohort = small.read()
    spec = cohort.input_spec("clinical", [0, 1, 3, 4])

    assert spec.columns == (ColumnSpec("age"), ColumnSpec("stage", ("I", "II")))
    assert cohort.read_sample("clinical", 2, spec).values.tolist() == [52.0, 2.0]
    assert cohort.read_sample("clinical", 1, spec).values.tolist() == [51.0, 1.0]


def test_missing_cells_are_nan_and_a_declared_category_may_look_like_a_number(small: Any) -> None:
    """Empty and NA cells are NaN in numbers and in categories."""
    small.rows[0].update(age="", stage="NA")
    small.config["modalities"]["clinical"]["categorical"] = ["age", "stage"]
    cohort = small.read()
    spec = cohort.input_spec("clinical", range(3))

    assert spec.columns[0] == ColumnSpec("age", ("51", "52"))
    assert cohort.read_sample("clinical", 0, spec).values.isnan().all()


def test_other_causes_are_censored_only_when_it_is_said(small: Any) -> None:
    """Code 2 counts as censored under outcome.censor, and the code of the cause becomes 1."""
    small.config["outcome"].update(causes={2: "other"}, censor=[1])
    cohort = small.read()

    assert cohort.causes == ("other",)
    assert cohort.target([0, 1, 2]).event.tolist() == [0, 0, 1]


def test_events_may_be_words(small: Any) -> None:
    """Codes are compared as they are written."""
    for row in small.rows:
        row["event"] = {"0": "alive", "1": "dead", "2": "dead"}[row["event"]]
    small.config["outcome"].update(causes={"dead": "death"}, censored="alive")

    assert small.read().target(range(3)).event.tolist() == [0, 1, 1]


def test_a_second_table_is_joined_by_subject(small: Any) -> None:
    """Its order is irrelevant, and a subject without a row misses the modality."""
    blood = [{"patient_id": row["patient_id"], "crp": row["age"]} for row in small.rows[::-1]]
    small.write_rows("blood.csv", blood[:-1])
    small.config["modalities"]["blood"] = {"kind": "table", "file": "blood.csv"}
    cohort = small.read()
    spec = cohort.input_spec("blood", range(len(cohort)))

    assert not cohort.available("blood")[0]
    assert cohort.available("blood")[1:].all()
    assert cohort.read_sample("blood", 0, spec) is None
    assert cohort.read_sample("blood", 5, spec).values.tolist() == [55.0]


@pytest.mark.parametrize("kind", ["parquet", "list", "npz", "csv"])
def test_embeddings_are_the_same_from_every_format(small: Any, kind: str) -> None:
    """Wide Parquet, a list column, an archive and CSV hold the same vectors."""
    names = [row["patient_id"] for row in small.rows]
    vectors = np.arange(3 * len(names), dtype=np.float32).reshape(-1, 3)
    file = small.folder / f"embedding.{'parquet' if kind == 'list' else kind}"
    if kind == "npz":
        np.savez(file, **dict(zip(names, vectors, strict=True)))
    elif kind == "csv":
        rows = zip(names, vectors, strict=True)
        cells = [
            {"patient_id": n} | {f"d{k}": str(v) for k, v in enumerate(vec)} for n, vec in rows
        ]
        small.write_rows(file.name, cells)
    elif kind == "list":
        pq.write_table(pa.table({"patient_id": names, "vector": vectors.tolist()}), file)
    else:
        columns = {f"d{k}": vectors[:, k] for k in range(3)}
        pq.write_table(pa.table({"patient_id": names, **columns}), file)
    small.config["modalities"]["he"] = {"kind": "vector", "file": file.name}
    cohort = small.read()

    assert cohort.input_spec("he", [0]) == InputSpec(kind="vector", shape=(3,))
    sample = cohort.read_sample("he", 4, cohort.input_spec("he", [0]))
    assert sample.values.tolist() == vectors[4].tolist()


def test_several_rows_per_subject_are_tokens_when_declared(small: Any) -> None:
    """Rows of one subject stay together in file order; without tokens: true it is refused."""
    rows = [{"patient_id": name, "d": str(k)} for k, name in enumerate(["001", "000", "001"])]
    small.write_rows("tiles.csv", rows)
    small.config["modalities"]["tiles"] = {"kind": "vector", "file": "tiles.csv"}
    with pytest.raises(DataError, match=r"'001' has 2 rows; set tokens: true"):
        small.read()
    small.config["modalities"]["tiles"]["tokens"] = True
    cohort = small.read()
    spec = cohort.input_spec("tiles", [0, 1])

    assert spec.has_tokens
    assert cohort.read_sample("tiles", 1, spec).values.tolist() == [[0.0], [2.0]]
    assert cohort.available("tiles").sum() == 2


def test_a_vector_may_be_columns_of_the_cohorts_own_table(small: Any) -> None:
    """Subjects whose cells are all empty miss it; with one cell empty they are refused."""
    for k, row in enumerate(small.rows):
        row |= {"a": str(k), "b": str(-k)}
    small.rows[3].update(a="", b="")
    small.config["modalities"]["code"] = {"kind": "vector", "columns": ["a", "b"]}
    cohort = small.read()
    sample = cohort.read_sample("code", 2, cohort.input_spec("code", [0]))

    assert sample.values.tolist() == [2.0, -2.0]
    assert np.flatnonzero(~cohort.available("code")).tolist() == [3]
    small.rows[4]["a"] = ""
    with pytest.raises(DataError, match="embedding of subject '004' holds missing or infinite"):
        small.read()


def test_entry_weight_strata_and_site_are_read(small: Any) -> None:
    """Strata are numbered by their sorted names."""
    for k, row in enumerate(small.rows):
        row |= {"entry": str(k), "weight": "0.5", "centre": "xyz"[k % 3]}
    small.config["outcome"] |= {"entry": "entry", "weight": "weight"}
    small.config |= {"site": "site", "strata": "centre"}
    cohort = small.read()
    target = cohort.target([4, 2])

    assert target.entry.tolist() == [4.0, 2.0]
    assert target.weight.tolist() == [0.5, 0.5]
    assert target.strata.tolist() == [1, 2]
    assert cohort.site[:4] == ("A", "B", "C", "D")


def test_subset_keeps_the_order_that_was_asked(small: Any) -> None:
    """Outcome, modalities and fingerprint follow the subset."""
    cohort = small.read()
    part = cohort.subset(torch.tensor([5, 2]))

    assert part.subjects == ("005", "002")
    assert part.target([0]).duration.tolist() == [150.0]
    assert part.read_sample("clinical", 1, part.input_spec("clinical", [0])).values[0] == 52
    assert part.fingerprint() != cohort.fingerprint()
    with pytest.raises(DataError, match="row 24 is not in a cohort of 24"):
        cohort.subset([24])


def test_fingerprint_changes_with_a_cell_but_not_with_the_folder(
    small: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same files elsewhere are the same cohort; another age is another one."""
    first = small.read().fingerprint()
    small.folder = tmp_path_factory.mktemp("elsewhere")

    assert small.read().fingerprint() == first
    small.rows[3]["age"] = "99"
    assert small.read().fingerprint() != first


def test_subjects_to_be_predicted_need_no_outcome(small: Any) -> None:
    """Without an outcome everything but the target can be read."""
    for row in small.rows:
        del row["event"], row["time_days"]
    cohort = small.read(needs_outcome=False)

    assert len(cohort) == 24
    with pytest.raises(DataError, match="read without its outcome"):
        cohort.target([0])


def test_another_table_or_folder_can_be_given(small: Any, tmp_path_factory: Any) -> None:
    """The cohort file may lie apart from its data."""
    path = small.write()
    small.write_rows("new.csv", small.rows[:6])
    from survkit.data.cohort import Cohort

    assert len(Cohort.read(path, table=small.folder / "new.csv")) == 6
    apart = tmp_path_factory.mktemp("apart") / "cohort.yaml"
    apart.write_text(path.read_text())
    assert len(Cohort.read(apart, data_folder=small.folder)) == 24


def test_integers_in_parquet_are_numbers_and_identifiers_text(small: Any) -> None:
    """A Parquet table with integer subjects and nulls reads like its CSV twin."""
    small.write()
    table = pa.table(
        {
            "patient_id": [1, 2, 3],
            "time_days": [5, 6, 7],
            "event": [True, False, True],
            "age": pa.array([50, None, 52]),
            "stage": pa.array(["I", None, "II"]).dictionary_encode(),
        }
    )
    pq.write_table(table, small.folder / "patients.parquet")
    small.config["outcome"]["causes"] = {1: "death"}
    small.config["table"] = "patients.parquet"
    cohort = small.read()

    assert cohort.subjects == ("1", "2", "3")
    assert cohort.target(range(3)).event.tolist() == [1, 0, 1]
    values = cohort.read_sample("clinical", 1, cohort.input_spec("clinical", range(3))).values
    assert values.isnan().all()


def test_unknown_modality_helps(small: Any) -> None:
    """A misspelt modality gets its close match."""
    with pytest.raises(
        DataError, match=r"no modality is named 'clinicl'\. Did you mean 'clinical'"
    ):
        small.read().available("clinicl")


def test_a_mask_is_declared_as_needed(small: Any, bend: Callable[..., Any]) -> None:
    """Cropping round a mask makes the mask a need of every new patient."""
    pytest.importorskip("SimpleITK")
    small.config["modalities"]["ct"] = {
        "kind": "volume", "path": "ct", "mask": "gtv", "crop": "mask", "size": [4, 4, 4],
    }  # fmt: skip
    for row in small.rows:
        row |= {"ct": "", "gtv": ""}

    assert small.read().needs_mask == ("ct",)


def test_a_cohort_file_that_is_missing_says_so(tmp_path: Any) -> None:
    """The path is in the message."""
    from survkit.data.cohort import Cohort

    with pytest.raises(ConfigError, match=r"cohort\.yaml"):
        Cohort.read(tmp_path / "cohort.yaml")


def test_subjects_of_unknown_event_are_left_out_only_when_it_is_said(small: Any) -> None:
    """Refused by default; with unknown: exclude they are named, and everybody else is as before."""
    small.rows[4].update(event="", time_days="")
    small.rows[7].update(event="NA")
    with pytest.raises(DataError, match=r"subject '004'.*and 2 more"):
        small.read()

    small.config["outcome"]["unknown"] = "exclude"
    cohort = small.read()

    assert cohort.left_out == ("004", "007")
    assert len(cohort) == 22
    assert "004" not in cohort.subjects
    assert cohort.target([4]).duration.tolist() == [150.0]
    assert cohort.target(range(22)).event.min() == 0
    assert small.read(needs_outcome=False).left_out == ()  # to predict needs no event


def test_who_is_left_out_is_listed_by_the_check(small: Any) -> None:
    """One warning per subject left out; a wrong code in another row is still an error."""
    from survkit.data.check import check_cohort

    small.rows[4].update(event="", time_days="")
    small.rows[7].update(event="7")
    small.config["outcome"]["unknown"] = "exclude"
    problems = [p for p in check_cohort(small.write()) if p.column == "event" and p.row]

    assert [(p.severity, p.row, p.subject) for p in problems] == [
        ("error", 9, "007"),
        ("warning", 6, "004"),
    ]
    assert "left out (outcome.unknown: exclude)" in problems[1].message


def test_a_known_category_written_otherwise_is_refused(small: Any) -> None:
    """A column with an empty cell comes out of a data frame as 1.0 where it was 1."""
    small.config["modalities"]["clinical"]["categorical"] = ["stage"]
    for number, row in enumerate(small.rows):
        row["stage"] = "12"[number % 2]
    spec = small.read().input_spec("clinical", range(24))
    for row in small.rows:
        row["stage"] += ".0"

    with pytest.raises(DataError, match=r"'1.0', which is '1' in the training subjects"):
        small.read().read_sample("clinical", 0, spec)
