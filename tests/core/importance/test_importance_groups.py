"""Whose features are exchanged, and with whose: named groups, whole vectors, tiles, causes."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tests.core.importance.measured import COLUMNS, REPEATS, by_name, measured

from survkit.data import Splits
from survkit.evaluation import Predictions
from survkit.registry import Registry


def test_named_groups_of_patches_and_who_lacks_them(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """The encoder's groups are asked; the one that it does not read costs exactly nothing."""
    content = by_name(measured(made, registry, tmp_path / "out", "patches"))
    size, texture = content["patches: size"], content["patches: texture"]

    assert set(content) == {f"blood: {c}" for c in COLUMNS} | {"patches: size", "patches: texture"}
    assert size["source"] == "encoder"
    assert size["moved"] == 100
    assert size["importance"]["value"] > 0
    assert texture["importance"]["value"] == texture["ablation"]["value"] == 0
    assert texture["gradient"]["value"] == 0
    assert size["gradient"]["value"] > 0


def test_only_test_subjects_who_have_it_are_exchanged(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """What the encoder sees of a group is, fold by fold, what the fold's test subjects have, each
    once, all patches of a subject together; the other group stays where it was.
    """
    seen = importlib.import_module("parts_of_patches").SEEN
    seen.clear()
    measured(made, registry, tmp_path / "out", "patches", repeats=1, replicates=0)
    table = Predictions.read(made / "patches/predictions.parquet")
    frame = pd.read_csv(made / "patches.csv").set_index("id").astype(np.float32)
    size, texture = slice(0, 2), slice(2, 4)
    passes = torch.cat(seen).numpy()
    for fold in (0, 1):
        own = [name for name in table.subject[table.fold == fold] if name in frame.index]
        held = frame.loc[own].to_numpy().reshape(len(own), 3, 4)
        one, passes = passes[: 5 * len(own)], passes[5 * len(own) :]
        clean, *changed, last = one.reshape(5, len(own), 3, 4)
        permuted, ablated, other, _ = *changed, last  # size, size, texture, texture
        gradient, passes = passes[: len(own)], passes[len(own) :]

        for each in (clean, gradient):
            assert np.array_equal(each, held)
        for after, moved, kept in ((permuted, size, texture), (other, texture, size)):
            assert np.array_equal(after[..., kept], held[..., kept])
            assert bags(after[..., moved]) == bags(held[..., moved])
            assert not np.array_equal(after[..., moved], held[..., moved])
        assert np.array_equal(ablated[..., texture], held[..., texture])
        assert len(np.unique(ablated[..., size].reshape(-1, 2), axis=0)) == 1
    assert len(passes) == 0


def bags(values: np.ndarray) -> Counter[bytes]:
    """Count the blocks of subjects, whatever their order."""
    return Counter(block.tobytes() for block in values)


def test_the_reference_is_of_training_subjects(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """Ablated patches are the mean over the fold's training subjects, not over its test ones."""
    seen = importlib.import_module("parts_of_patches").SEEN
    seen.clear()
    measured(made, registry, tmp_path / "out", "patches", repeats=1, replicates=0)
    frame = pd.read_csv(made / "patches.csv").set_index("id")
    names = tuple(pd.read_csv(made / "patients.csv")["id"])
    splits = Splits.read(made / "patches/splits.json", subjects=names)
    stacked = torch.cat(seen).numpy()
    for fold in splits.folds:
        held = frame.loc[[name for name in fold.train if name in frame.index]].to_numpy()
        mean = held.reshape(-1, 4).mean(axis=0)[:2]

        assert any(np.allclose(each[..., :2], mean, atol=1e-6) for each in stacked)


def test_whole_vectors_move_as_one(made: Path, registry: Registry, tmp_path: Path) -> None:
    """Without names a vector is one group, of two networks; columns of its file make groups, and
    what is in none is one more.
    """
    whole = by_name(measured(made, registry, tmp_path / "whole", "vector", replicates=0))
    groups = {"first": ["p0", "p4", "p8"], "lab": ["blood.crp", "ldh"], "ends": ["u", "w"]}
    parts = by_name(
        measured(made, registry, tmp_path / "parts", "vector", replicates=0, groups=groups)
    )

    assert whole["patches"]["source"] == "vector"
    assert whole["patches"]["moved"] == 100
    assert set(parts) == {
        "blood: lab", "blood: psa", "patches: first", "patches: other columns",
        "tiles: ends", "tiles: other columns",
    }  # fmt: skip
    assert parts["patches: first"]["columns"] == ["p0", "p4", "p8"]
    assert parts["patches: other columns"]["positions"] == 9
    assert parts["blood: psa"]["repeats"] == whole["blood: psa"]["repeats"]
    for modality, own in (("patches", "first"), ("tiles", "ends")):
        halves = (parts[f"{modality}: {name}"] for name in (own, "other columns"))
        shares = sum(half["gradient"]["value"] for half in halves)
        assert shares == pytest.approx(whole[modality]["gradient"]["value"])


def test_tiles_of_different_numbers_move_whole_or_not_at_all(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """Columns of three tiles cannot be put beside those of two; whole bags can be exchanged."""
    whole = by_name(measured(made, registry, tmp_path / "whole", "vector", replicates=0))
    groups = {"ends": ["u", "w"]}
    parts = by_name(
        measured(made, registry, tmp_path / "parts", "vector", replicates=0, groups=groups)
    )["tiles: ends"]

    assert whole["tiles"]["moved"] == 120
    assert len(set(whole["tiles"]["repeats"])) == REPEATS
    assert "differ in how many tokens" in parts["importance"]["reason"]
    assert parts["repeats"] == []
    assert parts["repeat_sd"] is None
    assert "value" in parts["ablation"]
