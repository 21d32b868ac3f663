"""Radiomics of patches as tokens: what is prepared, learnt, encoded and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import ModalityInput
from survkit.protocols import Sample
from survkit.radiomics import FEATURE_NAMES, patch_features
from survkit.showing import ShowsAttentionMaps
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_radvit.radiomics_tokens import RadiomicsTokensEncoder
from survkit_radvit.tokens.patch_transformer import PatchTransformer

INPUT = InputSpec(kind="image", shape=(1, 16, 24))
SMALL: dict[str, Any] = {"patch": 8, "dim": 8, "heads": 2, "hidden": 16}


def picture(seed: int = 0) -> Sample:
    """Return an image of 8 bits."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(256, (1, 16, 24), generator=generator).float()
    return Sample(values=values, source=f"{seed}.png")


class TestRadiomicsTokens(EncoderConformance):
    component = RadiomicsTokensEncoder
    input = INPUT
    settings = SMALL
    sample = picture()


class TestDeeper(EncoderConformance):
    component = RadiomicsTokensEncoder
    input = INPUT
    settings: ClassVar = SMALL | {
        "depth": 2,
        "classes": ["ngtdm", "glcm"],
        "bin_width": None,
        "bin_count": 16,
        "scale": "min-max-255",
    }
    sample = picture()


def build(**settings: Any) -> RadiomicsTokensEncoder:
    torch.manual_seed(0)
    return RadiomicsTokensEncoder(INPUT, **(SMALL | settings)).eval()


def inputs(values: Tensor) -> ModalityInput:
    return ModalityInput(values, torch.ones(len(values), dtype=torch.bool))


def prepared(encoder: RadiomicsTokensEncoder, count: int = 8) -> Tensor:
    return torch.stack([encoder.prepare(picture(seed)) for seed in range(count)])


def test_the_papers_patches() -> None:
    """384 x 384 in patches of 32: 144 tokens of 128 on a grid of 12 x 12."""
    encoder = RadiomicsTokensEncoder(InputSpec(kind="image", shape=(1, 384, 384)))

    spec = encoder.encoding

    assert (spec.dim, spec.tokens, spec.grid) == (128, 144, (12, 12))
    assert encoder.transformer.project.in_features == 93


@pytest.mark.parametrize("classes", [None, ["ngtdm"], ["glrlm", "firstorder"]])
def test_what_is_prepared_are_the_features_of_the_core(classes: list[str] | None) -> None:
    """Patches row by row; of the classes that are set, in the order of all 93."""
    encoder = build() if classes is None else build(classes=classes)
    image = picture().values[0]
    wanted = [
        place
        for place, name in enumerate(FEATURE_NAMES)
        if classes is None or name.split("_")[0] in classes
    ]

    values = encoder.prepare(picture())

    assert values.dtype == torch.float64
    expected = patch_features(image[None].double(), 8, encoder.settings)[0]
    torch.testing.assert_close(values, expected[:, wanted], equal_nan=True)
    lower_left = patch_features(image[None, 8:, :8].double(), 8, encoder.settings)[0, 0]
    torch.testing.assert_close(values[3], lower_left[wanted], equal_nan=True)


def test_the_image_is_stretched_where_it_is_asked() -> None:
    """16 bits give the features of the same picture on 0 to 255."""
    encoder = build(scale="min-max-255")
    given = picture()
    low, high = float(given.values.min()), float(given.values.max())
    deep = replace(given, values=1000 + given.values * 257)
    stretched = replace(given, values=(given.values - low) / (high - low) * 255)

    found = encoder.prepare(deep)

    torch.testing.assert_close(found, build().prepare(stretched), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (
            picture().values / 127.5 - 1,
            {},
            "0.png: intensities from -1 to 1 are one gray level at bin_width 25; take the window",
        ),
        (torch.full((1, 16, 24), 7.0), {}, "0.png: every pixel that radiomics would read is 7"),
        (torch.full((1, 16, 24), 7.0), {"scale": "min-max-255"}, "every pixel .* is 7"),
    ],
)
def test_intensities_without_gray_levels_are_refused(
    values: Tensor, settings: dict[str, Any], message: str
) -> None:
    """With the range that came and what to do."""
    with pytest.raises(DataError, match=message):
        build(**settings).prepare(replace(picture(), values=values))


@pytest.mark.parametrize("shape", [(24, 16), (8, 48), (32, 48), (8, 8), (17, 24)])
def test_an_image_of_another_size_is_refused(shape: tuple[int, int]) -> None:
    """Six patches in another arrangement would stand at the wrong places, and nobody would see."""
    values = torch.arange(float(shape[0] * shape[1])).view(1, *shape)

    with pytest.raises(
        DataError, match=rf"a\.png: the image has {shape[0]} x {shape[1]} .* 16 x 24"
    ):
        build().prepare(Sample(values=values, source="a.png"))


def test_another_size_is_another_preparation() -> None:
    """What was prepared for one size is not found for another, which would refuse it."""
    other = RadiomicsTokensEncoder(InputSpec(kind="image", shape=(1, 24, 16)), **SMALL)

    assert other.preparation_fingerprint() != build().preparation_fingerprint()


def test_a_windowed_image_goes_with_a_bin_count() -> None:
    """Gray levels are then cut from each patch's own range."""
    encoder = build(bin_width=None, bin_count=8)
    windowed = replace(picture(), values=picture().values / 127.5 - 1)

    assert encoder.prepare(windowed).shape == (6, 93)


def test_the_fingerprint_tells_what_was_prepared_and_nothing_else() -> None:
    """Settings of the features, not of the network."""
    base = build().preparation_fingerprint()
    others = [
        build(**changed)
        for changed in (
            {"patch": 4}, {"bin_width": 10.0}, {"scale": "min-max-255"}, {"classes": ["glcm"]}
        )
    ]  # fmt: skip

    assert build(dim=16, depth=2, dropout=0.5).preparation_fingerprint() == base
    assert len({each.preparation_fingerprint() for each in others} | {base}) == 5


def test_gaps_and_scale_are_the_training_patches() -> None:
    """A subject's encoding is what the training subjects' medians make of it, in any company."""
    encoder = build()
    train = prepared(encoder)
    train[:, :3, 40] = torch.nan
    encoder.fit_batches([inputs(train)])
    test = prepared(encoder, 2)
    test[0, 4, 40] = torch.nan
    filled = test.clone()
    known = train[:, 3:, 40].flatten().sort().values
    filled[0, 4, 40] = (known[11] + known[12]) / 2

    found, expected = encoder(inputs(test)), encoder(inputs(filled))

    assert len(known) == 24
    assert torch.equal(found.summary, expected.summary)
    assert bool(found.tokens.isfinite().all())


def test_how_batches_are_cut_is_irrelevant() -> None:
    """One subject at a time, or all."""
    train = prepared(build())
    whole, cut = build(), build()

    whole.fit_batches([inputs(train)])
    cut.fit_batches([inputs(each) for each in torch.split(train, 3)])

    encodings = [each(inputs(train)).tokens for each in (whole, cut)]
    torch.testing.assert_close(*encodings, rtol=1e-5, atol=1e-6)


def test_groups_are_positions_of_what_is_prepared() -> None:
    """Of two classes, 18 and 16 features that divide the 34 between them."""
    groups = build(classes=["glrlm", "firstorder"]).feature_groups()

    assert groups == {"firstorder": tuple(range(18)), "glrlm": tuple(range(18, 34))}


def test_the_groups_are_all_93_columns() -> None:
    """Six classes of 18, 24, 16, 16, 14 and 5, each column once."""
    groups = build().feature_groups()

    sizes = {name: len(columns) for name, columns in groups.items()}
    assert sizes == {
        "firstorder": 18, "glcm": 24, "glrlm": 16, "glszm": 16, "gldm": 14, "ngtdm": 5
    }  # fmt: skip
    assert sorted(sum(groups.values(), ())) == list(range(93))


def test_the_map_is_the_attention_on_the_grid() -> None:
    """Rows and columns of patches; it sums to one over them."""
    encoder = build()
    train = prepared(encoder)
    encoder.fit_batches([inputs(train)])
    assert isinstance(encoder, ShowsAttentionMaps)

    maps = encoder.attention_maps(train)

    weights = encoder(inputs(train)).attention_weights
    assert weights is not None
    assert list(maps) == ["last block"]
    assert torch.equal(maps["last block"], weights.reshape(8, 2, 3))
    torch.testing.assert_close(maps["last block"].sum(dim=(1, 2)), torch.ones(8))


def test_the_weights_are_those_that_the_block_uses() -> None:
    """With values that say which token they are of, the block's output is made of the weights."""
    torch.manual_seed(0)
    network = PatchTransformer(5, 4, dim=8, heads=1, hidden=4, dropout=0.0, depth=2).double().eval()
    features = torch.randn(3, 4, 5, dtype=torch.float64)
    last: Any = network.blocks[-1]
    seen = []
    last.value.register_forward_hook(
        lambda *_: torch.eye(8, dtype=torch.float64)[:5].expand(3, 5, 8)
    )
    last.output.register_forward_hook(lambda module, args, result: seen.append(args[0]))

    _, _, weights = network(features)

    row = seen[0][:, 0, 1:5]  # what the class token takes of patches 1 to 4
    torch.testing.assert_close(weights, row / row.sum(dim=1, keepdim=True))


def test_positions_tell_patches_apart() -> None:
    """With them a permutation of patches matters; without them the class token cannot tell."""
    torch.manual_seed(0)
    network = PatchTransformer(5, 4, dim=8, heads=2, hidden=4, dropout=0.0, depth=1).double().eval()
    features = torch.randn(3, 4, 5, dtype=torch.float64)
    mixed = features[:, [2, 0, 3, 1]]

    assert not torch.allclose(network(features)[0], network(mixed)[0])
    torch.nn.init.zeros_(network.positions)
    torch.testing.assert_close(network(features)[0], network(mixed)[0])


@pytest.mark.parametrize(
    ("spec", "settings", "message"),
    [
        (InputSpec(kind="image", shape=(3, 16, 16)), {}, "one channel, but it has 3"),
        (
            InputSpec(kind="image", shape=(1, 30, 17)),
            {},
            r"8 x 8 pixels, but it is 30 x 17; declare size: \[32, 24",
        ),
        (InputSpec(kind="image", shape=(1, 16, 16), has_tokens=True), {}, "a image with many"),
        (InputSpec(kind="vector", shape=(4,)), {}, "is a vector; radvit/radiomics takes tables"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    spec: InputSpec, settings: dict[str, Any], message: str
) -> None:
    """With what came and what to do."""
    with pytest.raises(CompositionError, match=message):
        RadiomicsTokensEncoder(spec, **(SMALL | settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch": 1}, "at least 2 pixels, not 1"),
        ({"bin_count": 16}, "exactly one of bin_width and bin_count"),
        ({"scale": "log"}, "scale is one of none, min-max-255, not 'log'"),
        ({"classes": []}, "one or more of firstorder, glcm, .*not \\[\\]"),
        ({"classes": ["glcm", "glcm"]}, "each once"),
        ({"classes": ["shape"]}, "not \\['shape'\\]"),
        ({"heads": 3}, "multiple of heads, not dim=8, heads=3"),
        ({"depth": 0}, "depth=0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    """With the value that came."""
    with pytest.raises(ConfigError, match=message):
        build(**settings)
