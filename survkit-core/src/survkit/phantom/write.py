"""A phantom cohort as a folder: table, images and ``cohort.yaml``; the truth in a folder of its
own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.errors import MissingExtraError, RunError
from survkit.phantom.anatomy import Grid
from survkit.phantom.chest_xray import project_mask, to_gray
from survkit.phantom.config import PhantomConfig
from survkit.phantom.generate import Phantom, draw_images
from survkit.phantom.tables import cohort_settings, cohort_table, image_path, mask_path, truth_table
from survkit.phantom.thorax_ct import Lesion
from survkit.whole_folder import refuse_foreign

SETTINGS_FILE = "truth/phantom.yaml"
"""Also the mark by which a folder is known as a phantom cohort that may be overwritten."""
WRITTEN = ("cohort.yaml", "table.csv", "images", "truth")
"""All that is in the folder of a phantom cohort."""

Task = tuple[PhantomConfig, Lesion, int, int, dict[str, bool], str]


def write_cohort(
    phantom: Phantom,
    folder: Path | str,
    *,
    overwrite: bool = False,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the cohort, all of it or nothing, and return the path of its ``cohort.yaml``.

    In the folder: ``cohort.yaml``, ``table.csv``, ``images/`` (NIfTI, HU and SUV, in LPS axes;
    16-bit PNG); and
    ``truth/`` with ``truth.csv``, ``masks/`` (lesions, and their shadows on the X-rays) and
    ``phantom.yaml`` (the settings), which no model may read. A cohort of clinical columns alone has
    neither images nor masks.

    Args:
        phantom: The cohort; its images are drawn while they are written, so that memory stays
            small.
        folder: Where to; its parent is created.
        overwrite: Replace the phantom cohort that is there. Anything else that is there is never
            replaced.
        workers: Processes; the files are the same whatever their number.
        progress: Called with the number of subjects written and of all subjects.

    Raises:
        RunError: The folder exists, or cannot be written.
        MissingExtraError: There are images, and SimpleITK is not installed.
    """
    imaged = phantom.config.imaged
    if imaged:
        _simpleitk()
    folder = Path(folder)
    _refuse_existing(folder, overwrite)
    with _replacing(folder) as unfinished:
        for name in ("images", "truth/masks") if imaged else ("truth",):
            (unfinished / name).mkdir(parents=True)
        _write_texts(phantom, unfinished)
        tasks = _tasks(phantom) if imaged else iter(())
        for done, _ in enumerate(_run(tasks, unfinished, workers), start=1):
            if progress is not None:
                progress(done, len(phantom))
    return folder / "cohort.yaml"


def _tasks(phantom: Phantom) -> Iterator[Task]:
    for subject, name in enumerate(phantom.subject_ids):
        has = {modality: bool(present[subject]) for modality, present in phantom.present.items()}
        yield (
            phantom.config,
            phantom.lesion(subject),
            subject,
            int(phantom.site[subject]),
            has,
            name,
        )


def _run(tasks: Iterator[Task], folder: Path, workers: int) -> Iterator[int]:
    """Write the subjects' images, and yield each subject when it is done."""
    if workers == 1:
        for task in tasks:
            yield _write_images(task, folder)
        return
    import joblib

    parallel: Any = joblib.Parallel
    delayed: Any = joblib.delayed
    pool = parallel(n_jobs=workers, return_as="generator_unordered")
    yield from pool(delayed(_write_images)(task, folder) for task in tasks)


def _write_images(task: Task, folder: Path) -> int:
    """Draw and write the images of one subject, and return the subject."""
    from PIL import Image

    config, lesion, subject, site, has, name = task
    images = draw_images(config, lesion, subject, site, has)
    spacing = Grid(config.size).spacing
    if images.ct is not None:
        _write_volume(images.ct.astype(np.int16), spacing, folder / image_path("ct", name))
    if images.pet is not None:
        _write_volume(images.pet, spacing, folder / image_path("pet", name))
    if images.cxr is not None:
        Image.fromarray(to_gray(images.cxr)).save(folder / image_path("cxr", name))
        shadow = np.where(project_mask(images.lesion), 255, 0).astype(np.uint8)
        Image.fromarray(shadow).save(folder / mask_path(name, "cxr"))
    _write_volume(images.lesion.astype(np.uint8), spacing, folder / mask_path(name))
    return subject


def _write_volume(values: NDArray[Any], spacing: float, path: Path) -> None:
    """Write a volume (z, y, x) whose centre is the origin of the patient's coordinates, in mm."""
    sitk = _simpleitk()
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((spacing,) * 3)
    image.SetOrigin((-spacing * (values.shape[0] - 1) / 2,) * 3)
    try:
        sitk.WriteImage(image, str(path), False)
    except RuntimeError as error:  # all that SimpleITK says of a full disk
        raise OSError(f"{path.name}: {' '.join(str(error).split())}") from error


def _write_texts(phantom: Phantom, folder: Path) -> None:
    import yaml

    cohort_table(phantom).to_csv(folder / "table.csv", index=False)
    truth_table(phantom).to_csv(folder / "truth" / "truth.csv", index=False)
    settings = asdict(phantom.config)
    settings["effects"] = [asdict(effects) for effects in phantom.config.cause_effects]
    for name, content in (
        ("cohort.yaml", cohort_settings(phantom)),
        (SETTINGS_FILE, _plain(settings)),
    ):
        text = yaml.dump(content, Dumper=_dumper(), sort_keys=False, default_flow_style=None)
        (folder / name).write_text(text, encoding="utf-8")


def _dumper() -> Any:
    """Return a YAML dumper that repeats shared lists instead of naming them."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return Plain


def _plain(value: Any) -> Any:
    """Return the value with lists for tuples, as YAML has no other."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _simpleitk() -> Any:
    try:
        import SimpleITK
    except ImportError as error:
        raise MissingExtraError(
            "writing volumes needs SimpleITK: pip install 'survkit-core[imaging]'"
        ) from error
    return SimpleITK


def _refuse_existing(folder: Path, overwrite: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / SETTINGS_FILE).is_file():
        raise RunError(f"{folder} exists and is not a phantom cohort; choose another folder")
    if not overwrite:
        raise RunError(
            f"{folder} already holds a phantom cohort; choose another folder or allow overwriting"
        )
    refuse_foreign(folder, WRITTEN, kind="phantom cohort")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Give a new folder beside ``folder`` that takes its place at the end, or vanishes after an
    error.
    """
    unfinished: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        unfinished.chmod(0o755)
        yield unfinished
        if folder.exists():
            old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-old-"))
            folder.replace(old / "cohort")
            unfinished.replace(folder)
            shutil.rmtree(old)
        else:
            unfinished.replace(folder)
    except OSError as error:
        raise RunError(
            f"{folder}: the cohort cannot be written: {error.strerror or error}"
        ) from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
