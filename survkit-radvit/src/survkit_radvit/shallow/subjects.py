"""Subjects of a generated study, and the three parts that it is divided into."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit_radvit.vit.kept_patches import chosen


@dataclass(frozen=True, slots=True)
class Subjects:
    """Tokens, the truth behind them, and what was observed.

    Attributes:
        tokens: Float32 (subject, token, dim).
        relevant: Which tokens the outcome depends on; bool (subject, token).
        log_hazard: True log relative hazard, float64 (subject).
        duration: Time of event or censoring, float64 (subject).
        observed: Whether the event was observed, bool (subject).
        places: Place of each token before any was dropped, int (subject, token); ``None`` where
            none was.
        kept: Which tokens are none of the padding, bool (subject, token); ``None`` likewise.
    """

    tokens: Tensor
    relevant: Tensor
    log_hazard: Tensor
    duration: Tensor
    observed: Tensor
    places: Tensor | None = None
    kept: Tensor | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def target(self) -> SurvivalTarget:
        """What was observed, as metrics take it."""
        return SurvivalTarget(self.duration, self.observed.long())

    def rows(self, rows: slice | Tensor) -> Subjects:
        """Return some of the subjects."""
        return Subjects(
            tokens=self.tokens[rows],
            relevant=self.relevant[rows],
            log_hazard=self.log_hazard[rows],
            duration=self.duration[rows],
            observed=self.observed[rows],
            places=None if self.places is None else self.places[rows],
            kept=None if self.kept is None else self.kept[rows],
        )

    def pruned(self, kept: Tensor) -> Subjects:
        """Return the same subjects without the tokens that are not kept; really without, padded to
        the subject with most of them.

        Args:
            kept: Bool (subject, token); for subjects that have all of their tokens.
        """
        places = chosen(kept)
        assert places.real is not None
        return replace(
            self,
            tokens=places.take(self.tokens),
            relevant=places.take(self.relevant) & places.real,
            places=places.index,
            kept=places.real,
        )


@dataclass(frozen=True, slots=True)
class Study:
    """A generated study.

    Attributes:
        train: Whom models are fitted on.
        validation: Who chooses the epoch.
        test: Who is reported; they choose nothing.
    """

    train: Subjects
    validation: Subjects
    test: Subjects

    @property
    def parts(self) -> tuple[Subjects, Subjects, Subjects]:
        """Training, validation and test subjects."""
        return self.train, self.validation, self.test

    def pruned(self, kept: tuple[Tensor, Tensor, Tensor]) -> Study:
        """Return the study without the tokens that are not kept, by part."""
        return Study(*(part.pruned(mask) for part, mask in zip(self.parts, kept, strict=True)))

    def check(self) -> None:
        """Refuse a study that cannot be fitted or measured.

        Raises:
            DataError: A part has fewer than two events.
        """
        for name in ("train", "validation", "test"):
            part: Subjects = getattr(self, name)
            if (events := int(part.observed.sum())) < 2:
                raise DataError(
                    f"the {name} subjects have {events} of {len(part)} events observed, but at "
                    "least 2 are needed; give more subjects or a smaller censored share"
                )
