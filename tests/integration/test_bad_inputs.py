"""Whatever is wrong with what a user gives to a command: one line, exit code 2, nothing lost.

What can be wrong with a cohort alone is listed in ``tests/core/data/test_bad_cohorts.py``.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from survkit.catalog import CATALOG, Provider
from survkit.cli import main

Bend = Callable[[Any], object]
Row = tuple[str, Bend | None, tuple[str, ...]]

FIT = "fit recipe.yaml --cohort cohort.yaml --out r --quiet"
REFIT = FIT.replace("--out r", "--out fitted")
CV = "cv recipe.yaml --cohort cohort.yaml --out r --folds 3 --replicates 0 --quiet"
RECV = CV.replace("--out r", "--out cv")
SPLITS = CV + " --splits cv/splits.json"
PREDICT = "predict fitted --cohort cohort.yaml"
PREPARE = "prepare recipe.yaml --cohort cohort.yaml"
SPLIT = "cohort split cohort.yaml --out s.json"
PHANTOM = "phantom --out ph --subjects 20 --size 16"


def both(*changes: Bend) -> Bend:
    """Apply several changes."""
    return lambda place: [change(place) for change in changes]


def text(name: str, content: str | bytes) -> Bend:
    """Replace a file."""
    raw = content.encode() if isinstance(content, str) else content
    return lambda place: (place / name).write_bytes(raw)


def cut(name: str, size: int = 40) -> Bend:
    """Keep the beginning of a file."""
    return lambda place: (place / name).write_bytes((place / name).read_bytes()[:size])


def recipe(**sections: Any) -> Bend:
    """Replace sections of the recipe."""
    return lambda place: place.yaml("recipe.yaml", lambda content: content.update(sections))


def training(**settings: Any) -> Bend:
    """Replace settings of the training."""
    return lambda place: place.yaml("recipe.yaml", lambda c: c["training"].update(settings))


def encoder(**settings: Any) -> Bend:
    """Replace settings of the encoder."""
    return lambda p: p.yaml("recipe.yaml", lambda c: c["encoders"]["clinical"].update(settings))


def horizon(value: float, **settings: Any) -> Bend:
    """Replace the outcome of the recipe."""
    return recipe(outcome={"horizon": value, **settings})


def modalities(**given: Any) -> Bend:
    """Replace the modalities of the cohort."""
    return lambda place: place.yaml("cohort.yaml", lambda c: c.update(modalities=given))


def columns(**values: Any) -> Bend:
    """Replace columns of the table; a function is given the table."""
    return lambda place: place.table(lambda frame: frame.assign(**values))


def data(name: str, change: Callable[[Any], object]) -> Bend:
    """Let a function bend the content of a JSON file."""

    def bend(place: Any) -> None:
        content = json.loads((place / name).read_text())
        change(content)
        (place / name).write_text(json.dumps(content))

    return bend


def splits(change: Callable[[Any], object]) -> Bend:
    """Bend a splits file and state the hash of what it became."""

    def rehashed(content: Any) -> None:
        change(content)
        del content["sha256"]
        plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
        content["sha256"] = hashlib.sha256(plain.encode()).hexdigest()

    return data("cv/splits.json", rehashed)


def by_event(part: str) -> Bend:
    """Give the second fold a part in which nobody has the event."""

    def bend(place: Any) -> None:
        frame = pd.read_csv(place / "patients.csv")
        events = frame["id"][frame["event"] == 1].tolist()
        censored = frame["id"][frame["event"] == 0].tolist()
        half = len(events) // 2
        rest = {"train": "validation", "validation": "train"}[part]
        first = {"train": events[:half], "validation": [], "test": events[half:] + censored}
        second = {part: censored, rest: events[half:], "test": events[:half]}
        if part == "validation":  # everybody is tested once
            first["test"], second["test"] = events[half:], events[:half] + censored[1:]
            first["train"] = first["train"] + censored[1:]
            first["test"], second["validation"] = [*events[half:], censored[0]], [censored[0]]
        made = [{"repeat": 0, "fold": n, **fold} for n, fold in enumerate((first, second))]
        splits(lambda content: content.update(folds=made))(place)

    return bend


def embedding(value: float) -> Bend:
    """Add an embedding with one bad number, and an encoder for it."""

    def bend(place: Any) -> None:
        subjects = pd.read_csv(place / "patients.csv")["id"]
        frame = pd.DataFrame({"id": subjects, "a": 1.0, "b": range(len(subjects))}).astype(
            {"b": float}
        )
        frame.loc[4, "b"] = value
        frame.to_csv(place / "e.csv", index=False)
        given = {"kind": "vector", "file": "e.csv"}
        place.yaml("cohort.yaml", lambda c: c["modalities"].update(e=given))
        place.yaml("recipe.yaml", lambda c: c["encoders"].update(e="vector"))

    return bend


def rare_modality(place: Any) -> None:
    """Give a modality to one subject, who will be in the validation part."""
    held_out = json.loads((place / "fitted/splits.json").read_text())["folds"][0]["validation"]
    (place / "e.csv").write_text(f"id,a\n{held_out[0]},1\n")
    given = {"kind": "vector", "file": "e.csv"}
    place.yaml("cohort.yaml", lambda c: c["modalities"].update(e=given))
    place.yaml("recipe.yaml", lambda c: c["encoders"].update(e="vector"))


def checkpoint(content: bytes) -> Bend:
    """Make the run an interrupted one with such a checkpoint."""

    def bend(place: Any) -> None:
        (place / "fitted/training.json").unlink()
        (place / "fitted/checkpoint").mkdir()
        (place / "fitted/checkpoint/last.ckpt").write_bytes(content)

    return bend


def weights(change: Callable[[dict[str, Any], str], object]) -> Bend:
    """Bend the tensors of a model, given the name of a matrix, and state the hash of the result."""

    def bend(place: Any) -> None:
        from safetensors.torch import load, save

        tensors = load((place / "fitted/model.safetensors").read_bytes())
        change(tensors, "members.0.encoders.clinical.network.0.weight")
        rehash(place, save(tensors))

    return bend


def rehash(place: Any, content: bytes) -> None:
    """Write the file of weights and state its hash in config.json."""
    (place / "fitted/model.safetensors").write_bytes(content)
    stated = {"weights_sha256": hashlib.sha256(content).hexdigest()}
    data("fitted/config.json", lambda config: config.update(stated))(place)


def config(change: Callable[[Any], object]) -> Bend:
    """Bend the description of a model."""
    return data("fitted/config.json", change)


def predictions(change: Callable[[Any], Any]) -> Bend:
    """Bend the out-of-fold table."""

    def bend(place: Any) -> None:
        import pyarrow.parquet as parquet

        path = place / "cv/predictions.parquet"
        parquet.write_table(change(parquet.read_table(path)), path)

    return bend


def facts(**changes: Any) -> Bend:
    """Replace facts in the metadata of the out-of-fold table."""

    def change(table: Any) -> Any:
        stated = json.loads(table.schema.metadata[b"survkit.predictions"]) | changes
        return table.replace_schema_metadata({"survkit.predictions": json.dumps(stated)})

    return predictions(change)


def twice(table: Any) -> Any:
    import pyarrow

    return pyarrow.concat_tables([table, table])


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

TRAINING_DATA: dict[str, Row] = {
    "all censored": (FIT, columns(event=0), ("no subject has an event: all 36 are censored",)),
    "two events": (CV, columns(event=lambda t: (t.index < 2) * 1), ("2 events of 'death'",)),
    "one event": (
        FIT,
        columns(event=lambda t: (t.index < 1) * 1),
        ("no event among the 7 validation subjects",),
    ),
    "an empty column": (FIT, columns(age=np.nan), ("column 'age' is missing for every training",)),
    "beyond float32": (
        FIT,
        columns(age=lambda t: t["age"].where(t.index != 3, 1e300)),
        ("column 'age' must hold numbers up to 3.4e38, but subject 's03' has 1e+300",),
    ),
    "NaN embedding": (FIT, embedding(np.nan), ("e.csv: the embedding of subject 's04'",)),
    "huge embedding": (FIT, embedding(1e300), ("e.csv: the embedding of subject 's04'",)),
    "nobody has it": (FIT, rare_modality, ("no training subject has the modality 'e'",)),
    "no such splits": (CV + " --splits no.json", None, ("no.json: there is no such file",)),
    "a table": (CV + " --splits patients.csv", None, ("not a readable JSON file",)),
    "another file": (CV + " --splits fitted/config.json", None, ("not a splits file of survkit",)),
    "edited": (
        SPLITS,
        data("cv/splits.json", lambda c: c["folds"][0]["test"].pop()),
        ("changed since it was written", "make it again with `survkit cohort split`"),
    ),
    "of fit": (CV + " --splits fitted/splits.json", None, ("the test part is empty",)),
    "other cohort": (SPLITS, columns(id=lambda t: "x" + t["id"]), ("is not in the cohort",)),
    "one more subject": (
        SPLITS,
        lambda p: p.table(lambda t: pd.concat([t, t.iloc[:1].assign(id="new")])),
        ("subject 'new' is in no part", "made for another table"),
    ),
    "overlap": (
        SPLITS,
        splits(lambda c: c["folds"][0]["test"].append(c["folds"][0]["train"][0])),
        ("is in train and in test",),
    ),
    "no folds": (SPLITS, splits(lambda c: c.update(folds=3)), ("not a splits file of survkit",)),
    "a fold without events": (
        SPLITS,
        by_event("train"),
        ("fold-1: none of the", "training subjects has an event"),
    ),
    "nobody to choose by": (
        SPLITS,
        by_event("validation"),
        ("fold-1: no two of the 1 validation subjects can be compared", "set training.monitor"),
    ),
}  # fmt: skip

RUNS: dict[str, Row] = {
    "a run": (REFIT, None, ("something is there already; give --overwrite", "--resume")),
    "a file": (FIT.replace("--out r", "--out patients.csv"), None, ("something is there",)),
    "below a file": (
        FIT.replace("--out r", "--out patients.csv/r"),
        None,
        ("patients.csv/r: cannot be written: Not a directory",),
    ),
    "no folder for files": (FIT.replace("--out r", "--out /proc/r"), None, ("cannot be written",)),
    "a thesis": (
        FIT.replace("--out r", "--out thesis --overwrite"),
        lambda p: [(p / "thesis").mkdir(), (p / "thesis/a.txt").write_text("years of work")],
        ("thesis: is not a run of survkit, so it is not overwritten",),
    ),
    "both": (REFIT + " --resume --overwrite", None, ("--overwrite or --resume, not both",)),
    "nothing to resume": (FIT + " --resume", None, ("no interrupted run to resume",)),
    "another recipe": (
        REFIT + " --resume --set training.epochs=7",
        None,
        ("another recipe (training.epochs: 2, now 7)",),
    ),
    "another seed": (REFIT + " --resume --seed 5", None, ("(training.seed: 0, now 5)",)),
    "another cohort": (
        REFIT + " --resume",
        columns(age=lambda t: t["age"] + 1),
        ("had another cohort; start anew with --overwrite",),
    ),
    "another command": (
        FIT.replace("--out r", "--out cv --resume"),
        None,
        ("cv: the interrupted run had another command",),
    ),
    "other folds": (RECV + " --resume --folds 4", None, ("had another splits",)),
    "run.json": (REFIT + " --resume", cut("fitted/run.json"), ("run.json: damaged",)),
    "run.json a list": (REFIT + " --resume", text("fitted/run.json", "[]"), ("run.json: damaged",)),
    "training.json": (
        REFIT + " --resume",
        cut("fitted/training.json"),
        ("training.json: damaged", "delete the file to train this part again"),
    ),
    "fold's table": (
        RECV + " --resume",
        cut("cv/fold-1/predictions.parquet"),
        ("cv/fold-1/predictions.parquet: not a readable Parquet file",),
    ),
    "fold's weights": (
        RECV + " --resume",
        cut("cv/fold-1/model.safetensors"),
        ("altered or cut off",),
    ),
    "empty checkpoint": (REFIT + " --resume", checkpoint(b""), ("not a whole checkpoint; delete",)),
    "torn checkpoint": (REFIT + " --resume", checkpoint(b"PK\x03\x04x"), ("not a whole",)),
    "code in a checkpoint": (
        REFIT + " --resume",
        checkpoint(pickle.dumps(print)),
        ("last.ckpt: not a whole checkpoint",),
    ),
}  # fmt: skip

EVALUATIONS: dict[str, Row] = {
    "no run": ("evaluate nowhere", None, ("no such predictions table", "survkit cv")),
    "a model": ("evaluate fitted", None, ("fitted has no predictions.parquet",)),
    "a CSV": ("evaluate patients.csv", None, ("there is no column 'risk_score'", "higher means")),
    "cut": ("evaluate cv", cut("cv/predictions.parquet"), ("not a readable Parquet file",)),
    "level": ("evaluate cv --level 1.5", None, ("level between 0 and 1",)),
    "replicates": ("evaluate cv --replicates -1", None, ("'--replicates'",)),
    "out": (
        "evaluate cv --replicates 0 --out no/m.json",
        None,
        ("no: there is no such folder; make it first",),
    ),
    "out a folder": (
        "evaluate cv --replicates 0 --out fitted",
        None,
        ("fitted is a folder; give a file",),
    ),
    "column": (
        "evaluate cv",
        predictions(lambda table: table.drop_columns(["duration"])),
        ("the column duration is missing",),
    ),
    "no facts": (
        "evaluate cv",
        predictions(lambda table: table.replace_schema_metadata({})),
        ("a Parquet file, but not of predictions",),
    ),
    "newer": ("evaluate cv", facts(format=9), ("format 1 were expected, not 9; update survkit",)),
    "other cause": ("evaluate cv", facts(causes=["x"]), ("the column risk_score.x is missing",)),
    "text in the grid": ("evaluate cv", facts(time_grid=["a"]), ("need a usable time_grid",)),
    "horizon": ("evaluate cv", facts(horizon=10), ("must end at the horizon 10, not at 300",)),
    "twice": ("evaluate cv", predictions(twice), ("may appear once in a repeat",)),
    "report of nothing": ("report nowhere", None, ("nowhere is no run folder",)),
    "report of a model": ("report fitted", None, ("no predictions.parquet",)),
    "report without a run": ("report", None, ("Missing argument", "survkit report --help")),
    "recipe": ("report cv", text("cv/recipe.yaml", "a: ["), ("cv/recipe.yaml: damaged",)),
    "metrics": ("report cv", cut("cv/metrics.json"), ("metrics.json: damaged", "delete it")),
    "metrics without causes": (
        "report cv",
        data("cv/metrics.json", lambda content: content.update(causes={})),
        ("metrics.json: damaged", "delete it to compute it anew"),
    ),
    "choices": ("report cv", text("cv/choices.json", "{"), ("cv/choices.json: damaged",)),
    "log": (
        "report cv",
        text("cv/fold-0/log.csv", b"\xff\xfe\x00"),
        ("fold-0/log.csv: not a training log", "delete it"),
    ),
}

MODELS: dict[str, Row] = {
    "none": ("predict nowhere --cohort cohort.yaml", None, ("no config.json is there",)),
    "a cross-validation": (
        "predict cv --cohort cohort.yaml",
        None,
        ("one model per fold", "survkit fit"),
    ),
    "config": (PREDICT, cut("fitted/config.json"), ("fitted/config.json: cannot be read",)),
    "format": (PREDICT, config(lambda c: c.update(format="x/9")), ("not a survkit model",)),
    "no inputs": (PREDICT, config(lambda c: c.pop("inputs")), ("damaged (KeyError: 'inputs')",)),
    "components": (PREDICT, config(lambda c: c.update(components=[])), ("config.json: damaged",)),
    "newer": (
        PREDICT,
        config(lambda c: c.update(api_version="9.0")),
        ("saved with survkit API 9.0", "pip install --upgrade survkit-core"),
    ),
    "no version": (PREDICT, config(lambda c: c.update(api_version="new")), ("is no version",)),
    "plugin": (
        PREDICT,
        config(
            lambda c: c["components"]["head"].update(
                use="histology/x", distribution="survkit-histology"
            )
        ),
        ("head is histology/x of survkit-histology", "pip install survkit-histology"),
    ),
    "class path": (
        PREDICT,
        config(lambda c: c["components"]["head"].update(use="os:system")),
        ("head is os:system", "not installed"),
    ),
    "setting": (
        PREDICT,
        config(lambda c: c["components"]["head"]["settings"].update(hidden="x")),
        ("setting 'hidden' must be a list",),
    ),
    "no weights": (
        PREDICT,
        lambda p: (p / "fitted/model.safetensors").unlink(),
        ("model.safetensors: cannot be read",),
    ),
    "cut weights": (PREDICT, cut("fitted/model.safetensors"), ("altered or cut off",)),
    "pickle": (
        PREDICT,
        lambda p: rehash(p, pickle.dumps(print)),
        ("not a safetensors file",),
    ),
    "lost tensor": (PREDICT, weights(lambda w, name: w.pop(name)), ("Missing key(s)",)),
    "added tensor": (
        PREDICT,
        weights(lambda w, name: w.update(x=w[name] + 1)),
        ("no part of the model is named x",),
    ),
    "shape": (
        PREDICT,
        weights(lambda w, name: w.update({name: w[name][:, 1:].clone()})),
        ("size mismatch for encoders.clinical.network.0.weight",),
    ),
    "NaN": (
        PREDICT,
        weights(lambda w, name: w[name].fill_(np.nan)),
        ("network.0.weight holds NaN or infinite numbers; get the model anew",),
    ),
    "integers": (
        PREDICT,
        weights(lambda w, name: w.update({name: w[name].int()})),
        ("network.0.weight is torch.int32, not torch.float32",),
    ),
}

NEW_SUBJECTS: dict[str, Row] = {
    "no column": (
        PREDICT,
        lambda p: p.table(lambda t: t.drop(columns="age")),
        ("no column 'age'",),
    ),
    "column not named": (
        PREDICT,
        modalities(clinical={"kind": "table", "columns": ["age"]}),
        ("the model needs the column 'stage', but the cohort file names age",),
    ),
    "names for numbers": (
        PREDICT,
        columns(age="old"),
        ("column 'age' holds names, but the model was trained on numbers",),
    ),
    "numbers for names": (
        PREDICT,
        columns(stage=1.5),
        ("column 'stage' holds numbers, but the model was trained on names",),
    ),
    "modality": (
        PREDICT,
        modalities(lab={"kind": "table", "columns": ["age", "stage"]}),
        ("needs the modality 'clinical', but the cohort has lab",),
    ),
    "kind": (
        PREDICT,
        modalities(clinical={"kind": "vector", "columns": ["age"]}),
        ("modalities.clinical.kind is vector, but the model was trained with table",),
    ),
    "unit": (
        PREDICT,
        lambda p: p.yaml("cohort.yaml", lambda c: c["outcome"].update(unit="months")),
        ("outcome.unit is months, but the model speaks of days",),
    ),
    "nobody": (PREDICT, lambda p: p.table(lambda t: t.iloc[:0]), ("the table has no rows",)),
    "late times": (PREDICT + " --times 100,5000", None, ("5000 was asked", "ask for earlier")),
    "negative times": (PREDICT + " --times -5", None, ("-5 was asked",)),
    "NaN times": (PREDICT + " --times nan", None, ("nan was asked",)),
    "no times": (PREDICT + " --times soon", None, ("numbers separated by commas", "not 'soon'")),
    "out": (PREDICT + " --out no/p.csv", None, ("no/p.csv: cannot be written",)),
    "out of Excel": (PREDICT + " --out p.xlsx", None, ("a .csv or .parquet file, not p.xlsx",)),
    "out is there": (PREDICT + " --out patients.csv", None, ("is there already",)),
    "device": (PREDICT + " --device gpux", None, ("--device gpux cannot be used",)),
}  # fmt: skip

OTHERS: dict[str, Row] = {
    "prepare nothing": ("prepare recipe.yaml --cohort no.yaml", None, ("no.yaml: there is no",)),
    "prepare a modality": (PREPARE + " --set encoders.ct=vector", None, ("named 'ct'",)),
    "prepare with no job": (PREPARE + " --jobs 0", None, ("jobs must be 1 or more",)),
    "split in one": (SPLIT + " --folds 1", None, ("at least 2 folds",)),
    "split in many": (SPLIT + " --folds 30", None, ("ask for at most",)),
    "split with a share": (SPLIT + " --validation 1.5", None, ("must be in [0, 1), not 1.5",)),
    "split by no site": (SPLIT + " --by-site", None, ("needs 'site' in the cohort file",)),
    "split with a seed": (SPLIT + " --seed -1", None, ("seed must be 0 or larger, not -1",)),
    "split over a table": (
        "cohort split cohort.yaml --out patients.csv",
        None,
        ("patients.csv is there already",),
    ),
    "split below a file": (
        "cohort split cohort.yaml --out patients.csv/s.json",
        None,
        ("patients.csv/s.json: cannot be written",),
    ),
    "check nothing": ("cohort check no.yaml", None, ("no.yaml: there is no such file",)),
    "check a folder": ("cohort check cv", None, ("cv is a folder, but a YAML file is expected",)),
    "check with no job": ("cohort check cohort.yaml --jobs 0", None, ("jobs must be 1",)),
    "drop onto the table": (
        "cohort check cohort.yaml --drop-invalid patients.csv",
        None,
        ("patients.csv is there already; give another name",),
    ),
    "phantom of nobody": (PHANTOM.replace("20", "0"), None, ("subjects must be", "not 0")),
    "large phantom": (PHANTOM.replace("16", "4096"), None, ("from 16 to 128, not 4096",)),
    "phantom share": (PHANTOM + " --censored 1.2", None, ("a share between 0 and 1, not 1.2",)),
    "phantom modality": (PHANTOM + " --modality mri", None, ("of ct, pet, xray, clinical",)),
    "phantom missing": (PHANTOM + " --missing pet", None, ("must look like pet=0.2, not 'pet'",)),
    "phantom over a run": (
        "phantom --out fitted --subjects 20 --size 16 --overwrite",
        None,
        ("fitted exists and is not a phantom cohort",),
    ),
    "list a kind": ("list --kind heads", None, ("no kind of component. Did you mean 'head'",)),
    "doctor of what": ("doctor me", None, ("unexpected extra argument", "survkit doctor --help")),
}


TABLE = {
    f"{group}: {name}": row
    for group, rows in {
        "recipe": RECIPES,
        "override": OVERRIDES,
        "training data": TRAINING_DATA,
        "run folder": RUNS,
        "evaluation": EVALUATIONS,
        "model": MODELS,
        "new subjects": NEW_SUBJECTS,
        "other": OTHERS,
    }.items()
    for name, row in rows.items()
}


@pytest.fixture(autouse=True)
def _known_but_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog knows one plugin more than is installed."""
    offered = {"encoder": ("uni",), "recipe": ("tma",)}
    provider = Provider("survkit-histology", "histology")
    monkeypatch.setitem(cast(dict[Any, Any], CATALOG), provider, offered)


@pytest.mark.parametrize("name", TABLE)
def test_a_bad_input_is_one_line_and_exit_code_2(
    name: str, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what is wrong; no file is changed, lost, or left behind.

    Warnings about the cohort may stand before it.
    """
    line, bend, fragments = TABLE[name]
    if bend is not None:
        bend(place)
    before = place.files()
    capsys.readouterr()

    code = main(line.split())
    said = capsys.readouterr().err.splitlines(keepends=True)
    error = "".join(one for one in said if not one.startswith("warning: "))
    assert (code, error.count("\n"), "Traceback" in error) == (2, 1, False), error
    assert [part for part in fragments if part not in error] == [], error
    assert place.files() == before
    assert not list(Path().rglob("*.part"))
