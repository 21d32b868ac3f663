"""The conformance tests of modules with state that follows training."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from survkit.protocols import FollowsTraining, Health, TellsHealth
from survkit.settings import check_settings
from survkit.testing.kit import Kit, assert_close, component_name

SUBJECTS = 12


class FollowsTrainingConformance(Kit):
    """What the engine relies on; a subclass gives ``component``, ``settings``, ``shape``.

    Whoever calls the module otherwise than with one tensor replaces :meth:`run`.
    """

    arguments: ClassVar[tuple[Any, ...]] = ()
    """Positional arguments of its constructor."""
    shape: ClassVar[tuple[int, ...]]
    """Of what one subject gives it, without the batch axis."""

    def build(self) -> Any:
        """Return the module in training mode, float64; the same each time."""
        component = type(self).component
        settings = check_settings(component, self.settings, where=component_name(component))
        torch.manual_seed(0)
        return component(*self.arguments, **settings).double().train()

    def run(self, module: Any, values: Tensor) -> object:
        """Run the module on the subjects' values (batch, ...)."""
        return module(values)

    def stepped(self, module: Any, parts: Sequence[Tensor], seed: int = 5) -> dict[str, Tensor]:
        """Run the micro-batches of a step, move the state, and return what is saved of it."""
        for values in parts:
            self.run(module, values)
        torch.manual_seed(seed)
        with torch.no_grad():
            module.after_step()
        return {name: value.clone() for name, value in module.state_dict().items()}

    def values(self, seed: int = 1) -> Tensor:
        """Return random subjects."""
        generator = torch.Generator().manual_seed(seed)
        shape = (SUBJECTS, *self.shape)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def test_it_is_found(self) -> None:
        """The engine looks for ``after_step`` of modules."""
        module = self.build()

        assert isinstance(module, nn.Module)
        assert isinstance(module, FollowsTraining)

    def test_state_moves_after_the_step_alone(self) -> None:
        """A forward changes nothing that is saved; ``after_step`` does, without a graph."""
        module, before = self.build(), self.build().state_dict()
        self.run(module, self.values().requires_grad_())
        with_graph = [name for name, buffer in module.named_buffers() if buffer.requires_grad]
        kept = {name: value.clone() for name, value in module.state_dict().items()}
        moved = self.stepped(module, [])

        assert_close(kept, dict(before))
        assert any(not torch.equal(value, kept[name]) for name, value in moved.items())
        assert with_graph == []

    def test_micro_batches_do_not_matter(self) -> None:
        """Any division of the step's subjects leaves the same state."""
        values = self.values()
        right = self.stepped(self.build(), [values])

        for size in (1, 5, SUBJECTS // 2):
            assert_close(self.stepped(self.build(), torch.split(values, size)), right)

    def test_eval_mode_leaves_no_trace(self) -> None:
        """No buffer, saved or not, differs afterwards."""
        module = self.build().eval()
        before = _buffers(module)
        self.run(module, self.values())

        assert_close(_buffers(module), before)

    def test_a_forward_can_be_taken_back(self) -> None:
        """All that a forward leaves is in buffers that were there, which the engine puts back."""
        module, values = self.build(), self.values()
        before = _buffers(module)
        self.run(module, self.values(seed=2))
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                assert name in before, "a buffer came into being in a forward"
                buffer.copy_(before[name])

        assert_close(self.stepped(module, [values]), self.stepped(self.build(), [values]))

    def test_a_resumed_run_goes_on_alike(self) -> None:
        """Between steps nothing matters but what is saved."""
        module, other = self.build(), self.build()
        state = self.stepped(module, [self.values()])
        other.load_state_dict(state, strict=True)
        values = self.values(seed=2)

        assert_close(self.stepped(other, [values]), self.stepped(module, [values]))

    def test_random_numbers_are_those_of_the_step(self) -> None:
        """Whatever was drawn before, the same seed moves the state alike."""
        first = self.stepped(self.build(), [self.values()])
        module = self.build()
        torch.rand(7)

        assert_close(self.stepped(module, [self.values()]), first)

    def test_health_is_of_the_steps_since_it_was_asked(self) -> None:
        """Finite numbers by name after steps, ``None`` without; where it says how it fares."""
        module = self.build()
        if not isinstance(module, TellsHealth):
            return
        without = module.epoch_health()
        self.stepped(module, [self.values()])
        health = module.epoch_health()

        assert without is None
        assert isinstance(health, Health)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in health.values)
        assert all(isinstance(one, float) for one in health.values.values())
        assert all(math.isfinite(one) for one in health.values.values())
        assert module.epoch_health() is None


def _buffers(module: nn.Module) -> dict[str, Tensor]:
    return {name: buffer.clone() for name, buffer in module.named_buffers()}
