"""How explanations are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from survkit.errors import ConfigError

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.registry import Registry


class ExplainOptions(TypedDict, total=False):
    """The keywords of :class:`ExplainSettings`, for signatures."""

    subjects: Sequence[str]
    count: int
    top: int
    mask_subjects: int
    overwrite: bool
    device: str
    cache: PreparationCache | None
    registry: Registry | None
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainSettings:
    """Keywords of :func:`survkit.explaining.explain_run`.

    Attributes:
        subjects: Who is shown; chosen by a rule where empty.
        count: How many the rule chooses.
        top: Slices (tokens) with most attention that are shown of each.
        mask_subjects: Of at most so many subjects the masks are compared with the attention, drawn
            at random where there are more; 0 for none. Their images are read anew.
        overwrite: Replace earlier explanations in the folder that was asked for.
        device: Where the networks run.
        cache: Where prepared images are kept.
        registry: Where component names are looked up.
        progress: Told how many subjects are done, and of how many.
    """

    subjects: Sequence[str] = ()
    count: int = 4
    top: int = 6
    mask_subjects: int = 100
    overwrite: bool = False
    device: str = "cpu"
    cache: PreparationCache | None = None
    registry: Registry | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("top", 1), ("mask_subjects", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be {least} or more, not {getattr(self, name)}")
        twice = {name for name in self.subjects if list(self.subjects).count(name) > 1}
        if twice:
            raise ConfigError(f"subjects: {', '.join(sorted(twice))} is asked for twice")

    def components(self) -> Registry:
        """Return the registry to use."""
        if self.registry is not None:
            return self.registry
        from survkit.plugins import default_registry

        return default_registry()
