"""Models that cannot be used, and subjects that they cannot be used for: one line, exit code 2."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.integration.bends import (
    PREDICT,
    Bend,
    Row,
    cases,
    check_refusal,
    columns,
    cut,
    data,
    modalities,
)


def weights(change: Callable[[dict[str, Any], str], object]) -> Bend:
    """Bend the tensors of a model, given the name of a matrix, and state the hash of the result."""

    def bend(place: Any) -> None:
        from safetensors.torch import load, save

        tensors = load((place / "fitted/model.safetensors").read_bytes())
        change(tensors, "members.0.encoders.clinical.network.0.weight")
        rehash(place, save(tensors))

    return bend


def rehash(place: Any, content: bytes) -> None:
    """Write the file of weights and state its hash in config.json."""
    (place / "fitted/model.safetensors").write_bytes(content)
    stated = {"weights_sha256": hashlib.sha256(content).hexdigest()}
    data("fitted/config.json", lambda config: config.update(stated))(place)


def config(change: Callable[[Any], object]) -> Bend:
    """Bend the description of a model."""
    return data("fitted/config.json", change)


MODELS: dict[str, Row] = {
    "none": ("predict nowhere --cohort cohort.yaml", None, ("no config.json is there",)),
    "a cross-validation": (
        "predict cv --cohort cohort.yaml",
        None,
        ("one model per fold", "survkit finalize"),
    ),
    "config": (PREDICT, cut("fitted/config.json"), ("fitted/config.json: cannot be read",)),
    "format": (PREDICT, config(lambda c: c.update(format="x/9")), ("not a survkit model",)),
    "no inputs": (PREDICT, config(lambda c: c.pop("inputs")), ("damaged (KeyError: 'inputs')",)),
    "components": (PREDICT, config(lambda c: c.update(components=[])), ("config.json: damaged",)),
    "newer": (
        PREDICT,
        config(lambda c: c.update(api_version="9.0")),
        ("saved with survkit API 9.0", "pip install --upgrade survkit-core"),
    ),
    "no version": (PREDICT, config(lambda c: c.update(api_version="new")), ("is no version",)),
    "plugin": (
        PREDICT,
        config(
            lambda c: c["components"]["head"].update(
                use="histology/x", distribution="survkit-histology"
            )
        ),
        ("head is histology/x of survkit-histology", "pip install survkit-histology"),
    ),
    "class path": (
        PREDICT,
        config(lambda c: c["components"]["head"].update(use="os:system")),
        ("head is os:system", "not installed"),
    ),
    "setting": (
        PREDICT,
        config(lambda c: c["components"]["head"]["settings"].update(hidden="x")),
        ("setting 'hidden' must be a list",),
    ),
    "no weights": (
        PREDICT,
        lambda p: (p / "fitted/model.safetensors").unlink(),
        ("model.safetensors: cannot be read",),
    ),
    "cut weights": (PREDICT, cut("fitted/model.safetensors"), ("altered or cut off",)),
    "pickle": (
        PREDICT,
        lambda p: rehash(p, pickle.dumps(print)),
        ("not a safetensors file",),
    ),
    "lost tensor": (PREDICT, weights(lambda w, name: w.pop(name)), ("Missing key(s)",)),
    "added tensor": (
        PREDICT,
        weights(lambda w, name: w.update(x=w[name] + 1)),
        ("no part of the model is named x",),
    ),
    "shape": (
        PREDICT,
        weights(lambda w, name: w.update({name: w[name][:, 1:].clone()})),
        ("size mismatch for encoders.clinical.network.0.weight",),
    ),
    "NaN": (
        PREDICT,
        weights(lambda w, name: w[name].fill_(np.nan)),
        ("network.0.weight holds NaN or infinite numbers; get the model anew",),
    ),
    "integers": (
        PREDICT,
        weights(lambda w, name: w.update({name: w[name].int()})),
        ("network.0.weight is torch.int32, not torch.float32",),
    ),
}

NEW_SUBJECTS: dict[str, Row] = {
    "no column": (
        PREDICT,
        lambda p: p.table(lambda t: t.drop(columns="age")),
        ("no column 'age'",),
    ),
    "column not named": (
        PREDICT,
        modalities(clinical={"kind": "table", "columns": ["age"]}),
        ("the model needs the column 'stage', but the cohort file names age",),
    ),
    "names for numbers": (
        PREDICT,
        columns(age="old"),
        ("column 'age' holds names, but the model was trained on numbers",),
    ),
    "numbers for names": (
        PREDICT,
        columns(stage=1.5),
        ("column 'stage' holds numbers, but the model was trained on names",),
    ),
    "modality": (
        PREDICT,
        modalities(lab={"kind": "table", "columns": ["age", "stage"]}),
        ("needs the modality 'clinical', but the cohort has lab",),
    ),
    "kind": (
        PREDICT,
        modalities(clinical={"kind": "vector", "columns": ["age"]}),
        ("modalities.clinical.kind is vector, but the model was trained with table",),
    ),
    "unit": (
        PREDICT,
        lambda p: p.yaml("cohort.yaml", lambda c: c["outcome"].update(unit="months")),
        ("outcome.unit is months, but the model speaks of days",),
    ),
    "nobody": (PREDICT, lambda p: p.table(lambda t: t.iloc[:0]), ("the table has no rows",)),
    "late times": (PREDICT + " --times 100,5000", None, ("5000 was asked", "ask for earlier")),
    "negative times": (PREDICT + " --times -5", None, ("-5 was asked",)),
    "NaN times": (PREDICT + " --times nan", None, ("nan was asked",)),
    "no times": (PREDICT + " --times soon", None, ("numbers separated by commas", "not 'soon'")),
    "out": (PREDICT + " --out no/p.csv", None, ("no/p.csv: cannot be written",)),
    "out of Excel": (PREDICT + " --out p.xlsx", None, ("a .csv or .parquet file, not p.xlsx",)),
    "out is there": (PREDICT + " --out patients.csv", None, ("is there already",)),
    "device": (PREDICT + " --device gpux", None, ("--device gpux cannot be used",)),
}  # fmt: skip


@pytest.mark.usefixtures("a_plugin_not_installed")
@pytest.mark.parametrize("row", cases("model", MODELS) + cases("new subjects", NEW_SUBJECTS))
def test_a_bad_input_is_one_line_and_exit_code_2(
    row: Row, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    check_refusal(row, place, capsys)
