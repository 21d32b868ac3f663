"""The contracts of components, and the optional abilities the engine looks for.

A component is an ordinary final ``nn.Module`` (a loss: any callable object) whose constructor takes
one positional spec and keyword-only settings. Its constructor is its configuration schema. It
imports nothing from survkit but the records (:mod:`survkit.flow`), specs, errors and predictions.
The real contract is the conformance kit, :mod:`survkit.testing`.

Parameterizations, as heads declare and losses accept them (``grid`` intervals, ``cause`` causes):

- ``"log-hazard"``, (batch, cause): log relative cause-specific hazard, no intercept (Cox).
- ``"pmf"``, (batch, cause * grid + 1): logits of one softmax; entry ``(k - 1) * grid + t`` is an
  event of cause k in interval t (from 0), the last is no event up to the horizon (DeepHit).
- ``"interval-hazard"``, (batch, grid): logit of the conditional probability of the event in an
  interval; one cause.
- ``"cause-interval-hazard"``, (batch, grid, cause + 1): logits of a softmax per interval; entry 0
  is "no event", entry k is cause k.
- ``"piecewise-hazard"``, (batch, grid): softplus of it is the cumulative hazard gained over the
  interval, at a constant hazard; one cause.
- ``"weibull"``, (batch, 2): log scale and log shape; one cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from torch import Generator, Tensor

from survkit.flow import Encoding, Fused, ModalityInput, ModelOutput, SurvivalTarget
from survkit.prediction import SurvivalPrediction
from survkit.specs import ColumnSpec, EncodingSpec, InputKind

if TYPE_CHECKING:
    from survkit.findings import ExperimentPlan, Findings

ANY_PARAMETERIZATION = "*"
"""What a loss accepts that never looks at ``ModelOutput.parameters``."""


class Encoder(Protocol):
    """Turns one modality into tokens. Built as ``Encoder(input: InputSpec, **settings)``."""

    @property
    def encoding(self) -> EncodingSpec:
        """What every call will give, known before any data."""

    def __call__(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the batch; with ``penalties=False`` skip what only feeds penalties, such as a
        decoder.

        In eval mode row i of the result depends on row i of the input alone. Every subject given is
        present.
        """


class Fusion(Protocol):
    """Joins the modalities. Built as ``Fusion(encodings: Mapping[str, EncodingSpec], **settings)``.

    The constructor refuses specs that it cannot use with a
    :class:`survkit.errors.CompositionError`.
    """

    @property
    def dim(self) -> int:
        """Width of the fused embedding."""

    @property
    def penalties(self) -> tuple[str, ...]:
        """Names of the penalties given, without the prefix ``fusion.``."""

    def __call__(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Fuse; ``Encoding.present`` says who has the modality, and absent rows must not influence
        the result.

        The order of the mapping is irrelevant. Every subject has at least one modality. A fusion
        with a true class attribute ``reads_unprojected`` gets tokens whose linear projection is
        still pending (:attr:`survkit.flow.Encoding.projection`), and applies it itself. One with an
        attribute ``supervision`` names modalities that its penalties alone read, such as a mask
        that it learns to draw: they may be absent wherever nothing is learnt, and a subject with
        nothing else is refused.
        """


class SurvivalHead(Protocol):
    """Turns the embedding into distribution parameters. Built as ``Head(in_dim: int, outcome:
    OutcomeSpec, **settings)``.
    """

    @property
    def parameterization(self) -> str:
        """The meaning of the parameters, a name of this module's table or a plugin's own."""

    def __call__(self, embedding: Tensor) -> Tensor:
        """Return the parameters (batch, ...) of embeddings (batch, dim)."""

    def predict(self, parameters: Tensor) -> SurvivalPrediction:
        """Return the typed prediction that the parameters mean."""


class Loss(Protocol):
    """A term of the objective. Built as ``Loss(outcome: OutcomeSpec, **settings)``.

    A pure function of the whole risk set's outputs: independent of row order, finite and
    differentiable without events and for one subject. Delayed entry, weights and strata are
    honoured or refused by name.
    """

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read, or ``(ANY_PARAMETERIZATION,)``."""

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One subject's modality before preparation.

    Attributes:
        values: As in :class:`survkit.flow.ModalityInput`, without the batch axis.
        mask: Region of interest on the same grid, bool (*spatial); where the cohort names one.
        spacing: Voxel size in mm in the order of the spatial axes.
        source: File or table the values came from, for error messages.
        intensity_range: Lowest and highest intensity that the cohort declares (its window maps to
            -1 and 1); ``None`` where it declares none. Given to corruptions.
        columns: What the entries of a table's row are. Given to corruptions.
    """

    values: Tensor
    mask: Tensor | None = None
    spacing: tuple[float, ...] | None = None
    source: str = ""
    intensity_range: tuple[float, float] | None = None
    columns: tuple[ColumnSpec, ...] = ()


class Corruption(Protocol):
    """Makes one subject's input worse, as a scanner, a patient or a registry would. Built as
    ``Corruption(**settings)``.

    A pure function: the sample given is never changed, shape and type of its values are kept, and
    the same generator state gives the same result. A severity of zero, where there is one, gives
    the sample back. It is called on what the cohort's reader gives (resampled, cropped, windowed),
    before an encoder's own ``prepare``.
    """

    @property
    def kinds(self) -> tuple[InputKind, ...]:
        """The kinds of input it applies to."""

    @property
    def levels(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings by name of a severity, from mild to severe; by convention low, medium, high."""

    @property
    def stochastic(self) -> bool:
        """Whether another generator state gives another result; if not, one seed tells all."""

    def __call__(self, sample: Sample, *, generator: Generator) -> Sample | None:
        """Return the corrupted sample, or ``None`` where the modality is gone.

        Args:
            sample: What was read.
            generator: Source of all randomness, on the CPU.

        Raises:
            DataError: The sample is such that the corruption means nothing.
        """


@runtime_checkable
class Prepares(Protocol):
    """An encoder whose deterministic part is run once per subject and cached (preprocessing, a
    frozen trunk).
    """

    def prepare(self, sample: Sample) -> Tensor:
        """Return what ``forward`` gets as this subject's values, without the batch axis; a pure
        function of the sample, the constructor settings and the frozen weights.

        It is finite; where the encoder has a true class attribute ``prepares_missing``, NaN marks
        what cannot be computed for this subject, which nobody but its own ``forward`` reads.
        """

    def preparation_fingerprint(self) -> str:
        """Return a text that changes whenever the result of ``prepare`` could: settings, weights,
        dtype, versions, and what it takes from the input spec.
        """


@runtime_checkable
class PreparesExample(Protocol):
    """An encoder whose ``prepare`` cannot run on made-up values, because it looks for something in
    the image; where a composition is tried on nobody's data, this stands for what it returns.
    """

    def prepared_example(self, *, generator: Generator) -> Tensor:
        """Return made-up values as ``prepare`` could have, of one shape at every call."""


@runtime_checkable
class StartsFromWeights(Protocol):
    """An encoder whose network starts from published weights."""

    def load_weights(self) -> None:
        """Read them. Called once when a model is composed for training or preparation; never when a
        saved model is loaded, which brings its own.

        Raises:
            DataError: They are neither at hand nor within reach; the message says what to do.
        """


@runtime_checkable
class FitsInput(Protocol):
    """An encoder with state that is estimated from data without gradients (scaling, imputation,
    projection).
    """

    def fit(self, input: ModalityInput) -> None:
        """Estimate the state from present training subjects only; the engine calls this once,
        before training.
        """


@runtime_checkable
class FitsBatches(Protocol):
    """As :class:`FitsInput`, for inputs that need not fit in memory together."""

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Estimate the state from present training subjects only, in micro-batches; the engine
        calls this once, before training. The batches may be gone through more than once. The result
        does not depend on how they are cut.
        """


@runtime_checkable
class FollowsTraining(Protocol):
    """A module, at any depth of a model, with state that follows training without gradients: a
    codebook that moves by averages, codes that are started anew.

    Its forward in training mode only adds what it saw to buffers of its own (not persistent; the
    engine sees to it that a micro-batch is counted once per step, however often it is run).
    """

    def after_step(self) -> None:
        """Move the state by what the step's micro-batches left, over all ranks (the module adds
        them up), and forget that; called once after every optimizer step, in training mode, random
        numbers seeded by the step alike on every rank.
        """


@dataclass(frozen=True, slots=True)
class Health:
    """How a module fares, beyond its losses.

    Attributes:
        values: By name, such as ``"perplexity"``; finite, one that cannot be computed left out.
        warning: One sentence, with what to do, where something is wrong; else empty.
    """

    values: Mapping[str, float]
    warning: str = ""


@runtime_checkable
class TellsHealth(Protocol):
    """A module, at any depth of a model, that says after every epoch how it fares."""

    def epoch_health(self) -> Health | None:
        """Return the health over the training steps since the last call, the only time that the
        host may wait for the device; ``None`` where there were no steps. With several ranks it is
        made of what ``after_step`` added up.
        """


@runtime_checkable
class FitsBaseline(Protocol):
    """A head that needs a baseline hazard, estimated after training from the training subjects."""

    def fit_baseline(self, parameters: Tensor, target: SurvivalTarget) -> None:
        """Estimate and keep the baseline; it is saved with the weights."""


class Experiment(Protocol):
    """A study of a paper that needs no cohort, for it draws what it studies. Built as
    ``Experiment(**settings)``; ``survkit reproduce`` runs it and writes what it finds.
    """

    @property
    def plan(self) -> ExperimentPlan:
        """What is done, part by part; known before anything is drawn."""

    def __call__(self, part: str, *, seed: int) -> Findings:
        """Study one part with one seed: a pure function of part, seed and settings, also in a
        process of its own. It reads and writes nothing.
        """
