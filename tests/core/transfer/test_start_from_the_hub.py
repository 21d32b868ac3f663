"""Training starts from a model on the Hub as from a folder; what nobody can tell is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from tests.hub_server.loopback import block_sockets
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import contents, rewrite_config

from survkit.auditing.audit import audit_inputs
from survkit.auditing.evidence import Inputs
from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, HubError, RunError
from survkit.hub import FittedModel, from_pretrained
from survkit.hub.model_files import NEEDED_FILES
from survkit.registry import Registry
from survkit.training import cross_validate, fit

from .conftest import STILL, recipe


def publish(hub: Hub, folder: Path, branch: str = "main") -> str:
    """Put the files of a model on the Hub, as ``survkit push`` does: no list of subjects."""
    if "org/old" not in hub.repositories:
        hub.create("org/old")
    files = {name: content for name, content in contents(folder).items() if name in NEEDED_FILES}
    return hub.commit("org/old", files, branch=branch)


@pytest.fixture
def tune(tmp_path: Path, new: Cohort, registry: Registry) -> Any:
    """Fit on the new cohort, without moving the weights."""

    def run(source: Any, out: str = "tuned", cohort: Cohort = new, **options: Any) -> FittedModel:
        given = {"progress": False, "registry": registry} | options
        plan = given.pop("plan", recipe(training=STILL))
        return fit(plan, cohort, tmp_path / out, init_from=source, **given)

    return run


@pytest.fixture
def cv(tmp_path: Path, new: Cohort, registry: Registry) -> Any:
    """Cross-validate on the new cohort in two folds, without moving the weights."""

    def run(source: Any, cohort: Cohort = new, **options: Any) -> Any:
        given = {"folds": 2, "replicates": 0, "progress": False, "registry": registry} | options
        plan = recipe(training=STILL)
        return cross_validate(plan, cohort, tmp_path / "cv", init_from=source, **given)

    return run


def facts(folder: Path) -> dict[str, Any]:
    """Return what a run says that it started from."""
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())["init"]
    return found


def test_a_name_is_as_good_as_a_folder(
    home: Path, tune: Any, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same weights bit for bit, and the commit is written down; a folder of the name wins."""
    commit = publish(hub, home / "run/fold-0")
    named, given = tune("org/old"), tune(f"{home}/run:fold-0", out="given")
    one, two = (fitted.members[0].state_dict() for fitted in (named, given))
    init = named.description.training["init"]
    hub.log.clear()
    monkeypatch.chdir(tmp_path)
    shutil.copytree(home / "run/fold-0", "org/old")
    here = tune("org/old", out="here").description.training["init"]

    assert all(torch.equal(one[name], two[name]) for name in one)
    assert init["source"] == f"org/old at {commit[:12]}"
    assert init["hub"] == {"repository": "org/old", "commit": commit, "revision": "main"}
    assert facts(tmp_path / "tuned")["hub"] == init["hub"]
    assert init["loaded"] == given.description.training["init"]["loaded"]
    assert (here["source"], "hub" in here, hub.log) == ("old", False, [])


def test_parts_and_freezing_work_as_with_folders(
    home: Path, tune: Any, hub: Hub, registry: Registry
) -> None:
    """The frozen encoder is the published one to the bit after training; the head is fresh."""
    publish(hub, home / "run/fold-0")
    asked = {"init_parts": ["encoders.clinical"], "freeze": ["encoders.clinical"]}
    fitted = tune("org/old", plan=recipe(), **asked)
    before = from_pretrained(home / "run/fold-0", registry=registry).members[0].state_dict()
    after = fitted.members[0].state_dict()
    init = fitted.description.training["init"]

    assert {name for name in before if torch.equal(before[name], after[name])} == {
        name for name in before if name.startswith("encoders.")
    }
    assert (init["loaded"], init["fresh"]) == (["encoders.clinical"], {"head": "not asked for"})
    with pytest.raises(ConfigError, match="no part with weights is named 'hed'"):
        tune("org/old", out="wrong", init_parts=["hed"])


def test_offline_no_socket_is_opened(
    home: Path, tune: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache has it, by branch and by commit."""
    commit = publish(hub, home / "run/fold-0")
    tune("org/old")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    block_sockets(monkeypatch, loopback=False)

    for out, revision in (("branch", None), ("commit", commit)):
        init = tune("org/old", out=out, init_revision=revision).description.training["init"]
        assert init["hub"]["commit"] == commit
        assert init["hub"]["revision"] == (revision or "main")


def test_cv_needs_the_users_word_and_says_that_it_rests_on_it(
    home: Path, cv: Any, hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In run.json, in each fold and in the audit; without it nothing is trained."""
    publish(hub, home / "run/fold-0")
    with pytest.raises(DataError, match=r"org/old at \w+ was trained on the cohort 'old'.*--diff"):
        cv("org/old")
    assert not (tmp_path / "cv").exists()
    found = cv("org/old", different_subjects=True)

    said = facts(tmp_path / "cv")["unknown_exposure"]
    assert said == {"cohorts": ["old"], "different_subjects": True}
    assert {tuple(one["unknown_exposure"]) for one in found.starts.values()} == {("old",)}
    given = Inputs(predictions=tmp_path / "cv")
    (finding,) = audit_inputs(given, ["start-weights"]).findings
    assert finding.severity == "warning"
    assert "of the cohort old; 2 of 2 folds" in finding.evidence


def test_the_cohort_that_it_is_of_is_refused_whatever_is_said(
    home: Path, old: Cohort, cv: Any, tune: Any, hub: Hub
) -> None:
    """By its name, that of a model in between included; to fit on it is told as unknown."""
    publish(hub, home / "run/fold-0")
    for others in (False, True):
        with pytest.raises(DataError, match="cohort named 'old', as is the one tested here"):
            cv("org/old", old, different_subjects=others)
    second = tune("org/old", cohort=old)
    searched = recipe(training=STILL, search={"training.optimizer.lr": [0.01, 0.1]})
    with pytest.raises(DataError, match=r"chooses on inner folds .* cohort named 'old', too"):
        tune("org/old", out="searched", cohort=old, plan=searched)

    init = second.description.training["init"]
    assert (init["unknown_exposure"], init["validation_seen"]) == (["old"], None)


def test_a_model_in_between_does_not_hide_it(
    home: Path, old: Cohort, cv: Any, tune: Any, hub: Hub, tmp_path: Path
) -> None:
    """Trained here, from the Hub: its own subjects are known, those before them are not."""
    publish(hub, home / "run/fold-0")
    tune("org/old")
    with pytest.raises(DataError, match="tuned was trained on a cohort named 'old'"):
        cv(tmp_path / "tuned", old, different_subjects=True)


def test_lists_in_the_cache_are_not_believed(
    home: Path, old: Cohort, cv: Any, tune: Any, hub: Hub, tmp_path: Path
) -> None:
    """Files that another program left beside the model, such as a list of other people."""
    publish(hub, home / "run/fold-0")
    tune("org/old")
    (config,) = (tmp_path / "cache").rglob("snapshots/*/config.json")
    shutil.copy(home / "run/splits.json", config.parent)
    for name, content in (("run.json", {}), ("initial.json", {"exposures": []})):
        (config.parent / name).write_text(json.dumps(content))

    with pytest.raises(DataError, match="nobody can tell whom it has seen"):
        cv("org/old", old)


def test_a_run_goes_on_from_the_commit_that_it_began_with(
    home: Path, cv: Any, hub: Hub, tmp_path: Path
) -> None:
    """The branch has moved since: the fold that is missing is trained from the same weights, and
    another revision is another run.
    """
    first = publish(hub, home / "run/fold-0")
    cv("org/old", different_subjects=True)
    weights = (tmp_path / "cv/fold-1/model.safetensors").read_bytes()
    other = publish(hub, home / "run/fold-1")
    hub.repositories["org/old"].branches["v2"] = other
    for revision in (None, "main", first):
        shutil.rmtree(tmp_path / "cv/fold-1")
        asked = {"different_subjects": True, "resume": True, "init_revision": revision}
        found = cv("org/old", **asked)

        assert found.starts["fold-1"]["hub"]["commit"] == first
        assert (tmp_path / "cv/fold-1/model.safetensors").read_bytes() == weights
    with pytest.raises(RunError, match=rf"another init \(hub.commit: {first}, now {other}\)"):
        cv("org/old", different_subjects=True, resume=True, init_revision="v2")


def test_a_bundle_keeps_its_commit(home: Path, tune: Any, hub: Hub, tmp_path: Path) -> None:
    """What was pulled for a closed network still says where it is from."""
    commit = publish(hub, home / "run/fold-0")
    assert main(["pull", "org/old", "--to", str(tmp_path / "carried")]) == 0
    init = tune(tmp_path / "carried").description.training["init"]

    assert init["hub"] == {"repository": "org/old", "commit": commit}
    assert init["unknown_exposure"] == ["old"]


def test_what_cannot_be_meant_is_refused(home: Path, tune: Any, hub: Hub, tmp_path: Path) -> None:
    """Before anything is trained, in one sentence."""
    publish(hub, home / "run/fold-0")
    model = shutil.copytree(home / "run/fold-0", tmp_path / "model")
    for source, options, error, said in (
        (None, {"init_revision": "v1"}, ConfigError, "--init-revision needs --init-from"),
        (model, {"init_revision": "v1"}, ConfigError, "a revision is of a model on the Hub"),
        ("org/old", {"init_revision": "v9"}, HubError, "has no branch, tag or commit 'v9'"),
        ("org/none", {}, HubError, "no such folder is here, and http"),
        ("org/old:fold-3", {}, RunError, "holds one model and no folds; give org/old"),
    ):
        with pytest.raises(error, match=said):
            tune(source, **options)
    for training in ({"cohort": 3}, {"init": {"cohorts": "old"}}, {"init": 5}, []):
        rewrite_config(model, lambda config, given=training: config.update(training=given))
        with pytest.raises(RunError, match=r"config\.json does not say of which cohorts"):
            tune(model)
    assert not (tmp_path / "tuned").exists()
