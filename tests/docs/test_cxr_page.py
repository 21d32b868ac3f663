"""The commands and cohort files of docs/cxr.md, run as they stand on synthetic pictures."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tests.core.ingest.archive import rows_of, write_table
from tests.core.ingest.test_hannover import write_published

from survkit.auditing.rules import RULES
from survkit.cli import main
from survkit.data import Cohort
from survkit.data.modality_config import ImageModality
from survkit.ingest.hannover_outcomes import OUTCOMES

PAGE = (Path(__file__).parents[2] / "docs" / "cxr.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_do_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both layouts write cohorts that the check passes, and the first cohort file reads one."""
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    rows = []
    for k in range(8):
        values = np.random.default_rng(k).integers(0, 255, (30, 20)).astype(np.uint8)
        Image.fromarray(values).save(f"pictures/{k}.png")
        row = {"image_id": str(k), "patient_id": f"p{k // 2}", "age": str(50 + k), "sex": "f"}
        rows.append(row | {"time_days": str(20 + k), "dead": str(k % 2)})
    write_table(Path("clinical.csv"), rows)
    write_published(Path("covid-19-image-repository"))

    for block in blocks("bash"):
        for line in block.splitlines():
            assert main(shlex.split(line)[1:]) == 0
    assert len(rows_of(Path("hannover/table.csv"))) == 4
    first, second = (yaml.safe_load(text) for text in blocks("yaml"))
    table = rows_of(Path("cohort/table.csv"))
    renamed = [
        row | {"file": f"../pictures/{row['image_id']}.png", "event": row["dead"]} for row in table
    ]
    write_table(Path("cohort/table.csv"), renamed)
    Path("cohort/cohort.yaml").write_text(yaml.safe_dump(first | second))
    cohort = Cohort.read("cohort/cohort.yaml")
    assert cohort.input_spec("cxr", [0]).shape == (1, 384, 384)
    assert cohort.group == tuple(f"p{k // 2}" for k in range(8))


def test_the_page_names_what_there_is() -> None:
    """Every key of images, every endpoint of the collection, and the rule of the audit."""
    listed = set(re.findall(r"`(\w+)(?::[^`]*)?`", PAGE))
    shared = {"kind", "path"}

    assert set(ImageModality.model_fields) - shared <= listed
    assert set(OUTCOMES) <= listed
    assert "`group-overlap`" in PAGE
    assert "group-overlap" in {rule.name for rule in RULES}
