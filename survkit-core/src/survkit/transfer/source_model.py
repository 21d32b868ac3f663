"""Which trained model is meant: a model, here or on the Hub, or a fold of a cross-validation."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.data import Splits
from survkit.errors import RunError, UserError
from survkit.hub.address import is_on_hub
from survkit.hub.load import read_config, refuse_ensemble
from survkit.hub.origin import Origin, read_origin
from survkit.transfer.hub_source import HubSource, Source

_FOLD = re.compile(r"(?P<run>.+):(?P<fold>fold-\d+(?:-\d+)?)")
SPLITS_FILE, TRAINING_FILE, MODEL_FILE = "splits.json", "training.json", "config.json"


@dataclass(frozen=True, slots=True)
class SourceModel:
    """A model folder.

    Attributes:
        folder: Where it lies.
        name: What it is called in reports: the folder's own name, with the fold where there is one;
            repository and commit of a model on the Hub.
        sha256: Of its weights, as its ``config.json`` states; checked when they are read.
        splits: Who trained it; ``None`` where no such file belongs to it.
        origin: Which commit on the Hub it was fetched from; ``None`` if it was not.
        revision: What was asked of the Hub; ``None`` where a folder was given. In the Hub's cache
            no file beside ``config.json`` and the weights was checked, so none is believed.
    """

    folder: Path
    name: str
    sha256: str
    splits: Splits | None
    origin: Origin | None = None
    revision: str | None = None

    @property
    def config(self) -> dict[str, Any]:
        """Content of ``config.json``."""
        return read_config(self.folder / MODEL_FILE)

    @property
    def hub(self) -> dict[str, str]:
        """Repository and commit, and the revision that was asked; empty if it is of no Hub."""
        if self.origin is None:
            return {}
        commit = {"repository": self.origin.repository, "commit": self.origin.commit}
        return commit if self.revision is None else commit | {"revision": self.revision}

    @property
    def run(self) -> Path:
        """The folder of ``run.json``: that of the fold's run, or the model's own."""
        fold = re.fullmatch(r"fold-\d+(-\d+)?", self.folder.name)
        return self.folder.parent if fold else self.folder


def find_sources(
    place: Source, splits: Splits | None, names: Sequence[str]
) -> tuple[SourceModel, ...]:
    """Return the model that each training starts from.

    A cross-validation has one per fold. Where its folds are those of the new run, each fold starts
    from its own; else all start from the fold with the best validation score, which no test subject
    has chosen.

    Args:
        place: A model folder, a run folder, ``RUN:fold-3``, or a model on the Hub that was fetched.
        splits: Of the new run; ``None`` where nobody is tested.
        names: Folder names of the new run's folds, in their order; one where there is none.

    Raises:
        RunError: There is no such model, or the run has not finished.
    """
    if isinstance(place, HubSource):
        return (_published(place),) * len(names)
    path, text = Path(place), str(place)
    named = _FOLD.fullmatch(text)
    if named and not path.exists():
        if is_on_hub(named["run"]):
            raise RunError(
                f"{text}: no such run is here, and a repository on the Hub holds one model and no "
                f"folds; give {named['run']}"
            )
        one = _model(Path(named["run"]) / named["fold"])
        return (one,) * len(names)
    if not path.is_dir():
        raise RunError(f"{path}: there is no model or run to start from")
    if (path / MODEL_FILE).is_file():
        return (_model(path),) * len(names)
    own = read_splits(path)
    if own is None:
        raise RunError(
            f"{path}: neither a model nor a run of survkit cv; give the folder of either, or of "
            "one fold as RUN:fold-3"
        )
    if splits is not None and own.sha256 == splits.sha256:
        return tuple(_model(path / name) for name in names)
    return (_best(path),) * len(names)


def read_splits(folder: Path) -> Splits | None:
    """Read the splits file of a run; ``None`` where there is none.

    Raises:
        DataError: It was changed since it was written.
    """
    path = folder / SPLITS_FILE
    if not path.is_file():
        return None
    content = read_json(path)
    try:
        return _splits(path, content)
    except UserError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(
            f"{path}: damaged ({type(error).__name__}: {error}), so whom the model has seen is "
            "unknown"
        ) from error


def _splits(path: Path, content: dict[str, Any]) -> Splits:
    everyone = {
        name
        for fold in content["folds"]
        for part in ("train", "validation", "test")
        for name in fold.get(part, [])
    }
    if not any(fold.get("test") for fold in content["folds"]):  # of survkit fit
        return _untested(path, content)
    return Splits.read(path, subjects=sorted(everyone))


def _untested(path: Path, content: dict[str, Any]) -> Splits:
    """Read the splits of ``survkit fit``, which tests nobody."""
    from survkit.data.splits import Fold

    folds = tuple(
        Fold(entry["repeat"], entry["fold"], tuple(entry["train"]), tuple(entry["validation"]), ())
        for entry in content["folds"]
    )
    found = Splits(str(content["cohort"]), dict(content["settings"]), folds)
    if content.get("sha256") != found.sha256:
        raise RunError(f"{path}: changed since it was written, so who trained the model is unknown")
    return found


def _model(folder: Path) -> SourceModel:
    if not (folder / MODEL_FILE).is_file():
        raise RunError(
            f"{folder}: no {MODEL_FILE} is there; start from a model, or from a run of survkit cv "
            "that has finished and trains networks"
        )
    config = read_config(folder / MODEL_FILE)
    refuse_ensemble(config, folder)
    training = config.get("training")
    stated = training.get("splits_sha256") if isinstance(training, dict) else None
    is_fold = re.fullmatch(r"fold-\d+(-\d+)?", folder.name) is not None
    splits = read_splits(folder.parent if is_fold else folder)
    if splits is not None and splits.sha256 != stated:  # lies beside a run that it is not of
        splits = None
    if splits is not None and is_fold and isinstance(training, dict):
        _refuse_other_fold(folder, training.get("seed"))
    resolved = folder.resolve()
    name = f"{resolved.parent.name}:{folder.name}" if is_fold else resolved.name
    sha256 = str(config.get("weights_sha256"))
    return SourceModel(folder, name, sha256, splits, origin=read_origin(folder, sha256))


def _refuse_other_fold(folder: Path, seed: object) -> None:
    """Refuse a model that was put into the folder of another fold: whom it has seen is told by that
    folder's name.
    """
    place = [*_numbers(folder)]
    if not isinstance(seed, list) or seed[1:] != ([0, *place] if len(place) == 1 else place):
        raise RunError(
            f"{folder}: holds the model of another fold, so whom it has seen is not told by the "
            "folder's name; put it back into its own, or start from another model"
        )


def _published(source: HubSource) -> SourceModel:
    """Return a model in the Hub's cache."""
    config = read_config(source.folder / MODEL_FILE)
    refuse_ensemble(config, source.folder)
    sha256 = str(config.get("weights_sha256"))
    name, origin = str(source.origin), source.origin
    return SourceModel(source.folder, name, sha256, None, origin=origin, revision=source.revision)


def _best(run: Path) -> SourceModel:
    """Return the fold whose model predicted its validation part best; the first of equal ones."""
    found = []
    for folder in sorted(run.glob("fold-*"), key=_numbers):
        model = _model(folder)
        facts = read_json(folder / TRAINING_FILE)
        if facts.get("score") is None:
            raise RunError(
                f"{run}: its folds had no validation part, so none is the best; name one, such as "
                f"{run}:{folder.name}"
            )
        sign = -1.0 if facts["monitor"] == "loss" else 1.0
        found.append((sign * float(facts["score"]), model))
    if not found:
        raise RunError(f"{run}: the run has no fold with a model; start from one that has finished")
    return max(found, key=lambda pair: pair[0])[1]


def _numbers(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.name))


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a file of a run.

    Raises:
        RunError: It is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged (it holds no keys and values)")
    return content
