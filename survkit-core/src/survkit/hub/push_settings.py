"""How a model is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings:
    """How a model is published.

    Attributes:
        private: Whether only those with a right to it may see it. A repository that is there
            already must be as is said here.
        revision: Branch; made from ``main`` where it is not there yet.
        token: Instead of that of ``HF_TOKEN`` or of ``hf auth login``.
        message: Of the commit.
    """

    private: bool = True
    revision: str | None = None
    token: str | None = None
    message: str = "A model of survkit"


class PushOptions(TypedDict, total=False):
    """The same as keywords: of :func:`survkit.push_to_hub`, and of models that push themselves."""

    private: bool
    revision: str | None
    token: str | None
    message: str
