"""What is a folder, and what is a name on the Hub."""

from __future__ import annotations

import re
from pathlib import Path

from survkit.errors import ConfigError

_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*"
_NAME = re.compile(rf"{_WORD}/{_WORD}")
_REVISION = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_/-]|\.(?!\.))*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
MOST_CHARACTERS = 96


def is_on_hub(model: str | Path) -> bool:
    """Whether a model is meant by its name on the Hub: a folder that is there always wins."""
    return isinstance(model, str) and not Path(model).exists() and _fits(model)


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a repository.

    Raises:
        ConfigError: It is not ``ORG/NAME``.
    """
    if not _fits(name):
        raise ConfigError(
            f"{name!r} is no name on the Hub: write ORG/NAME, letters, digits, single dots, - and _"
        )


def check_revision(revision: str | None) -> None:
    """Refuse what cannot be the name of a branch, tag or commit.

    Raises:
        ConfigError: It holds other characters than letters, digits, single dots, -, _ and /.
    """
    if revision is not None and not _REVISION.fullmatch(revision):
        raise ConfigError(f"{revision!r} is no name of a branch, tag or commit")


def is_commit(revision: str | None) -> bool:
    """Whether it is the full name of a commit, which never changes its content."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def _fits(name: str) -> bool:
    return len(name) <= MOST_CHARACTERS and _NAME.fullmatch(name) is not None
