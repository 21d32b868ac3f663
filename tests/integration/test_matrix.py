"""What fits is built and trains; what does not is refused in a sentence that names what would."""

from __future__ import annotations

import random
import re
from itertools import product
from pathlib import Path

import pytest
from tests.integration.composed_pair import composed, train_one_step
from tests.integration.composition_matrix import (
    encoder_and_fusion,
    encoder_for,
    encoder_of,
    fusion_and_loss,
    head_and_loss,
    losses_of_embeddings,
    needs_one_width,
    own_loss,
    page,
    width_of,
)
from tests.integration.tiny_parts import INPUTS, TINY, TWO_ALIKE, installed_names, scene

from survkit.compose import Composition
from survkit.errors import CompositionError, UserError

PAGE = Path(__file__).parents[2] / "docs" / "matrix.md"
ENCODERS, FUSIONS = installed_names("encoder"), installed_names("fusion")
HEADS, LOSSES = installed_names("head"), installed_names("loss")
DRAWN = 120
"""Of the full product, in the slow test."""


def assert_names_what_fits(error: UserError, **asked: str) -> None:
    """Assert that a refusal is one sentence, and names a part that is installed and not asked."""
    text = str(error)
    known = {(kind, name) for kind in TINY for name in installed_names(kind)}
    others = {name for _, name in known - set(asked.items())}
    bare = {name.rpartition("/")[2] for name in others}

    assert isinstance(error, CompositionError)
    assert "\n" not in text
    assert "fails on made-up subjects" not in text, "a crash is no refusal"
    assert (others | bare) & set(re.findall(r"[\w/-]+", text)), text


def assert_trains(composition: Composition, encoder: str, fusion: str) -> None:
    """Assert that one step of training leaves loss and weights finite, and moves the weights."""
    assert float(train_one_step(composition, scene(encoder, fusion).specs)) >= 0


@pytest.mark.parametrize("kind", TINY)
def test_every_installed_part_has_its_tiny_settings(kind: str) -> None:
    """A part that the matrix does not know would be left out of it unseen."""
    missing = [name for name in installed_names(kind) if name not in TINY[kind]]

    assert missing == [], (
        f"add settings that train in a moment to {kind.upper()}S in tests/integration/tiny_parts.py"
    )


@pytest.mark.parametrize("head", HEADS)
def test_every_loss_fits_a_head_or_is_refused(head: str) -> None:
    """By the meaning of the parameters; beside a loss of embeddings any head trains."""
    for loss in LOSSES:
        error = head_and_loss(head, loss)
        if error is None:
            losses = (loss,) if loss not in losses_of_embeddings() else (own_loss(head), loss)
            assert_trains(composed(head=head, losses=losses), "tabular", "mean")
        else:
            assert_names_what_fits(error, head=head, loss=loss)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_head_follows_every_fusion(fusion: str) -> None:
    """A head sees the width alone."""
    encoder = encoder_for(fusion)
    for head in HEADS:
        composition = composed(encoder=encoder, fusion=fusion, head=head, losses=(own_loss(head),))
        assert_trains(composition, encoder, fusion)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_losses_of_embeddings_fit_a_fusion_or_are_refused(fusion: str) -> None:
    """By whether it gives an embedding of every modality, of one width."""
    encoder = encoder_for(fusion)
    for loss in losses_of_embeddings():
        error = fusion_and_loss(fusion, loss)
        if error is None:
            composition = composed(encoder=encoder, fusion=fusion, losses=("cox", loss))
            assert_trains(composition, encoder, fusion)
        else:
            assert_names_what_fits(error, fusion=fusion, loss=loss)
        if needs_one_width(fusion, loss):
            with pytest.raises(CompositionError, match="of one width") as caught:
                composed(encoder="vector", fusion=fusion, losses=("cox", loss))
            assert_names_what_fits(caught.value, encoder="vector", fusion=fusion, loss=loss)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_fusion_fits_an_encoder_or_is_refused(encoder: str) -> None:
    """By what the encoder promises; and every other kind of input is refused by the encoder."""
    for fusion in FUSIONS:
        error = encoder_and_fusion(encoder, fusion)
        if error is None:
            assert_trains(composed(encoder=encoder, fusion=fusion), encoder, fusion)
        else:
            assert_names_what_fits(error, encoder=encoder, fusion=fusion)
    for kind in INPUTS:
        if (error := encoder_of(encoder, kind)) is not None:
            assert_names_what_fits(error, encoder=encoder)


@pytest.mark.slow
def test_pairs_decide_the_full_product() -> None:
    """Drawn compositions of all four fit exactly where their pairs do."""
    everything = list(product(ENCODERS, FUSIONS, HEADS, LOSSES))
    for encoder, fusion, head, loss in random.Random(0).sample(everything, DRAWN):
        fits = encoder_and_fusion(encoder, fusion) is None and head_and_loss(head, loss) is None
        losses: tuple[str, ...] = (loss,)
        if loss in losses_of_embeddings():
            one_width = width_of(encoder) == width_of("tabular") or fusion in TWO_ALIKE
            fits = fits and fusion_and_loss(fusion, loss) is None
            fits = fits and (one_width or not needs_one_width(fusion, loss))
            losses = (own_loss(head), loss)
        if not fits:
            with pytest.raises(CompositionError) as caught:
                composed(encoder, fusion, head, losses)
            assert_names_what_fits(
                caught.value, encoder=encoder, fusion=fusion, head=head, loss=loss
            )
        else:
            assert_trains(composed(encoder, fusion, head, losses), encoder, fusion)


@pytest.mark.slow
def test_the_page_is_what_was_found() -> None:
    """docs/matrix.md, written anew, is docs/matrix.md."""
    absent = [name for kind in TINY for name in TINY[kind] if name not in installed_names(kind)]
    if absent:
        pytest.skip(f"the page is of all plugins, but these parts are absent: {absent}")

    expected = page()

    assert PAGE.read_text(encoding="utf-8") == expected, (
        "python -m tests.integration.composition_matrix > docs/matrix.md"
    )
