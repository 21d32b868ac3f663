"""A plugin from outside this repository, as a wheel beside core and a paper's plugin."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.fresh_environment.environment import FreshEnvironment


def test_it_is_listed_beside_the_others(author: FreshEnvironment, tmp_path: Path) -> None:
    """Under its name, with its distribution and version; of ours only what was asked for."""
    said = author.survkit("list", cwd=tmp_path).stdout.splitlines()

    for kind, name in [
        ("encoder", "patches"), ("fusion", "weighted"), ("head", "proportional-odds"),
        ("loss", "pair-ranking"), ("recipe", "small"),
    ]:  # fmt: skip
        assert any(line.split()[:2] == [kind, f"my-paper/{name}"] for line in said)
    assert [line.partition(":")[2] for line in said[-3:]] == [
        " survkit-core 0.1.0", " survkit-my-paper 0.1.0", " survkit-robsurv 0.1.0",
    ]  # fmt: skip


def test_its_own_tests_pass_on_what_is_installed(
    author: FreshEnvironment, strangers: Path, tmp_path: Path
) -> None:
    """The conformance kit and its closed forms, without its source beside them."""
    shutil.copytree(strangers / "tests", tmp_path / "tests")
    shutil.copy(strangers / "pyproject.toml", tmp_path)
    words = ["-q", "-p", "no:cacheprovider", "--ignore", "tests/test_small_recipe.py"]

    done = author.run("-m", "pytest", *words, cwd=tmp_path)

    assert " passed" in done.stdout
    assert not any(word in done.stdout for word in ("skipped", "failed", "warning", "xfailed"))
