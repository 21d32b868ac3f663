"""A model or an ensemble in memory saves and publishes itself; the Hub gives back its curves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.core.hub.test_push import published
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import COHORT, contents, save_small_ensemble, save_small_model

import survkit
from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import HubError

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)

SAVERS = {"model": save_small_model, "ensemble": save_small_ensemble}


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    (tmp_path / "patients.csv").write_text("id,a,b,c\np1,0.5,1,2\np2,1,0,-1\n")
    (tmp_path / "cohort.yaml").write_text(COHORT)
    return Cohort.read(tmp_path / "cohort.yaml", needs_outcome=False)


@pytest.mark.parametrize("kind", SAVERS)
def test_it_comes_back_as_it_was(kind: str, cohort: Cohort, tmp_path: Path, hub: Hub) -> None:
    """Save → push → load: equal bytes, equal curves, and the commit is known."""
    folder = SAVERS[kind](tmp_path / "model")
    fitted = survkit.from_pretrained(folder)
    fitted.save_pretrained(tmp_path / "again")
    origin = fitted.push_to_hub("org/name", private=False, message="mine")
    back = survkit.from_pretrained("org/name")

    assert contents(tmp_path / "again") == contents(folder)
    assert published(hub) == contents(folder)
    assert not hub.repositories["org/name"].private
    assert type(back) is type(fitted)
    assert back.source == origin
    one, two = (each.predict(cohort).survival([0.5, 1.0, 2.0]) for each in (fitted, back))
    assert torch.equal(one, two)


def test_an_ensemble_is_pushed_pulled_and_predicts_by_commands(
    cohort: Cohort, tmp_path: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands take its folder as they take a model's, with the metrics beside it."""
    folder = save_small_ensemble(tmp_path / "model")
    (folder / "metrics.json").write_text("{}")
    (folder / "log.csv").write_text("p1")
    assert main(["push", str(folder), "org/name"]) == 0
    assert main(["pull", "org/name", "--to", str(tmp_path / "carried")]) == 0
    assert main(["card", str(tmp_path / "carried"), "org/name", "--overwrite"]) == 0
    capsys.readouterr()
    lines = []
    for place in (folder, tmp_path / "carried", "org/name"):
        assert main(["predict", str(place), "--cohort", cohort.source]) == 0
        lines.append(capsys.readouterr().out)

    assert published(hub).keys() == {"config.json", "model.safetensors", "metrics.json"}
    assert lines[0].startswith("subject,risk_score,survival@2\np1,")
    assert lines[0] == lines[1] == lines[2]


def test_nothing_is_left_where_the_hub_refuses(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that a push is made from is a temporary one."""
    fitted = survkit.from_pretrained(save_small_model(tmp_path / "model"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    hub.create("org/open")

    with pytest.raises(HubError, match="is public"):
        fitted.push_to_hub("org/open")
    assert not any((tmp_path / "temporary").iterdir())
