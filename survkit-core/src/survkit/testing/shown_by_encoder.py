"""The conformance tests of what encoders offer to be looked at; all of it is optional."""

from __future__ import annotations

from dataclasses import replace

import torch

from survkit.flow import ModalityInput
from survkit.protocols import Prepares
from survkit.showing import (
    ShownVolume,
    ShowsAttentionMaps,
    ShowsTokenMasks,
    ShowsTokens,
    ShowsVolumes,
)
from survkit.testing.built_encoder import BuiltEncoder
from survkit.testing.kit import assert_close


class ShownByEncoder(BuiltEncoder):
    """What ``survkit explain`` relies on."""

    def test_shown_tokens_are_those_encoded(self) -> None:
        """There is one picture per token, and one share of the region of interest."""
        if not isinstance(self.build(), ShowsTokens):
            return
        encoder = self.build()
        sample = self.given_sample(encoder)
        prepared = encoder.prepare(sample) if isinstance(encoder, Prepares) else sample.values
        one = ModalityInput(prepared[None], torch.ones(1, dtype=torch.bool))
        tokens = encoder(one).tokens.shape[1]

        images = encoder.token_images(sample)

        assert images.ndim == 3
        assert len(images) == tokens
        assert bool(((images >= 0) & (images <= 1)).all())
        if isinstance(encoder, ShowsTokenMasks):
            nowhere = torch.zeros(sample.values.shape[1:], dtype=torch.bool)
            inside, outside = (
                encoder.token_mask_share(replace(sample, mask=mask)) for mask in (~nowhere, nowhere)
            )
            assert inside.shape == outside.shape == (tokens,)
            assert bool(((inside >= 0) & (inside <= 1)).all())
            assert bool((inside > 0).any())
            assert not bool(outside.any())

    def test_shown_volumes_lie_over_the_input(self) -> None:
        """What the encoder makes of volumes is as it declares, of each subject by itself."""
        encoder = self.build().double()
        if not isinstance(encoder, ShowsVolumes):
            return
        values = self.batch(encoder).values.double()

        with torch.no_grad():
            found = encoder.volumes(values)
            alone = encoder.volumes(values[1:2])

        for name, volume in found.items():
            assert isinstance(volume, ShownVolume), name
            assert volume.values.ndim == 4, name
            assert len(volume.values) == self.subjects, name
            pairs = zip(volume.values.shape[1:], self.input.shape[1:], strict=True)
            assert all(1 <= axis <= whole for axis, whole in pairs), name
            assert volume.values.is_floating_point() == (volume.kind == "intensity"), name
            assert_close(alone[name].values, volume.values[1:2])
            if volume.kind == "label":
                assert bool((volume.values >= 0).all()), name
                assert volume.classes is None or bool((volume.values < volume.classes).all()), name
            else:
                assert bool(volume.values.isfinite().all()), name

    def test_attention_maps_lie_over_the_picture(self) -> None:
        """Weights of 0 or more that sum to one, on no more cells than pixels, of each subject by
        itself, and the same whenever they are asked for.
        """
        encoder = self.build().double()
        if not isinstance(encoder, ShowsAttentionMaps):
            return
        values = self.batch(encoder).values.double()

        with torch.no_grad():
            found = dict(encoder.attention_maps(values))
            again = encoder.attention_maps(values)
            alone = [encoder.attention_maps(values[row : row + 1]) for row in range(self.subjects)]

        for name, weight in found.items():
            assert weight.ndim == 3, name
            assert len(weight) == self.subjects, name
            pairs = zip(weight.shape[1:], self.input.shape[1:], strict=True)
            assert all(1 <= axis <= whole for axis, whole in pairs), name
            assert bool((weight >= 0).all() & weight.isfinite().all()), name
            assert_close(weight.sum(dim=(1, 2)), torch.ones_like(weight[:, 0, 0]))
            assert_close(torch.cat([one[name] for one in alone]), weight)
            assert torch.equal(again[name], weight), name
