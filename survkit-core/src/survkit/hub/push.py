"""Publishes a model folder on the Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from survkit.errors import HubError, RunError
from survkit.hub.address import check_name, check_revision
from survkit.hub.card_mark import CARD_FILE, PICTURE_FILE, check_card, is_untouched, shows_picture
from survkit.hub.client import client, endpoint, hub_errors
from survkit.hub.load import from_pretrained
from survkit.hub.local_paths import check_header, check_json, check_words
from survkit.hub.model_card import model_card
from survkit.hub.model_card_metrics import METRICS_FILE
from survkit.hub.model_files import (
    CONFIG_FILE,
    MOST_BYTES,
    NEEDED_FILES,
    OPTIONAL_FILES,
    WEIGHTS_FILE,
    check_file,
    read_plain_json,
    sha256_of,
)
from survkit.hub.model_folder import model_folder
from survkit.hub.origin import Origin
from survkit.hub.png_file import check_png
from survkit.hub.published_metrics import check_levels, site_names, without_sites
from survkit.hub.push_settings import PushOptions, PushSettings


def push_to_hub(
    run: str | Path,
    name: str,
    *,
    fold: str | int | None = None,
    with_sites: bool = False,
    **options: Unpack[PushOptions],
) -> Origin:
    """Publish a model, in one commit, and return which one it became.

    Sent are ``config.json`` and ``model.safetensors``, and ``README.md`` with the figure
    ``calibration.png`` that it shows, and ``metrics.json``, where the folder has them. Nothing else
    ever leaves it: no predictions, pictures, tables or splits. The model is loaded before; what
    cannot be loaded is not published, nor what says where something lies on this machine. What
    ``metrics.json`` tells of each site stays here, too, as it names them. A ``metrics.json`` of an
    earlier model is taken from the branch. Without a ``README.md`` in the
    folder, a model card and its figure are sent instead, unless somebody wrote or edited the one
    that the branch has.

    Args:
        run: A model folder, or a run folder of ``survkit fit``.
        name: Such as ``org/name``; made where it is not there yet.
        fold: Of a run of ``survkit cv``, the fold whose model is meant: 3, or ``"1-3"`` for fold 3
            of repeat 1.
        with_sites: Publish the names of sites and how well each was predicted.
        options: ``private``, the default: whether only those with a right to it may see it; a
            repository that is there already must be as is said here. ``revision``: the branch, made
            from ``main`` where it is not there yet. ``token``: instead of that of ``HF_TOKEN`` or
            of ``hf auth login``. ``message``: of the commit.

    Raises:
        ConfigError: The name, revision or fold cannot be one.
        RunError: The folder holds no whole model, or several, or the card of another one; or a
            file names a path of this machine, or a site.
        HubError: The Hub refuses: no token, no right, a repository of the other visibility.
        HubUnavailableError: The Hub cannot be reached or fails.
    """
    settings = PushSettings(**options)
    check_name(name)
    check_revision(settings.revision)
    folder = model_folder(Path(run), fold)
    files: dict[str, Path | bytes] = {**_files(folder)}
    fitted = from_pretrained(folder)
    sha256 = sha256_of(folder / WEIGHTS_FILE)
    if CARD_FILE in files:
        _check_own_card(folder, files, sha256)
    else:
        files.pop(PICTURE_FILE, None)
        files |= model_card(folder, fitted.description, name, revision=settings.revision).files
    _check_places(folder, files)
    if not with_sites:
        _leave_sites_out(folder, files)
    check_token(name, settings.token)
    with hub_errors(name, settings.revision):
        _prepare_repository(name, settings)
        commit = _commit(name, files, settings)
    return Origin(name, commit, sha256)


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


def _check_own_card(folder: Path, files: dict[str, Path | bytes], sha256: str) -> None:
    """Refuse the card of another model; a figure that it does not show stays here."""
    path = folder / PICTURE_FILE
    picture = path.read_bytes() if PICTURE_FILE in files else None
    check_card(folder / CARD_FILE, sha256, picture)
    if not shows_picture((folder / CARD_FILE).read_bytes().decode(errors="replace")):
        files.pop(PICTURE_FILE, None)
    elif picture is not None:
        check_png(picture, str(path))


def _check_places(folder: Path, files: dict[str, Path | bytes]) -> None:
    """Refuse what says where something lies on this machine."""
    for file in (CONFIG_FILE, METRICS_FILE):
        if file in files:
            check_json(read_plain_json(folder / file), file)
    check_header(folder / WEIGHTS_FILE)
    card = files[CARD_FILE]
    text = card if isinstance(card, bytes) else card.read_bytes()
    check_words(text.decode(errors="replace"), CARD_FILE)


def _leave_sites_out(folder: Path, files: dict[str, Path | bytes]) -> None:
    """Send metrics without what they tell of each site; what tells nothing stays as it is."""
    if METRICS_FILE not in files:
        return
    content = read_plain_json(folder / METRICS_FILE)
    check_levels(read_plain_json(folder / CONFIG_FILE), site_names(content))
    files[METRICS_FILE] = without_sites(content) or files[METRICS_FILE]


def check_token(name: str, token: str | None = None) -> None:
    """Refuse to publish where there is no token that could have the right to.

    Raises:
        HubError: With where to get one.
    """
    from huggingface_hub import get_token

    if token is None and get_token() is None:
        raise HubError(
            f"{name}: to publish, the Hub must know you: make a token with the right to write at "
            f"{endpoint()}/settings/tokens, and log in with hf auth login or set HF_TOKEN"
        )


def _prepare_repository(name: str, settings: PushSettings) -> None:
    """Make the repository and the branch where they are not there."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    api, private = client(settings.token), settings.private
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
    if settings.revision is not None:
        api.create_branch(name, branch=settings.revision, exist_ok=True)


def _commit(name: str, files: dict[str, Path | bytes], settings: PushSettings) -> str:
    """Send the files in one commit; large ones go first, and those already there are not sent."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    api, revision = client(settings.token), settings.revision
    there = {one.rfilename for one in api.model_info(name, revision=revision).siblings or ()}
    made = isinstance(files.get(CARD_FILE), bytes)
    keep = made and CARD_FILE in there and not _may_replace_card(name, settings)
    kept = {CARD_FILE, PICTURE_FILE} if keep else set()
    operations: list[Any] = [
        CommitOperationAdd(
            path_in_repo=file,
            path_or_fileobj=content if isinstance(content, bytes) else str(content),
        )
        for file, content in files.items()
        if file not in kept
    ]
    gone = (there & {METRICS_FILE, PICTURE_FILE}) - files.keys() - kept
    operations += [CommitOperationDelete(path_in_repo=file) for file in sorted(gone)]
    commit = api.create_commit(name, operations, commit_message=settings.message, revision=revision)
    return str(commit.oid)


def _may_replace_card(name: str, settings: PushSettings) -> bool:
    """Whether the card on the branch is one that nobody wrote or edited."""
    api = client(settings.token)
    path = Path(api.hf_hub_download(name, CARD_FILE, revision=settings.revision))
    return is_untouched(path.read_bytes().decode(errors="replace"))
