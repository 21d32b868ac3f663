"""Fetches a model from the Hub into the Hub's cache on this machine."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import HubError, HubUnavailableError
from survkit.hub.address import check_name, check_revision, is_commit
from survkit.hub.client import client, hub_errors, is_offline
from survkit.hub.model_files import (
    CONFIG_FILE,
    MOST_BYTES,
    NEEDED_FILES,
    OPTIONAL_FILES,
    WEIGHTS_FILE,
    git_name_of,
    sha256_of,
)
from survkit.hub.origin import Origin

DEFAULT_REVISION = "main"


class HubWarning(UserWarning):
    """A model from the Hub may not be the newest."""


def fetch(
    name: str, *, revision: str | None = None, token: str | None = None
) -> tuple[Path, Origin]:
    """Return the folder of a model in the cache, and which commit it is.

    The revision is turned into a commit first, and all files are of that commit. Only the files of
    a model are fetched, by their names; whatever else the repository holds is not looked at. A
    commit that is in the cache is never asked for again.

    Args:
        name: Such as ``org/name``.
        revision: Branch, tag or full name of a commit; ``main`` by default.
        token: Instead of that of ``HF_TOKEN`` or of ``hf auth login``.

    Raises:
        ConfigError: The name or the revision cannot be one.
        HubError: There is no such model, no right to it, or its bytes are not those promised.
        HubUnavailableError: The Hub cannot be reached, and the cache has no such model.

    Warns:
        HubWarning: The Hub cannot be reached; the cache may be older.
    """
    check_name(name)
    check_revision(revision)
    if is_commit(revision) or is_offline():
        cached = _cached(name, revision)
        if cached is not None:
            return cached
        if is_offline():
            raise HubUnavailableError(
                f"{name}: no {revision or DEFAULT_REVISION} of it is in the cache, and "
                "HF_HUB_OFFLINE forbids to fetch it; unset that, or carry it here with survkit pull"
            )
    try:
        with hub_errors(name, revision):
            facts = client(token).model_info(
                name, revision=revision, files_metadata=True, timeout=10
            )
    except HubUnavailableError as error:
        cached = _cached(name, revision)
        if cached is None:
            raise
        warnings.warn(f"{error} What the cache has is used: {cached[1]}", HubWarning, stacklevel=2)
        return cached
    return _download(name, facts, revision or DEFAULT_REVISION, token)


def _download(name: str, facts: Any, revision: str, token: str | None) -> tuple[Path, Origin]:
    """Fetch the files of one commit, check them, and note what the revision stands at."""
    commit, files = str(facts.sha), {one.rfilename: one for one in facts.siblings or ()}
    if not is_commit(commit):
        raise HubError(f"{name}: the Hub calls the commit {commit!r}, which cannot be one")
    for needed in NEEDED_FILES:
        if needed not in files:
            raise HubError(f"{name}: is no model of survkit: {needed} is missing at {commit[:12]}")
    wanted = [file for file in (*NEEDED_FILES, *OPTIONAL_FILES) if file in files]
    for file in wanted:
        size = files[file].size or 0
        if file != WEIGHTS_FILE and size > MOST_BYTES:
            raise HubError(
                f"{name}: its {file} has {size:,} bytes, more than the {MOST_BYTES:,} it may have"
            )
    paths = {file: _file(name, file, commit, token) for file in wanted}
    for file in wanted:
        _check_content(paths[file], files[file], name)
    folder = paths[CONFIG_FILE].parent
    if not is_commit(revision):  # whoever is offline later finds a commit that is complete
        reference = folder.parent.parent / "refs" / revision
        reference.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(reference, commit.encode())
    return folder, Origin(name, commit, sha256_of(paths[WEIGHTS_FILE]))


def _file(name: str, file: str, commit: str, token: str | None) -> Path:
    """Fetch one file, going on where an earlier try was cut off."""
    with hub_errors(name, commit):
        try:
            return Path(client(token).hf_hub_download(name, file, revision=commit))
        except OSError as error:
            if "Consistency check failed" not in str(error):
                raise
            raise HubUnavailableError(f"{name}: {file} came incomplete; try again") from error


def _check_content(path: Path, facts: Any, name: str) -> None:
    """Refuse bytes that are not those of the hash that the Hub states, and forget them."""
    stated = facts.blob_id if facts.lfs is None else facts.lfs.sha256
    found = git_name_of(path) if facts.lfs is None else sha256_of(path)
    if stated == found:
        return
    path.resolve().unlink()
    path.unlink(missing_ok=True)
    raise HubError(
        f"{name}: what came as {path.name} has the hash {found[:12]}…, but the Hub states "
        f"{str(stated)[:12]}…; it was altered on its way and has been thrown away, try again"
    )


def _cached(name: str, revision: str | None) -> tuple[Path, Origin] | None:
    """Return what the cache has, without asking anybody.

    The client names a cached file after the hash that the Hub stated, which is looked at again.
    """
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(name, file, revision=revision) for file in NEEDED_FILES]
    paths = [Path(path) for path in found if isinstance(path, str)]
    if len(paths) < len(NEEDED_FILES):
        return None
    weights = paths[NEEDED_FILES.index(WEIGHTS_FILE)]
    sha256 = sha256_of(weights)
    stated = weights.readlink().name if weights.is_symlink() else sha256
    if len(stated) == len(sha256) and stated != sha256:
        raise HubError(
            f"{weights}: its sha256 is {sha256[:12]}…, but the Hub stated {stated[:12]}…; it was "
            "altered in the cache, delete it and fetch the model anew"
        )
    return weights.parent, Origin(name, weights.parent.name, sha256)
