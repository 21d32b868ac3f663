"""Turns the name of a model on the Hub into one commit, once, before a run is planned."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from survkit.hub.address import is_on_hub
from survkit.hub.fetch import DEFAULT_REVISION
from survkit.hub.load import locate
from survkit.transfer.hub_source import HubSource, Source
from survkit.transfer.source_model import read_json

RUN_FILE = "run.json"


def find_source(
    source: Source | None, revision: str | None = None, *, runs: Iterable[Path] = ()
) -> Source | None:
    """Return a source that will not move: of a model on the Hub one commit, fetched.

    A run that goes on where it stopped goes on from the commit that it began with, wherever the
    branch stands by now.

    Args:
        source: As it was asked for; what was found before is returned as it is.
        revision: Branch, tag or full name of a commit on the Hub; ``main`` by default.
        runs: Folders of runs that are gone on with.

    Raises:
        ConfigError: A revision of something that is not on the Hub.
        RunError: The ``run.json`` of a run is damaged.
        HubError: There is no such model, no right to it, or its bytes are not those promised.
        HubUnavailableError: The Hub cannot be reached, and the cache has no such model.
    """
    if source is None or isinstance(source, HubSource):
        return source
    begun = runs if is_on_hub(source) else ()
    asked, commit = _begun_with(str(source), revision or DEFAULT_REVISION, begun)
    folder, origin = locate(source, revision if commit is None else commit)
    return source if origin is None else HubSource(folder, origin, asked)


def _begun_with(repository: str, asked: str, runs: Iterable[Path]) -> tuple[str, str | None]:
    """Return the revision that such a run was asked for, and its commit; None where none was."""
    for run in runs:
        if not (run / RUN_FILE).is_file():
            continue
        init: dict[str, Any] = read_json(run / RUN_FILE).get("init") or {}
        known: dict[str, str] = init.get("hub") or {}
        if known.get("repository") != repository or "revision" not in known:
            continue
        if asked in (known["revision"], known["commit"]):
            return known["revision"], known["commit"]
    return asked, None
