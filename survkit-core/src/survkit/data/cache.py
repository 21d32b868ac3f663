"""Prepared arrays on disk under the hash of everything they depend on.

A file is an ``.npy`` followed by the SHA-256 of its bytes: it can be memory-mapped, and a torn or
altered file is noticed and made anew. It appears under its name in one step, so processes may fill
one folder together.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.data.readers.source import ModalitySource
from survkit.errors import DataError
from survkit.protocols import Prepares
from survkit.specs import InputSpec

FORMAT = b"survkit-prepared/1"
DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A file of the cache that was found whole."""

    path: Path
    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        """Size of the array."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    def open(self) -> NDArray[Any]:
        """Return the array, memory-mapped and read-only."""
        return np.asarray(np.load(self.path, mmap_mode="r", allow_pickle=False))


@dataclass(frozen=True, slots=True)
class PreparationCache:
    """A folder of prepared arrays; any number of processes may use it at once."""

    folder: Path

    def find(self, key: str) -> CacheEntry | None:
        """Return the entry if its file is there and whole; a damaged file counts as absent."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        payload, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
        if hashlib.sha256(payload).digest() != digest:
            return None
        array = np.load(io.BytesIO(payload), allow_pickle=False)
        return CacheEntry(path, array.shape, array.dtype.str)

    def fill(self, key: str, make: Callable[[], Tensor]) -> CacheEntry:
        """Return the entry, made first if it is not there.

        Raises:
            DataError: The folder cannot be written.
        """
        found = self.find(key)
        if found is not None:
            return found
        array = to_numpy(make())
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        payload = buffer.getvalue()
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(payload + hashlib.sha256(payload).digest())
            temporary.replace(path)
        except OSError as error:
            raise DataError(
                f"{self.folder}: the cache cannot be written ({error.strerror}); give another "
                "folder with --cache or SURVKIT_CACHE"
            ) from error
        finally:
            if temporary.exists():
                temporary.unlink(missing_ok=True)
        return CacheEntry(path, array.shape, array.dtype.str)

    def _path(self, key: str) -> Path:
        return self.folder / "prepared" / key[:2] / f"{key}.npy"


def preparation_key(
    source: ModalitySource, row: int, spec: InputSpec, encoder: object | None
) -> str:
    """Return the hash of all that a prepared array depends on.

    These are the input bytes, the declared preparation, the encoder's own fingerprint and library
    versions. The spec of images and volumes is not among them: it is learnt from training rows, so
    that the folds of a cohort whose images differ in size would share nothing.
    """
    parts = [FORMAT, source.identity(row), np.__version__.encode()]
    if isinstance(encoder, Prepares):
        if spec.kind not in ("image", "volume"):  # levels of columns are those of a training part
            parts.append(repr(spec).encode())
        parts.append(encoder.preparation_fingerprint().encode())
        name = f"{type(encoder).__module__}.{type(encoder).__qualname__}"
        parts += [name.encode(), torch.__version__.encode()]
    return hashlib.sha256(b"\x1f".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()


def default_cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return ``SURVKIT_CACHE``, else ``survkit`` in the user's folder for caches."""
    given = os.environ if environment is None else environment
    if given.get("SURVKIT_CACHE"):
        return Path(given["SURVKIT_CACHE"])
    if sys.platform == "win32":
        local = given.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))
        return Path(local, "survkit", "Cache")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "survkit"
    return Path(given.get("XDG_CACHE_HOME") or Path.home() / ".cache", "survkit")


def to_numpy(values: Tensor) -> NDArray[Any]:
    """Return the values as an array; bfloat16, which files lack, becomes float32 without loss."""
    values = values.detach().cpu().contiguous()
    return np.asarray((values.float() if values.dtype == torch.bfloat16 else values).numpy())
