"""Where the weights of each demonstration lie, and that nothing else is replaced by them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from survkit.errors import RunError
from survkit.hub.card_mark import replaceable_files
from survkit.hub.demonstration_label import LABEL
from survkit.hub.load import read_config
from survkit.hub.model_files import CONFIG_FILE, WEIGHTS_FILE
from survkit.whole_folder import check_replaceable

WRITTEN = (CONFIG_FILE, WEIGHTS_FILE, "metrics.json")
"""All that the folder of a demonstration holds."""


def folder_name(name: str) -> str:
    """Return the name of a recipe's weights, such as ``robsurv-small``."""
    return name.replace("/", "-")


def repository_of(organisation: str, name: str) -> str:
    """Return the name of a recipe's weights on the Hub."""
    return f"{organisation}/survkit-demo-{folder_name(name)}"


def check_folders(folders: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse, before anything trains, places that are taken.

    Raises:
        RunError: Something lies there that is no demonstration, or that is not to be replaced.
    """
    for folder in folders:
        check_replaceable(
            folder, mark=CONFIG_FILE, written=(*WRITTEN, *replaceable_files(folder)),
            kind="model", overwrite=overwrite,
        )  # fmt: skip
        if not (folder / CONFIG_FILE).is_file():
            continue
        training = read_config(folder / CONFIG_FILE).get("training")
        if not isinstance(training, dict) or LABEL not in training:
            raise RunError(
                f"{folder}: holds a model that is no demonstration, so it is not overwritten; "
                "choose another folder"
            )
