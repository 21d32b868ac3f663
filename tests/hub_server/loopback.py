"""Fixtures: a Hub on this machine, a client that knows no other, and no way out of the machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub_server.repositories import Hub
from tests.hub_server.server import Server, running

NO_NETWORK = "a test reached for the network"
OF_THE_CLIENT = "ignore:Use 'content=:DeprecationWarning"
"""How huggingface_hub 2.4 uploads is deprecated by its own HTTP library."""
HERE = ("127.0.0.1", "localhost", "::1")


def block_sockets(monkeypatch: pytest.MonkeyPatch, *, loopback: bool) -> None:
    """Let no socket connect, save to this machine itself where ``loopback`` is true."""
    connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo

    def only_here(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else "unix"
        if not loopback or host not in HERE:
            raise AssertionError(f"{NO_NETWORK}: {address}")
        connect(self, address)  # type: ignore[arg-type]

    def look_up(host: object, *arguments: object, **settings: object) -> object:
        if not loopback or host not in HERE:
            raise AssertionError(f"{NO_NETWORK}: {host!r}")
        return getaddrinfo(host, *arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", only_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Yield a Hub that the real client of this process talks to, as hf_good, with its own cache."""
    from huggingface_hub import close_session, constants
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    block_sockets(monkeypatch, loopback=True)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the client waits between tries
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    with running() as started:
        monkeypatch.setattr(constants, "ENDPOINT", started.url)
        address = started.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
        disable_progress_bars()
        yield started
        enable_progress_bars()
        close_session()


@pytest.fixture
def hub(server: Server) -> Hub:
    """Return what the server holds."""
    return server.hub
