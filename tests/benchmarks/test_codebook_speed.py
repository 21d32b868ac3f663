"""Codebook lookup and training step against the usual ways: time on one thread, equal codes.

The peer is vector-quantize-pytorch where it can be imported, else a transcription with distances of
all pairs and one-hot codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from statistics import median
from time import process_time
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from survkit_robsurv.quantizer.nearest_code import nearest_code
from survkit_robsurv.quantizer.vector_quantizer import VectorQuantizer

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

Learning = Literal["gradient", "ema"]
TOKENS, CODES, DIM = 512, 1024, 512
SLACK = 0.7
STEP_TARGET, LOOKUP_TARGET = 2.5, 1.2
PEER = find_spec("vector_quantize_pytorch") is not None


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run both sides on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Transcription(nn.Module):
    """Distances of all pairs, one-hot codes, their product with the codebook."""

    def __init__(self, codes: Tensor, learning: Learning) -> None:
        super().__init__()
        self.learning = learning
        self.codes = nn.Parameter(codes.clone(), requires_grad=learning == "gradient")
        self.register_buffer("count", torch.ones(len(codes)))
        self.register_buffer("total", codes.clone())

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        flat = tokens.flatten(0, 1)
        index = torch.cdist(flat, self.codes).argmin(dim=1)
        one_hot = functional.one_hot(index, len(self.codes)).to(flat.dtype)
        chosen = (one_hot @ self.codes).view_as(tokens)
        loss = (tokens - chosen.detach()).square().mean()
        if self.learning == "gradient":
            loss = loss + (tokens.detach() - chosen).square().mean()
        elif self.training:
            self.count.lerp_(one_hot.sum(dim=0), 0.01)  # type: ignore[operator]
            self.total.lerp_(one_hot.T @ flat.detach(), 0.01)  # type: ignore[operator]
            self.codes.data = self.total / self.count[:, None]  # type: ignore[index, operator]
        return tokens + (chosen - tokens).detach(), index.view(tokens.shape[:2]), loss


def peer_of(codes: Tensor, learning: Learning) -> nn.Module:
    """Return what we are compared with, with these codes."""
    if not PEER:
        return Transcription(codes, learning)
    from vector_quantize_pytorch import VectorQuantize

    ema = learning == "ema"
    peer = VectorQuantize(
        dim=DIM,
        codebook_size=CODES,
        decay=0.99,
        ema_update=ema,
        learnable_codebook=not ema,
        rotation_trick=False,
        commitment_weight=0.25,
    )
    with torch.no_grad():
        peer.codebook = codes.clone()
    return peer


def pair(offset: float, learning: Learning) -> tuple[VectorQuantizer, Any, Tensor]:
    """Return ours and the peer with the same codes, and tokens."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(1, TOKENS, DIM, generator=generator) + offset
    codes = torch.randn(CODES, DIM, generator=generator) + offset
    ours = VectorQuantizer(DIM, codebook_size=CODES, learning=learning)
    with torch.no_grad():
        ours.codebook.copy_(codes)
    if ours.average is not None:
        ours.average.total.copy_(codes)
    return ours, peer_of(codes, learning), tokens


def medians(repeats: int, *sides: Callable[[], object]) -> list[float]:
    """Median milliseconds of each side, interleaved, after three calls of each."""
    for side in sides:
        for _ in range(3):
            side()
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, times in zip(sides, taken, strict=True):
            begin = process_time()
            side()
            times.append(1000 * (process_time() - begin))
    return [median(times) for times in taken]


def exact(tokens: Tensor, codes: Tensor) -> Tensor:
    """Return the nearest codes by float64 distances without an expanded square."""
    apart = torch.cdist(
        tokens.double(), codes.double(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    return apart.argmin(dim=-1)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_lookup(offset: float) -> None:
    """In eval mode: the nearest codes, also far from the origin, and at least as fast."""
    ours, peer, tokens = pair(offset, "gradient")
    ours.eval(), peer.eval()
    expected = exact(tokens[0], ours.codebook.detach())

    with torch.no_grad():
        found, theirs = nearest_code(tokens[0], ours.codebook), peer(tokens)[1][0]
        our_time, their_time = medians(30, lambda: ours(tokens, losses=False), lambda: peer(tokens))

    agreement = float((theirs == expected).double().mean())
    print(
        f"\nlookup at offset {offset:g}: {'vector-quantize-pytorch' if PEER else 'transcription'} "
        f"{their_time:.2f} ms ({agreement:.1%} of codes exact), ours {our_time:.2f} ms "
        f"({float((found == expected).double().mean()):.1%}), ratio {their_time / our_time:.2f}"
    )
    assert torch.equal(found, expected)
    assert their_time / our_time >= LOOKUP_TARGET * SLACK


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_training_step(learning: Learning) -> None:
    """Forward, backward, and what follows the step."""
    ours, peer, tokens = pair(0.0, learning)
    ours.train(), peer.train()

    def our_step() -> None:
        given = tokens.clone().requires_grad_()
        ours.zero_grad()
        found = ours(given)
        loss = found.quantized.sum() + 0.25 * found.losses["commitment"].sum()
        if "codebook" in found.losses:
            loss = loss + found.losses["codebook"].sum()
        loss.backward()
        ours.after_step()

    def their_step() -> None:
        given = tokens.clone().requires_grad_()
        peer.zero_grad()
        quantized, _, loss = peer(given)
        (quantized.sum() + loss.sum()).backward()

    our_time, their_time = medians(20, our_step, their_step)

    print(
        f"\ntraining step, {learning}: {'vector-quantize-pytorch' if PEER else 'transcription'} "
        f"{their_time:.2f} ms, ours {our_time:.2f} ms, ratio {their_time / our_time:.2f}"
    )
    if PEER:
        assert their_time / our_time >= STEP_TARGET * SLACK
