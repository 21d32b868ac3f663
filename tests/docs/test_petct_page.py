"""The commands and declarations of docs/petct.md, on small synthetic collections."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from tests.core.ingest.archive import write_patient, write_table
from tests.core.ingest.test_hecktor2022 import CASES, write_case, write_tables
from tests.core.ingest.test_petct_layouts import DEAD, hn1_row, nsclc_row, write_nsclc

from survkit.cli import main
from survkit.data.check import check_cohort
from survkit.data.cohort_config import CohortConfig
from survkit.data.modality_config import VolumeModality
from survkit.data.readers.prepared_grid import PEAK_SIGMA
from survkit.data.readers.shared_grid import LEAST_OVERLAP
from survkit.ingest.nsclc_radiogenomics import NOT_KNOWN
from survkit.ingest.petct import petct_preparation

PAGE = (Path(__file__).parents[2] / "docs" / "petct.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_make_cohorts_without_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three collections, and every row of them on one grid."""
    write_patient(tmp_path / "HEAD-NECK-RADIOMICS-HN1/HN1004", "HN1004", pet=True, region="GTV-1")
    write_table(tmp_path / "hn1.csv", [hn1_row("HN1004")])
    write_nsclc(tmp_path / "NSCLC-Radiogenomics", "R01-001", pet=True)
    write_table(tmp_path / "radiogenomics.csv", [nsclc_row("R01-001", **DEAD)])
    for seed, case in enumerate(CASES[:2]):
        write_case(tmp_path / "hecktor2022_training", case, seed)
    write_tables(tmp_path / "hecktor2022_training", CASES[:2], 2)
    monkeypatch.chdir(tmp_path)
    for line in blocks("bash")[0].splitlines():
        assert main(shlex.split(line)[1:]) == 0, line

    for name in ("hn1", "radiogenomics", "hecktor"):
        problems = check_cohort(tmp_path / name / "cohort.yaml")
        assert [p.message for p in problems if p.severity == "error"] == [], name


def test_the_declaration_is_what_an_ingest_writes() -> None:
    """Nothing but the page's keys, and the cohort file takes them."""
    declared = yaml.safe_load(blocks("yaml")[0])["modalities"]
    written = petct_preparation(
        {
            "ct": {"kind": "volume", "path": "ct_path", "mask": "ct_gtv_1"},
            "pet": {"kind": "volume", "path": "pet_path"},
        }
    )

    assert declared == written
    for name, settings in declared.items():
        config = CohortConfig.model_construct(modalities={name: settings})
        assert isinstance(config.modality(name), VolumeModality)


def test_the_numbers_of_the_page_are_the_codes() -> None:
    """The least overlap, the smoothing, and the codes of missing values."""
    assert LEAST_OVERLAP == 0.5
    assert "At least half of what the leading image shows" in PAGE
    assert f"standard deviation of {PEAK_SIGMA:g} mm" in PAGE
    assert [code for code in NOT_KNOWN if f'"{code}"'.lower() not in PAGE.lower()] == []
