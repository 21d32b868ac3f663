"""A classical model under a condition: it keeps no model per fold, so it can be corrupted only in
what it does not read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from survkit.data import Cohort
from survkit.reproduction import Reproduction, reproduce

from .conftest import table

pytest.importorskip("sksurv")


@pytest.mark.parametrize(
    ("modality", "said"),
    [("noise", ""), ("blood", "a baseline and a run that was cut off do not keep")],
)
def test_a_baseline_is_clean_or_says_that_it_keeps_no_model(
    modality: str,
    said: str,
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its clean numbers stand either way."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "survkit.report.write_report",
        lambda run, **_: (run / "report.html").write_text("a page"),
    )
    Path("classical.yaml").write_text(
        f"baseline: ridge-cox\ninputs: [{modality}]\noutcome: {{horizon: 300}}\n"
    )
    rows: list[dict[str, Any]] = [{"label": "classical", "recipe": "classical.yaml"}]
    found = reproduce(
        Reproduction.parse(table(rows=rows), source="t"),
        Cohort.read(inputs / "cohort.yaml"),
        tmp_path / "out",
        replicates=0,
        progress=False,
    )

    (row,) = found.content["metrics"][0]["rows"]
    assert row["state"] == "finished"
    assert said in row["conditions"]["noisy"]["reason"]
    if said:
        assert said in found.failed["classical, noisy"]
    else:
        assert row["conditions"]["noisy"]["pooled"]["value"] == row["pooled"]["value"]
