"""All plugins, a stranger's and three that cannot be loaded, in one environment."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.fresh_environment.broken import BROKEN
from tests.fresh_environment.environment import FreshEnvironment
from tests.roundtrip.models import assert_same_bits, predict

HEALTHY = ("my-paper", "radvit", "robsurv", "slicetention")
LIGHT = {"__main__", "packaging", "pluggy", "rich"}
_LIST_AND_LOOK = """
import runpy, sys
sys.argv = ["survkit", "list"]
try:
    runpy.run_module("survkit", run_name="__main__")
finally:
    print("loaded:", *{name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names)
"""


def test_list_warns_once_of_each_and_imports_no_part(
    everything: FreshEnvironment, tmp_path: Path
) -> None:
    """Exit code 0; besides what registers names, nothing is loaded but what prints a table."""
    done = everything.run("-c", _LIST_AND_LOOK, cwd=tmp_path)

    *listed, loaded = done.stdout.splitlines()
    origins = ["names without a slash", *(f"{name}/…" for name in HEALTHY)]
    assert [line.split(": ")[0] for line in listed[-len(origins) :]] == origins
    for broken, said in zip(BROKEN, done.stderr.splitlines(), strict=True):
        start = f"warning: plugin '{broken.name}' of {broken.distribution} 0.1.0 is not loaded: "
        assert said.startswith(start + broken.said)
    modules = {*loaded.split()[1:]}
    assert {"survkit", "survkit_robsurv", "survkit_my_paper"} < modules
    assert {name for name in modules if not name.startswith("survkit")} <= LIGHT


def test_list_costs_a_fraction_of_importing_torch(
    everything: FreshEnvironment, tmp_path: Path
) -> None:
    """By the rule of the start-up benchmark: 0.15 s where torch takes 1.3 s, and 30 % slack.

    Seconds of the processor are compared, so that what else this machine does counts little.
    """

    def seconds(*words: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        everything.run(*words, cwd=tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    listing = min(seconds("-m", "survkit", "list") for _ in range(3))
    torch = seconds("-c", "import torch")

    assert torch / listing >= 0.7 * 1.3 / 0.15, f"list {listing:.3f} s, import torch {torch:.2f} s"


def test_doctor_shows_every_traceback(everything: FreshEnvironment, tmp_path: Path) -> None:
    """It ends with 1; pip itself finds nothing wrong, as every requirement is met."""
    everything.pip("check")

    said = everything.survkit("doctor", cwd=tmp_path, code=1).stdout

    for broken in BROKEN:
        title = f"\n{broken.name} of {broken.distribution} did not load:\n"
        shown = said.partition(title)[2].partition("did not load:")[0]
        assert shown.startswith("Traceback (most recent call last):\n")
        assert broken.said in shown
    for name in HEALTHY:
        assert f"\n{name:<24}loaded    survkit-{name} 0.1.0\n" in said


def test_healthy_plugins_train_and_predict_beside_them(
    mixed: Path, everything: FreshEnvironment, tmp_path: Path
) -> None:
    """A new plugin's recipe trains; a model of two plugins that was trained where there were no
    others predicts the same bits.
    """
    _, trained, predicted = everything.lines(
        "phantom --out cohort --subjects 24 --size 16 --modality cxr --modality clinical",
        "fit my-paper/small --cohort cohort/cohort.yaml --out run --set training.epochs=1 --quiet",
        predict("org/mixed", mixed / "others", "curves.parquet"),
        cwd=tmp_path,
    )

    assert "epoch 1 of 1 was chosen" in trained.out
    assert (tmp_path / "run" / "model.safetensors").stat().st_size > 0
    not_loaded = [line.split("'")[1] for line in trained.err.splitlines() if "not loaded" in line]
    assert not_loaded == [each.name for each in BROKEN]
    assert "model: org/mixed at " in predicted.err
    assert_same_bits(tmp_path / "curves.parquet", mixed / "curves.parquet")
