"""What a run folder says about itself, as far as its files are there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from survkit.errors import RunError
from survkit.report.starts import read_starts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Facts beside the predictions.

    Attributes:
        recipe: Content of ``recipe.yaml``, empty where there is none.
        recipe_text: The file as it stands.
        cohort: Name of the cohort.
        choices: Content of ``choices.json`` as lines of name and value.
        left_out: Subjects of the table who are not in the cohort, from ``run.json``.
        starts: What training started from, where it was trained weights, in a sentence or one per
            fold.
        unknown_exposure: Whether nobody can tell which subjects those weights have seen.
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    recipe_text: str = ""
    cohort: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    unknown_exposure: bool = False

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model reads of the cohort."""
        return modalities_read(self.recipe)


def modalities_read(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the modalities that a stored recipe's encoders or a baseline's inputs read."""
    encoders, inputs = recipe.get("encoders"), recipe.get("inputs")
    if isinstance(encoders, Mapping) and encoders:
        read = [
            (one.get("modality") if isinstance(one, Mapping) else None) or name
            for name, one in encoders.items()
        ]
        return tuple(dict.fromkeys(map(str, read)))
    named = inputs if isinstance(inputs, list) else []
    return tuple(str(one["modality"] if isinstance(one, Mapping) else one) for one in named)


def read_run_facts(run: Path) -> RunFacts:
    """Read what is there; absent files are left out.

    Raises:
        RunError: A file is there and cannot be read.
    """
    text = _read(run / "recipe.yaml")
    recipe = _parse(run / "recipe.yaml", text, yaml.safe_load) if text else {}
    cohort_text = _read(run / "cohort.yaml")
    cohort = _parse(run / "cohort.yaml", cohort_text, yaml.safe_load) if cohort_text else {}
    choices_text = _read(run / "choices.json")
    choices = _parse(run / "choices.json", choices_text, json.loads) if choices_text else {}
    run_text = _read(run / "run.json")
    started = _parse(run / "run.json", run_text, json.loads) if run_text else {}
    for name, content in (
        ("recipe.yaml", recipe), ("cohort.yaml", cohort), ("choices.json", choices),
        ("run.json", started),
    ):  # fmt: skip
        if not isinstance(content, dict):
            raise RunError(
                f"{run / name}: damaged (it holds {type(content).__name__}, not keys and values), "
                "so the report cannot tell the protocol; run anew, or delete it"
            )
    splits = _read(run / "splits.json")
    if splits:
        _parse(run / "splits.json", splits, json.loads)
    return RunFacts(
        recipe=recipe,
        recipe_text=text,
        cohort=str(cohort.get("name", "")),
        choices=tuple(_lines(choices)),
        left_out=tuple(started.get("left_out", ())),
        starts=read_starts(run),
        unknown_exposure="unknown_exposure" in (started.get("init") or {}),
    )


def versions() -> str:
    """Return the versions that made the page."""
    found = []
    for name in ("survkit-core", "torch", "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # a checkout on the path, not installed
            continue
    return ", ".join(found)


def _read(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, text: str, parse: Any) -> Any:
    try:
        return parse(text)
    except (ValueError, yaml.YAMLError) as error:
        line = " ".join(str(error).split())
        raise RunError(
            f"{path}: damaged, so the report cannot tell the protocol: {line}"
        ) from error


def _lines(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Flatten nested mappings and lists to dotted names and values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{name} {key}".strip())
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, inner in enumerate(value):
            yield from _lines(inner, f"{name} {number}".strip())
    elif name:
        yield (
            name,
            ", ".join(str(item) for item in value) if isinstance(value, list) else str(value),
        )
