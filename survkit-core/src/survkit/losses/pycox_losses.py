"""Likelihoods of pycox as losses of survkit: for those who want the very numbers of that package.

pycox is the optional extra ``pycox``. It is imported when such a loss is built, never before: the
import takes seconds. Only its loss functions are used; its training loop, data sets and integrated
scores (which no longer run on current SciPy) are not.

What pycox does not know is refused by name: delayed entry, weights, strata and competing causes.
pycox numbers intervals up to the last one only; a subject that is event-free at the horizon is
given to it as censored in the last interval, which all four likelihoods read as having survived it.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from survkit.catalog import extra_line
from survkit.discrete import promoted
from survkit.errors import CompositionError, DataError, MissingExtraError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.piecewise_likelihood import check_parameters, interval_share
from survkit.losses.unsupported import refuse_unsupported
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise


class PycoxLogisticHazard:
    """``nll_logistic_hazard``: equals ``hazard-likelihood`` with ``censored: inclusive``.

    Both are means over subjects.

    Args:
        outcome: Names the cause and the time grid.

    Raises:
        CompositionError: The outcome has competing causes.
        MissingExtraError: pycox is not installed.

    Reference: Gensheimer and Narasimhan (2019), PeerJ 7:e6257, as implemented in pycox (Kvamme and
    Borgan).
    """

    def __init__(self, outcome: OutcomeSpec) -> None:
        self._outcome, self._name = outcome, "pycox-logistic-hazard"
        self._functions = _pycox(outcome, self._name)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("interval-hazard",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        phi = _checked(output, target, self._name, self._outcome.intervals)
        interval, event = _labels(target, self._outcome, phi)
        value: Tensor = self._functions.nll_logistic_hazard(phi, interval, event)
        return value


class PycoxPMF:
    """``nll_pmf``: equals ``deephit-likelihood`` as far as the 1e-7 goes that pycox adds inside
    every logarithm.

    Args:
        outcome: Names the cause and the time grid.

    Raises:
        CompositionError: The outcome has competing causes.
        MissingExtraError: pycox is not installed.

    Reference: Kvamme and Borgan (2021), Lifetime Data Analysis 27:710, section 3.1.
    """

    def __init__(self, outcome: OutcomeSpec) -> None:
        self._outcome, self._name = outcome, "pycox-pmf"
        self._functions = _pycox(outcome, self._name)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("pmf",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        logits = _checked(output, target, self._name, self._outcome.intervals + 1)
        phi = logits[:, :-1] - logits[:, -1:]  # pycox fixes the logit of "no event" at 0
        interval, event = _labels(target, self._outcome, phi)
        value: Tensor = self._functions.nll_pmf(phi, interval, event)
        return value


class PycoxMTLR:
    """``nll_mtlr``: the scores of the ``mtlr`` head are found again as differences of its logits.

    pycox sums them up as that head does, so that on one head this equals ``pycox-pmf``.

    Args:
        outcome: Names the cause and the time grid.

    Raises:
        CompositionError: The outcome has competing causes.
        MissingExtraError: pycox is not installed.

    Reference: Yu, Greiner, Lin and Baracos (2011), NeurIPS 24.
    """

    def __init__(self, outcome: OutcomeSpec) -> None:
        self._outcome, self._name = outcome, "pycox-mtlr"
        self._functions = _pycox(outcome, self._name)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("pmf",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        logits = _checked(output, target, self._name, self._outcome.intervals + 1)
        score = -logits.diff(dim=1)
        interval, event = _labels(target, self._outcome, score)
        value: Tensor = self._functions.nll_mtlr(score, interval, event)
        return value


class PycoxPCHazard:
    """``nll_pc_hazard_loss``: equals ``piecewise-likelihood``.

    Args:
        outcome: Names the cause and the time grid.

    Raises:
        CompositionError: The outcome has competing causes.
        MissingExtraError: pycox is not installed.

    Reference: Kvamme and Borgan (2021), Lifetime Data Analysis 27:710, section 3.2.
    """

    def __init__(self, outcome: OutcomeSpec) -> None:
        self._outcome, self._name = outcome, "pycox-pc-hazard"
        self._functions = _pycox(outcome, self._name)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("piecewise-hazard",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, self._name, "entry", "weight", "strata")
        phi = promoted(output.parameters)
        check_parameters(phi, self._outcome)
        interval, share, event = interval_share(target, self._outcome)
        value: Tensor = self._functions.nll_pc_hazard_loss(
            phi, interval, event.to(phi.dtype), share.to(phi.dtype)
        )
        return value


def _pycox(outcome: OutcomeSpec, loss: str) -> Any:
    """Import pycox's loss functions, or say what would install them."""
    if len(outcome.causes) != 1:
        raise CompositionError(
            f"{loss} models one cause, but the outcome has {len(outcome.causes)} "
            f"({', '.join(outcome.causes)}); deephit-likelihood and hazard-likelihood fit"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # an escape in its source, Python 3.12
            import pycox.models.loss
    except ImportError as error:
        raise MissingExtraError(
            f"the loss '{loss}' needs the package {error.name or 'pycox'}, which is not installed: "
            f"{extra_line('pycox')}"
        ) from error
    return pycox.models.loss


def _checked(output: ModelOutput, target: SurvivalTarget, loss: str, width: int) -> Tensor:
    """Return the parameters after refusing what pycox would ignore."""
    refuse_unsupported(target, loss, "entry", "weight", "strata")
    parameters = promoted(output.parameters)
    if parameters.ndim != 2 or parameters.shape[1] != width:
        raise DataError(
            f"{output.parameterization!r} parameters must be of shape (batch, {width}), not "
            f"{tuple(parameters.shape)}; were head and loss built with the same outcome?"
        )
    return parameters


def _labels(target: SurvivalTarget, outcome: OutcomeSpec, phi: Tensor) -> tuple[Tensor, Tensor]:
    """Return intervals 0..grid - 1 and events 0 or 1 as pycox reads them."""
    interval, event = discretise(target, outcome)
    last = torch.tensor(outcome.intervals - 1, device=interval.device)
    return torch.minimum(interval, last), event.to(phi.dtype)
