"""A training step of vq3d at 128³ against a plain float32 transcription: time, and peak of memory.

Each side runs in a process of its own, on one thread; processor time, so that other programs do not
count.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from time import process_time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import ModalityInput
from survkit.specs import InputSpec
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder

pytestmark = [pytest.mark.benchmark, pytest.mark.slow]

SIZE = int(os.environ.get("SURVKIT_STEP_SIZE", "128"))
SLACK = 0.7
TIME_TARGET, MEMORY_TARGET = 1.9, 0.65


class PlainBlock(nn.Module):
    """The paper's residual block, as one writes it down."""

    def __init__(self, channels: int, activation: type[nn.Module]) -> None:
        super().__init__()
        norm = nn.GroupNorm(8, channels, eps=1e-6)
        self.body = nn.Sequential(
            nn.Conv3d(channels, channels, 3, padding=1), norm, _activation(activation),
            nn.Conv3d(channels, channels, 3, padding=1), norm, _activation(activation),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = features + self.body(features)
        return found


def _activation(kind: type[nn.Module]) -> nn.Module:
    return kind(0.2) if kind is nn.LeakyReLU else kind()


class Plain(nn.Module):
    """Encoder, codebook and decoder of the paper in float32, layer after layer."""

    def __init__(self) -> None:
        super().__init__()
        encoder: list[nn.Module] = []
        for before, width in ((1, 32), (32, 64), (64, 128), (128, 256), (256, 512)):
            kernel, stride = (3, 1) if width == 512 else (4, 2)
            encoder += [
                nn.Conv3d(before, width, kernel, stride, 1),
                nn.GroupNorm(8, width, eps=1e-6),
                nn.LeakyReLU(0.2),
                PlainBlock(width, nn.LeakyReLU),
            ]
        decoder: list[nn.Module] = [PlainBlock(512, nn.ReLU)]
        for before, width in ((512, 256), (256, 128), (128, 64), (64, 32)):
            decoder += [
                nn.Upsample(scale_factor=2),
                nn.Conv3d(before, width, 3, padding=1),
                nn.GroupNorm(8, width, eps=1e-6),
                nn.ReLU(),
                PlainBlock(width, nn.ReLU),
            ]
        decoder += [nn.Conv3d(32, 1, 1), nn.Tanh()]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)
        self.codes = nn.Parameter((2 * torch.rand(1024, 512) - 1) / 1024)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encoder(values)
        tokens = features.flatten(2).transpose(1, 2)
        chosen = self.codes[torch.cdist(tokens[0], self.codes).argmin(dim=1)][None]
        through = tokens + (chosen - tokens).detach()
        restored = self.decoder(through.transpose(1, 2).view_as(features))
        loss = (tokens.detach() - chosen).square().mean()
        loss = loss + 0.25 * (tokens - chosen.detach()).square().mean()
        return through, loss + (restored - values).square().mean()


def our_step(encoder: Any, values: Tensor) -> None:
    given = ModalityInput(values, torch.ones(len(values), dtype=torch.bool))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoding = encoder(given)
    penalties = encoding.penalties
    loss = penalties["codebook"] + 0.25 * penalties["commitment"] + penalties["reconstruction"]
    (loss.sum() + encoding.summary.float().square().sum()).backward()
    encoder.quantizer.after_step()


def plain_step(network: Any, values: Tensor) -> None:
    tokens, loss = network(values)
    (loss + tokens.mean(dim=1).square().sum()).backward()


def measure(side: str) -> None:
    """Print seconds of a step after one that does not count, and the peak of memory in MiB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    values = 2 * torch.rand(1, 1, SIZE, SIZE, SIZE) - 1
    ours = side.startswith("ours")
    network: nn.Module = (
        VQ3DEncoder(
            InputSpec(kind="volume", shape=(1, SIZE, SIZE, SIZE)),
            checkpointing=side.endswith("checkpointing"),
        )
        if ours
        else Plain()
    )
    step = our_step if ours else plain_step
    step(network.train(), values)
    begin = process_time()
    step(network, values)
    seconds = process_time() - begin
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measured(side: str) -> tuple[float, float]:
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, side],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ).stdout
    seconds, peak = map(float, printed.split())
    return seconds, peak


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB there")
def test_a_training_step() -> None:
    """At least 1.9 times as fast, at no more than 0.65 of the peak of the process."""
    (plain_time, plain_peak), (time, peak) = measured("plain"), measured("ours")

    print(
        f"\nvq3d at {SIZE}³, batch 1: plain float32 {plain_time:.1f} s and {plain_peak:.0f} MiB, "
        f"ours {time:.1f} s and {peak:.0f} MiB: {plain_time / time:.2f} times as fast, "
        f"{peak / plain_peak:.2f} of the memory"
    )
    assert plain_time / time >= TIME_TARGET * SLACK
    assert peak / plain_peak <= MEMORY_TARGET / SLACK


if __name__ == "__main__":
    measure(sys.argv[1])
