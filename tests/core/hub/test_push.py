"""Publishing sends a model and nothing else, and says in one sentence why it did not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Fault, Hub, Repository
from tests.hub_server.small_model import contents, rewrite, rewrite_config, save_small_model

from survkit.cli import main
from survkit.errors import ConfigError, HubError, HubUnavailableError, RunError
from survkit.hub import push_to_hub
from survkit.hub.card_mark import is_untouched

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)

PRIVATE = (
    "predictions.parquet", "splits.json.bak", "training.json", "cohort.yaml", "cohort.json",
    "run.json", "patients.csv", "explain/P-001.png", "attention.parquet", "log.csv",
    "initial_weights.json", "report.html", "README.md.orig", "last.ckpt", ".env",
)  # fmt: skip
"""What run folders hold beside the model, and a few things that people leave lying about."""


def published(hub: Hub, branch: str = "main", name: str = "org/name") -> dict[str, bytes]:
    """Return what is there, but for a card that was made: test_model_card.py looks at that."""
    repository: Repository = hub.repositories[name]
    files = repository.commits[repository.branches[branch]]
    content = {path: file.content for path, file in files.items()}
    if is_untouched(content.get("README.md", b"").decode()):
        del content["README.md"]
    return content


def test_exactly_the_model_is_published(model_folder: Path, hub: Hub) -> None:
    """Bit for bit, and not a byte of anything else reaches the Hub."""
    secret = b"patient P-001, died 2019-05-02"
    for name in PRIVATE:
        (model_folder / name).parent.mkdir(exist_ok=True)
        (model_folder / name).write_bytes(secret)
    (model_folder / "README.md").write_text("# A model\n")
    (model_folder / "metrics.json").write_text("{}")
    origin = push_to_hub(model_folder, "org/name")

    names = ("config.json", "model.safetensors", "README.md", "metrics.json")
    assert published(hub) == {name: (model_folder / name).read_bytes() for name in names}
    assert all(secret not in body for body in hub.bodies)
    assert hub.repositories["org/name"].branches["main"] == origin.commit
    assert list(hub.objects) == [origin.sha256]
    assert hub.repositories["org/name"].private


def test_a_link_out_of_the_folder_is_not_followed(
    model_folder: Path, tmp_path: Path, hub: Hub
) -> None:
    """A README.md that is a link to the table of patients."""
    (tmp_path / "patients.csv").write_text("P-001,1")
    (model_folder / "README.md").symlink_to(tmp_path / "patients.csv")

    with pytest.raises(RunError, match="a link that leads out of its folder"):
        push_to_hub(model_folder, "org/name")
    assert hub.log == []


def test_nothing_is_sent_twice(model_folder: Path, hub: Hub) -> None:
    """The same model again is the same commit; another message does not make it another model."""
    first = push_to_hub(model_folder, "org/name")
    again = push_to_hub(model_folder, "org/name", message="again")

    assert again == first
    assert sum(one.startswith("PUT") for one in hub.log) == 1


def test_metrics_of_an_earlier_model_do_not_stay(model_folder: Path, hub: Hub) -> None:
    """Numbers beside a model are its own, or are not there."""
    (model_folder / "metrics.json").write_text("{}")
    push_to_hub(model_folder, "org/name")
    (model_folder / "metrics.json").unlink()
    push_to_hub(model_folder, "org/name")

    assert set(published(hub)) == {"config.json", "model.safetensors"}


def test_a_branch_is_made(model_folder: Path, tmp_path: Path, hub: Hub) -> None:
    """The main branch stays as it was."""
    first = push_to_hub(model_folder, "org/name")
    other = save_small_model(tmp_path / "other", seed=1)
    second = push_to_hub(other, "org/name", revision="v2")

    branches = hub.repositories["org/name"].branches
    assert branches == {"main": first.commit, "v2": second.commit}
    assert published(hub, "v2") == contents(other)
    assert published(hub) == contents(model_folder)


def test_a_run_of_folds_needs_a_word(model_folder: Path, tmp_path: Path, hub: Hub) -> None:
    """One of its folds, or a model that saw everybody; the fold that is asked for is sent."""
    run = tmp_path / "cv"
    for number in range(2):
        save_small_model(run / f"fold-{number}", seed=number)
    (run / "splits.json").write_text("{}")

    with pytest.raises(RunError, match=r"survkit finalize --by refit or .* --fold 0"):
        push_to_hub(run, "org/name")
    with pytest.raises(RunError, match="no model of fold 7; it has 0, 1"):
        push_to_hub(run, "org/name", fold=7)
    for wrong in ("../model", "-1", "one"):
        with pytest.raises(ConfigError, match="--fold takes a number"):
            push_to_hub(run, "org/name", fold=wrong)
    with pytest.raises(ConfigError, match="has no folds"):
        push_to_hub(model_folder, "org/name", fold=0)
    assert hub.log == []
    push_to_hub(run, "org/name", fold=1)
    assert published(hub) == contents(run / "fold-1")


def test_what_cannot_be_loaded_is_not_published(model_folder: Path, hub: Hub) -> None:
    """A cut file, a missing one, and weights of another network."""
    weights = model_folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4])
    with pytest.raises(RunError, match="altered or cut off"):
        push_to_hub(model_folder, "org/name")
    weights.unlink()
    with pytest.raises(RunError, match=r"model\.safetensors is not there"):
        push_to_hub(model_folder, "org/name")
    weights.write_bytes(whole)
    rewrite(model_folder, lambda tensors: tensors.__delitem__(next(iter(tensors))))
    with pytest.raises(RunError, match="do not fit"):
        push_to_hub(model_folder, "org/name")
    assert hub.log == []


def test_a_public_repository_is_not_taken_for_a_private_one(model_folder: Path, hub: Hub) -> None:
    """Nor the other way round; nothing is sent before it is sure."""
    hub.create("org/open")
    hub.create("org/closed", private=True)

    with pytest.raises(HubError, match="is public, and the model was to be private"):
        push_to_hub(model_folder, "org/open")
    with pytest.raises(HubError, match="is private, and the model was to be public"):
        push_to_hub(model_folder, "org/closed", private=False)
    assert not any("commit" in one or "preupload" in one for one in hub.log)
    push_to_hub(model_folder, "org/open", private=False)
    assert published(hub, name="org/open") == contents(model_folder)


@pytest.mark.parametrize(
    ("token", "said", "code"),
    [
        (None, "make a token with the right to write", 2),
        ("hf_unknown", "the Hub does not know the token", 2),
        ("hf_other", "the token has no right to this; use one that may write to org", 2),
    ],
)
def test_who_may_not_is_told_why(
    token: str | None, said: str, code: int, model_folder: Path, hub: Hub,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """One line, and never the token itself."""
    hub.people["hf_other"] = ("other",)
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)

    assert main(["push", str(model_folder), "org/name"]) == code
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert "hf_" not in printed
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("GET /api/models", "status"),
        ("POST /api/repos", "status"),
        ("preupload", "status"),
        ("objects/batch", "status"),
        ("PUT", "status"),
        ("PUT", "drop"),
        ("POST /api/models/org/name/commit", "status"),
        ("POST /api/models/org/name/commit", "drop"),
    ],
)
def test_a_hub_that_fails_is_nobodys_fault(
    pattern: str, kind: str, model_folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it breaks: one line, exit 1, nothing half published; and trying again completes."""
    hub.faults.append(Fault(pattern, kind))  # type: ignore[arg-type]
    command = ["push", str(model_folder), "org/name"]

    assert main(command) == 1
    printed = capsys.readouterr().err
    assert printed.splitlines()[-1].startswith("error: org/name: ")
    assert "Traceback" not in printed
    if "org/name" in hub.repositories:
        assert published(hub) == {}
    hub.faults.clear()
    assert main(command) == 0
    assert published(hub) == contents(model_folder)


def test_an_upload_that_breaks_is_not_begun_anew(model_folder: Path, hub: Hub) -> None:
    """Weights that came through before the commit failed are not sent a second time."""
    hub.faults.append(Fault("/commit/", times=1))
    with pytest.raises(HubUnavailableError):
        push_to_hub(model_folder, "org/name")
    sent = sum(one.startswith("PUT") for one in hub.log)
    push_to_hub(model_folder, "org/name")

    assert (sent, sum(one.startswith("PUT") for one in hub.log)) == (1, 1)
    assert published(hub) == contents(model_folder)


def test_one_dropped_connection_is_not_noticed(model_folder: Path, hub: Hub) -> None:
    """The client tries an upload again by itself."""
    hub.faults.append(Fault("PUT", "drop", times=1))
    push_to_hub(model_folder, "org/name")

    assert published(hub) == contents(model_folder)


@pytest.mark.parametrize("name", ["name", "org/name/more", "org/../name", "/name", "org/", "a b/c"])
def test_names_that_cannot_be(name: str, model_folder: Path, hub: Hub) -> None:
    """They never reach the Hub."""
    with pytest.raises(ConfigError, match="write ORG/NAME"):
        push_to_hub(model_folder, name)
    assert hub.log == []


def test_a_folder_without_a_model(tmp_path: Path, model_folder: Path, hub: Hub) -> None:
    """Missing, empty, or of another program."""
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(RunError, match=r"config\.json is not there"):
            push_to_hub(folder, "org/name")
    other = tmp_path / "other"
    shutil.copytree(model_folder, other)
    rewrite_config(other, lambda config: config.update(format="else"))
    with pytest.raises(RunError, match="not a survkit model"):
        push_to_hub(other, "org/name")
    assert hub.log == []


def test_an_option_that_there_is_not(model_folder: Path, hub: Hub) -> None:
    """A misspelt keyword, such as one that would have kept the model private, publishes nothing."""
    with pytest.raises(TypeError, match="privat"):
        push_to_hub(model_folder, "org/name", privat=True)  # type: ignore[call-arg]
    assert hub.log == []
