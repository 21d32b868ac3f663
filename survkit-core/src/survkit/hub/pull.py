"""Turns a model on the Hub into a folder that can be carried anywhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from survkit.errors import RunError
from survkit.hub.fetch import fetch
from survkit.hub.load import read_config
from survkit.hub.model_files import (
    CONFIG_FILE,
    NEEDED_FILES,
    OPTIONAL_FILES,
    WEIGHTS_FILE,
    sha256_of,
)
from survkit.hub.origin import Origin, write_origin


def pull(
    name: str, folder: str | Path, *, revision: str | None = None, token: str | None = None
) -> Origin:
    """Fetch a model into a plain folder with ``origin.json``: repository, commit and sha256.

    The folder needs no network afterwards, and ``from_pretrained`` still knows where it is from.
    It appears whole or not at all. The plugins of the model need not be installed here.

    Args:
        name: Such as ``org/name``.
        folder: Must not be there yet, or be empty.
        revision: Branch, tag or full name of a commit; ``main`` by default.
        token: Instead of that of ``HF_TOKEN`` or of ``hf auth login``.

    Raises:
        RunError: Something lies in the folder, or what came is no model of survkit.
        HubError: The Hub has no such model or gives it not, or its bytes are not those promised.
        HubUnavailableError: The Hub cannot be reached, and the cache has no such model.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise RunError(f"{folder}: something is there already; choose another folder")
    cached, origin = fetch(name, revision=revision, token=token)
    neighbour = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        neighbour.mkdir(parents=True)
        for file in (*NEEDED_FILES, *OPTIONAL_FILES):
            if (cached / file).exists():
                shutil.copyfile(cached / file, neighbour / file)
        _check_whole(neighbour, name)
        write_origin(origin, neighbour)
        neighbour.replace(folder)
    except PermissionError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(neighbour, ignore_errors=True)
    return origin


def _check_whole(folder: Path, name: str) -> None:
    """Refuse a configuration of something else, and weights that it does not speak of."""
    stated = str(read_config(folder / CONFIG_FILE, name).get("weights_sha256"))
    found = sha256_of(folder / WEIGHTS_FILE)
    if found != stated:
        raise RunError(
            f"{name}: the sha256 of {WEIGHTS_FILE} is {found[:12]}…, but {CONFIG_FILE} states "
            f"{stated[:12]}…; its owner must publish it anew"
        )
