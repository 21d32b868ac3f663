"""Whatever is wrong with a recipe or an option: one line, exit code 2, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.bends import (
    CV,
    FIT,
    Bend,
    Row,
    cases,
    check_refusal,
    encoder,
    horizon,
    recipe,
    text,
    training,
)


def penalty(**also: str) -> Bend:
    return recipe(objective=["cox", {"penalty": "clinical.codebook", **also}])


def grid(**settings: Any) -> Bend:
    return horizon(300, grid=settings)


RECIPES: dict[str, Row] = {
    "empty": (FIT, text("recipe.yaml", ""), ("expected keys and values", "found nothing")),
    "list": (FIT, text("recipe.yaml", "- a"), ("expected keys and values", "found list")),
    "binary": (FIT, text("recipe.yaml", b"\x00\xff"), ("not UTF-8 text", "save it as UTF-8")),
    "tag": (
        FIT,
        text("recipe.yaml", "!!python/object/apply:os.system ['touch x']"),
        ("recipe.yaml: not valid YAML", "could not determine a constructor"),
    ),
    "unknown key": (FIT, recipe(encoder={}), ("unknown key 'encoder'. Did you mean 'encoders'",)),
    "key of training": (FIT, training(epoch=3), ("'training.epoch'. Did you mean 'epochs'",)),
    "text for a number": (FIT, training(epochs="3"), ("training.epochs", "integer, not '3'")),
    "half an epoch": (FIT, training(epochs=2.5), ("training.epochs", "integer, not 2.5")),
    "no recipe": (FIT.replace("recipe.yaml", "x.yaml"), None, ("x.yaml: there is no such file",)),
    "a folder": (FIT.replace("recipe.yaml", "cv"), None, ("no recipe is named 'cv'",)),
    "recipe of a plugin": (
        FIT.replace("recipe.yaml", "histology/tma"),
        None,
        ("no recipe is named 'histology/tma'", "pip install survkit-histology"),
    ),
    "unknown head": (FIT, recipe(head="coxx"), ("no head is named 'coxx'. Did you mean 'cox'",)),
    "another kind": (FIT, recipe(head="tabular"), ("There is an encoder of that name",)),
    "plugin": (FIT, encoder(use="histology/uni"), ("pip install survkit-histology",)),
    "unknown setting": (FIT, encoder(hiden=[3]), ("no setting 'hiden'. Did you mean 'hidden'",)),
    "quoted number": (FIT, encoder(dim="4"), ("'dim' must be a whole number", "without quotes")),
    "out of range": (FIT, encoder(dropout=1.5), ("dropout must lie in [0, 1), not 1.5",)),
    "loss and head": (
        FIT,
        recipe(objective=["deephit-likelihood"]),
        ("reads pmf", "the head cox gives log-hazard", "losses that read log-hazard: cox"),
    ),
    "penalty nobody gives": (FIT, penalty(), ("gives the penalty 'clinical.codebook'",)),
    "loss and penalty": (FIT, penalty(use="cox"), ("either 'use' (a loss) or 'penalty'",)),
    "negative weight": (
        FIT,
        recipe(objective=[{"use": "cox", "weight": -1.0}]),
        ("weight: input should be greater than or equal to 0, not -1.0",),
    ),
    "modality": (FIT, recipe(encoders={"ct": "resnet3d-18"}), ("no modality is named 'ct'",)),
    "encoder of volumes": (
        FIT,
        recipe(encoders={"clinical": "resnet3d-18"}),
        ("needs a volume modality", "this one is a table", "tabular fits tables"),
    ),
    "unit": (FIT, horizon(300, unit="months"), ("speaks of months", "in days", "set outcome.unit")),
    "far horizon": (FIT, horizon(30000), ("outcome.horizon is 30000", "set a shorter horizon")),
    "early horizon": (FIT, horizon(0.5), ("has an event by outcome.horizon, 0.5 days",)),
    "endless horizon": (FIT, horizon(float("inf")), ("outcome.horizon", "finite number")),
    "path of the search": (
        FIT,
        recipe(search={"training.optimiser.lr": [0.1]}),
        ("search.training.optimiser.lr", "Did you mean 'optimizer'"),
    ),
    "value of the search": (
        FIT,
        recipe(search={"training.optimizer.lr": [0.1, -1]}),
        ("training.optimizer.lr: input should be greater than 0, not -1",),
    ),
    "second component of the search": (
        FIT,
        recipe(search={"encoders.clinical.dim": [4, "x"]}),
        ("encoders.clinical (tabular): setting 'dim' must be a whole number",),
    ),
    "nothing to choose on": (
        FIT + " --set training.validation=0 --set training.search_folds=1",
        recipe(search={"training.optimizer.lr": [0.1]}),
        ("training.search_folds: 1 chooses on a validation part", "set training.validation > 0"),
    ),
    "more inner folds than events": (
        FIT + " --set training.search_folds=60",
        recipe(search={"training.optimizer.lr": [0.1]}),
        ("training.search_folds: 60 folds of the", "ask for at most"),
    ),
    "a search that changes the loss it chooses by": (
        FIT + " --set training.monitor=loss",
        recipe(search={"objective": ["cox", {"use": "cox", "ties": "efron"}]}),
        ("search.objective", "losses of different kinds", "set training.monitor to concordance"),
    ),
    "nothing but divergence": (
        FIT + " --set training.optimizer.use=sgd",
        recipe(search={"training.optimizer.lr": [1e30, 1e31]}),
        ("all 2 candidates of the search diverged", "lower training.optimizer.lr"),
    ),
    "quantiles of one event": (
        FIT,
        horizon(5.0, grid={"kind": "quantile", "intervals": 4}),
        ("an event by outcome.horizon, 5 days",),
    ),
    "falling edges": (
        FIT,
        grid(kind="edges", edges=[100.0, 50.0, 300.0]),
        ("strictly increasing, not [100.0, 50.0, 300.0]",),
    ),
    "edges before the horizon": (
        FIT,
        grid(kind="edges", edges=[100.0, 200.0]),
        ("the last edge must be the horizon 300, not 200",),
    ),
    "accelerator": (FIT, training(accelerator="tpux"), ("accelerator: tpux", "Available names")),
    "too many devices": (FIT, training(devices=999), ("devices: 999", "CPU cores")),
    "float16 on a CPU": (FIT, training(precision="16-mixed"), ("precision to bf16-mixed",)),
    "rate of no part": (
        FIT,
        training(optimizer={"part_lr": {"encoders.ct": 0.1}}),
        ("part_lr: the model has no part 'encoders.ct'",),
    ),
    "diverging": (
        FIT,
        training(optimizer={"use": "sgd", "lr": 1e30}),
        ("not finite", "lower training.optimizer.lr"),
    ),
}

OVERRIDES: dict[str, Row] = {
    "no value": (FIT + " --set training.epochs", None, ("an override is path=value",)),
    "no path": (FIT + " --set =3", None, ("an override is path=value", "found '=3'")),
    "hole": (FIT + " --set training..epochs=3", None, ("an override is path=value",)),
    "below a number": (
        FIT + " --set training.epochs.deep=3",
        None,
        ("'deep' cannot be set inside the plain value 2",),
    ),
    "no such item": (FIT + " --set objective.7.weight=2", None, ("no position of a list of 1",)),
    "not YAML": (FIT + " --set head.use=[1", None, ("--set head.use: not valid YAML",)),
    "nothing left": (FIT + " --set encoders={}", None, ("encoders", "at least 1 item")),
    "seed": (FIT + " --seed -1", None, ("'--seed'", "greater than or equal to 0", "--help")),
    "seed of letters": (FIT + " --seed x", None, ("'--seed'", "integer")),
    "one fold": (CV + " --folds 1", None, ("'--folds'", "greater than or equal to 2")),
    "too many folds": (CV + " --folds 40", None, ("cannot be spread over 40 folds",)),
    "no repeat": (CV + " --repeats 0", None, ("'--repeats'",)),
    "no job": (CV + " --jobs 0", None, ("jobs must be 1 or more, or -1",)),
    "jobs": (CV + " --jobs -5", None, ("or -1 for one per core, not -5",)),
    "replicates": (CV + " --replicates -1", None, ("'--replicates'",)),
    "option": (FIT + " --sed 3", None, ("No such option: --sed", "--seed", "survkit fit --help")),
    "command": ("fitt x", None, ("no command 'fitt'. Did you mean 'fit'",)),
}


@pytest.mark.usefixtures("a_plugin_not_installed")
@pytest.mark.parametrize("row", cases("recipe", RECIPES) + cases("override", OVERRIDES))
def test_a_bad_input_is_one_line_and_exit_code_2(
    row: Row, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind."""
    check_refusal(row, place, capsys)
