"""What is published names no site, unless it is asked for; all other numbers stay."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.core.hub.measured import evaluation, final_model
from tests.hub_server.leaks import check_nothing_local, published
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import contents, rewrite_config, save_small_ensemble

from survkit.cli import main
from survkit.errors import RunError
from survkit.evaluation.metric_names import HARRELL, ICI
from survkit.hub import pull, push_to_hub, write_card
from survkit.hub.published_metrics import check_levels, site_names, without_sites

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)
SITE = "Saint-Secret"


def levels(*names: str) -> Any:
    """Return a change that gives the model a column of such levels."""
    return lambda config: config["inputs"]["rna"].update(
        kind="table", columns=[{"name": "hospital", "levels": list(names)}]
    )


def test_no_byte_that_is_sent_names_a_site(tmp_path: Path, hub: Hub) -> None:
    """Neither the file nor the card made of it; the folder is as it was."""
    folder = final_model(tmp_path / "model", "refit")
    before = contents(folder)
    assert SITE.encode() in before["metrics.json"]
    push_to_hub(folder, "org/name")

    check_nothing_local(hub, SITE)
    assert contents(folder) == before


def test_all_else_of_the_evaluation_is_published(tmp_path: Path, hub: Hub) -> None:
    """The file says how many sites there were; nothing else differs."""
    found = evaluation() | {"sites": [SITE, "Mercy"]}
    push_to_hub(final_model(tmp_path / "model", "ensemble", found), "org/name")
    sent = json.loads(published(hub, "org/name")["metrics.json"])

    assert sent.pop("sites_left_out")["sites"] == 2
    expected = deepcopy(found) | {"sites": []}
    for metric in (HARRELL, ICI):
        expected["causes"]["death"]["metrics"][metric]["sites"] = {}
    assert sent == expected


def test_the_card_of_what_was_fetched_has_the_same_numbers(tmp_path: Path, hub: Hub) -> None:
    """Pooled numbers are read from the published file as from that of the folder."""
    folder = final_model(tmp_path / "model", "refit")
    push_to_hub(folder, "org/name")
    pull("org/name", tmp_path / "carried")

    own = write_card(folder, "org/name").read_bytes()
    assert write_card(tmp_path / "carried", "org/name", overwrite=True).read_bytes() == own


def test_sites_are_published_where_that_is_asked_for(tmp_path: Path, hub: Hub) -> None:
    """Byte for byte the file of the folder."""
    folder = final_model(tmp_path / "model", "refit")
    assert main(["push", str(folder), "org/name", "--with-sites"]) == 0

    assert published(hub, "org/name")["metrics.json"] == (folder / "metrics.json").read_bytes()


def test_a_cause_may_be_called_sites() -> None:
    """Of a cause of that name the numbers stay, and so does its truth."""
    found = evaluation()
    found["causes"] = {"sites": found["causes"]["death"]}
    found["oracle"] = {"sites": {HARRELL: 1}}
    sent = json.loads(without_sites(found) or b"")

    assert sent["causes"]["sites"]["metrics"][HARRELL]["pooled"]["value"] == 0.625
    assert sent["oracle"] == found["oracle"]
    assert site_names(found) == {SITE}
    assert site_names(sent) == set()


def test_an_evaluation_without_sites_stays_as_it_is(tmp_path: Path, hub: Hub) -> None:
    """Byte for byte, as one whose sites were left out before does."""
    found = json.loads(without_sites(evaluation()) or b"")
    folder = final_model(tmp_path / "model", "refit", found)
    push_to_hub(folder, "org/name")

    assert published(hub, "org/name")["metrics.json"] == (folder / "metrics.json").read_bytes()


@pytest.mark.parametrize("ensemble", [False, True])
def test_levels_that_are_sites_are_refused(tmp_path: Path, hub: Hub, ensemble: bool) -> None:
    """A model that reads the hospital needs its names, and would publish them."""
    folder = (
        save_small_ensemble(tmp_path / "e") if ensemble else final_model(tmp_path / "m", "refit")
    )
    rewrite_config(
        folder, lambda config: levels(SITE, "Mercy")(config["models"][2] if ensemble else config)
    )
    config = json.loads((folder / "config.json").read_text())

    with pytest.raises(RunError, match="column 'hospital' hold 1 names of sites"):
        check_levels(config, {SITE, "7"})
    check_levels(config, {"Elsewhere"})


def test_numbers_are_no_names(tmp_path: Path) -> None:
    """A stage is 1 to 4, as sites may be."""
    folder = final_model(tmp_path / "model", "refit")
    rewrite_config(folder, levels("1", "2"))

    check_levels(json.loads((folder / "config.json").read_text()), {"1", "2", SITE})
