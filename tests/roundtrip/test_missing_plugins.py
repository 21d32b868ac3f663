"""Models from the Hub where core alone is installed."""

from __future__ import annotations

from pathlib import Path

from tests.roundtrip.conftest import MakeFresh
from tests.roundtrip.models import MODELS, predict

_, *PLUGINS = MODELS


def test_the_error_is_the_line_that_installs_the_plugin(
    fresh: MakeFresh, trained: Path, mixed: Path, tmp_path: Path
) -> None:
    """One line, exit code 2, nothing written; of a stranger's plugin, it says who speaks for it.

    That the line is the cure, the other tests show: their environments are of what it brings.
    """
    cohorts = {each.name: trained / f"{each.name}-others" for each in PLUGINS}
    lines = [predict(f"org/{name}", cohort, "curves.csv") for name, cohort in cohorts.items()]
    strange = predict("org/mixed", mixed / "others", "curves.csv")

    *ours, theirs = fresh("survkit-core").lines(*lines, strange, cwd=tmp_path, all_done=False)

    said = [each.err.splitlines()[-1] for each in (*ours, theirs)]
    assert [each.code for each in (*ours, theirs)] == [2, 2, 2, 2]
    assert all(line.startswith("error: ") for line in said)
    for model, line in zip(PLUGINS, said, strict=False):
        assert line.endswith(f"which is not installed; pip install {model.distribution}")
    assert "my-paper/patches of survkit-my-paper 0.1.0, which is not installed; " in said[-1]
    assert "pip install survkit-my-paper (survkit does not know it: look at it" in said[-1]
    assert not any(tmp_path.iterdir())
