"""From the names of recipes to weights, trained on phantoms and labelled so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from survkit.component import Component
from survkit.data import Cohort, PreparationCache
from survkit.data.jobs import check_jobs
from survkit.demo.epoch_count import epochs_watched
from survkit.demonstration.declaration import KIND, Demonstration, Size
from survkit.demonstration.demonstration_result import DemonstrationResult
from survkit.demonstration.fresh_cohort import evaluate_fresh, fresh_seed, write_metrics
from survkit.demonstration.weights_folder import check_folders, folder_name, repository_of
from survkit.errors import ConfigError
from survkit.hub import FittedModel, push_to_hub, save_pretrained
from survkit.hub.address import check_name
from survkit.hub.demonstration_label import labelled
from survkit.hub.model_files import WEIGHTS_FILE, sha256_of
from survkit.hub.push import check_token
from survkit.phantom import Phantom, generate_phantom, write_cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import fit
from survkit.whole_folder import whole_folder

COMMAND = "train-demo-weights"
COHORT = "phantoms"
REPLICATES, QUICK_REPLICATES = 1000, 50

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemonstrationPlan:
    """What is trained.

    Attributes:
        recipes: Names of recipes that have a demonstration; every one that is installed by default.
        seed: Of the training cohort and the training; that of the fresh cohort follows from it.
        quick: At the size for tests.
        push: Namespace on the Hub that the weights go to; nowhere by default.
        public: Whether everybody may see them there.
        overwrite: Replace demonstrations that lie in the folder.
        jobs: Processes that draw images; -1 for one per core. The weights do not depend on it.
    """

    recipes: tuple[str, ...] = ()
    seed: int = 0
    quick: bool = False
    push: str | None = None
    public: bool = False
    overwrite: bool = False
    jobs: int = 1

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"the seed must be 0 or larger, not {self.seed}")
        check_jobs(self.jobs)
        if self.public and self.push is None:
            raise ConfigError("nothing is published, so it cannot be public: say where to push")

    def command(self, name: str) -> str:
        """Return the command line that makes the same weights."""
        quick = " --quick" if self.quick else ""
        return f"survkit {COMMAND} {name} --seed {self.seed}{quick} --out demo-weights"


def train_demonstrations(
    folder: str | Path,
    plan: DemonstrationPlan | None = None,
    *,
    registry: Registry | None = None,
    progress: Progress = lambda what, done, total: None,
) -> tuple[DemonstrationResult, ...]:
    """Train the demonstration of every recipe, test it on fresh phantoms, and leave the weights.

    Each gets a model folder, ``config.json``, ``model.safetensors`` and ``metrics.json``, that is
    whole or not there; its description says that it is a demonstration.

    Args:
        folder: In which the model folders lie.
        plan: What is trained.
        registry: Where names are looked up; the process-wide one by default.
        progress: Told how far it has come, also from another thread.

    Raises:
        UnknownComponentError: There is no such recipe, or it has no demonstration.
        RunError: A model folder is in use, or training failed.
        HubError: There is no token, before anything trains; or the Hub refuses, and the weights lie
            in the folder then.
    """
    plan = plan or DemonstrationPlan()
    if registry is None:
        from survkit.plugins import default_registry

        registry = default_registry()
    asked = _asked(plan.recipes, registry)
    folders = {one.full_name: Path(folder) / folder_name(one.full_name) for one in asked}
    if plan.push is not None:
        for name in folders:
            check_name(repository_of(plan.push, name))
            check_token(repository_of(plan.push, name))
    check_folders(folders.values(), overwrite=plan.overwrite)
    trainings = [_training(one, plan, registry, progress) for one in asked]
    found = [one.run(folders[one.name]) for one in trainings]
    if plan.push is None:
        return tuple(found)
    return tuple(_pushed(one, plan.push, private=not plan.public) for one in found)


def _asked(recipes: Sequence[str], registry: Registry) -> list[Component]:
    """Return the demonstrations, each once."""
    found = [registry.find(KIND, name) for name in recipes] or list(registry.iterate(KIND))
    if not found:
        raise ConfigError("no recipe that is installed has a demonstration")
    return list(dict.fromkeys(found))


def _pushed(result: DemonstrationResult, to: str, *, private: bool) -> DemonstrationResult:
    origin = push_to_hub(
        result.folder,
        repository_of(to, result.name),
        private=private,
        message="Demonstration weights of survkit",
    )
    return replace(result, origin=origin)


def _training(
    component: Component, plan: DemonstrationPlan, registry: Registry, progress: Progress
) -> _Training:
    name = component.qualified_name  # nothing installed beside hides it
    demonstration = Demonstration.read(name, registry)
    size = demonstration.size(quick=plan.quick)
    changes = [*size.changes, f"training.seed={plan.seed}"]
    recipe = Recipe.read(name, registry=registry, overrides=changes)
    return _Training(
        name=component.full_name, demonstration=demonstration, size=size, recipe=recipe, plan=plan,
        registry=registry, progress=progress,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Training:
    """One recipe with all that its weights follow from."""

    name: str
    demonstration: Demonstration
    size: Size
    recipe: Recipe
    plan: DemonstrationPlan
    registry: Registry
    progress: Progress

    def run(self, folder: Path) -> DemonstrationResult:
        """Train, test and write."""
        with TemporaryDirectory() as place, whole_folder(folder) as work:
            known, cohort = self._cohort(Path(place) / "training", fresh=False)
            fitted = self._fit(cohort, Path(place))
            save_pretrained(fitted, work)
            phantom, fresh = self._cohort(Path(place) / "fresh", fresh=True)
            weights, oracle = evaluate_fresh(
                fitted, self.recipe, fresh, phantom, training=known.target,
                replicates=QUICK_REPLICATES if self.plan.quick else REPLICATES,
            )  # fmt: skip
            write_metrics(work, weights, oracle, self._external(phantom, fresh, work))
        return DemonstrationResult(name=self.name, folder=folder, evaluation=weights, oracle=oracle)

    def _cohort(self, folder: Path, *, fresh: bool) -> tuple[Phantom, Cohort]:
        """Draw a cohort and read it as any other is read."""
        subjects = self.size.subjects.fresh if fresh else self.size.subjects.training
        seed = fresh_seed(self.plan.seed) if fresh else self.plan.seed
        phantom = generate_phantom(self.demonstration.phantom_config(subjects, seed=seed))
        what = f"{self.name}: drawing {'fresh' if fresh else 'training'} phantoms"
        path = write_cohort(
            phantom, folder, workers=self.plan.jobs,
            progress=lambda done, total: self.progress(what, done, total),
        )  # fmt: skip
        return phantom, Cohort.read(path)

    def _fit(self, cohort: Cohort, place: Path) -> FittedModel:
        """Train on the training cohort, and label the model."""
        run, epochs = place / "run", self.recipe.training.epochs

        def tell(what: str, trained: int) -> None:
            self.progress(f"{what}: training", trained, epochs)

        with epochs_watched({self.name: run}, tell):
            fitted = fit(
                self.recipe, cohort, run, progress=False, registry=self.registry,
                cache=PreparationCache(place / "cache"),
            )  # fmt: skip
        label = {
            "cohort": COHORT, "seed": self.plan.seed, "subjects": len(cohort),
            "command": self.plan.command(self.name),
        }  # fmt: skip
        return replace(fitted, description=labelled(fitted.description, label))

    def _external(self, phantom: Phantom, fresh: Cohort, folder: Path) -> dict[str, Any]:
        """Say what the numbers are of, and of which weights."""
        return {
            "cohort": COHORT, "name": fresh.name, "seed": phantom.config.seed,
            "subjects": len(fresh), "weights_sha256": sha256_of(folder / WEIGHTS_FILE),
        }  # fmt: skip
