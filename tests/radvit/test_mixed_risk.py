"""The mixed risk: the paper's formula under a Cox head, absent modalities, refusals."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding
from survkit.heads.cox import CoxHead
from survkit.specs import EncodingSpec, OutcomeSpec
from survkit.testing import FusionConformance, random_encodings
from survkit_radvit.mixed_risk import MixedRisk

SPECS = {
    "cxr": EncodingSpec(dim=6, tokens=4, grid=(2, 2)),
    "radiomics": EncodingSpec(dim=3, tokens=4, grid=(2, 2)),
}
OUTCOME = OutcomeSpec(causes=("death",), horizon=10.0, time_grid=(5.0, 10.0))


class TestMixedRisk(FusionConformance):
    component = MixedRisk
    encodings = SPECS


class TestLearnedAlpha(FusionConformance):
    component = MixedRisk
    encodings = SPECS
    settings: ClassVar = {"learn_alpha": True, "alpha": 0.3, "hidden": 5, "projection": 2}


class TestOtherModalities(FusionConformance):
    component = MixedRisk
    encodings: ClassVar = {"slices": EncodingSpec(dim=4, tokens=None), "blood": EncodingSpec(dim=2)}
    settings: ClassVar = {"radiomics": "blood"}


def encoded(present: torch.Tensor | None = None) -> dict[str, Encoding]:
    return random_encodings(SPECS, 6, present=present, dtype=torch.float64)


@pytest.mark.parametrize("settings", [{"alpha": 0.3}, {"alpha": 0.3, "learn_alpha": True}])
def test_under_a_cox_head_it_is_the_papers_risk(settings: dict[str, Any]) -> None:
    """F = (1 - a) beta' ReLU(s_image) + a gamma' ReLU(s_radiomics), eqs. 2 and 3, from the head's
    one weight and no intercept.
    """
    torch.manual_seed(0)
    fusion = MixedRisk(SPECS, **settings).double()
    head = CoxHead(fusion.dim, OUTCOME).double()
    batch = encoded()

    log_hazard = head(fusion(batch).embedding)

    (weight,) = head.parameters()
    beta, gamma = weight[0, :6], weight[0, 6:]
    image, radiomics = batch["cxr"].summary.relu(), batch["radiomics"].summary.relu()
    expected = 0.7 * image @ beta + 0.3 * radiomics @ gamma
    torch.testing.assert_close(log_hazard[:, 0], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("alpha", "silent"), [(0.0, "radiomics"), (1.0, "cxr")])
def test_the_ends_of_alpha_leave_one_modality(alpha: float, silent: str) -> None:
    """At 0 the radiomics change no risk, at 1 the image does not; both keep their projections."""
    torch.manual_seed(0)
    fusion = MixedRisk(SPECS, alpha=alpha).double()
    batch, other = encoded(), random_encodings(SPECS, 6, seed=9, dtype=torch.float64)

    before, after = fusion(batch), fusion(batch | {silent: other[silent]})

    assert torch.equal(before.embedding, after.embedding)
    embeddings = [each.modality_embeddings[silent] for each in (before, after)]
    assert not torch.equal(*embeddings)


def test_an_absent_modality_adds_nothing_to_the_risk() -> None:
    """Its half is zero, the other half and its share stay as they are; its projection is zero."""
    torch.manual_seed(0)
    fusion = MixedRisk(SPECS, alpha=0.25).double()
    present = torch.ones(6, 2, dtype=torch.bool)
    present[2, 1] = False

    whole, part = fusion(encoded()), fusion(encoded(present))

    expected = whole.embedding.clone()
    expected[2, 6:] = 0.0
    torch.testing.assert_close(part.embedding, expected)
    assert not bool(part.modality_embeddings["radiomics"][2].any())
    assert bool(part.modality_embeddings["radiomics"][1].any())


def test_projections_are_linear_relu_linear() -> None:
    """Of each summary by itself, before the ReLU of the risk and whatever alpha is."""
    torch.manual_seed(0)
    fusion = MixedRisk(SPECS, alpha=0.0, projection=5).double()
    batch = encoded()
    state = fusion.state_dict()

    vectors = fusion(batch).modality_embeddings

    for place, name in enumerate(("cxr", "radiomics")):
        first, second = (
            (state[f"projections.{place}.{at}.weight"], state[f"projections.{place}.{at}.bias"])
            for at in (0, 2)
        )
        assert first[0].shape == (SPECS[name].dim, SPECS[name].dim)
        inner = (batch[name].summary @ first[0].T + first[1]).clamp(min=0)
        torch.testing.assert_close(vectors[name], inner @ second[0].T + second[1])


def test_a_learned_alpha_starts_where_it_is_set_and_learns() -> None:
    """A sigmoid: a step down the gradient of the radiomics' half moves it down."""
    fusion = MixedRisk(SPECS, alpha=0.2, learn_alpha=True).double()
    batch = encoded()

    start = float(torch.as_tensor(fusion.alpha).detach())
    torch.testing.assert_close(start, 0.2, rtol=1e-6, atol=0)
    assert fusion.logit is not None
    (gradient,) = torch.autograd.grad(fusion(batch).embedding[:, 6:].sum(), [fusion.logit])

    # d(a s)/d logit = a (1 - a) s
    expected = 0.2 * 0.8 * float(batch["radiomics"].summary.relu().sum())
    torch.testing.assert_close(float(gradient), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("names", "settings", "message"),
    [
        (("cxr",), {}, "exactly two modalities, but the recipe names cxr"),
        (("a", "b", "radiomics"), {}, "names a, b, radiomics; concat, mean and attention take any"),
        (("ct", "pet"), {}, r"set radiomics to ct or pet \(none is called 'radiomics'\)"),
        (("ct", "pet"), {"radiomics": "cxr"}, r"set radiomics to ct or pet \(not 'cxr'\)"),
    ],
)
def test_what_is_not_known_is_asked(
    names: tuple[str, ...], settings: dict[str, Any], message: str
) -> None:
    """The sentence names the modalities that there are."""
    with pytest.raises(CompositionError, match=message):
        MixedRisk({name: EncodingSpec(dim=2) for name in names}, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 1.2}, r"must lie in \[0, 1\], not 1.2"),
        ({"alpha": 0.0, "learn_alpha": True}, r"must start within \(0, 1\), not at 0"),
        ({"projection": 0}, "must be at least 1, not 0 and None"),
        ({"hidden": 0}, "must be at least 1, not 64 and 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    """With the value that came."""
    with pytest.raises(ConfigError, match=message):
        MixedRisk(SPECS, **settings)
