"""``survkit list``: table, JSON, wildcards, kinds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from survkit.cli import main
from survkit.cli.app import load_command
from survkit.cli.listing import run_plainly


def test_the_table_has_a_row_per_component(capsys: pytest.CaptureFixture[str]) -> None:
    """Kind, name and summary; the distribution that provides them is said once, below."""
    assert main(["list", "--kind", "head"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].split() == ["kind", "name", "summary"]
    assert lines[-1] == "names without a slash: survkit-core 0.1.0"
    names = [line.split()[1] for line in lines[1:] if line.startswith("head")]
    assert names == [
        "cause-hazard", "cox", "deephit", "discrete-hazard", "mtlr", "pc-hazard", "weibull",
    ]  # fmt: skip


def test_no_word_is_broken_in_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest name leaves room for the words of the summaries."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["list", "robsurv/*"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80

    assert main(["list", "robsurv/*", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    words = {word for each in listed for word in f"{each['full_name']} {each['summary']}".split()}
    assert not words - set(shown.split())
    assert shown.splitlines()[-1] == "robsurv/…: survkit-robsurv 0.1.0"


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """One object per component, with all that the registry knows."""
    assert main(["list", "cox", "--json"]) == 0

    head, loss = json.loads(capsys.readouterr().out)
    assert (head["kind"], loss["kind"]) == ("head", "loss")
    assert head["target"] == "survkit.heads.cox:CoxHead"
    assert head["full_name"] == head["name"] == "cox"
    assert (head["plugin"], head["distribution"]) == ("survkit", "survkit-core")


def test_wildcards_select(capsys: pytest.CaptureFixture[str]) -> None:
    """As in the shell."""
    assert main(["list", "*hazard*", "--json"]) == 0

    listed = {(each["kind"], each["name"]) for each in json.loads(capsys.readouterr().out)}
    assert listed == {
        ("head", "cause-hazard"),
        ("head", "discrete-hazard"),
        ("head", "pc-hazard"),
        ("loss", "hazard-likelihood"),
        ("loss", "pycox-logistic-hazard"),
        ("loss", "pycox-pc-hazard"),
    }


def test_nothing_found_is_said_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """For a program it is the empty list."""
    assert main(["list", "zz*", "--kind", "loss"]) == 0
    assert "no loss named 'zz*'" in capsys.readouterr().err
    assert main(["list", "zz*", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_wrong_kind_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """With what would do."""
    assert main(["list", "--kind", "hed"]) == 2
    assert "'hed' is no kind of component. Did you mean 'head'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["cox"],
        ["--json"],
        ["cox", "--json"],
        ["--kind", "loss", "c*"],
        ["c*", "--kind", "loss"],
    ],
)
def test_the_short_way_and_typer_understand_the_same(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not parsed by typer, to save its start, must not mean anything else."""
    assert run_plainly(words)
    plainly = capsys.readouterr().out
    with pytest.raises(SystemExit):
        load_command("list").main(words)

    assert capsys.readouterr().out == plainly


@pytest.mark.parametrize(
    "words", [["--help"], ["a", "b"], ["--kind"], ["--kind", "--json"], ["--kind=loss"], ["--"]]
)
def test_the_short_way_leaves_everything_else_to_typer(words: list[str]) -> None:
    """Help, mistakes and rarer spellings."""
    assert not run_plainly(words)


def test_the_module_can_be_run() -> None:
    """``python -m survkit`` is the same command, for where scripts are not on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "survkit", "list", "weibull", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(json.loads(done.stdout)) == 2
