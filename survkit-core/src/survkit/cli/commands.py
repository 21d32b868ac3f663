"""The table of commands: names, help lines and examples, without importing any command."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: where it is, its help line, and command lines that work."""

    target: str
    help: str
    examples: tuple[str, ...]


COMMANDS: dict[str, Entry] = {
    "list": Entry(
        "survkit.cli.list:command",
        "List the components and recipes that are installed.",
        ("survkit list", "survkit list '*hazard*' --kind head", "survkit list --json"),
    ),
    "doctor": Entry(
        "survkit.cli.doctor:command",
        "Check the installation: versions, plugins, optional packages.",
        ("survkit doctor", "survkit doctor --devices"),
    ),
    "cohort": Entry(
        "survkit.cli.cohort:command",
        "Check a cohort, or split it into folds.",
        ("survkit cohort check cohort.yaml", "survkit cohort split cohort.yaml"),
    ),
    "ingest": Entry(
        "survkit.cli.ingest:command",
        "Write a cohort from scans or radiographs and a clinical table.",
        (
            "survkit ingest dicom --table clinical.csv --out cohort --duration time_days "
            "--event death --causes 1=death",
            "survkit ingest dicom --table clinical.csv --out cohort --modality CT,PT --roi GTV-1 "
            "--series thinnest --study first --jobs -1",
            "survkit ingest NSCLC-Radiomics --layout tcia-lung1 --table lung1.csv --out lung1",
            "survkit ingest pictures --layout cxr-folder --table clinical.csv --subject image_id "
            "--duration time_days --event dead --causes 1=death --out cohort",
        ),
    ),
    "prepare": Entry(
        "survkit.cli.prepare:command",
        "Run the deterministic preparation once and cache it.",
        ("survkit prepare recipe.yaml --cohort cohort.yaml",),
    ),
    "radiomics": Entry(
        "survkit.cli.radiomics:command",
        "Compute the radiomic features of a cohort's images as a table.",
        (
            "survkit radiomics cohort.yaml --out features.parquet",
            "survkit radiomics cohort.yaml --modality ct --shape --out ct.parquet",
            "survkit radiomics cohort.yaml --region patches --patch 32 --classes firstorder,glcm "
            "--out patches.parquet",
        ),
    ),
    "fit": Entry(
        "survkit.cli.fit:command",
        "Train one model on a cohort.",
        (
            "survkit fit recipe.yaml --cohort cohort.yaml --out runs/first",
            "survkit fit recipe.yaml --cohort small.yaml --out runs/tuned --init-from runs/cv "
            "--freeze encoders.ct",
        ),
    ),
    "cv": Entry(
        "survkit.cli.cv:command",
        "Cross-validate a recipe on a cohort.",
        (
            "survkit cv recipe.yaml --cohort cohort.yaml --out runs/cv",
            "survkit cv recipe.yaml --cohort small.yaml --out runs/tuned "
            "--init-from runs/cv:fold-3 --init-parts encoders.ct,fusion",
            "survkit cv recipe.yaml --cohort ours.yaml --out runs/tuned --init-from org/name "
            "--init-revision v1 --different-subjects",
        ),
    ),
    "tournament": Entry(
        "survkit.cli.tournament:command",
        "Cross-validate many compositions in the same folds with equal budget, and compare them.",
        (
            "survkit tournament tournament.yaml --cohort cohort.yaml --out runs/t",
            "survkit tournament --recipe recipe.yaml --vary fusion=mean,gated --vary "
            "head=cox,deephit --cohort cohort.yaml --out runs/t --inner-folds 3",
            "survkit tournament --recipe deep=recipe.yaml --recipe ridge=ridge.yaml --cohort "
            "cohort.yaml --out runs/t --reference ridge --check",
        ),
    ),
    "finalize": Entry(
        "survkit.cli.finalize:command",
        "Make the one model of a cross-validation: a refit, or the ensemble of its folds.",
        (
            "survkit finalize runs/cv --by ensemble --out model",
            "survkit finalize runs/cv --by refit --cohort cohort.yaml --out model",
        ),
    ),
    "cost": Entry(
        "survkit.cli.cost:command",
        "Count parameters and arithmetic of recipes, part by part.",
        (
            "survkit cost recipe.yaml --cohort cohort.yaml",
            "survkit cost slicetention/lung1 slicetention/lung1-resnet50 --cohort lung1.yaml "
            "--tokens 72 --json",
        ),
    ),
    "reproduce": Entry(
        "survkit.cli.reproduce:command",
        "Run a paper's table row by row on one cohort, or an experiment that needs none.",
        (
            "survkit reproduce slicetention/table4 --cohort lung1.yaml --out runs/table4",
            "survkit reproduce table.yaml --cohort cohort.yaml --out runs/table --folds 5 "
            "--rows a,b --set training.epochs=50 --resume",
            "survkit reproduce robsurv/table1 --cohort hecktor.yaml --out runs/table1 "
            "--column HECKTOR",
            "survkit reproduce radvit/shallow --out runs/shallow --seeds 0,1,2 --set design=A",
        ),
    ),
    "predict": Entry(
        "survkit.cli.predict:command",
        "Predict survival for the subjects of a cohort.",
        (
            "survkit predict runs/first --cohort cohort.yaml --times 365,730",
            "survkit predict org/name --revision v1 --cohort cohort.yaml --out predicted.csv",
        ),
    ),
    "card": Entry(
        "survkit.cli.card:command",
        "Write a model's card, to be read before it is published.",
        (
            "survkit card runs/first org/name --license apache-2.0",
            "survkit card runs/cv org/name --fold 0 --overwrite",
        ),
    ),
    "push": Entry(
        "survkit.cli.push:command",
        "Publish a model on the Hub.",
        (
            "survkit push runs/first org/name",
            "survkit push runs/cv org/name --fold 0 --public --revision v1",
        ),
    ),
    "pull": Entry(
        "survkit.cli.pull:command",
        "Fetch a model from the Hub into a folder that needs no network.",
        (
            "survkit pull org/name --to model",
            "survkit pull org/name --revision v1 --to model",
        ),
    ),
    "evaluate": Entry(
        "survkit.cli.evaluate:command",
        "Compute the metrics of a run or of anybody's table, with intervals.",
        (
            "survkit evaluate runs/cv",
            "survkit evaluate runs/cv --interval jackknife --cluster site --replicates 10000",
            "survkit evaluate table.csv --horizon 1825 --unit days --training train.csv",
        ),
    ),
    "compare": Entry(
        "survkit.cli.compare:command",
        "Compare models on predictions of the same subjects.",
        (
            "survkit compare runs/a runs/b",
            "survkit compare ridge=runs/a deep=runs/b --metric harrell --reference ridge "
            "--margin 0.02",
        ),
    ),
    "stress": Entry(
        "survkit.cli.stress:command",
        "Measure what a run's models lose when their inputs get worse.",
        (
            "survkit stress runs/cv --cohort cohort.yaml",
            "survkit stress runs/cv --cohort cohort.yaml --corruption ct:gaussian-noise:sigma=0.1 "
            "--corruption pet:poisson-noise:high --fractions 0,0.5,1",
            "survkit stress runs/cv --cohort cohort.yaml "
            "--corruption 'ct:gaussian-noise + pet:poisson-noise'",
        ),
    ),
    "prune": Entry(
        "survkit.cli.prune:command",
        "Drop the tokens that a run's models hardly look at, and measure what changes.",
        (
            "survkit prune runs/cv --cohort cohort.yaml",
            "survkit prune runs/cv --cohort cohort.yaml --threshold 1,1.5 --keep 0.3,0.5",
            "survkit prune runs/cv --cohort cohort.yaml --threshold 1 --map subject",
            "survkit prune runs/cv --cohort cohort.yaml --keep 0.5 --retrain --out pruned",
        ),
    ),
    "explain": Entry(
        "survkit.cli.explain:command",
        "Show where a model looked in single subjects, and what it kept of their volumes.",
        (
            "survkit explain runs/cv --cohort cohort.yaml",
            "survkit explain runs/cv --cohort cohort.yaml --count 8 --device cuda",
            "survkit explain runs/cv --cohort cohort.yaml --subjects P-001,P-017 --top 9",
            "survkit explain runs/first --cohort new.yaml --out explained",
            "survkit explain org/name --revision v1 --cohort new.yaml --out explained",
        ),
    ),
    "importance": Entry(
        "survkit.cli.importance:command",
        "Measure on which groups of features a run's concordance hangs.",
        (
            "survkit importance runs/cv --cohort cohort.yaml",
            "survkit importance runs/cv --cohort cohort.yaml --groups groups.yaml --repeats 100 "
            "--jobs -1",
            "survkit importance runs/cv --cohort cohort.yaml --metric antolini --cause relapse",
        ),
    ),
    "audit": Entry(
        "survkit.cli.audit:command",
        "Audit the protocol of a run or a table: leakage, selection, flipped signs.",
        (
            "survkit audit runs/cv --cohort cohort.yaml",
            "survkit audit predictions.csv --splits splits.csv --features features.csv "
            "--metrics reported.csv",
            "survkit audit --rules",
        ),
    ),
    "report": Entry(
        "survkit.cli.report:command",
        "Write the HTML report of a run, or of several compared.",
        (
            "survkit report runs/cv",
            "survkit report all=runs/cv ct=runs/ct --out comparison.html",
        ),
    ),
    "demo": Entry(
        "survkit.cli.demo:command",
        "Cross-validate a multimodal model on generated images of known truth.",
        ("survkit demo", "survkit demo --fast"),
    ),
    "train-demo-weights": Entry(
        "survkit.cli.train_demo_weights:command",
        "Train small demonstration weights on phantoms, test them, and publish them.",
        (
            "survkit train-demo-weights --out demo-weights",
            "survkit train-demo-weights demo robsurv/small --quick --out demo-weights",
            "survkit train-demo-weights --out demo-weights --push my-organisation --public",
        ),
    ),
    "phantom": Entry(
        "survkit.cli.phantom:command",
        "Generate a cohort of images with a known truth.",
        ("survkit phantom --out phantom", "survkit phantom --out ct --modality ct --hu"),
    ),
    "new-plugin": Entry(
        "survkit.cli.new_plugin:command",
        "Write a plugin of one's own: parts, recipe, tests.",
        (
            "survkit new-plugin my-paper",
            "survkit new-plugin my-paper --out ~/plugins/survkit-my-paper",
        ),
    ),
}
