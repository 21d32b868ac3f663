"""What a Hub may never learn of the machine that a model comes from."""

from __future__ import annotations

import getpass
import json
import re
from pathlib import Path

from tests.hub_server.repositories import Hub

_ABSOLUTE = re.compile(rb"[\"'\s:=(](/(?:home|root|Users|tmp|mnt|srv|work|data|private)/[^\"'\s]*)")


def published(hub: Hub, name: str = "org/name") -> dict[str, bytes]:
    """Return the files of the main branch by name."""
    repository = hub.repositories[name]
    files = repository.commits[repository.branches["main"]]
    return {path: file.content for path, file in files.items()}


def check_nothing_local(hub: Hub, *secrets: str | Path) -> None:
    """Fail where a byte that was sent names a place of this machine or one of the secrets.

    Of the weights it is the header that is looked at: the numbers behind it may spell anything.
    """
    home = str(Path.home())
    words = [str(one) for one in secrets] + ([home] if len(Path(home).parts) > 2 else [])
    user = getpass.getuser()
    words += [f"/{user}/", f"\\{user}\\"]
    sent = {"a request": b"".join(one for one in hub.bodies if b"members." not in one[:5000])}
    for file, content in (published(hub) | sent).items():
        if file.endswith(".safetensors"):
            content = content[8 : 8 + int.from_bytes(content[:8], "little")]
            assert not json.loads(content).get("__metadata__")
        for word in words:
            assert word.encode() not in content, f"{file} holds {word}"
        assert _ABSOLUTE.search(content) is None, f"{file} holds a path"
