"""Prepared once, never wrong: the cache under damage and concurrency, batches from anywhere."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from survkit.data.cache import PreparationCache, default_cache_folder, preparation_key
from survkit.data.cohort import Cohort
from survkit.data.load import fill_cache, read_modality
from survkit.data.store import SubjectStore, store_for
from survkit.errors import DataError, PluginError
from survkit.flow import Batch
from survkit.protocols import Sample

KEY = "ab" + "0" * 62


@dataclass
class Slices:
    """Prepares as many tokens of two numbers as the image's first pixel says."""

    version: str = "1"
    log: list[str] = field(default_factory=list)

    def prepare(self, sample: Sample) -> torch.Tensor:
        self.log.append(sample.source)
        count = int(sample.values[0, 0, 0])
        return torch.arange(count * 2, dtype=torch.float32).reshape(count, 2)

    def preparation_fingerprint(self) -> str:
        return self.version


@pytest.fixture
def pictures(small: Any) -> Cohort:
    """Return a cohort whose subject k has a 3 x 4 image full of k + 1, but every fifth has none."""
    from PIL import Image

    for k, row in enumerate(small.rows):
        row["image"] = "" if k % 5 == 4 else f"{k}.png"
        Image.fromarray(np.full((3, 4), k + 1, dtype=np.uint8)).save(small.folder / f"{k}.png")
    small.config["modalities"]["cxr"] = {"kind": "image", "path": "image"}
    cohort: Cohort = small.read()
    return cohort


def test_an_entry_is_made_once_and_reads_back(tmp_path: Path) -> None:
    """The second time nothing is made; the array is memory-mapped."""
    cache = PreparationCache(tmp_path)
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    cache.fill(KEY, lambda: values)
    entry = cache.fill(KEY, lambda: pytest.fail("made twice"))

    np.testing.assert_array_equal(entry.open(), values.numpy())
    assert (entry.shape, entry.nbytes) == ((3, 4), 48)


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    """A torn or altered file counts as absent."""
    cache = PreparationCache(tmp_path)
    path = cache.fill(KEY, lambda: torch.ones(5)).path
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes({"truncate": content[:-7], "flip": content, "empty": b""}[damage])

    assert cache.find(KEY) is None
    np.testing.assert_array_equal(cache.fill(KEY, lambda: torch.ones(5)).open(), np.ones(5))
    assert cache.find(KEY) is not None


def fill_many(folder: str, start: Any, results: Any) -> None:
    start.wait()
    cache = PreparationCache(Path(folder))
    wrong = 0
    for key in range(60):
        entry = cache.fill(f"{key:064x}", lambda key=key: torch.full((500,), float(key)))
        wrong += int((entry.open() != key).any())
    results.put(wrong)


def test_two_processes_fill_one_folder_together(tmp_path: Path) -> None:
    """Both get every array right, and no half-written file is left."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Event(), context.Queue()
    both = [context.Process(target=fill_many, args=(str(tmp_path), start, results)) for _ in "ab"]
    for process in both:
        process.start()
    start.set()
    wrong = [results.get(timeout=120) for _ in both]
    for process in both:
        process.join()

    assert wrong == [0, 0]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 60
    assert all(path.suffix == ".npy" for path in files)


def test_bfloat16_is_kept_without_loss(tmp_path: Path) -> None:
    """NumPy has no bfloat16; float32 holds every value of it."""
    values = torch.tensor([1.5, -3e38], dtype=torch.bfloat16)
    entry = PreparationCache(tmp_path).fill(KEY, lambda: values)

    np.testing.assert_array_equal(entry.open(), values.float().numpy())


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    """The cache folder must be a folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the cache cannot be written"):
        PreparationCache(tmp_path / "file").fill(KEY, lambda: torch.ones(1))


def test_the_environment_names_the_folder(tmp_path: Path) -> None:
    """SURVKIT_CACHE first, then the platform's own."""
    assert default_cache_folder({"SURVKIT_CACHE": str(tmp_path)}) == tmp_path
    assert default_cache_folder({}).name in ("survkit", "Cache")


def test_the_key_follows_bytes_declaration_and_encoder(pictures: Cohort, small: Any) -> None:
    """Whatever the result depends on changes the key; the file's place does not."""

    def key(cohort: Cohort, row: int = 0, encoder: object | None = None) -> str:
        return preparation_key(cohort.sources["cxr"], row, cohort.input_spec("cxr", [0]), encoder)

    first = key(pictures)
    assert first != key(pictures, row=1)
    assert key(pictures, encoder=Slices("1")) != key(pictures, encoder=Slices("2"))
    small.config["modalities"]["cxr"]["window"] = [0.0, 9.0]
    assert first != key(small.read())
    del small.config["modalities"]["cxr"]["window"]
    (small.folder / "0.png").rename(small.folder / "moved.png")
    small.rows[0]["image"] = "moved.png"
    assert first == key(small.read())


def test_missing_modalities_are_zeros_and_not_present(pictures: Cohort) -> None:
    """Rows come in the order asked, absent ones as zeros."""
    spec = pictures.input_spec("cxr", range(24))
    values = read_modality(pictures, "cxr", [4, 2], spec)

    assert values.present.tolist() == [False, True]
    assert not values.complete
    assert values.values[:, 0, 0, 0].tolist() == [0.0, 3.0]
    table = read_modality(pictures, "clinical", [4, 2], pictures.input_spec("clinical", [2, 4]))
    assert table.complete
    assert table.values.tolist() == [[54.0, 0.0], [52.0, 1.0]]


def test_a_varying_number_of_tokens_is_padded_under_a_mask(
    pictures: Cohort, tmp_path: Path
) -> None:
    """Prepared tokens are cached: the second reading prepares nothing."""
    encoder, cache = Slices(), PreparationCache(tmp_path / "cache")
    spec = pictures.input_spec("cxr", [0])
    first = read_modality(pictures, "cxr", [2, 4, 0], spec, encoder=encoder, cache=cache)
    again = read_modality(pictures, "cxr", [2, 4, 0], spec, encoder=encoder, cache=cache)

    assert first.values.shape == (3, 3, 2)
    assert first.token_mask is not None
    assert first.token_mask.sum(1).tolist() == [3, 0, 1]
    assert first.values[0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert len(encoder.log) == 2
    torch.testing.assert_close(first.values, again.values)


def test_workers_give_what_one_process_gives(pictures: Cohort, tmp_path: Path) -> None:
    """Two processes, with and without a cache, change nothing; progress reaches the end."""
    spec = pictures.input_spec("cxr", [0])
    seen: list[tuple[int, int]] = []
    held = fill_cache(
        pictures, range(24), {"cxr": spec, "clinical": pictures.input_spec("clinical", [0])},
        encoders={"cxr": Slices()}, cache=PreparationCache(tmp_path / "cache"), jobs=2,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    one = read_modality(pictures, "cxr", range(24), spec, encoder=Slices())
    two = read_modality(pictures, "cxr", range(24), spec, encoder=Slices(), jobs=2)

    torch.testing.assert_close(one.values, two.values)
    assert held == 20
    assert seen[-1] == (24, 24)


def equal(left: Batch, right: Batch) -> None:
    assert left.row.tolist() == right.row.tolist()
    for name in left.inputs:
        a, b = left.inputs[name], right.inputs[name]
        torch.testing.assert_close(a.values, b.values)
        assert a.present.tolist() == b.present.tolist()
        assert a.complete == b.complete
        assert (a.token_mask is None) == (b.token_mask is None)
        if a.token_mask is not None and b.token_mask is not None:
            assert torch.equal(a.token_mask, b.token_mask)


@pytest.mark.parametrize("encoder", [None, Slices()])
def test_batches_from_disk_equal_those_from_memory(
    pictures: Cohort, tmp_path: Path, encoder: Slices | None
) -> None:
    """The memory limit decides where arrays lie, never what they are."""
    specs = {name: pictures.input_spec(name, range(24)) for name in pictures.modalities}
    rows = [3, 4, 9, 20, 0]
    cache = PreparationCache(tmp_path / "cache")
    memory = store_for(pictures, rows, specs, encoders={"cxr": encoder})
    disk = store_for(pictures, rows, specs, encoders={"cxr": encoder}, cache=cache, memory_limit=64)

    assert memory.in_memory
    assert not disk.in_memory
    for chosen in ([20, 3], [4], [4, 9], [0, 4, 3]):
        equal(memory.batch(chosen), disk.batch(torch.tensor(chosen)))
    assert memory.batch([20, 3]).target.duration.tolist() == [300.0, 130.0]
    assert memory.batch([20, 3]).inputs["cxr"].complete
    assert not memory.batch([4, 3]).inputs["cxr"].complete


def test_a_store_tells_how_many_images_it_has_read(pictures: Cohort) -> None:
    """One after the other, those that a subject has not got too; a table is none of them."""
    rows = range(len(pictures))
    seen: list[tuple[int, int]] = []
    specs = {name: pictures.input_spec(name, rows) for name in ("cxr", "clinical")}

    store_for(
        pictures, rows, specs, encoders={"cxr": Slices()},
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip

    assert seen == [(done, len(rows)) for done in range(1, len(rows) + 1)]


def test_a_loader_gets_whole_batches(pictures: Cohort) -> None:
    """The store is a map-style dataset."""
    specs = {"clinical": pictures.input_spec("clinical", range(24))}
    store = store_for(pictures, range(10), specs)
    loader = DataLoader(store, batch_size=4, collate_fn=SubjectStore.whole)  # type: ignore[arg-type]

    assert [batch.row.tolist() for batch in loader] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(store) == 10
    assert store[-1].row.tolist() == [9]
    assert store.to("cpu").batch([9]).row.tolist() == [9]


def test_too_much_for_memory_needs_a_cache(pictures: Cohort) -> None:
    """Without a folder there is nowhere to put it."""
    specs = {"cxr": pictures.input_spec("cxr", range(24))}
    with pytest.raises(DataError, match=r"give a cache folder \(--cache\)"):
        store_for(pictures, range(24), specs, memory_limit=100)


def test_a_row_outside_the_store_is_refused(pictures: Cohort) -> None:
    """Rows are positions in the cohort."""
    store = store_for(pictures, [3], {"clinical": pictures.input_spec("clinical", [3])})
    with pytest.raises(DataError, match="row 2 is not among the 1 subjects"):
        store.batch([2])


def test_images_of_another_shape_are_refused(pictures: Cohort, small: Any) -> None:
    """Without a declared size all images must have the shape of the first."""
    from PIL import Image

    Image.new("L", (9, 9)).save(small.folder / "3.png")
    spec = pictures.input_spec("cxr", [0])
    with pytest.raises(
        DataError, match=r"'003' has shape \(1, 9, 9\), but the model takes \(1, 3, 4\)"
    ):
        read_modality(pictures, "cxr", range(24), spec)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.ones(2, dtype=torch.int64), "must give a float tensor, not torch.int64"),
        (None, "must give a float tensor, not NoneType"),
        (torch.tensor([float("nan")]), "gave NaN or infinite values for subject '000'"),
    ],
)
def test_a_broken_preparation_is_the_encoders_fault(
    pictures: Cohort, monkeypatch: pytest.MonkeyPatch, given: Any, message: str
) -> None:
    """The message names the class and the subject."""
    monkeypatch.setattr(Slices, "prepare", lambda self, sample: given)
    spec = pictures.input_spec("cxr", [0])
    with pytest.raises(PluginError, match=message):
        read_modality(pictures, "cxr", [0], spec, encoder=Slices())


def test_nan_is_kept_for_an_encoder_that_reads_it(
    pictures: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an encoder says it leaves open stays open, in the cache too; infinity is still wrong."""
    monkeypatch.setattr(Slices, "prepares_missing", True, raising=False)
    monkeypatch.setattr(Slices, "prepare", lambda self, sample: torch.tensor([torch.nan, 2.0]))
    spec = pictures.input_spec("cxr", [0])

    values = read_modality(pictures, "cxr", [0], spec, encoder=Slices()).values

    torch.testing.assert_close(values, torch.tensor([[torch.nan, 2.0]]), equal_nan=True)
    monkeypatch.setattr(Slices, "prepare", lambda self, sample: torch.tensor([torch.inf, 2.0]))
    with pytest.raises(PluginError, match="gave infinite values for subject '000'"):
        read_modality(pictures, "cxr", [0], spec, encoder=Slices())


def test_nobody_has_the_modality(pictures: Cohort) -> None:
    """Declared shapes give zeros; prepared ones are unknown, which is said."""
    spec = pictures.input_spec("cxr", [0])

    assert read_modality(pictures, "cxr", [4, 9], spec).values.shape == (2, 1, 3, 4)
    with pytest.raises(DataError, match="none of 2 subjects has the modality 'cxr'"):
        read_modality(pictures, "cxr", [4, 9], spec, encoder=Slices())
    with pytest.raises(DataError, match="none of 1 subjects has the modality 'cxr'"):
        pictures.input_spec("cxr", [4])
