"""Worker processes: each has its share of the cores, and no number depends on how many there are.

The environment asks for many threads here, as that of a cluster or a container does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from joblib.externals.loky import get_reusable_executor
from tests.core.parts import registry_with

from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate
from survkit.worker_processes import in_processes

ASKED = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
WATCHED = '''
    import os
    from pathlib import Path

    import torch

    from survkit.encoders.tabular import TabularEncoder


    class Watched(TabularEncoder):
        """A table's encoder that notes with how many threads it computes."""

        def forward(self, input, *, penalties: bool = True):
            note = Path(os.environ["THREADS_SEEN"]) / f"{os.getpid()}"
            note.write_text(str(torch.get_num_threads()))
            return super().forward(input, penalties=penalties)
'''


@pytest.fixture
def eight_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process computes with eight threads, and the environment wants them everywhere."""
    before = torch.get_num_threads()
    for name in ASKED:
        monkeypatch.setenv(name, "8")
    torch.set_num_threads(8)
    yield
    torch.set_num_threads(before)


def seen(place: Path, *, elsewhere: bool) -> set[str]:
    """Return the numbers of threads of other processes, or of this one."""
    own = str(os.getpid())
    return {note.read_text() for note in place.iterdir() if (note.name != own) == elsewhere}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """The core's parts and the encoder that notes its threads."""
    (tmp_path / "lib").mkdir()
    parts = {"watched": ("encoder", "watched_threads:Watched")}
    get_reusable_executor().shutdown(wait=True)  # workers of earlier tests do not find the module
    with registry_with(tmp_path / "lib", {"watched_threads": WATCHED}, parts) as found:
        yield found


@pytest.mark.usefixtures("eight_threads")
def test_processes_share_the_cores() -> None:
    """Whatever the environment asks; as many as there are calls, where more are asked for."""
    for jobs in (2, 64, -1):
        workers = min(2, joblib.cpu_count() if jobs == -1 else jobs)

        threads = list(in_processes(_threads, [()] * 2, jobs=jobs, tasks=2))

        assert threads == [max(1, joblib.cpu_count() // workers)] * 2


@pytest.mark.slow
@pytest.mark.usefixtures("eight_threads")
def test_a_fold_computes_with_its_share_of_the_cores(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two folds in two processes; what they predict is that of one process, bit for bit."""
    random = np.random.default_rng(0)
    columns = {"age": random.normal(size=40), "time": random.exponential(size=40) + 0.01}
    table = {"id": [f"s{k}" for k in range(40)], **columns, "event": [1, 0] * 20}
    pd.DataFrame(table).to_csv(tmp_path / "patients.csv", index=False)
    outcome = {"duration": "time", "unit": "years", "event": "event", "causes": {1: "death"}}
    content: dict[str, Any] = {"name": "c", "table": "patients.csv", "subject": "id"}
    content |= {"outcome": outcome, "modalities": {"age": {"kind": "table", "columns": ["age"]}}}
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(content))
    plan = {
        "encoders": {"age": "watched"},
        "head": "cox",
        "outcome": {"horizon": 2.0, "unit": "years", "grid": {"intervals": 4}},
        "objective": ["cox"],
        "training": {"epochs": 2, "micro_batch": 10, "risk_set": "all", "accelerator": "cpu"},
    }
    recipe = Recipe.parse(plan, source="test")
    cohort = Cohort.read(tmp_path / "cohort.yaml")
    share = str(max(1, joblib.cpu_count() // 2))
    found = {}
    for jobs in (2, 1):
        place = tmp_path / f"seen-{jobs}"
        place.mkdir()
        monkeypatch.setenv("THREADS_SEEN", str(place))
        options: dict[str, Any] = {"replicates": 0, "registry": registry, "jobs": jobs}
        run = cross_validate(recipe, cohort, tmp_path / f"run-{jobs}", folds=2, **options)
        found[jobs] = run.predictions.risk_score

    assert seen(tmp_path / "seen-2", elsewhere=True) == {share}
    assert seen(tmp_path / "seen-1", elsewhere=False) == {"8"}
    np.testing.assert_array_equal(found[2], found[1])


def test_no_process_has_more_threads_than_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With many cores a process that was told to compute with one thread passes that on."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: 16)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)

    threads = list(in_processes(_threads, [()] * 2, jobs=2, tasks=2))

    assert threads == [1, 1]


def test_a_chosen_backend_is_left_as_it_is() -> None:
    """Threads of this process are not told to compute with less."""
    before = torch.get_num_threads()
    with joblib.parallel_config("threading"):
        found = list(in_processes(divmod, [(7, k) for k in (2, 3, 4)], jobs=2, tasks=3))

    assert found == [(3, 1), (2, 1), (1, 3)]
    assert torch.get_num_threads() == before


def _threads() -> int:
    return int(torch.get_num_threads())
