"""Publishes a model folder on the Hub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from survkit.errors import ConfigError, HubError, RunError
from survkit.hub.address import check_name, check_revision
from survkit.hub.client import client, endpoint, hub_errors
from survkit.hub.load import from_pretrained
from survkit.hub.model_files import (
    CONFIG_FILE,
    MOST_BYTES,
    NEEDED_FILES,
    OPTIONAL_FILES,
    WEIGHTS_FILE,
    check_file,
    sha256_of,
)
from survkit.hub.origin import Origin

SPLITS_FILE = "splits.json"
METRICS_FILE = "metrics.json"


def push_to_hub(
    run: str | Path,
    name: str,
    *,
    private: bool = True,
    revision: str | None = None,
    token: str | None = None,
    message: str = "A model of survkit",
    fold: str | int | None = None,
) -> Origin:
    """Publish a model, in one commit, and return which one it became.

    Sent are ``config.json`` and ``model.safetensors``, and ``README.md`` and ``metrics.json`` where
    the folder has them. Nothing else ever leaves it: no predictions, pictures, tables or splits.
    The model is loaded before; what cannot be loaded is not published. A ``metrics.json`` of an
    earlier model is taken from the branch.

    Args:
        run: A model folder, or a run folder of ``survkit fit``.
        name: Such as ``org/name``; made where it is not there yet.
        private: Whether only those with a right to it may see it. A repository that is there
            already must be as is said here.
        revision: Branch; made from ``main`` where it is not there yet.
        token: Instead of that of ``HF_TOKEN`` or of ``hf auth login``.
        message: Of the commit.
        fold: Of a run of ``survkit cv``, the fold whose model is meant: 3, or ``"1-3"`` for fold 3
            of repeat 1.

    Raises:
        ConfigError: The name, revision or fold cannot be one.
        RunError: The folder holds no whole model, or several.
        HubError: The Hub refuses: no token, no right, a repository of the other visibility.
        HubUnavailableError: The Hub cannot be reached or fails.
    """
    check_name(name)
    check_revision(revision)
    folder = model_folder(Path(run), fold)
    files = _files(folder)
    from_pretrained(folder)
    sha256 = sha256_of(files[WEIGHTS_FILE])
    _check_token(name, token)
    with hub_errors(name, revision):
        _prepare_repository(name, private, revision, token)
        commit = _commit(name, files, revision, token, message)
    return Origin(name, commit, sha256)


def model_folder(run: Path, fold: str | int | None) -> Path:
    """Return the folder of the one model that a run means.

    Raises:
        ConfigError: A fold is asked of a single model, or is no number.
        RunError: A cross-validation without a fold, or a fold that it has not.
    """
    single = (run / CONFIG_FILE).exists() or not (run / SPLITS_FILE).exists()
    if fold is None:
        if single:
            return run
        raise RunError(
            f"{run}: a cross-validation has one model per fold and none that saw everybody; train "
            "one with survkit fit, or say which fold is meant with --fold, such as --fold 0"
        )
    if single:
        raise ConfigError(f"{run}: is no run of survkit cv, so it has no folds; leave --fold out")
    if not re.fullmatch(r"\d+(-\d+)?", str(fold)):
        raise ConfigError(f"--fold takes a number such as 0, or repeat and fold 1-0, not {fold!r}")
    folder = run / f"fold-{fold}"
    if not (folder / CONFIG_FILE).exists():
        found = sorted(path.parent.name for path in run.glob(f"fold-*/{CONFIG_FILE}"))
        there = ", ".join(name.removeprefix("fold-") for name in found)
        raise RunError(
            f"{run}: has no model of fold {fold}; "
            + (f"it has {there}" if there else "it has none, as baselines are never stored")
        )
    return folder


def _files(folder: Path) -> dict[str, Path]:
    """Return what is sent, by name; ordinary files of the folder itself only."""
    files = {}
    for file in (*NEEDED_FILES, *OPTIONAL_FILES):
        path = folder / file
        if file in OPTIONAL_FILES and not path.exists() and not path.is_symlink():
            continue
        try:
            check_file(path)
        except FileNotFoundError as error:
            raise RunError(f"{folder}: holds no model: {file} is not there") from error
        size = path.stat().st_size
        if file != WEIGHTS_FILE and size > MOST_BYTES:
            raise RunError(f"{path}: {size:,} bytes are more than the {MOST_BYTES:,} it may have")
        files[file] = path
    return files


def _check_token(name: str, token: str | None) -> None:
    from huggingface_hub import get_token

    if token is None and get_token() is None:
        raise HubError(
            f"{name}: to publish, the Hub must know you: make a token with the right to write at "
            f"{endpoint()}/settings/tokens, and log in with hf auth login or set HF_TOKEN"
        )


def _prepare_repository(name: str, private: bool, revision: str | None, token: str | None) -> None:
    """Make the repository and the branch where they are not there."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    api = client(token)
    try:
        facts: Any = api.model_info(name, timeout=10)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        api.create_repo(name, private=private)
    else:
        if private and not facts.private:
            raise HubError(
                f"{name}: is public, and the model was to be private; give --public "
                "(private=False) to publish it there, or choose another name"
            )
        if not private and facts.private:
            raise HubError(
                f"{name}: is private, and the model was to be public; leave --public out, or "
                f"make it public at {endpoint()}/{name}/settings"
            )
    if revision is not None:
        api.create_branch(name, branch=revision, exist_ok=True)


def _commit(
    name: str, files: dict[str, Path], revision: str | None, token: str | None, message: str
) -> str:
    """Send the files in one commit; large ones go first, and those already there are not sent."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    api = client(token)
    there = {one.rfilename for one in api.model_info(name, revision=revision).siblings or ()}
    operations: list[Any] = [
        CommitOperationAdd(path_in_repo=file, path_or_fileobj=str(path))
        for file, path in files.items()
    ]
    if METRICS_FILE in there and METRICS_FILE not in files:
        operations.append(CommitOperationDelete(path_in_repo=METRICS_FILE))
    commit = api.create_commit(name, operations, commit_message=message, revision=revision)
    return str(commit.oid)
