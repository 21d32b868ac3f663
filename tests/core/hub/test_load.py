"""Loading is strict: every tensor has its place, and every place its tensor."""

from __future__ import annotations

import json
import weakref
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tests.hub_server.small_model import rewrite, save_small_model

from survkit.data import Cohort, SubjectStore
from survkit.errors import RunError
from survkit.flow import ModalityInput
from survkit.hub import from_pretrained, load_model, save_pretrained
from survkit.hub.average_prediction import AveragePrediction
from survkit.prediction import GridPrediction


def test_precision_and_values_survive(model_folder: Path) -> None:
    """Every tensor comes back with the same bits, in the same precision."""
    stored = load_file(model_folder / "model.safetensors")
    loaded = from_pretrained(model_folder).members[0].state_dict()

    assert {f"members.0.{name}" for name in loaded} == set(stored)
    for name, value in loaded.items():
        assert value.dtype == stored[f"members.0.{name}"].dtype
        assert torch.equal(value, stored[f"members.0.{name}"])


def test_every_misfit_is_listed(model_folder: Path) -> None:
    """Missing, unexpected and mis-shaped tensors are all named in one error."""
    names = [name for name in load_file(model_folder / "model.safetensors") if "head" in name]
    gone, bent = names[0], names[1]

    def change(tensors: dict[str, torch.Tensor]) -> None:
        del tensors[gone]
        tensors[bent] = torch.zeros(7, 7, 7)
        tensors["members.0.head.surplus"] = torch.zeros(1)

    rewrite(model_folder, change)
    with pytest.raises(RunError) as caught:
        from_pretrained(model_folder)
    for name in (gone, bent, "members.0.head.surplus"):
        assert name.removeprefix("members.0.") in str(caught.value)


def test_tensors_of_no_member_are_refused(model_folder: Path) -> None:
    """A second network in the file that the configuration does not know is not ignored."""
    rewrite(model_folder, lambda tensors: tensors.update({"members.1.x": torch.zeros(1)}))

    with pytest.raises(RunError, match=r"no part of the model is named members\.1\.x"):
        from_pretrained(model_folder)


def test_a_newer_api_says_what_to_install(model_folder: Path) -> None:
    """Versions are compared as versions: 0.10 is newer than 0.9."""
    config = json.loads((model_folder / "config.json").read_text())
    (model_folder / "config.json").write_text(json.dumps(config | {"api_version": "99.10"}))

    with pytest.raises(RunError, match="pip install --upgrade survkit-core"):
        from_pretrained(model_folder)


def test_a_model_is_not_overwritten(model_folder: Path) -> None:
    """Saving over a model needs a word."""
    fitted = from_pretrained(model_folder)

    with pytest.raises(RunError, match="a model is there already"):
        save_pretrained(fitted, model_folder)
    save_pretrained(fitted, model_folder, overwrite=True)


def test_loading_leaves_the_random_state(model_folder: Path) -> None:
    """A library call must not shift the caller's random numbers."""
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    from_pretrained(model_folder)

    assert torch.equal(torch.rand(2), expected)


def test_average_is_a_prediction() -> None:
    """Mean incidences and survival still add up to one, known as long as every member is."""
    grid = torch.tensor([1.0, 2.0]).double()
    one, two = (
        GridPrediction(grid[:end], torch.tensor(values).double()[None, :, :end], "linear")
        for end, values in ((2, [[0.2, 0.4], [0.1, 0.2]]), (1, [[0.4, 0.0], [0.3, 0.0]]))
    )
    average = AveragePrediction([one, two])

    assert (average.last_time, average.causes) == (1.0, 2)
    incidence = average.cumulative_incidence([1.0])
    torch.testing.assert_close(incidence, torch.tensor([[[0.3], [0.2]]]).double())
    torch.testing.assert_close(
        incidence.sum(1) + average.survival([1.0]), torch.ones(1, 1).double()
    )
    torch.testing.assert_close(average.risk_score(1.0, 2), torch.tensor([0.2]).double())


def test_what_was_predicted_from_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many subjects there are, the inputs of few are in memory at a time."""
    table = pd.DataFrame({"id": [f"s{k}" for k in range(20)], "days": 5, "event": 1})
    table.to_csv(tmp_path / "table.csv", index=False)
    side = pd.DataFrame({"id": table["id"], "a": range(20), "b": 1.0, "c": 2.0})
    side.to_csv(tmp_path / "rna.csv", index=False)
    (tmp_path / "cohort.yaml").write_text(
        "name: many\ntable: table.csv\nsubject: id\n"
        "outcome: {duration: days, unit: days, event: event, causes: {1: death}}\n"
        "modalities: {rna: {kind: vector, file: rna.csv}}\n"
    )
    given: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []
    read = SubjectStore.inputs

    def inputs(store: SubjectStore, rows: Sequence[int]) -> dict[str, ModalityInput]:
        alive.append(sum(one() is not None for one in given))
        found = read(store, rows)
        given.append(weakref.ref(found["rna"].values))
        return found

    monkeypatch.setattr(SubjectStore, "inputs", inputs)
    cohort = Cohort.read(tmp_path / "cohort.yaml")
    model = load_model(save_small_model(tmp_path / "model"))

    assert model.predict(cohort, micro_batch=4).survival([1.0]).shape == (20, 1)
    assert len(alive) == 5
    assert max(alive) <= 1
