"""The loopback Hub speaks what the real client speaks: both are held to the same files."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tests.hub_server.loopback import NO_NETWORK, OF_THE_CLIENT
from tests.hub_server.repositories import Fault, Hub
from tests.hub_server.server import Server

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)
FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 4}


def publish(api: HfApi, name: str = "org/name") -> str:
    operations = [CommitOperationAdd(path, content) for path, content in FILES.items()]
    return str(api.create_commit(name, operations, commit_message="a test").oid)


def test_what_the_client_sends_it_gets_back(server: Server, hub: Hub) -> None:
    """A small file in the commit, a large one by git-lfs; both by branch and by commit."""
    api = HfApi()
    api.create_repo("org/name", private=True)
    commit = publish(api)

    assert api.model_info("org/name").sha == commit
    for path, content in FILES.items():
        assert Path(HfApi().hf_hub_download("org/name", path)).read_bytes() == content
        assert (
            Path(HfApi().hf_hub_download("org/name", path, revision=commit)).read_bytes() == content
        )
    listed = api.model_info("org/name", files_metadata=True).siblings or []
    facts = {one.rfilename: one for one in listed}
    lfs = facts["model.safetensors"].lfs
    assert lfs is not None
    assert lfs.sha256 == hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    assert list(hub.objects) == [lfs.sha256]


def test_an_unchanged_file_makes_no_commit(server: Server, hub: Hub) -> None:
    """The client sees by the hashes that nothing changed, so they are right."""
    hub.create("org/name")

    assert publish(HfApi()) == publish(HfApi())
    assert len(hub.repositories["org/name"].commits) == 2


def test_strangers_see_no_private_repository(server: Server, hub: Hub) -> None:
    """Missing and private look alike; a public one can be read and not written by others."""
    hub.people["hf_other"] = ("other",)
    hub.create("org/closed", private=True)
    hub.create("org/open")

    for token in ("hf_other", False):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(token=token).model_info("org/closed")
        assert HfApi(token=token).model_info("org/open").private is False
    with pytest.raises(HfHubHTTPError, match="403"):
        publish(HfApi(token="hf_other"), "org/open")
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(token="hf_unknown").model_info("org/open")


def test_what_is_not_there_has_its_own_error(server: Server, hub: Hub) -> None:
    """Repository, revision and file."""
    hub.create("org/name")

    with pytest.raises(RepositoryNotFoundError):
        HfApi().model_info("org/other")
    with pytest.raises(RevisionNotFoundError):
        HfApi().model_info("org/name", revision="v1")
    with pytest.raises(RemoteEntryNotFoundError):
        HfApi().hf_hub_download("org/name", "config.json")


def test_a_cut_download_goes_on_where_it_stopped(server: Server, hub: Hub) -> None:
    """The second request asks for the rest only."""
    hub.create("org/name")
    hub.commit("org/name", FILES)
    hub.faults.append(Fault("GET /_objects", "truncate", times=1))

    path = HfApi().hf_hub_download("org/name", "model.safetensors")
    assert Path(path).read_bytes() == FILES["model.safetensors"]
    assert sum(one.startswith("GET /_objects") for one in hub.log) == 2


def test_no_test_reaches_beyond_this_machine(server: Server) -> None:
    """An address of the documentation's range (RFC 5737), which is nobody's."""
    with socket.socket() as sock, pytest.raises(AssertionError, match=NO_NETWORK):
        sock.connect(("192.0.2.1", 443))
