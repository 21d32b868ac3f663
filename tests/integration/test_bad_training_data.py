"""Subjects that no model can be trained on, and splits that do not fit: one line, exit code 2."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.integration.bends import (
    CV,
    FIT,
    SPLITS,
    Bend,
    Row,
    cases,
    check_refusal,
    columns,
    data,
)


def splits(change: Callable[[Any], object]) -> Bend:
    """Bend a splits file and state the hash of what it became."""

    def rehashed(content: Any) -> None:
        change(content)
        del content["sha256"]
        plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
        content["sha256"] = hashlib.sha256(plain.encode()).hexdigest()

    return data("cv/splits.json", rehashed)


def by_event(part: str) -> Bend:
    """Give the second fold a part in which nobody has the event."""

    def bend(place: Any) -> None:
        frame = pd.read_csv(place / "patients.csv")
        events = frame["id"][frame["event"] == 1].tolist()
        censored = frame["id"][frame["event"] == 0].tolist()
        half = len(events) // 2
        rest = {"train": "validation", "validation": "train"}[part]
        first = {"train": events[:half], "validation": [], "test": events[half:] + censored}
        second = {part: censored, rest: events[half:], "test": events[:half]}
        if part == "validation":  # everybody is tested once
            first["test"], second["test"] = events[half:], events[:half] + censored[1:]
            first["train"] = first["train"] + censored[1:]
            first["test"], second["validation"] = [*events[half:], censored[0]], [censored[0]]
        made = [{"repeat": 0, "fold": n, **fold} for n, fold in enumerate((first, second))]
        splits(lambda content: content.update(folds=made))(place)

    return bend


def embedding(value: float) -> Bend:
    """Add an embedding with one bad number, and an encoder for it."""

    def bend(place: Any) -> None:
        subjects = pd.read_csv(place / "patients.csv")["id"]
        frame = pd.DataFrame({"id": subjects, "a": 1.0, "b": range(len(subjects))}).astype(
            {"b": float}
        )
        frame.loc[4, "b"] = value
        frame.to_csv(place / "e.csv", index=False)
        given = {"kind": "vector", "file": "e.csv"}
        place.yaml("cohort.yaml", lambda c: c["modalities"].update(e=given))
        place.yaml("recipe.yaml", lambda c: c["encoders"].update(e="vector"))

    return bend


def rare_modality(place: Any) -> None:
    """Give a modality to one subject, who will be in the validation part."""
    held_out = json.loads((place / "fitted/splits.json").read_text())["folds"][0]["validation"]
    (place / "e.csv").write_text(f"id,a\n{held_out[0]},1\n")
    given = {"kind": "vector", "file": "e.csv"}
    place.yaml("cohort.yaml", lambda c: c["modalities"].update(e=given))
    place.yaml("recipe.yaml", lambda c: c["encoders"].update(e="vector"))


def at_once(place: Any) -> None:
    """Train the second fold on two subjects whose events are on one day."""
    frame = pd.read_csv(place / "patients.csv")
    pair = frame.index[frame["event"] == 1][:2]
    frame.loc[pair, "days"] = 300.0
    frame.to_csv(place / "patients.csv", index=False)
    names, two = frame["id"].tolist(), frame["id"][pair].tolist()
    half = [name for name in names if name not in two][:17]
    rest = [name for name in names if name not in two + half]
    first = {"train": rest, "validation": [], "test": half + two}
    second = {"train": two, "validation": half, "test": rest}
    made = [{"repeat": 0, "fold": n, **fold} for n, fold in enumerate((first, second))]
    splits(lambda content: content.update(folds=made))(place)


TRAINING_DATA: dict[str, Row] = {
    "all censored": (FIT, columns(event=0), ("no subject has an event: all 36 are censored",)),
    "two events": (CV, columns(event=lambda t: (t.index < 2) * 1), ("2 events of 'death'",)),
    "one event": (
        FIT,
        columns(event=lambda t: (t.index < 1) * 1),
        ("no event among the 7 validation subjects",),
    ),
    "one subject": (
        FIT + " --set training.validation=0",
        lambda p: p.table(lambda t: t.iloc[:1].assign(days=300.0, event=1)),
        ("the only training subject cannot be compared", "train on more subjects"),
    ),
    "all at once": (
        FIT + " --set training.validation=0",
        columns(days=300.0, event=1),
        ("no two of the 36 training subjects can be compared", "event-free at the time of another"),
    ),
    "a fold of two at once": (
        SPLITS,
        at_once,
        ("fold-1: no two of the 2 training subjects can be compared", "divide the cohort"),
    ),
    "an empty column": (FIT, columns(age=np.nan), ("column 'age' is missing for every training",)),
    "beyond float32": (
        FIT,
        columns(age=lambda t: t["age"].where(t.index != 3, 1e300)),
        ("column 'age' must hold numbers up to 3.4e38, but subject 's03' has 1e+300",),
    ),
    "NaN embedding": (FIT, embedding(np.nan), ("e.csv: the embedding of subject 's04'",)),
    "huge embedding": (FIT, embedding(1e300), ("e.csv: the embedding of subject 's04'",)),
    "nobody has it": (FIT, rare_modality, ("no training subject has the modality 'e'",)),
    "no such splits": (CV + " --splits no.json", None, ("no.json: there is no such file",)),
    "a table": (CV + " --splits patients.csv", None, ("not a readable JSON file",)),
    "another file": (CV + " --splits fitted/config.json", None, ("not a splits file of survkit",)),
    "edited": (
        SPLITS,
        data("cv/splits.json", lambda c: c["folds"][0]["test"].pop()),
        ("changed since it was written", "make it again with `survkit cohort split`"),
    ),
    "of fit": (CV + " --splits fitted/splits.json", None, ("the test part is empty",)),
    "other cohort": (SPLITS, columns(id=lambda t: "x" + t["id"]), ("is not in the cohort",)),
    "one more subject": (
        SPLITS,
        lambda p: p.table(lambda t: pd.concat([t, t.iloc[:1].assign(id="new")])),
        ("subject 'new' is in no part", "made for another table"),
    ),
    "overlap": (
        SPLITS,
        splits(lambda c: c["folds"][0]["test"].append(c["folds"][0]["train"][0])),
        ("is in train and in test",),
    ),
    "no folds": (SPLITS, splits(lambda c: c.update(folds=3)), ("not a splits file of survkit",)),
    "a fold without events": (
        SPLITS,
        by_event("train"),
        ("fold-1: none of the", "training subjects has an event"),
    ),
    "nobody to choose by": (
        SPLITS,
        by_event("validation"),
        ("fold-1: no two of the 1 validation subjects can be compared", "set training.monitor"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", cases("training data", TRAINING_DATA))
def test_a_bad_input_is_one_line_and_exit_code_2(
    row: Row, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    check_refusal(row, place, capsys)
