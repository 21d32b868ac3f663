"""A name on the Hub is as good as a folder: same curves, one commit, nothing that is not needed."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from huggingface_hub import constants
from tests.hub_server.loopback import block_sockets
from tests.hub_server.repositories import Fault, Hub
from tests.hub_server.small_model import COHORT, contents, rewrite_config, save_small_model

import survkit
from survkit.cli import main
from survkit.errors import ConfigError, HubError, HubUnavailableError, RunError
from survkit.hub import FittedModel, from_pretrained, pull
from survkit.hub.fetch import HubWarning
from survkit.hub.origin import Origin

STRANGE = {
    name: b"never to be fetched"
    for name in ("modeling.py", "pytorch_model.bin", "model.pkl", "a/config.json", "../../up.json")
}


def publish(hub: Hub, folder: Path, branch: str = "main", name: str = "org/name") -> str:
    """Put a folder's files on the Hub, as somebody else has."""
    if name not in hub.repositories:
        hub.create(name)
    return hub.commit(name, contents(folder), branch=branch)


def weights(fitted: FittedModel) -> dict[str, torch.Tensor]:
    return fitted.members[0].state_dict()


def assert_same(first: FittedModel, second: FittedModel) -> None:
    """Every tensor has the same bits."""
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def go_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid the network to the client, and take every socket away."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    block_sockets(monkeypatch, loopback=False)


def test_a_name_is_as_good_as_a_folder(model_folder: Path, hub: Hub) -> None:
    """The model is equal bit for bit, and knows which commit it was."""
    commit = publish(hub, model_folder)
    fitted = survkit.from_pretrained("org/name")
    sha256 = hashlib.sha256((model_folder / "model.safetensors").read_bytes()).hexdigest()

    assert_same(fitted, from_pretrained(model_folder))
    assert fitted.source == Origin("org/name", commit, sha256)
    assert from_pretrained(model_folder).source is None


def test_only_what_is_needed_is_fetched(model_folder: Path, tmp_path: Path, hub: Hub) -> None:
    """By name: code, pickles and paths out of the folder are not even asked for."""
    publish(hub, model_folder)
    hub.commit("org/name", STRANGE | {"README.md": b"# A model"})
    from_pretrained("org/name")
    asked = {one.rpartition("/")[2] for one in hub.log if "/resolve/" in one}
    there = {path.name for path in (tmp_path / "cache").rglob("snapshots/*/*")}

    assert asked == there == {"config.json", "model.safetensors", "README.md"}
    assert not (tmp_path / "up.json").exists()


def test_a_folder_here_wins(
    model_folder: Path, tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked; a Path is a folder even where there is none."""
    publish(hub, save_small_model(tmp_path / "other", seed=1))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(model_folder, "org/name")

    assert_same(from_pretrained("org/name"), from_pretrained(model_folder))
    with pytest.raises(ConfigError, match="but this is a folder"):
        from_pretrained("org/name", revision="v1")
    with pytest.raises(RunError, match=r"no config\.json is there"):
        from_pretrained(Path("org/other"))
    assert hub.log == []


def test_revisions_are_commits(model_folder: Path, tmp_path: Path, hub: Hub) -> None:
    """A branch, and the first commit by its name after the branch has gone on."""
    other = save_small_model(tmp_path / "other", seed=1)
    first = publish(hub, model_folder)
    hub.repositories["org/name"].branches["v1"] = first
    second = publish(hub, other)

    for revision, folder, commit in (
        (None, other, second), ("main", other, second), ("v1", model_folder, first),
        (first, model_folder, first),
    ):  # fmt: skip
        fitted = from_pretrained("org/name", revision=revision)
        assert_same(fitted, from_pretrained(folder))
        assert fitted.source is not None
        assert fitted.source.commit == commit
    with pytest.raises(HubError, match="has no branch, tag or commit 'v9'"):
        from_pretrained("org/name", revision="v9")


def test_offline_the_cache_is_enough(
    model_folder: Path, tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By branch and by commit, without any socket; what is not cached says how to get it."""
    other = save_small_model(tmp_path / "other", seed=1)
    hub.create("org/name")
    commit = publish(hub, other)
    hub.repositories["org/name"].branches["v1"] = commit
    online = from_pretrained("org/name")
    go_offline(monkeypatch)

    for revision in (None, "main", commit):
        assert_same(from_pretrained("org/name", revision=revision), online)
    for name, revision in (("org/name", "v1"), ("org/other", None)):
        with pytest.raises(HubUnavailableError, match=r"HF_HUB_OFFLINE forbids .* survkit pull"):
            from_pretrained(name, revision=revision)


def test_a_known_commit_asks_nobody(model_folder: Path, hub: Hub) -> None:
    """It cannot have changed."""
    commit = publish(hub, model_folder)
    from_pretrained("org/name")
    hub.log.clear()
    from_pretrained("org/name", revision=commit)

    assert hub.log == []


def test_without_a_hub_the_cache_is_used_and_said(model_folder: Path, hub: Hub) -> None:
    """The Hub is down: a warning where the cache has it, else one error."""
    publish(hub, model_folder)
    online = from_pretrained("org/name")
    hub.faults.append(Fault(".", "status", 503))

    with pytest.warns(HubWarning, match="What the cache has is used: org/name at"):
        assert_same(from_pretrained("org/name"), online)
    with pytest.raises(HubUnavailableError, match=r"fails \(HTTP 503\).*no folder org/other"):
        from_pretrained("org/other")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_altered_bytes_are_refused_and_forgotten(file: str, model_folder: Path, hub: Hub) -> None:
    """Another file under the same commit: refused by its hash, and the next try is whole."""
    publish(hub, model_folder)
    place = "/_objects/" if file == "model.safetensors" else f"/{file}"
    hub.faults.append(Fault(f"GET .*{place}", "alter", times=1))

    with pytest.raises(HubError, match=f"what came as {file} has the hash .* thrown away"):
        from_pretrained("org/name")
    assert_same(from_pretrained("org/name"), from_pretrained(model_folder))


def test_a_cut_download_is_completed(model_folder: Path, hub: Hub) -> None:
    """Once is not noticed; for ever is an error that names the model, and leaves no half file."""
    publish(hub, model_folder)
    hub.faults.append(Fault("GET /_objects", "truncate", times=1))
    assert_same(from_pretrained("org/name"), from_pretrained(model_folder))

    publish(hub, model_folder, name="org/cut")
    hub.objects.clear()
    hub.faults.append(Fault("GET /org/cut/resolve", "drop"))
    with pytest.raises(HubUnavailableError, match="org/cut: "):
        from_pretrained("org/cut")
    hub.faults.clear()
    assert_same(from_pretrained("org/cut"), from_pretrained(model_folder))


def test_an_altered_cache_is_noticed(
    model_folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also offline, for the Hub's hash is the name of the cached file."""
    publish(hub, model_folder)
    from_pretrained("org/name")
    (cached,) = (tmp_path / "cache").rglob("snapshots/*/model.safetensors")
    cached.resolve().write_bytes(
        save_small_model(tmp_path / "b", 1).joinpath(cached.name).read_bytes()
    )
    go_offline(monkeypatch)

    with pytest.raises(HubError, match="altered in the cache"):
        from_pretrained("org/name")


def test_who_may_not_see_it(model_folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Private and missing are one answer; the right token gets it."""
    hub.create("org/closed", private=True)
    publish(hub, model_folder, name="org/closed")
    hub.people["hf_other"] = ("other",)

    for token in ("hf_other", None):
        if token is None:
            monkeypatch.delenv("HF_TOKEN")
        with pytest.raises(HubError, match=r"no such folder is here, and http.* or it is private"):
            from_pretrained("org/closed", token=token)
    assert_same(from_pretrained("org/closed", token="hf_good"), from_pretrained(model_folder))


def test_a_repository_of_something_else(hub: Hub, model_folder: Path) -> None:
    """Without weights, or with another program's configuration."""
    hub.create("org/name")
    hub.commit("org/name", {"config.json": b"{}"})
    with pytest.raises(HubError, match=r"no model of survkit: model\.safetensors is missing"):
        from_pretrained("org/name")
    publish(hub, model_folder)
    hub.commit("org/name", {"config.json": b'{"architectures": ["Bert"]}'})
    with pytest.raises(RunError, match="not a survkit model"):
        from_pretrained("org/name")
    hub.commit("org/name", {"README.md": b"x" * 50_000_001})
    with pytest.raises(HubError, match=r"README\.md has 50,000,001 bytes, more than"):
        from_pretrained("org/name")


def test_a_bundle_needs_no_network(
    model_folder: Path, tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Plain files, and where they are from is still known; whoever alters them is found out."""
    commit = publish(hub, model_folder)
    bundle = tmp_path / "carried" / "model"
    assert main(["pull", "org/name", "--to", str(bundle)]) == 0
    assert capsys.readouterr().out == f"{bundle}: org/name {commit}\n"
    shutil.rmtree(tmp_path / "cache")
    go_offline(monkeypatch)
    fitted = from_pretrained(bundle)

    assert_same(fitted, from_pretrained(model_folder))
    assert fitted.source is not None
    assert fitted.source.commit == commit
    assert not any(path.is_symlink() for path in bundle.iterdir())
    assert set(contents(bundle)) == {"config.json", "model.safetensors", "origin.json"}
    assert [path.name for path in bundle.parent.iterdir()] == ["model"]
    other = save_small_model(tmp_path / "other", seed=1)
    shutil.copy(bundle / "origin.json", other)
    with pytest.raises(RunError, match="speaks of weights with sha256"):
        from_pretrained(other)


def test_a_bundle_is_whole_or_not_there(model_folder: Path, tmp_path: Path, hub: Hub) -> None:
    """Nothing is replaced, and weights that the configuration does not know are refused."""
    publish(hub, model_folder)
    with pytest.raises(RunError, match="something is there already"):
        pull("org/name", model_folder)
    rewrite_config(model_folder, lambda config: config.update(weights_sha256="0" * 64))
    publish(hub, model_folder)
    with pytest.raises(RunError, match=r"org/name: the sha256 of model\.safetensors is"):
        pull("org/name", tmp_path / "bundle")
    assert not list(tmp_path.glob("*bundle*"))


def test_predicting_by_name(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of the folder's model; which commit it was stands beside it on the screen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "prepared"))
    save_small_model(tmp_path / "model")
    Path("patients.csv").write_text("id,a,b,c\np1,0.5,1,2\np2,1,0,-1\n")
    Path("cohort.yaml").write_text(COHORT)
    commit = publish(hub, tmp_path / "model")
    assert main(["predict", "model", "--cohort", "cohort.yaml"]) == 0
    expected = capsys.readouterr()
    assert main(["predict", "org/name", "--cohort", "cohort.yaml", "--revision", commit]) == 0
    printed = capsys.readouterr()

    assert printed.out == expected.out
    assert list(pd.read_csv(io.StringIO(printed.out))["subject"]) == ["p1", "p2"]
    assert printed.err == f"model: org/name at {commit[:12]}\n"
    assert expected.err == ""
    assert main(["predict", "org/nome", "--cohort", "cohort.yaml"]) == 2
    assert capsys.readouterr().err.startswith("error: org/nome: no such folder is here, and http")
