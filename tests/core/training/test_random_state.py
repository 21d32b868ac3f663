"""Seeding gives what ``torch.manual_seed`` gives, without its notes for accelerators not there."""

from __future__ import annotations

import random
import traceback

import numpy as np
import pytest
import torch

from survkit.training import random_state
from survkit.training.random_state import seed_everything


def test_draws_are_those_of_the_plain_seeds() -> None:
    """Python, numpy and torch are in the very state that their own functions set."""
    seed_everything(3, 1, 4)
    found = random.getstate(), np.random.get_state(legacy=True), torch.get_rng_state()  # noqa: NPY002

    words = np.random.SeedSequence([3, 1, 4]).generate_state(3)
    random.seed(int(words[0]))
    np.random.seed(int(words[1]))  # noqa: NPY002
    torch.manual_seed(int(words[2]))

    assert found[0] == random.getstate()
    np.testing.assert_equal(found[1], np.random.get_state(legacy=True))  # noqa: NPY002
    assert torch.equal(found[2], torch.get_rng_state())


def test_an_accelerator_is_seeded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(random_state, "_has_accelerator", lambda: True)
    monkeypatch.setattr(torch, "manual_seed", seeded.append)

    seed_everything(3, 1, 4)

    assert seeded == [int(np.random.SeedSequence([3, 1, 4]).generate_state(3)[2])]


@pytest.mark.skipif(torch.accelerator.is_available(), reason="an accelerator has to be seeded")
def test_no_stack_is_written_out_without_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took as long as a step of a small network."""
    calls: list[object] = []
    monkeypatch.setattr(traceback, "format_stack", lambda *_: calls.append(1) or [])

    seed_everything(3, 1, 4)

    assert not calls
