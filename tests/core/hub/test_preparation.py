"""A model is given images prepared as those it was trained on, whichever version trained it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from survkit.build import Part, Parts
from survkit.data import Cohort
from survkit.errors import DataError
from survkit.hub.description import ModelDescription
from survkit.hub.fitted_model import check_preparation, declared
from survkit.specs import OutcomeSpec


def described(preparation: dict[str, Any]) -> ModelDescription:
    """Return a model that says how its images were prepared."""
    return ModelDescription(
        parts=Parts({}, Part("fusion", "mean", {}), Part("head", "cox", {})),
        providers={},
        outcome=OutcomeSpec(causes=("death",), horizon=2.0, time_grid=(1.0, 2.0)),
        inputs={},
        preparation=preparation,
        members=1,
        api_version="0.1",
    )


def cohort(folder: Path, **declared_of_image: Any) -> Cohort:
    """Write and read a cohort of images; none is opened."""
    (folder / "table.csv").write_text("id,days,event,file\na,5,1,a.png\nb,6,0,b.png\n")
    content = {
        "name": "images",
        "table": "table.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {
            "cxr": {"kind": "image", "path": "file", "size": [8, 8], **declared_of_image}
        },
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return Cohort.read(folder / "cohort.yaml")


def test_a_model_from_before_a_key_meant_its_default(tmp_path: Path) -> None:
    """It was trained on stretched, uninverted pictures, though its file says nothing of it."""
    plain = cohort(tmp_path)
    old = {k: v for k, v in declared(plain, "cxr").items() if k not in ("fit", "invert", "range")}
    check_preparation(described({"cxr": old}), plain)

    with pytest.raises(DataError, match=r"cxr\.fit is pad, but the model was trained with stretch"):
        check_preparation(described({"cxr": old}), cohort(tmp_path, fit="pad"))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("fit", "crop", r"cxr\.fit is stretch, .* with crop; declare it alike: 'fit: crop'"),
        ("invert", True, r"cxr\.invert is false, .* with true; declare it alike: 'invert: true'"),
        ("range", [0.0, 255.0], r"cxr has no 'range', .*; add 'range: \[0.0, 255.0\]' there"),
    ],
)
def test_another_preparation_is_refused(tmp_path: Path, key: str, value: Any, words: str) -> None:
    """Whatever changes an intensity or a shape; the same declaration is taken."""
    trained = described({"cxr": declared(cohort(tmp_path, **{key: value}), "cxr")})
    check_preparation(trained, cohort(tmp_path, **{key: value}))

    with pytest.raises(DataError, match=rf"modalities\.{words}"):
        check_preparation(trained, cohort(tmp_path))
