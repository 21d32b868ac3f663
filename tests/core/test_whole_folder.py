"""Folders of results: whole or not there, and never in place of something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from survkit.errors import RunError
from survkit.whole_folder import check_replaceable, whole_folder


def written(place: Path, content: str) -> None:
    """Write results into a folder."""
    with whole_folder(place) as work:
        (work / "mark.json").write_text(content)


def check(place: Path, *, overwrite: bool) -> None:
    """Ask whether results may be written there."""
    names = ("mark.json", "[0-9]-*.svg")
    check_replaceable(place, mark="mark.json", written=names, kind="results", overwrite=overwrite)


def test_only_results_are_replaced_and_only_on_request(tmp_path: Path) -> None:
    """Whatever else is in the way stays, and so do results unless replacing them was asked."""
    place, thesis = tmp_path / "out", tmp_path / "thesis"
    thesis.mkdir()
    check(place, overwrite=False)
    check(thesis, overwrite=False)  # an empty folder is in nobody's way
    written(place, "first")
    (thesis / "chapter.tex").write_text("years")
    (tmp_path / "file").write_text("")

    with pytest.raises(RunError, match="something is there already; give --overwrite"):
        check(place, overwrite=False)
    for taken in (thesis, tmp_path / "file"):
        with pytest.raises(RunError, match="holds no results of survkit, so it is not overwritten"):
            check(taken, overwrite=True)
    check(place, overwrite=True)
    written(place, "second")
    assert (place / "mark.json").read_text() == "second"


@pytest.mark.parametrize("name", ["notes.txt", "best.svg", "mark.json.txt", ".hidden", "folder/x"])
def test_what_somebody_put_beside_results_is_never_replaced(tmp_path: Path, name: str) -> None:
    """The folder is refused and the file named; what results hold is no such file."""
    place = tmp_path / "out"
    written(place, "first")
    (place / "1-top.svg").write_text("of the results")
    check(place, overwrite=True)
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_text("mine")

    with pytest.raises(RunError, match=f"'{name.split('/')[0]}' is no part of the results there"):
        check(place, overwrite=True)


def test_a_failure_leaves_the_old_folder_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder itself may be the place: it has a neighbour too."""
    place = tmp_path / "out"
    written(place, "first")
    monkeypatch.chdir(place)

    for name in (place, Path()):
        with pytest.raises(ZeroDivisionError), whole_folder(name):
            1 / 0  # noqa: B018

    assert (place / "mark.json").read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where a folder should be."""
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(RunError, match="file/out: cannot be written"),
        whole_folder(tmp_path / "file" / "out"),
    ):
        pass
