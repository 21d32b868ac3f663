"""Whom a model has seen in training, itself or through the model that it started from.

A model that starts from such weights knows those subjects too. Testing it on one of them is
leakage, however many trainings lie between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from survkit.atomic_write import write_bytes
from survkit.data import Cohort
from survkit.errors import RunError
from survkit.transfer.source_model import SourceModel, read_json

INITIAL_FILE = "initial.json"
"""Beside a model that started from another: whom that one had seen."""
FORMAT = "survkit-initial/1"


@dataclass(frozen=True, slots=True)
class Exposure:
    """Subjects of one cohort whom weights were fitted or chosen on.

    Attributes:
        cohort: Name of the cohort.
        fingerprint: Of the cohort; empty where it is not known.
        subjects: Training and validation subjects; ``None`` where they are not known.
        groups: What those subjects belong to, such as the patients of images; ``None`` where the
            cohort names none, so that a subject is a patient.
    """

    cohort: str
    fingerprint: str
    subjects: frozenset[str] | None
    groups: frozenset[str] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain texts and lists."""
        subjects = None if self.subjects is None else sorted(self.subjects)
        content = {"cohort": self.cohort, "fingerprint": self.fingerprint, "subjects": subjects}
        return content if self.groups is None else content | {"groups": sorted(self.groups)}

    def same(self, cohort: Cohort) -> bool:
        """Whether it is this cohort, by name or content."""
        if self.cohort == cohort.name:
            return True
        return bool(self.fingerprint) and self.fingerprint == cohort.fingerprint()

    def seen(self, cohort: Cohort, names: Iterable[str]) -> set[str]:
        """Return those of a cohort's subjects whom the weights know, or whose patient they do."""
        subjects = self.subjects or frozenset()
        patients = subjects if self.groups is None else self.groups
        own = dict(zip(cohort.subjects, cohort.group or cohort.subjects, strict=True))
        return {name for name in names if name in subjects or own.get(name, name) in patients}


def exposures_of(source: SourceModel) -> tuple[Exposure, ...]:
    """Return whom the model has seen, the models before it included.

    Raises:
        RunError: Its ``config.json`` does not say of which cohort it is as survkit says it.
    """
    cohort, earlier = _recorded(source)
    if source.revision is not None:
        return tuple(Exposure(name, "", None) for name in (cohort, *earlier))
    before = read_exposures(source.folder)
    if not before:  # a model folder without its run
        before = [Exposure(name, "", None) for name in earlier]
    return (_own(source, cohort), *before)


def _recorded(source: SourceModel) -> tuple[str, list[str]]:
    """Return the names of the model's cohort and of those before; empty where it tells none."""
    training = source.config.get("training", {})
    initial = training.get("init") if isinstance(training, dict) else None
    cohort = training.get("cohort", "") if isinstance(training, dict) else None
    earlier = initial.get("cohorts") if isinstance(initial, dict) else initial or []
    names = [cohort, *earlier] if isinstance(earlier, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise RunError(
            f"{source.name}: its config.json does not say of which cohorts it is as a model of "
            "survkit does; get the model anew"
        )
    return cast(str, cohort), cast(list[str], earlier)


def _own(source: SourceModel, cohort: str) -> Exposure:
    run_file = source.run / "run.json"
    facts = read_json(run_file) if run_file.is_file() else {}
    fingerprint, groups = str(facts.get("cohort", "")), facts.get("groups")
    if source.splits is None:
        return Exposure(cohort, "", None)
    folds = source.splits.folds
    numbers = [int(number) for number in re.findall(r"\d+", source.folder.name)]
    if source.run != source.folder:  # fold-3, or fold-1-3 where there are repeats
        repeat, fold = (0, *numbers) if len(numbers) == 1 else numbers
        folds = tuple(one for one in folds if (one.repeat, one.fold) == (repeat, fold))
    seen = frozenset(name for one in folds for name in (*one.train, *one.validation))
    owners = None if groups is None else frozenset(groups[name] for name in seen)
    return Exposure(cohort, fingerprint, seen, owners)


def write_exposures(exposures: Iterable[Exposure], folder: Path) -> None:
    """Write whom the model had seen before its own training, for models that start from it."""
    content = {"format": FORMAT, "exposures": [one.to_json() for one in exposures]}
    write_bytes(folder / INITIAL_FILE, (json.dumps(content, indent=1) + "\n").encode())


def read_exposures(folder: Path) -> list[Exposure]:
    """Return whom a model had seen before its own training, as its folder says."""
    path = folder / INITIAL_FILE
    if not path.is_file():
        return []
    return [
        Exposure(
            one["cohort"],
            one["fingerprint"],
            None if one["subjects"] is None else frozenset(one["subjects"]),
            None if one.get("groups") is None else frozenset(one["groups"]),
        )
        for one in read_json(path)["exposures"]
    ]


def seen_among(exposures: Iterable[Exposure], cohort: Cohort, subjects: Collection[str]) -> int:
    """Return how many subjects of the same cohort the weights are known to have seen."""
    seen: set[str] = set()
    for one in exposures:
        if one.same(cohort):
            seen |= one.seen(cohort, subjects)
    return len(seen)


def unknown_cohorts(exposures: Iterable[Exposure]) -> tuple[str, ...]:
    """Return the cohorts of which nobody can tell which subjects the weights have seen."""
    return tuple(dict.fromkeys(one.cohort for one in exposures if one.subjects is None))
