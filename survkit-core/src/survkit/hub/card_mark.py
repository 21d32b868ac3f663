"""The last line of a card: for which weights and with which picture it was written, and whether
anybody edited it since.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from survkit.errors import RunError

CARD_FILE, PICTURE_FILE = "README.md", "calibration.png"
_MARK = re.compile(
    r"<!-- written by survkit: weights (?P<weights>[0-9a-f]{64})"
    r"(?:, picture (?P<picture>[0-9a-f]{64}))?, card (?P<card>[0-9a-f]{64}) -->(?:\r?\n)?"
)


@dataclass(frozen=True, slots=True)
class Card:
    """A model card.

    Attributes:
        text: Of ``README.md``.
        picture: ``calibration.png``, which the text shows; ``None`` where it shows none.
    """

    text: str
    picture: bytes | None

    @property
    def files(self) -> dict[str, bytes]:
        """What lies beside the model, by name."""
        picture = {} if self.picture is None else {PICTURE_FILE: self.picture}
        return {CARD_FILE: self.text.encode(), **picture}


def marked(text: str, weights: str, picture: bytes | None) -> Card:
    """Return the card with its mark.

    Args:
        text: All of it but the mark.
        weights: sha256 of the model's weights.
        picture: What the text shows.
    """
    shown = None if picture is None else _sha256(picture)
    return Card(text + _mark(weights, shown, text), picture)


def is_untouched(card: str) -> bool:
    """Whether a card is one that survkit wrote and nobody edited since."""
    mark = _MARK.search(card)
    if mark is None:
        return False
    before = card[: mark.start()]
    return card == before + _mark(mark["weights"], mark["picture"], before)


def replaceable_files(folder: Path) -> tuple[str, ...]:
    """Return the names of a card and its picture in a folder of a model, where survkit wrote them
    and nobody edited the card: nothing is lost with them.
    """
    card = folder / CARD_FILE
    if not card.is_file() or not is_untouched(card.read_bytes().decode(errors="replace")):
        return ()
    return CARD_FILE, PICTURE_FILE


def check_card(path: Path, weights: str, picture: bytes | None) -> None:
    """Refuse a card that survkit wrote for other weights or with another picture.

    Args:
        path: The card.
        weights: sha256 of the weights beside it.
        picture: The picture beside it.

    Raises:
        RunError: It is the card of another model, or shows what is not there.
    """
    text = path.read_bytes().decode(errors="replace")
    mark, anew = _MARK.search(text), "write it anew with survkit card --overwrite"
    if mark is not None and mark["weights"] != weights:
        raise RunError(
            f"{path}: was written for the weights {mark['weights'][:12]}…, but the model has "
            f"{weights[:12]}…; {anew}, or delete it"
        )
    if picture is None and shows_picture(text):
        raise RunError(f"{path}: shows {PICTURE_FILE}, which is not there; {anew}")
    stated = None if mark is None or picture is None else mark["picture"]
    if stated is not None and stated != _sha256(picture or b""):
        raise RunError(f"{path}: was written with another {PICTURE_FILE}; {anew}")


def shows_picture(card: str) -> bool:
    """Whether a card shows the picture that lies beside it, in Markdown or in HTML."""
    return re.search(r"""(?:\]\(\s*|src\s*=\s*["']?)(?:\./)?calibration\.png""", card) is not None


def _mark(weights: str, picture: str | None, before: str) -> str:
    shown = "" if picture is None else f", picture {picture}"
    return f"<!-- written by survkit: weights {weights}{shown}, card {_sha256(before)} -->\n"


def _sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
