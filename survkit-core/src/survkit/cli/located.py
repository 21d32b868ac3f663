"""Where a model or run lies that a command was given, here or on the Hub."""

from __future__ import annotations

import sys
from pathlib import Path


def located(model: str, revision: str | None) -> tuple[Path, str | None]:
    """Return the folder that a path or a name on the Hub means, and the commit that it is there.

    Which commit it is goes to the screen, beside what the command prints. Asked for again by its
    commit, it is not fetched again.

    Args:
        model: A folder, or ``ORG/NAME`` where no such folder is here.
        revision: Branch, tag or commit on the Hub; ``main`` by default.

    Raises:
        ConfigError: A revision of a folder.
        HubError: The Hub has no such model or gives it not.
        HubUnavailableError: The Hub cannot be reached, and the cache has no such model.
    """
    from survkit.hub.load import locate

    folder, origin = locate(model, revision)
    if origin is None:
        return folder, None
    print(f"model: {origin}", file=sys.stderr)
    return folder, origin.commit
