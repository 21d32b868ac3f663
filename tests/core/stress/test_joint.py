"""Several modalities of the same subjects corrupted at once: nothing but its parts together."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from survkit.corruptions.modality_corruption import ModalityCorruption
from survkit.data import Cohort
from survkit.evaluation import Predictions
from survkit.flow import ModalityInput
from survkit.hub import from_pretrained
from survkit.protocols import Sample
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import InputKind, InputSpec
from survkit.stress import Stress, stress_run
from survkit.stress.chance import generator_for
from survkit.stress.corrupted_input import CleanBatch, Reader, corrupt, read_samples
from survkit.stress.run_parts import as_table, open_run
from survkit.stress.scenario import Scenario, parse_scenario
from survkit.stress.suite import suite
from survkit.training import cross_validate

BOTH = "blood:column-noise:variation=0.5 + noise:column-noise:variation=0.8"
BLOOD, NOISE = BOTH.split(" + ")
NOTHING = "noise:column-noise:variation=0+blood:column-noise:variation=0.5"
BLOOD_GONE = "noise:column-noise:variation=0.8 + blood:missing-modality"
ALL_GONE = "blood:missing-modality + noise:missing-modality"
ASKED = (BOTH, BLOOD, NOISE, NOTHING, BLOOD_GONE, ALL_GONE)
TABLES: dict[str, InputKind] = {"blood": "table", "noise": "table"}
RECIPE = {
    "title": "both",
    "encoders": {name: {"use": "tabular", "dim": None} for name in TABLES},
    "fusion": {"use": "concat"},
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {
        "epochs": 6,
        "micro_batch": 16,
        "accelerator": "cpu",
        "optimizer": {"lr": 0.05},
    },
}


@pytest.fixture(scope="module")
def place(made: Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the cohort with a run of a model that looks at both tables."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("joint") / "place"))
    cross_validate(
        Recipe.parse(RECIPE, source="test"),
        Cohort.read(folder / "cohort.yaml"),
        folder / "cv",
        folds=2,
        replicates=0,
        progress=False,
        registry=registry,
    )
    return folder


@pytest.fixture(scope="module")
def stressed(place: Path, registry: Registry) -> Stress:
    """Its stress test with everything that is asked above."""
    return stress_run(
        place / "cv",
        Cohort.read(place / "cohort.yaml"),
        corruptions=ASKED,
        fractions=(0.0, 0.5, 1.0),
        seeds=2,
        replicates=20,
        registry=registry,
    )


def entry(stressed: Stress, asked: str) -> dict[str, Any]:
    found: dict[str, Any] = stressed.content["corruptions"][ASKED.index(asked)]
    return found


def table(stressed: Stress, registry: Registry, asked: str, seed: int = 0) -> Predictions:
    key = parse_scenario(asked, TABLES, registry).key
    return stressed.corrupted[f"{key}.seed-{seed}"]


def lacks_noise(place: Path, table: Predictions) -> np.ndarray:
    cohort = Cohort.read(place / "cohort.yaml")
    has = dict(zip(cohort.subjects, cohort.available("noise"), strict=True))
    return np.array([not has[name] for name in table.subject])


def write_by_hand(place: Path, scenario: Scenario, seed: int, folder: Path) -> Path:
    """Write a copy of the cohort in whose files both tables are corrupted."""
    cohort = Cohort.read(place / "cohort.yaml")
    rows = list(range(len(cohort.subjects)))
    shutil.copy(place / "cohort.yaml", folder)
    for part, file in zip(scenario.parts, ("patients.csv", "noise.csv"), strict=True):
        frame = pd.read_csv(place / file).set_index("id")
        spec = cohort.input_spec(part.modality, rows)
        samples = read_samples(cohort, part.modality, rows, spec)
        for name, sample in zip(cohort.subjects, samples, strict=True):
            if sample is not None:
                noisy = part.corruption(sample, generator=generator_for(part, name, seed))
                assert noisy is not None
                assert noisy.columns is not None
                for column, value in zip(noisy.columns, noisy.values, strict=True):
                    frame.loc[name, column.name] = float(value)
        frame.to_csv(folder / file, float_format="%.17g")
    return folder / "cohort.yaml"


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_a_cohort_in_which_both_are_corrupted(
    place: Path, stressed: Stress, registry: Registry, seed: int, tmp_path: Path
) -> None:
    """Files with both tables corrupted, predicted as a user would, give the same numbers; those of
    one part alone are others.
    """
    scenario = parse_scenario(BOTH, TABLES, registry)
    cohort = Cohort.read(write_by_hand(place, scenario, seed, tmp_path))
    parts = open_run(place / "cv", Cohort.read(place / "cohort.yaml"), registry)
    clean, found = stressed.clean, table(stressed, registry, BOTH, seed)

    for part in parts.folds():
        fitted = from_pretrained(place / "cv" / part.name, registry=registry)
        by_hand = as_table(fitted.predict(cohort, part.rows), part.table, "by hand")
        own = found.select(np.isin(found.subject, by_hand.subject))
        assert own.subject.tolist() == by_hand.subject.tolist()
        np.testing.assert_allclose(own.risk_score, by_hand.risk_score, rtol=1e-6, atol=1e-7)
    for other in (clean, *(table(stressed, registry, each, seed) for each in (BLOOD, NOISE))):
        assert (other.risk_score != found.risk_score).mean() > 0.8


def test_a_part_of_no_strength_changes_nothing(stressed: Stress, registry: Registry) -> None:
    """With noise of strength zero in the other part, predictions and numbers are those of the
    single corruption, to the last bit, in whatever order it is written.
    """
    for seed in (0, 1):
        joint, single = (table(stressed, registry, each, seed) for each in (NOTHING, BLOOD))
        assert np.array_equal(joint.cumulative_incidence, single.cumulative_incidence)
        assert np.array_equal(joint.risk_score, single.risk_score)
    for key in ("fractions", "robustness_area", "kept"):
        assert entry(stressed, NOTHING)[key] == entry(stressed, BLOOD)[key]
    assert entry(stressed, NOTHING)["modality"] == "blood + noise"


def test_who_lacks_one_is_corrupted_in_the_other(
    place: Path, stressed: Stress, registry: Registry
) -> None:
    """Subjects without the noise table have the predictions of the blood's corruption alone."""
    joint, single = (table(stressed, registry, each) for each in (BOTH, BLOOD))
    lacking = lacks_noise(place, joint)

    assert 0 < lacking.sum() < len(lacking)
    assert np.array_equal(joint.risk_score[lacking], single.risk_score[lacking])
    assert (joint.risk_score != single.risk_score)[~lacking].all()


def test_the_entry_says_what_was_done(stressed: Stress) -> None:
    """Texts name all parts, settings stand by modality; a single corruption's stay flat."""
    found, single = entry(stressed, BOTH), entry(stressed, BLOOD)

    assert found["modality"] == "blood + noise"
    assert found["name"] == "column-noise + column-noise"
    assert found["severity"] == "variation=0.5 + variation=0.8"
    assert found["label"] == (
        "blood: column-noise (variation=0.5) + noise: column-noise (variation=0.8)"
    )
    assert found["settings"] == {"blood": {"variation": 0.5}, "noise": {"variation": 0.8}}
    assert single["settings"] == {"variation": 0.5}
    assert list(found) == list(single)


def test_one_random_part_makes_it_random(stressed: Stress, registry: Registry) -> None:
    """Seeds are drawn where any part needs them, and are one where none does."""
    assert entry(stressed, BLOOD_GONE)["stochastic"] is True
    first, second = (table(stressed, registry, BLOOD_GONE, seed) for seed in (0, 1))
    assert (first.risk_score != second.risk_score).any()
    assert entry(stressed, ALL_GONE)["stochastic"] is False
    assert not parse_scenario(ALL_GONE, TABLES, registry).stochastic


def test_nobody_is_left_with_nothing(place: Path, stressed: Stress, registry: Registry) -> None:
    """Who has the blood alone keeps it, clean, and is counted; where that is everybody, nothing is
    defined.
    """
    found = table(stressed, registry, BLOOD_GONE)
    same = (found.risk_score == stressed.clean.risk_score)[:, 0]

    assert np.array_equal(same, lacks_noise(place, found))
    assert entry(stressed, BLOOD_GONE)["kept"] == same.sum()
    for row in entry(stressed, ALL_GONE)["fractions"]:
        assert row["noisy"]["reason"] == (
            "no subject has another modality than 'blood' and 'noise' that the model takes, so "
            "nothing is left to predict from"
        )


class Louder:
    """Adds one to every value."""

    kinds: tuple[InputKind, ...] = ("vector",)
    levels: Mapping[str, Mapping[str, Any]] = {}
    stochastic = False

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample | None:
        return replace(sample, values=sample.values + 1)


class Gone(Louder):
    """Takes the modality."""

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample | None:
        return None


def part_of(modality: str, corruption: Louder) -> ModalityCorruption:
    return ModalityCorruption(
        modality=modality, name="test", settings={}, corruption=corruption, severity="", levels={}
    )


def batch_of(name: str, has: Sequence[bool]) -> CleanBatch:
    """A vector of one number, its row, for the subjects who have it."""
    values = torch.arange(len(has), dtype=torch.float32)[:, None]
    return CleanBatch(
        subjects=[f"s{row}" for row in range(len(has))],
        samples=[Sample(values[row]) if there else None for row, there in enumerate(has)],
        spec=InputSpec(kind="vector", shape=(1,)),
        readers={name: Reader(None, ModalityInput(values, torch.tensor(has), complete=all(has)))},
    )


@pytest.mark.parametrize(
    ("of_ct", "of_pet", "ct_left", "pet_left", "reached", "kept"),
    [
        (Gone(), Gone(), [0, 1, 1, 0], [0, 1, 0, 0], 1, 2),
        (Gone(), Louder(), [0, 0, 1, 0], [1, 1, 0, 0], 2, 1),
        (Louder(), Louder(), [1, 1, 1, 0], [1, 1, 0, 0], 3, 0),
    ],
)
def test_a_subject_is_spared_where_all_would_go(
    of_ct: Louder,
    of_pet: Louder,
    ct_left: list[int],
    pet_left: list[int],
    reached: int,
    kept: int,
) -> None:
    """Of four subjects the first has CT, PET and blood, the second CT and PET, the third CT and the
    fourth blood. Who would keep nothing keeps everything, as it was.
    """
    scenario = Scenario((part_of("ct", of_ct), part_of("pet", of_pet)))
    batches = {
        "ct": batch_of("ct", [True, True, True, False]),
        "pet": batch_of("pet", [True, True, False, False]),
    }

    found = corrupt(scenario, batches, torch.tensor([True, False, False, True]), 0)

    assert found.inputs["ct"].present.int().tolist() == ct_left
    assert found.inputs["pet"].present.int().tolist() == pet_left
    assert (found.reached, found.kept) == (reached, kept)
    assert found.inputs["ct"].values[2, 0] == (2 if kept else 3)  # was its row, 2
    assert found.inputs["pet"].values[1, 0] == (1 if kept == 2 else 2)  # was its row, 1


def test_a_number_may_have_a_plus(registry: Registry) -> None:
    """The sign of an exponent joins nothing, and spaces around a joining plus mean nothing."""
    single = parse_scenario("blood:column-noise:variation=5e+0", TABLES, registry)
    spaced = parse_scenario(f"  {NOISE}  +{BLOOD}", TABLES, registry)

    assert (single.modality, single.settings) == ("blood", {"variation": 5.0})
    assert spaced.label == parse_scenario(BOTH, TABLES, registry).label


def test_a_key_is_a_name_that_a_file_may_have(registry: Registry) -> None:
    """Many modalities make no name that is too long, and what differs at its end differs."""
    kinds: dict[str, InputKind] = {f"sequence_{k}": "volume" for k in range(8)}
    texts = [f"{name}:motion:amplitude=0.123456789" for name in kinds]
    first = parse_scenario(" + ".join(texts), kinds, registry)
    second = parse_scenario(" + ".join([*texts[:-1], "sequence_7:blur"]), kinds, registry)

    assert len(first.key) < 200
    assert first.key != second.key


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (
            {"ct": "volume", "pet": "volume", "clinical": "table"},
            ("ct + pet", "gaussian-noise + poisson-noise"),
        ),
        (
            {"xray": "image", "mri": "volume", "tiles": "vector"},
            ("xray + mri", "gaussian-noise + gaussian-noise"),
        ),
        ({"pet": "volume", "clinical": "table"}, None),
        ({"blood": "table", "clinical": "table"}, None),
    ],
)
def test_the_suite_has_noise_on_all_images(
    kinds: dict[str, InputKind], expected: tuple[str, str] | None, registry: Registry
) -> None:
    """One joint scenario per severity that noise has, for models of several images; counting noise
    on what is called pet.
    """
    found = suite(kinds, (), ["low", "high"], registry)
    joint = [each for each in found if len(each.parts) > 1]
    shown = [(each.modality, each.name, each.severity) for each in joint]

    wanted = [] if expected is None else [(*expected, "low"), (*expected, "high")]
    assert shown == wanted
    assert found[len(found) - len(joint) :] == joint
