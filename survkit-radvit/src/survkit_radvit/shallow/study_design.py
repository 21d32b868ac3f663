"""One part of the experiment with one seed: train, measure, prune, measure, train anew, measure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from survkit.metrics import harrell_concordance
from survkit_radvit.shallow.design import Design
from survkit_radvit.shallow.importance import attention_mass, token_auroc, token_importance
from survkit_radvit.shallow.kept_tokens import Agreement, agreement, kept_tokens
from survkit_radvit.shallow.streams import Purpose, fresh_model, stream
from survkit_radvit.shallow.subjects import Study
from survkit_radvit.shallow.train import Schedule, Trained, concordance, defined, train


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What is done with a study.

    Attributes:
        schedule: Of the training on all tokens.
        thresholds: Values of c that tokens are pruned at.
        retrain_epochs: Of the training on what is kept.
    """

    schedule: Schedule
    thresholds: tuple[float, ...]
    retrain_epochs: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one threshold leaves, on the test subjects.

    Attributes:
        agreement: Of what is kept with what is relevant.
        pruned: Concordance of the model trained on all tokens, on those kept.
        retrained: Concordance of a new model, trained on those kept.
    """

    agreement: Agreement
    pruned: float
    retrained: float


@dataclass(frozen=True, slots=True)
class Studied:
    """What one seed gives; all but ``trained`` on the test subjects.

    Attributes:
        trained: On all tokens.
        oracle: Concordance of the true log hazard.
        concordance: Of the model, on all tokens.
        auroc: Mean token AUROC of the importance that pruning goes by.
        mass: Mean attention on relevant tokens.
        even: What that would be if attention were even.
        pruned: By threshold.
    """

    trained: Trained
    oracle: float
    concordance: float
    auroc: float
    mass: float
    even: float
    pruned: tuple[Pruned, ...]


def study_design(design: Design, steps: Steps, *, seed: int) -> Studied:
    """Draw a study of the design and return what attention finds in it.

    Raises:
        DataError: There are too few events to fit or to measure.
    """
    study = design.draws.draw(stream(seed, "study"))
    study.check()
    trained = _train(design, study, steps.schedule, seed, ("weights", "order"))
    test = study.test
    importance = design.importance(trained.model, study)
    own = token_importance(trained.model, test)
    return Studied(
        trained=trained,
        oracle=defined(harrell_concordance(test.log_hazard, test.target)),
        concordance=concordance(trained.model, test),
        auroc=float(token_auroc(importance[2], test.relevant).mean()),
        mass=float(attention_mass(own, test.relevant).mean()),
        even=float(test.relevant.double().mean()),
        pruned=tuple(
            _prune(design, study, steps, trained, [kept_tokens(one, c) for one in importance], seed)
            for c in steps.thresholds
        ),
    )


def _prune(
    design: Design,
    study: Study,
    steps: Steps,
    trained: Trained,
    kept: list[Tensor],
    seed: int,
) -> Pruned:
    """Drop what is not kept, and measure the model as it is and one that is trained anew."""
    left = study.pruned((kept[0], kept[1], kept[2]))
    schedule = replace(steps.schedule, epochs=steps.retrain_epochs)
    again = _train(design, left, schedule, seed, ("weights again", "order again"))
    return Pruned(
        agreement=agreement(kept[2], study.test.relevant),
        pruned=concordance(trained.model, left.test),
        retrained=concordance(again.model, left.test),
    )


def _train(
    design: Design, study: Study, schedule: Schedule, seed: int, purposes: tuple[Purpose, Purpose]
) -> Trained:
    weights, order = (stream(seed, purpose) for purpose in purposes)
    tokens, dim = design.shape
    model = fresh_model(weights, tokens=tokens, dim=dim, position=design.position)
    return train(model, study, schedule, order)
