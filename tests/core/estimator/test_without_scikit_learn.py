"""What is said where scikit-learn is not installed."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["sklearn"] = None
import survkit
try:
    survkit.SurvivalEstimator
except survkit.errors.MissingExtraError as error:
    print(error)
"""


def test_one_sentence_with_the_line_that_installs_it() -> None:
    """The rest of survkit does without."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == (
        "SurvivalEstimator needs scikit-learn, which is not installed: "
        'pip install "survkit-core[sksurv]"'
    ), done.stderr
