from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.compose import compose
from survkit.dry_run import dry_run
from survkit.errors import CompositionError, ConfigError, UnknownComponentError, UserError
from survkit.flow import ModalityInput
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import ColumnSpec, InputSpec, OutcomeSpec

SPECS = {
    "clinical": InputSpec(
        kind="table",
        shape=(2,),
        columns=(ColumnSpec("age"), ColumnSpec("sex", levels=("f", "m"))),
    ),
    "histology": InputSpec(kind="vector", shape=(5,)),
}
OUTCOME = OutcomeSpec(causes=("death",), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))
TWO_CAUSES = OutcomeSpec(causes=("death", "relapse"), horizon=4.0, time_grid=(2.0, 4.0))


def recipe(**changes: Any) -> Recipe:
    data = {
        "encoders": {"clinical": {"use": "tabular", "dim": 3}, "histology": {"use": "vector"}},
        "fusion": "concat",
        "head": "cox",
        "outcome": {"horizon": 4.0},
        "objective": "cox",
    }
    return Recipe.parse(data | changes, source="r")


def test_what_fits_becomes_a_model_with_every_setting_on_record() -> None:
    """The parts carry full names and the defaults that nobody wrote."""
    composition = compose(recipe(), SPECS, OUTCOME, default_registry())

    assert composition.model.modalities == ("clinical", "histology")
    assert composition.parts.encoders["clinical"].settings["dim"] == 3
    assert "dropout" in composition.parts.encoders["clinical"].settings
    assert [term.name for term in composition.objective.terms] == ["cox"]


def test_composing_is_deterministic_and_leaves_random_state_alone() -> None:
    """The dry run draws its numbers elsewhere, so that a seed means the same weights."""
    torch.manual_seed(3)
    first = dict(compose(recipe(), SPECS, OUTCOME, default_registry()).model.named_parameters())
    after = torch.rand(1)
    torch.manual_seed(3)
    second = dict(compose(recipe(), SPECS, OUTCOME, default_registry()).model.named_parameters())

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(after, torch.rand(1))


def test_the_dry_run_fits_nothing() -> None:
    """A scaler that saw made-up subjects would be a leak of nonsense into the model."""
    model = compose(recipe(), SPECS, OUTCOME, default_registry()).model

    with pytest.raises(UserError, match="fit"):
        model.encoders["clinical"](
            ModalityInput(values=torch.zeros(1, 2), present=torch.ones(1, dtype=torch.bool))
        )


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"encoders": {"ct": "tabular"}},
            ConfigError,
            "encoders.ct: .*cohort has clinical, histol",
        ),
        (
            {"encoders": {"clinical": "vector"}},
            CompositionError,
            r"encoders.clinical \(vector\): .*table",
        ),
        (
            {"encoders": {"clinical": {"use": "tabular", "dims": 3}}},
            ConfigError,
            r"encoders.clinical \(tabular\).*dims.*Did you mean 'dim'",
        ),
        (
            {"encoders": {"clinical": {"use": "tabular", "dim": "3"}}},
            ConfigError,
            r"encoders.clinical \(tabular\): .*'dim' must be a whole number.*not \"3\"",
        ),
        ({"fusion": "concatenate"}, UnknownComponentError, "Did you mean 'concat'"),
        ({"head": "robsurv/vq3d"}, UnknownComponentError, "head"),
        (
            {"head": "discrete-hazard"},
            CompositionError,
            "loss cox reads log-hazard, but the head discrete-hazard gives interval-hazard; losses "
            "that read interval-hazard: .*hazard-likelihood",
        ),
        (
            {"objective": ["cox", {"penalty": "ct.codebook"}]},
            CompositionError,
            "no part of this model gives the penalty 'ct.codebook'; given are: none",
        ),
        (
            {"objective": [{"use": "cox", "ties": "exact"}]},
            ConfigError,
            r"objective.0 \(cox\).*ties.*'breslow'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    """The sentence names the part, what it says, and what would fit."""
    with pytest.raises(error, match=message) as caught:
        compose(recipe(**changes), SPECS, OUTCOME, default_registry())

    assert "\n" not in str(caught.value)


def test_an_objective_of_penalties_alone_is_refused() -> None:
    """Without a loss nothing about survival is learnt."""
    with pytest.raises(CompositionError, match=r"no part of this model|at least one loss"):
        compose(recipe(objective=[{"penalty": "fusion.align"}]), SPECS, OUTCOME, default_registry())


def test_a_head_for_one_cause_is_refused_for_two() -> None:
    """The head says which head would do."""
    with pytest.raises(CompositionError, match=r"head \(discrete-hazard\): .*cause-hazard"):
        compose(
            recipe(head="discrete-hazard", objective="hazard-likelihood"),
            SPECS,
            TWO_CAUSES,
            default_registry(),
        )


@pytest.mark.parametrize(
    ("supervision", "absent"),
    [((), "clinical"), (("clinical",), "clinical"), (("histology",), "histology")],
)
def test_the_made_up_subject_that_lacks_something_can_be_predicted(
    supervision: tuple[str, ...], absent: str
) -> None:
    """Where one modality is read and one only learnt from, it lacks what is learnt from."""
    composition = compose(recipe(), SPECS, OUTCOME, default_registry())
    seen: list[dict[str, bool]] = []

    class Watched(torch.nn.Module):
        def __init__(self, fusion: torch.nn.Module) -> None:
            super().__init__()
            self.fusion, self.dim, self.supervision = fusion, fusion.dim, supervision

        def forward(self, encodings: Any) -> Any:
            seen.append({name: bool(each.present.all()) for name, each in encodings.items()})
            return self.fusion(encodings)

    composition.model.fusion = Watched(composition.model.fusion)

    dry_run(composition.model, composition.objective, SPECS, OUTCOME, composition.parts)

    assert seen
    assert all({name for name, there in each.items() if not there} == {absent} for each in seen)
