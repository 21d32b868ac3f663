"""Whom a model has seen in training, itself or through the model that it started from.

A model that starts from such weights knows those subjects too. Testing it on one of them is
leakage, however many trainings lie between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.data import Cohort
from survkit.errors import DataError
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

    def seen(self, cohort: Cohort, names: Iterable[str]) -> set[str]:
        """Return those of a cohort's subjects whom the weights know, or whose patient they do."""
        subjects = self.subjects or frozenset()
        patients = subjects if self.groups is None else self.groups
        own = dict(zip(cohort.subjects, cohort.group or cohort.subjects, strict=True))
        return {name for name in names if name in subjects or own.get(name, name) in patients}


def exposures_of(source: SourceModel) -> tuple[Exposure, ...]:
    """Return whom the model has seen, the models before it included."""
    training: Mapping[str, Any] = source.config.get("training", {})
    before = _read(source.folder / INITIAL_FILE)
    if not before and (initial := training.get("init")):  # a model folder without its run
        before = [Exposure(name, "", None) for name in initial["cohorts"]]
    return (_own(source, str(training.get("cohort", ""))), *before)


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


def _read(path: Path) -> list[Exposure]:
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


def refuse_seen(
    exposures: Sequence[Exposure],
    cohort: Cohort,
    test: Collection[str],
    *,
    source: SourceModel,
    where: str,
    others: bool,
) -> None:
    """Refuse to test subjects whom the weights have seen.

    Args:
        exposures: Of the source.
        cohort: That is tested on.
        test: Its test subjects.
        source: For the message.
        where: The fold.
        others: The user says that subjects of another cohort who are numbered alike are others;
            never believed of a cohort of the same name or content.

    Raises:
        DataError: With the number of subjects, or because it cannot be told.
    """
    if not test:
        return
    fingerprint = cohort.fingerprint()
    for one in exposures:
        same = one.cohort == cohort.name or one.fingerprint == fingerprint
        if one.subjects is None:
            if same:
                raise DataError(
                    f"{where}: {source.name} was trained on a cohort named '{one.cohort}', as is "
                    "the one tested here, and no list of its training subjects lies beside it, so "
                    "nobody can tell whom it has seen; start from the run folder that it came from"
                )
            continue
        seen = len(one.seen(cohort, test))
        if seen and (same or not others):
            cure = (
                "start from a run of the same splits (each fold then starts from its own), from "
                "other weights, or test other subjects"
                if same
                else f"if the subjects of '{one.cohort}' and '{cohort.name}' are different people "
                "who are numbered alike, say so with --different-subjects"
            )
            raise DataError(
                f"{where}: {seen} of the {len(test)} test subjects are among those that "
                f"{source.name} was trained on (cohort '{one.cohort}'); {cure}"
            )


def seen_among(exposures: Iterable[Exposure], cohort: Cohort, subjects: Collection[str]) -> int:
    """Return how many subjects of the same cohort the weights are known to have seen."""
    fingerprint = cohort.fingerprint()
    seen: set[str] = set()
    for one in exposures:
        if one.cohort == cohort.name or one.fingerprint == fingerprint:
            seen |= one.seen(cohort, subjects)
    return len(seen)
