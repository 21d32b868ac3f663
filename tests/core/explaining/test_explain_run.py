"""From runs and models to pictures and ``explain.json``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, RunError
from survkit.evaluation import Predictions
from survkit.explaining import explain_run
from survkit.explaining.anything_to_show import anything_to_show
from survkit.explaining.subject_figure import LIMIT
from survkit.hub import from_pretrained
from survkit.registry import Registry
from survkit.report import write_report
from survkit.report.explain_section import explain_section
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.token_weights import read_token_weights


@pytest.fixture(scope="module")
def cohort(made: Path) -> Cohort:
    return Cohort.read(made / "phantom" / "cohort.yaml")


@pytest.fixture(scope="module")
def explained(
    made: Path, cohort: Cohort, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the run of slices, explained; its content is in explain.json."""
    run = Path(shutil.copytree(made / "slices", tmp_path_factory.mktemp("explained") / "run"))
    told: list[tuple[int, int]] = []
    explain_run(run, cohort, registry=registry, progress=lambda *steps: told.append(steps))
    assert told[-1][0] == told[-1][1] == 4 + 36
    return run


@pytest.fixture(scope="module")
def content(explained: Path) -> dict[str, Any]:
    return dict(json.loads((explained / "explain/explain.json").read_text()))


def test_the_weights_are_those_that_the_run_kept(explained: Path, content: dict[str, Any]) -> None:
    """What is drawn now is what cross-validation wrote: mean of members, real slices, sum one."""
    kept = {row.subject: row for row in read_token_weights(explained)["ct"].rows}
    frame = pd.concat(map(pd.read_parquet, explained.glob("fold-*/token_attention.parquet")))

    assert len(kept) == 36
    assert set(frame["modality"]) == {"ct"}
    sums = frame.groupby("subject")["weight"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    assert len(frame.groupby("subject").size().unique()) > 1, "numbers of slices should vary"
    for subject in content["subjects"]:
        (ct,) = subject["modalities"]
        np.testing.assert_allclose(ct["weights"], kept[subject["subject"]].weight, atol=1e-6)
        assert subject["model"] == f"fold-{kept[subject['subject']].fold}"


def test_the_top_slices_have_most_attention(content: dict[str, Any]) -> None:
    """In falling order, with their relative position and multiple of equal weights."""
    for subject in content["subjects"]:
        (ct,) = subject["modalities"]
        weights = np.array(ct["weights"])
        top = ct["top"]
        assert [each["token"] for each in top] == np.argsort(-weights, kind="stable")[:6].tolist()
        first = top[0]
        assert first["position"] == pytest.approx(first["token"] / (len(weights) - 1))
        assert first["times_uniform"] == pytest.approx(weights.max() * len(weights))
        assert first["weight"] == weights.max()


def test_the_curve_is_that_of_the_run(explained: Path, content: dict[str, Any]) -> None:
    """Predicted incidence and what happened are those of predictions.parquet."""
    table = Predictions.read(explained / "predictions.parquet")
    assert table.cumulative_incidence is not None
    for subject in content["subjects"]:
        row = int(np.flatnonzero(table.subject == subject["subject"])[0])
        (curve,) = subject["curve"]["incidence"].values()
        assert curve[0] == 0
        assert subject["curve"]["times"][1:] == table.time_grid.tolist()
        np.testing.assert_allclose(curve[1:], table.cumulative_incidence[row, 0], atol=1e-5)
        assert subject["duration"] == table.duration[row]
        assert subject["event"] == ("cancer_death" if table.event[row] else "censored")
    by_risk = table.cumulative_incidence[:, 0, -1]
    assert content["subjects"][0]["subject"] == table.subject[by_risk.argmax()]
    assert [each["why"] for each in content["subjects"]][3] == "worst misranked"


def test_attention_on_masks_is_that_of_the_files(
    explained: Path, content: dict[str, Any], cohort: Cohort, registry: Registry
) -> None:
    """Computed again from the weights that were kept and the masks themselves."""
    encoder: Any = (
        from_pretrained(explained / "fold-0", registry=registry).members[0].encoders["ct"]
    )
    spec = cohort.input_spec("ct", range(len(cohort)))
    place = {name: row for row, name in enumerate(cohort.subjects)}
    mass, equal = [], []
    for row in read_token_weights(explained)["ct"].rows:
        sample = cohort.read_sample("ct", place[row.subject], spec)
        assert sample is not None
        assert sample.mask is not None
        touched = sample.mask[encoder.kept(sample.values)].flatten(1).any(dim=1).numpy()
        mass.append(row.weight[touched].sum())
        equal.append(touched.mean())
    found = content["masks"]["ct"]

    assert found["n"] == found["of"] == 36
    assert found["attention"]["value"] == pytest.approx(np.mean(mass), rel=1e-5)
    assert found["uniform"] == pytest.approx(np.mean(equal))
    assert found["ratio"]["value"] == pytest.approx(np.mean(mass) / np.mean(equal), rel=1e-5)
    assert found["ratio"]["interval"]["lower"] < found["ratio"]["value"]


def test_the_page_shows_them(explained: Path, content: dict[str, Any]) -> None:
    """Four pictures with their words, the profile, and the comparison with the masks."""
    page = write_report(explained).read_text()
    profile = json.loads((explained / "report/attention.json").read_text())

    assert 'id="explain"' in page
    assert "Where the model looked" in page
    for subject in content["subjects"]:
        assert subject["modalities"][0]["picture"]["alt"] in page.replace("&#39;", "'")
    assert page.count('src="data:image/png') + page.count('src="data:image/jpeg') == 4
    assert len(list((explained / "report/figures").glob("explain-*"))) == 4
    assert 'id="attention-profile-ct"' in page
    assert profile["format"] == 2
    assert profile["profiles"]["ct"]["n"] == 36
    assert len(profile["profiles"]["ct"]["mean"]) == 100
    points = pd.read_csv(explained / "report/tables/attention-profile-ct-points.csv")
    assert points["mean"].mean() == pytest.approx(1)
    assert 'data-key="masks/ct/ratio/value"' in page


def test_pictures_are_small_and_whole(explained: Path, content: dict[str, Any]) -> None:
    """An SVG for print and a small picture for the page, no more files than are told."""
    folder = explained / "explain"
    told = {"explain.json"}
    for subject in content["subjects"]:
        picture = subject["modalities"][0]["picture"]
        told |= {picture["svg"], picture["small"]}
        assert (folder / picture["small"]).stat().st_size <= LIMIT
        assert (folder / picture["svg"]).read_text().startswith("<?xml")
        assert subject["subject"] not in picture["svg"]
    assert {path.name for path in folder.iterdir()} == told


def test_explanations_are_made_anew_in_the_run_only(
    place: Path, cohort: Cohort, registry: Registry
) -> None:
    """In the run they are derived; a folder that was asked for is kept."""
    run, elsewhere = place / "blind", place / "elsewhere"
    options: dict[str, Any] = {"registry": registry, "count": 1, "mask_subjects": 0}
    first = explain_run(run, cohort, **options)
    old = run / "explain/07-of-another-model-ct.svg"
    old.write_text("old")
    explain_run(run, cohort, **options)
    explain_run(run, cohort, out=elsewhere, **options)

    assert not old.exists()
    assert not list(run.glob(".explain*"))
    with pytest.raises(RunError, match="is there already; give --overwrite"):
        explain_run(run, cohort, out=elsewhere, **options)
    explain_run(run, cohort, out=elsewhere, overwrite=True, **options)
    for out in (run / "explain", elsewhere):
        (out / "seen.md").write_text("what I saw")
    for out in (None, elsewhere):
        with pytest.raises(RunError, match=r"'seen\.md' is no part of the explanations there"):
            explain_run(run, cohort, out=out, overwrite=out is not None, **options)
    (run / "explain/seen.md").unlink()
    (place / "mine").mkdir()
    (place / "mine/paper.tex").write_text("x")
    with pytest.raises(RunError, match="holds no explanations of survkit, so it is not"):
        explain_run(run, cohort, out=place / "mine", overwrite=True, **options)
    assert first.content["masks"] == {
        "ct": {"reason": "Blind does not say which tokens a mask touches", "n": 0}
    }


def test_an_encoder_that_shows_nothing_has_its_curve(
    place: Path, cohort: Cohort, registry: Registry
) -> None:
    """The reason stands in the caption; cross-validation does not explain it by itself."""
    found = explain_run(place / "blind", cohort, registry=registry, subjects=["S0003"])
    (subject,) = found.content["subjects"]
    (ct,) = subject["modalities"]

    assert subject["why"] == "asked for"
    assert ct["without_images"] == "Blind cannot show its tokens"
    assert "No slices are shown: Blind cannot show its tokens." in ct["picture"]["caption"]
    assert not anything_to_show(place / "blind", registry=registry)
    assert anything_to_show(place / "slices", registry=registry)
    assert not anything_to_show(place / "plain", registry=registry)


def test_what_cannot_be_explained_is_refused(
    place: Path, cohort: Cohort, registry: Registry
) -> None:
    """Each in one sentence that says what to do, and nothing is left behind."""

    def refused(run: str, kind: type[Exception], words: str, **options: Any) -> None:
        with pytest.raises(kind, match=words):
            explain_run(place / run, cohort, registry=registry, **options)
        assert not (place / run / "explain").exists()

    refused(
        "plain",
        ConfigError,
        "the model attends over no tokens, and no encoder shows where it looked or "
        "makes a volume: an",
    )
    refused("slices", DataError, "X9 was no test subject of this run", subjects=["X9"])
    refused("slices", ConfigError, "S0001 is asked for twice", subjects=["S0001", "S0001"])
    refused("slices", ConfigError, "top must be 1 or more, not 0", top=0)
    refused("phantom", RunError, "no predictions.parquet is there; give a finished run")
    refused("fitted", ConfigError, "may be published, and explanations show patients")


def test_another_cohort_is_refused(place: Path, registry: Registry) -> None:
    """Other outcomes, or other images: the model no longer predicts what it predicted."""
    table = pd.read_csv(place / "phantom/table.csv", dtype=str)
    swapped = table.assign(ct_path=table["ct_path"].to_numpy()[::-1])
    swapped.to_csv(place / "phantom/swapped.csv", index=False)
    later = table.assign(time_days=table["time_days"].astype(float) + 1)
    later.to_csv(place / "phantom/later.csv", index=False)
    file = place / "phantom/cohort.yaml"

    images = Cohort.read(file, table=place / "phantom/swapped.csv")
    outcomes = Cohort.read(file, table=place / "phantom/later.csv")

    with pytest.raises(DataError, match=r"off by up to .* from those of the run"):
        explain_run(place / "slices", images, registry=registry)
    with pytest.raises(DataError, match="duration or event of subject"):
        explain_run(place / "slices", outcomes, registry=registry)


def test_a_model_explains_anybody(place: Path, registry: Registry) -> None:
    """Also subjects whose outcome is unknown; then nothing is said of it."""
    unknown = Cohort.read(place / "phantom/cohort.yaml", needs_outcome=False)
    found = explain_run(
        place / "fitted", unknown, out=place / "new", registry=registry, mask_subjects=5
    )

    assert not found.content["held_out"]
    assert found.content["predictions"] is None
    assert found.content["masks"]["ct"]["n"] == 5
    assert all(each["event"] is None for each in found.content["subjects"])
    assert [each["why"] for each in found.content["subjects"]][:3] == [
        "highest predicted risk",
        "median predicted risk",
        "lowest predicted risk",
    ]


def test_pages_refuse_explanations_of_other_predictions(
    explained: Path, content: dict[str, Any]
) -> None:
    """Or damaged ones, or pictures from elsewhere; the line says what to do."""

    def refused(changed: dict[str, Any], words: str, predictions: str = "") -> None:
        own = predictions or content["predictions"]
        with pytest.raises(RunError, match=words):
            explain_section(
                Numbers(changed, "explain.json"), explained, PageFiles(), predictions=own
            )

    refused(content, "of other predictions than the run now holds", "another")
    changed = json.loads(json.dumps(content))
    picture = changed["subjects"][0]["modalities"][0]["picture"]
    picture["small"] = "../../secret.png"
    refused(changed, "is no picture of its folder")
    picture["small"] = "gone.png"
    refused(changed, r"gone\.png: cannot be read")
    del changed["subjects"][0]["modalities"]
    refused(changed, "damaged .KeyError")
