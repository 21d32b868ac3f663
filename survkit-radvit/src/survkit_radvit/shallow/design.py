"""The designs by name: how each is drawn, trained and pruned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from torch import Generator, Tensor

from survkit_radvit.shallow.importance import token_importance
from survkit_radvit.shallow.shallow_vit_cox import Position, ShallowViTCox
from survkit_radvit.shallow.subjects import Study

MapOf = Literal["subject", "population"]


class Draws(Protocol):
    """A generator of studies."""

    def draw(self, generator: Generator) -> Study:
        """Draw a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One setting of the experiment.

    Attributes:
        name: Of the design.
        noise: SD of the noise; ``None`` where it has no such thing.
        draws: Draws its studies.
        shape: Tokens per subject and width of a token.
        position: Whether the model is told places.
        map_of: Whether each ``"subject"`` is pruned by its own importance, or all of them by that
            of the ``"population"``.
        epochs: Of the training on all tokens.
    """

    name: str
    noise: float | None
    draws: Draws
    shape: tuple[int, int]
    position: Position
    map_of: MapOf
    epochs: int

    @property
    def label(self) -> str:
        """Name of the part."""
        noise = "" if self.noise is None else f", noise {self.noise:.2f}"
        return f"design {self.name}{noise}"

    def importance(self, model: ShallowViTCox, study: Study) -> tuple[Tensor, Tensor, Tensor]:
        """Return what pruning goes by, for the subjects of each part, (subject, token): their own
        importance, or the mean over the training subjects, the same for everybody.
        """
        if self.map_of == "population":
            over = token_importance(model, study.train).mean(dim=0)
            train, validation, test = (over.expand(len(part), -1) for part in study.parts)
        else:
            train, validation, test = (token_importance(model, part) for part in study.parts)
        return train, validation, test
