"""How a step touches the machine: precision, backward, synchronisation between ranks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import Tensor

from survkit.flow import ModelOutput, SurvivalTarget


@dataclass(frozen=True, slots=True)
class RiskSetUnion:
    """The outputs and targets of a whole risk set, over all micro-batches and ranks.

    Attributes:
        output: Of every subject of the risk set.
        target: Of every subject of the risk set.
        start: Position of this rank's first subject.
        ranks: Number of ranks that hold a part; gradients are averaged over them afterwards.
    """

    output: ModelOutput
    target: SurvivalTarget
    start: int = 0
    ranks: int = 1


def alone(output: ModelOutput, target: SurvivalTarget) -> RiskSetUnion:
    """Return the union where one process holds the whole risk set."""
    return RiskSetUnion(output, target)


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Execution:
    """What differs between a plain loop, mixed precision and several ranks.

    Attributes:
        autocast: Context of every forward, the same in both passes.
        backward: Backward of a scalar, with loss scaling where the precision asks for it.
        no_sync: Context of every backward but the rank's last, in which ranks do not exchange
            gradients.
        gather: Joins this rank's outputs with those of the others.
    """

    autocast: Callable[[], AbstractContextManager[object]] = nullcontext
    backward: Callable[[Tensor], None] = _backward
    no_sync: Callable[[], AbstractContextManager[object]] = nullcontext
    gather: Callable[[ModelOutput, SurvivalTarget], RiskSetUnion] = alone
