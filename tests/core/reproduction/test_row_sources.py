"""Rows that start from a model on the Hub start from one commit of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import contents, save_small_model

from survkit.errors import ConfigError, RunError
from survkit.reproduction.row_sources import check_sources, find_row_sources
from survkit.transfer import HubSource


def test_a_row_that_is_added_starts_from_the_commit_of_the_others(
    hub: Hub,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Also after the branch has moved; another revision is what it says."""
    hub.create("org/old")
    first = hub.commit("org/old", contents(save_small_model(tmp_path / "model")))
    asked = {"lung1": "org/old"}
    found = find_row_sources(asked, {}, ())["lung1"]
    row = tmp_path / "rows/linear"
    row.mkdir(parents=True)
    known = {"repository": "org/old", "commit": first, "revision": "main"}
    (row / "run.json").write_text(json.dumps({"init": {"hub": known}}))
    second = hub.commit("org/old", contents(save_small_model(tmp_path / "other", seed=1)))

    def commit(revisions: dict[str, str], *rows: Path) -> str:
        source = find_row_sources(asked, revisions, rows)["lung1"]
        assert isinstance(source, HubSource)
        return source.origin.commit

    assert isinstance(found, HubSource)
    assert (found.origin.commit, found.revision) == (first, "main")
    assert commit({}) == second
    assert commit({}, tmp_path / "none", row) == first
    assert commit({"lung1": first}, row) == first
    assert commit({"lung1": second}, row) == second
    (row / "run.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        commit({}, row)
    assert find_row_sources({"lung1": tmp_path}, {}, (row,)) == {"lung1": tmp_path}


def test_a_revision_belongs_to_weights() -> None:
    """It names weights that are given."""
    with pytest.raises(ConfigError, match="--init-revision names 'lung1', but --init-from does"):
        check_sources((), {}, {"lung1": "v1"})
