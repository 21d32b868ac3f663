"""What is wrong with what is given to the remaining commands: one line, exit code 2."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.bends import PHANTOM, PREPARE, SPLIT, Row, cases, check_refusal

OTHERS: dict[str, Row] = {
    "prepare nothing": ("prepare recipe.yaml --cohort no.yaml", None, ("no.yaml: there is no",)),
    "prepare a modality": (PREPARE + " --set encoders.ct=vector", None, ("named 'ct'",)),
    "prepare with no job": (PREPARE + " --jobs 0", None, ("jobs must be 1 or more",)),
    "split in one": (SPLIT + " --folds 1", None, ("at least 2 folds",)),
    "split in many": (SPLIT + " --folds 30", None, ("ask for at most",)),
    "split with a share": (SPLIT + " --validation 1.5", None, ("must be in [0, 1), not 1.5",)),
    "split by no site": (SPLIT + " --by-site", None, ("needs 'site' in the cohort file",)),
    "split with a seed": (SPLIT + " --seed -1", None, ("seed must be 0 or larger, not -1",)),
    "split over a table": (
        "cohort split cohort.yaml --out patients.csv",
        None,
        ("patients.csv is there already",),
    ),
    "split below a file": (
        "cohort split cohort.yaml --out patients.csv/s.json",
        None,
        ("patients.csv/s.json: cannot be written",),
    ),
    "check nothing": ("cohort check no.yaml", None, ("no.yaml: there is no such file",)),
    "check a folder": ("cohort check cv", None, ("cv is a folder, but a YAML file is expected",)),
    "check with no job": ("cohort check cohort.yaml --jobs 0", None, ("jobs must be 1",)),
    "drop onto the table": (
        "cohort check cohort.yaml --drop-invalid patients.csv",
        None,
        ("patients.csv is there already; give another name",),
    ),
    "phantom of nobody": (PHANTOM.replace("20", "0"), None, ("subjects must be", "not 0")),
    "large phantom": (PHANTOM.replace("16", "4096"), None, ("from 16 to 128, not 4096",)),
    "phantom share": (PHANTOM + " --censored 1.2", None, ("a share between 0 and 1, not 1.2",)),
    "phantom modality": (PHANTOM + " --modality mri", None, ("of ct, pet, cxr, clinical",)),
    "phantom missing": (PHANTOM + " --missing pet", None, ("must look like pet=0.2, not 'pet'",)),
    "phantom over a run": (
        "phantom --out fitted --subjects 20 --size 16 --overwrite",
        None,
        ("fitted exists and is not a phantom cohort",),
    ),
    "list a kind": ("list --kind heads", None, ("no kind of component. Did you mean 'head'",)),
    "doctor of what": ("doctor me", None, ("unexpected extra argument", "survkit doctor --help")),
}


@pytest.mark.parametrize("row", cases("other", OTHERS))
def test_a_bad_input_is_one_line_and_exit_code_2(
    row: Row, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    check_refusal(row, place, capsys)
