"""A model card says what was recorded and measured, of what it was, and nothing of subjects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.core.hub.measured import TRAINING, body, cross_validation, evaluation, front_matter
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import rewrite_config, save_small_model

from survkit.build import Part, Parts
from survkit.cli import main
from survkit.errors import ConfigError, RunError
from survkit.evaluation.metric_names import HARRELL, METRICS
from survkit.hub import from_pretrained, push_to_hub, write_card
from survkit.hub.card_mark import is_untouched
from survkit.hub.description import Provider
from survkit.hub.model_card import citations
from survkit.hub.model_card_performance import result

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)

GOLDEN = Path(__file__).parent / "golden_card.md"


def test_the_card_of_a_fold(tmp_path: Path) -> None:
    """Word for word; and twice the same bytes."""
    run = cross_validation(tmp_path / "cv")
    card = write_card(run, "org/rna-risk", license="apache-2.0", fold=1).read_text()
    again = write_card(run, "org/rna-risk", license="apache-2.0", fold=1, overwrite=True)

    assert body(card) == GOLDEN.read_text(encoding="utf-8")
    assert again.read_text() == card


def test_the_hub_reads_this_models_own_numbers(tmp_path: Path) -> None:
    """The index has the held-out value of the fold, not the pooled one, and no undefined one."""
    from huggingface_hub import ModelCard

    path = write_card(cross_validation(tmp_path / "cv"), "org/rna-risk", license="mit", fold=1)
    data = ModelCard.load(path).data
    results = data.eval_results

    assert (data.library_name, data.license) == ("survkit", "mit")
    assert results is not None
    assert [(one.metric_type, one.metric_value) for one in results] == [(HARRELL, 0.6)]
    assert results[0].metric_name is not None
    for part in ("death", "2 days", "95% 0.500 to 0.700", "n 20", "E 9"):
        assert part in results[0].metric_name
    assert results[0].dataset_split == "held-out fold 1 of repeat 0"


@pytest.mark.parametrize(
    ("key", "value"),
    [("splits_hash", "cd34"), ("run_seed", 6), ("model", "RNA and CT"), ("horizon", 1.0),
     ("time_unit", "months"), ("causes", {"relapse": {}}), ("format", 2)],
)  # fmt: skip
def test_numbers_of_another_model_are_not_told(tmp_path: Path, key: str, value: object) -> None:
    """Each fact alone tells the evaluation of another model."""
    run = cross_validation(tmp_path / "cv", evaluation() | {key: value})
    card = write_card(run, "org/rna-risk", fold=1).read_text()

    assert "model-index" not in front_matter(card)
    assert "**Not measured**: the evaluation that lies beside the model is" in card
    assert "0.6" not in body(card)


def test_a_model_that_saw_everybody_was_not_measured(tmp_path: Path) -> None:
    """Neither without metrics.json, nor with one of a cross-validation of the same recipe."""
    folder = save_small_model(tmp_path / "model", training=TRAINING | {"seed": [5]})
    without = write_card(folder, "org/rna-risk").read_text()
    (folder / "metrics.json").write_text(json.dumps(evaluation()))
    beside = write_card(folder, "org/rna-risk", overwrite=True).read_text()

    for card in (without, beside):
        assert set(front_matter(card)) == {"library_name", "tags"}
        assert "**Not measured**" in card
        assert not any(name.label in card for name in METRICS)


def test_what_was_not_recorded_is_not_made_up(tmp_path: Path) -> None:
    """A model without facts of its training, which the card says fact by fact."""
    card = write_card(save_small_model(tmp_path / "model"), "org/name").read_text()

    assert "- Cohort: not recorded\n- Subjects trained on: not recorded\n" in card
    assert "- Epochs: not recorded; chosen: not recorded" in card


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("volume", 'pip install "survkit-core[imaging]"\n'),
        ("image", 'pip install "survkit-core[imaging]"\n'),
        ("vector", "pip install survkit-core\n"),
        (["volume"], "pip install survkit-core\n"),
    ],
)
def test_who_reads_scans_installs_what_reads_them(tmp_path: Path, kind: Any, line: str) -> None:
    """NIfTI and DICOM need the extra; a table of embeddings does not."""
    folder = save_small_model(tmp_path / "model")

    def declare(config: dict[str, Any]) -> None:
        config["preparation"]["rna"] = {"kind": kind}

    rewrite_config(folder, declare)

    assert line in write_card(folder, "org/name").read_text()


def test_nothing_of_subjects_or_of_the_machine_is_told(tmp_path: Path) -> None:
    """Paths, levels, sites, settings and other files of a run that is full of them."""
    run = cross_validation(tmp_path / "cv")
    for name in ("predictions.parquet", "patients.csv", "cohort.yaml", "run.json"):
        (run / "fold-1" / name).write_text("P-001,/srv/secret/ct")

    def soil(config: dict[str, Any]) -> None:
        config["preparation"]["rna"] = {
            "path": "/srv/secret/ct", "file": "/srv/secret/rna.csv", "mask": "secret_mask",
            "label": "P-001", "window": [0.0, 1.0], "grid": "/srv/secret/grid", "own": "P-001",
        }  # fmt: skip
        config["training"] |= {"cohort": "/srv/secret/cohort", "note": "P-001"}
        config["training"]["recipe"]["encoders"] = {"rna": {"weights": "/srv/secret/w"}}
        config["training"]["epochs"] = ["P-001"]

    rewrite_config(run / "fold-1", soil)
    card = write_card(run, "org/rna-risk", fold=1).read_text()

    assert "window `[0.0, 1.0]`" in card
    assert "not told, as its name is a path" in card
    for secret in ("secret", "Secret", "P-001", "/srv", str(tmp_path), tmp_path.name):
        assert secret not in card


def test_names_are_no_markup(tmp_path: Path) -> None:
    """A cohort's name that would end the front matter, a table, or become HTML."""
    run = cross_validation(tmp_path / "cv")
    wicked = "a`|b\n---\nlicense: mit\n<script>"
    rewrite_config(run / "fold-1", lambda config: config["training"].update(cohort=wicked))
    card = write_card(run, "org/rna-risk", fold=1).read_text()

    dataset = front_matter(card)["model-index"][0]["results"][0]["dataset"]
    assert dataset["name"] == "a`|b --- license: mit <script>, held-out fold 1 of repeat 0"
    assert "license" not in front_matter(card)
    assert "- Cohort: `a'|b --- license: mit <script>`\n" in card


def test_a_card_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is said; and the licence has the Hub's spelling."""
    folder = save_small_model(tmp_path / "model")
    (folder / "README.md").write_text("# Mine\n")
    command = ["card", str(folder), "org/name"]

    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err
    assert (folder / "README.md").read_text() == "# Mine\n"
    with pytest.raises(ConfigError, match=r"such as apache-2\.0"):
        write_card(folder, "org/name", license="Apache 2", overwrite=True)
    with pytest.raises(ConfigError, match="write ORG/NAME"):
        write_card(folder, "name", overwrite=True)
    assert main([*command, "--overwrite", "--license", "apache-2.0"]) == 0
    assert front_matter((folder / "README.md").read_text())["license"] == "apache-2.0"


def test_a_value_outside_its_interval_is_not_hidden() -> None:
    """A percentile interval of a small squared distance may miss it; a tiny number is not 0.000."""
    interval = {"lower": 0.002, "upper": 0.04, "level": 0.9}
    found = {"value": 0.0008, "interval": interval, "n": 20, "events": 9}

    assert result(found) == "0.0008 (90% 0.002 to 0.040; the value lies outside), n 20, E 9"
    assert result(found | {"interval": None}) == "0.0008 (no interval), n 20, E 9"


def test_a_damaged_evaluation_is_refused(tmp_path: Path) -> None:
    """Rather than a card that leaves half of it out."""
    found = evaluation()
    del found["causes"]["death"]["metrics"][HARRELL]["folds"][1]["n"]
    run = cross_validation(tmp_path / "cv", found)

    with pytest.raises(RunError, match=r"metrics\.json: damaged .*'n'"):
        write_card(run, "org/name", fold=1)


def test_the_card_names_where_the_weights_came_from(tmp_path: Path) -> None:
    """The repository and its commit, as code; and that nobody can tell whom those had seen."""
    hub = {"repository": "org/`old`", "commit": "ab" * 20, "revision": "main"}
    started = save_small_model(tmp_path / "a", training=TRAINING | {"init": {"hub": hub}})
    local = save_small_model(tmp_path / "b", training=TRAINING | {"init": {"sha256": "cd" * 32}})
    fresh = save_small_model(tmp_path / "c", training=TRAINING)
    cards = [write_card(one, "org/name").read_text() for one in (started, local, fresh)]

    assert (
        f"- Started from the model `org/'old'` on the Hub, commit `{'ab' * 20}`; whom those "
        "weights had seen is not known\n"
    ) in cards[0]
    assert f"- Started from another trained model, weights `{'cd' * 32}`\n" in cards[1]
    assert "Started from" not in cards[2]


@pytest.mark.parametrize("interval", [5, [0.1, 0.2], {"lower": "a", "upper": 1.0, "level": 0.9}])
def test_a_damaged_interval_is_refused(interval: object, tmp_path: Path) -> None:
    """Before a line of the card is written."""
    found = evaluation()
    found["causes"]["death"]["metrics"][HARRELL]["pooled"]["interval"] = interval
    run = cross_validation(tmp_path / "cv", found)

    with pytest.raises(RunError, match=r"metrics\.json: damaged"):
        write_card(run, "org/name", fold=1)


def test_the_card_cites_the_papers_of_the_plugins(tmp_path: Path) -> None:
    """Each paper once; the core's parts have none."""
    description = from_pretrained(save_small_model(tmp_path / "model")).description
    pytest.importorskip("survkit_radvit")
    vit = Part("encoder", "radvit/vit", {})
    parts = Parts(encoders={"a": vit, "b": vit}, fusion=description.parts.fusion,
                  head=description.parts.head)  # fmt: skip
    providers = {**description.providers, "radvit/vit": Provider("survkit-radvit", "0")}
    (paper,) = citations(replace(description, parts=parts, providers=providers))

    assert citations(description) == []
    assert paper.startswith("Shi, Li (2026), Radiomics-guided vision transformers")


def readme(hub: Hub) -> str:
    repository = hub.repositories["org/name"]
    content: bytes = repository.commits[repository.branches["main"]]["README.md"].content
    return content.decode()


def test_a_push_makes_the_card(model_folder: Path, hub: Hub) -> None:
    """It is sent and not left in the folder; that of an earlier model makes way."""
    push_to_hub(model_folder, "org/name")
    first = readme(hub)
    save_small_model(model_folder.parent / "next", training={"cohort": "other"})
    push_to_hub(model_folder.parent / "next", "org/name")

    assert is_untouched(first)
    assert not (model_folder / "README.md").exists()
    assert "- Cohort: `other`" in readme(hub)


def test_a_card_that_somebody_edited_on_the_hub_stays(model_folder: Path, hub: Hub) -> None:
    """Their words are not overwritten by a machine's; a card in the folder is sent as it is."""
    edited = write_card(model_folder, "org/name")
    edited.write_text(edited.read_text().replace("For research.", "For research at our clinic."))
    push_to_hub(model_folder, "org/name")
    edited.unlink()
    push_to_hub(model_folder, "org/name")

    assert "For research at our clinic." in readme(hub)


def test_the_card_of_other_weights_is_not_published(model_folder: Path, hub: Hub) -> None:
    """Somebody trained anew in a folder whose card they had written."""
    card = write_card(model_folder, "org/name").read_bytes()
    other = save_small_model(model_folder.parent / "other", seed=3)
    (other / "README.md").write_bytes(card)

    with pytest.raises(RunError, match=r"was written for the weights .* survkit card --overwrite"):
        push_to_hub(other, "org/name")
    assert hub.log == []
