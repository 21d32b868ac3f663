"""What the encoder takes from training subjects before it trains, and what it refuses of them."""

from __future__ import annotations

import pytest
import torch
from tests.robsurv.vq3d.small_encoder import built, subjects

from survkit.errors import DataError
from survkit.flow import ModalityInput
from survkit.model import encode_present
from survkit.specs import InputSpec
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder


def test_codes_start_from_training_tokens_however_batches_are_cut() -> None:
    """To the last bit; another seed gives other codes; the mode is left as it was."""
    settings = {"start": "kmeans", "codebook_size": 4, "learning": "ema", "reconstruct": False}
    books = []
    for cut, seed in ((6, 0), (1, 0), (4, 0), (6, 1)):
        encoder = built(16, 16, 32, start_seed=seed, **settings).train()
        whole = subjects(encoder, 6)
        parts = [
            ModalityInput(part, torch.ones(len(part)).bool()) for part in whole.values.split(cut)
        ]
        encoder.fit_batches(iter(parts))
        assert encoder.quantizer is not None
        assert encoder.quantizer.training
        books.append(encoder.quantizer.codebook)
        assert encoder.quantizer.epoch_health() is None, "looking for a start is no training"

    assert torch.equal(books[0], books[1])
    assert torch.equal(books[0], books[2])
    assert not torch.equal(books[0], books[3])
    features = encoder.eval()(whole).continuous.flatten(0, 1)
    spread = (features - features.mean(0)).square().sum(1).mean()
    inside = torch.cdist(features, books[0]).amin(1).square().mean()
    assert inside < 0.8 * spread


def test_values_that_a_tanh_cannot_reach_are_refused() -> None:
    """Found among the training subjects, before anything is trained."""
    encoder = built()
    batches = [
        subjects(encoder),
        ModalityInput(200 * subjects(encoder).values, torch.ones(2).bool()),
    ]

    with pytest.raises(
        DataError, match=r"in \[-1, 1\], but .* go from -199\.\d+ to 199\.\d+; give"
    ):
        encoder.fit_batches(batches)

    built(reconstruct=False).fit_batches(batches)
    encoder.fit_batches(batches[:1])


def test_trained_weights_are_no_leave_for_such_values() -> None:
    """The range is looked at and nothing moves, neither codes nor where the decoder begins."""
    encoder = built(start="kmeans")
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    bright = ModalityInput(200 * subjects(encoder).values, torch.ones(2).bool())

    encoder.check_batches([subjects(encoder)])
    with pytest.raises(DataError, match=r"in \[-1, 1\], but .* go from -199"):
        encoder.check_batches([subjects(encoder), bright])

    built(reconstruct=False).check_batches([bright])
    after = encoder.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_the_decoder_begins_at_the_mean_of_training_subjects() -> None:
    """Of each channel, to the last bit however batches are cut, and finite for dark volumes."""
    made = []
    for cut in (4, 1, 3):
        encoder = VQ3DEncoder(InputSpec(kind="volume", shape=(2, 16, 16, 16)), width=0.0625).eval()
        generator = torch.Generator().manual_seed(0)
        values = torch.rand(4, 2, 16, 16, 16, generator=generator) - torch.tensor([1.0, 0.5]).view(
            2, 1, 1, 1
        )
        parts = [ModalityInput(one, torch.ones(len(one)).bool()) for one in values.split(cut)]
        encoder.fit_batches(iter(parts))
        assert encoder.decoder is not None
        made.append(encoder.decoder.last.bias.detach().clone())

    torch.testing.assert_close(made[0].tanh(), values.mean((0, 2, 3, 4)), atol=1e-6, rtol=0)
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])
    with torch.no_grad():
        first = encoder.reconstruct(values).mean((0, 2, 3, 4))
    torch.testing.assert_close(first, made[0].tanh(), atol=0.1, rtol=0)
    encoder.fit_batches([ModalityInput(-torch.ones(1, 2, 16, 16, 16), torch.ones(1).bool())])
    assert bool(encoder.decoder.last.bias.isfinite().all())


def test_absent_subjects_are_not_counted() -> None:
    """A micro-batch of a model with an absent subject: zeros for it, codes of the other counted."""
    encoder = built(16, 16, 32).train()
    values = subjects(encoder).values
    values[0] = 0
    input = ModalityInput(values, torch.tensor([False, True]), complete=False)

    encoding = encode_present(encoder, input, penalties=True)

    assert encoder.quantizer is not None
    assert int(encoder.quantizer.counted.step.sum()) == 2
    assert not bool(encoding.tokens[0].any())
    assert all(value[0] == 0 < value[1] for value in encoding.penalties.values())
