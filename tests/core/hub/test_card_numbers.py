"""A model card says of what its numbers are: of a fold, of a procedure, of another cohort."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.core.hub.measured import (
    PART,
    TRAINING,
    body,
    cross_validation,
    demonstration,
    evaluation,
    final_model,
    front_matter,
)
from tests.hub_server.loopback import OF_THE_CLIENT
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import rewrite_config, save_small_model

from survkit.errors import RunError
from survkit.evaluation.metric_names import HARRELL, ICI
from survkit.hub import push_to_hub, write_card

pytestmark = pytest.mark.filterwarnings(OF_THE_CLIENT)


def metrics(card: str) -> list[dict[str, Any]]:
    (model,) = front_matter(card)["model-index"]
    found: list[dict[str, Any]] = model["results"][0]["metrics"]
    return found


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("ensemble", "**This very model, the mean of the 2 models of those folds, was not tested"),
        ("refit", "**This very model, a refit on the whole cohort, was not tested itself**"),
    ],
)
def test_a_final_model_was_not_tested_itself(tmp_path: Path, by: str, said: str) -> None:
    """The pooled numbers are told as estimates of the procedure, on the Hub too; no fold's are."""
    card = write_card(final_model(tmp_path / by, by), "org/final").read_text()
    told = metrics(card)

    assert said in card
    assert "the numbers are estimates of the procedure that made this model" in card
    assert [(one["type"], one["value"]) for one in told] == [(HARRELL, 0.625), (ICI, 0.15)]
    assert all("out-of-fold estimate of the procedure" in one["name"] for one in told)
    assert "0.600" not in body(card)
    assert "| cause | metric | best is | the procedure |" in card


@pytest.mark.parametrize(
    ("key", "value"),
    [("folds", 3), ("repeats", 2), ("model", "RNA and CT"), ("horizon", 1.0), ("format", 2),
     ("splits_hash", "cd34")],
)  # fmt: skip
def test_numbers_of_another_procedure_are_not_told(tmp_path: Path, key: str, value: object) -> None:
    """Each fact alone tells the evaluation of another run."""
    folder = final_model(tmp_path / "final", "refit", evaluation() | {key: value})
    card = write_card(folder, "org/final").read_text()

    assert "model-index" not in front_matter(card)
    assert "**Not measured**: the evaluation that lies beside the model is" in card
    assert "**No figure**: the evaluation that lies beside the model is" in card
    assert not (folder / "calibration.png").exists()


def test_a_demonstration_is_unmistakable(tmp_path: Path) -> None:
    """First of all it is said, the tag is there, and the numbers are of the fresh phantoms."""
    card = write_card(demonstration(tmp_path / "demo"), "org/demo").read_text()
    head, _, rest = card.split("---\n", 2)[2].strip().partition("\n\n")
    first = rest.split("\n\n")[0]

    assert head == "# demo"
    assert first.startswith("> **DEMONSTRATION. Trained on synthetic phantoms, never on a patient.")
    assert "Of no use for patients" in first
    assert "survkit train-demo-weights core/small --seed 7" in first
    assert "demonstration" in front_matter(card)["tags"]
    assert "what it predicts for a patient means nothing" in card
    assert "on the 40 subjects of the cohort `fresh` (drawn with the seed 1000007)" in card
    assert "| 0.625 (95% 0.525 to 0.725), n 40, E 18 | 0.800 (95% 0.700 to 0.900)" in card
    (index,) = front_matter(card)["model-index"]
    assert index["results"][0]["dataset"]["name"].startswith("fresh (synthetic phantoms), external")


def test_a_model_for_patients_is_no_demonstration(tmp_path: Path) -> None:
    """Without the label nothing of it is there."""
    card = write_card(cross_validation(tmp_path / "cv"), "org/rna", fold=1).read_text()

    assert "demonstration" not in card.lower()
    assert "phantom" not in card


def test_another_cohorts_numbers_name_the_weights(tmp_path: Path) -> None:
    """Those of weights that were trained anew since are not told."""
    folder = demonstration(tmp_path / "demo")
    found = json.loads((folder / "metrics.json").read_text())
    found["external"]["weights_sha256"] = "0" * 64
    (folder / "metrics.json").write_text(json.dumps(found))
    card = write_card(folder, "org/demo").read_text()

    assert "model-index" not in front_matter(card)
    assert "is of other weights, or of another outcome" in card
    assert "0.625" not in body(card)


def test_a_recipe_without_a_title_has_the_name_of_its_evaluation(tmp_path: Path) -> None:
    """Evaluations call such a model by what it reads and its head."""
    recipe = {
        "title": "", "encoders": {"rna": {"use": "vector"}}, "fusion": {"use": "concat"},
        "head": {"use": "discrete-hazard"}, "outcome": {"horizon": 2.0},
        "objective": [{"use": "hazard-likelihood"}],
    }  # fmt: skip
    run = cross_validation(tmp_path / "cv", evaluation() | {"model": "rna, discrete-hazard"})
    rewrite_config(run / "fold-1", lambda config: config["training"].update(recipe=recipe))
    card = write_card(run, "org/rna", fold=1).read_text()

    assert metrics(card)[0]["value"] == 0.6


@pytest.mark.parametrize("kind", ["fold", "refit", "demonstration"])
def test_huggingface_reads_the_index_without_loss(tmp_path: Path, kind: str) -> None:
    """Its own classes make of it what is written; value and interval are those of the file."""
    from huggingface_hub import ModelCard, ModelCardData

    if kind == "fold":
        path = write_card(cross_validation(tmp_path / "cv"), "org/x", license="mit", fold=1)
    elif kind == "refit":
        path = write_card(final_model(tmp_path / "f", "refit"), "org/x", license="mit")
    else:
        path = write_card(demonstration(tmp_path / "d"), "org/x", license="mit")
    card = ModelCard.load(path)
    written = front_matter(path.read_text())
    again = ModelCardData(**{**card.data.to_dict(), "model-index": written["model-index"]})

    assert isinstance(card.data, ModelCardData)
    assert card.data.to_dict() == written == again.to_dict()
    assert card.data.eval_results is not None
    assert card.data.model_name == "x"
    for one in card.data.eval_results:
        assert one.metric_name is not None
        told = re.search(r"; (\S+) \(95% (\S+) to (\S+)\), n \d+, E \d+$", one.metric_name)
        assert told is not None
        value, lower, upper = (float(number) for number in told.groups())
        assert value == pytest.approx(one.metric_value, abs=5e-4)
        assert (lower, upper) == pytest.approx((value - 0.1, value + 0.1), abs=1e-9)


def test_a_published_card_passes_the_hubs_check(tmp_path: Path, hub: Hub) -> None:
    """The client sends the metadata to the Hub's own check before it commits."""
    push_to_hub(final_model(tmp_path / "final", "ensemble"), "org/final")

    assert any("validate-yaml" in one for one in hub.log)
    files = hub.repositories["org/final"].commits[hub.repositories["org/final"].branches["main"]]
    assert metrics(files["README.md"].content.decode())[0]["value"] == 0.625


def test_the_cohort_is_described_as_far_as_it_was_recorded(tmp_path: Path) -> None:
    """Events, follow-up, sites and what is missing; what nobody recorded is said to be so."""
    part = {
        "subjects": 36, "events": {"death": 9, "relapse": 7}, "censored": 20, "sites": None,
        "follow_up": {"unit": "days", "method": "m", "reason": "too few subjects were censored"},
        "groups": {"column": "patient", "n": 30, "rows_are": "images", "groups_are": "patients"},
        "modalities": {"ct": {"kind": "volume", "present": 36}},
    }  # fmt: skip
    folder = save_small_model(tmp_path / "model", training=TRAINING | {"train_part": part})
    card = write_card(folder, "org/x").read_text()

    assert "follow-up: `death` 9; `relapse` 7; censored 20\n" in card
    assert "- Median follow-up: not defined: too few subjects were censored\n" in card
    assert "- Sites: no column of them was declared\n" in card
    assert "- The subjects are images, of 30 patients\n" in card
    assert "| `ct` | volume | 36 | 0 |" in card
    old = write_card(save_small_model(tmp_path / "old"), "org/x").read_text()
    assert "- Events among those trained on, over all of their follow-up: not recorded\n" in old
    assert "- Median follow-up: not recorded\n- Sites: not recorded\n" in old


def test_an_ensemble_tells_the_parts_of_its_folds(tmp_path: Path) -> None:
    """Numbers that differ stand fold by fold, equal ones once."""
    other = PART | {"subjects": 35, "events": {"death": 17}, "censored": 18}
    facts = TRAINING | {"train_subjects": [36, 35], "train_part": [PART, other]}
    card = write_card(save_small_model(tmp_path / "model", training=facts), "org/x").read_text()

    assert "- Subjects trained on: 36, 35\n" in card
    assert "follow-up: `death` 16, 17; censored 20, 18\n- Median follow-up: 1.5 days" in card
    assert "- Sites: 5\n- Where several numbers stand, they are those of the models" in card
    assert "| `rna` | vector | 33 | 3, 2 |" in card


def test_a_damaged_description_is_refused(tmp_path: Path) -> None:
    """Rather than a card that leaves half of it out."""
    facts = TRAINING | {"train_part": {"events": {"death": 3}}}

    with pytest.raises(RunError, match=r"config\.json: what it says of the cohort is damaged"):
        write_card(save_small_model(tmp_path / "model", training=facts), "org/x")
