"""Where a model was fetched from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from survkit.atomic_write import write_bytes
from survkit.errors import RunError
from survkit.hub.model_files import read_plain_json

ORIGIN_FILE = "origin.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """One commit of a repository on the Hub.

    Attributes:
        repository: Such as ``org/name``.
        commit: Its full name, 40 hexadecimal digits.
        sha256: Of the weights.
    """

    repository: str
    commit: str
    sha256: str

    def __str__(self) -> str:
        """Short enough for a line on the screen."""
        return f"{self.repository} at {self.commit[:12]}"


def write_origin(origin: Origin, folder: Path) -> None:
    """Leave ``origin.json`` beside a model that was fetched."""
    content = json.dumps(asdict(origin), indent=1) + "\n"
    write_bytes(folder / ORIGIN_FILE, content.encode())


def read_origin(folder: Path, sha256: str) -> Origin | None:
    """Return what ``origin.json`` says of a model folder; ``None`` where there is none.

    Args:
        folder: The model's.
        sha256: Of the weights that lie there.

    Raises:
        RunError: The file is damaged or speaks of other weights.
    """
    path = folder / ORIGIN_FILE
    if not path.exists():
        return None
    content = read_plain_json(path)
    keys = ("repository", "commit", "sha256")
    if not isinstance(content, dict) or any(not isinstance(content.get(key), str) for key in keys):
        raise RunError(
            f"{path}: damaged: it needs the texts {', '.join(keys)}; pull the model anew"
        )
    if content["sha256"] != sha256:
        raise RunError(
            f"{path}: speaks of weights with sha256 {content['sha256'][:12]}…, but those in the "
            f"folder have {sha256[:12]}…; pull the model anew, or delete {ORIGIN_FILE} if the "
            "model is another one"
        )
    return Origin(*(content[key] for key in keys))
