"""Every job of this repository. ``python -m nox -l`` lists them.

All sessions but ``wheels`` share one environment, ``.nox/survkit``, because torch alone is several
gigabytes. It is made on first use and brought up to date when a pyproject.toml or requirements file
changes. An environment that you made yourself is used instead when ``SURVKIT_PYTHON`` names its
interpreter.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
SHARED = ROOT / ".nox" / "survkit"
DISTRIBUTIONS = sorted(path.parent.name for path in ROOT.glob("survkit-*/pyproject.toml"))

nox.options.sessions = ["tests"]
nox.options.default_venv_backend = "none"
nox.needs_version = ">=2024.10"


def shared_python(session: nox.Session) -> str:
    """Return the shared environment's interpreter, made or brought up to date where needed."""
    named = os.environ.get("SURVKIT_PYTHON")
    if named:
        return named
    if sys.version_info < (3, 11):  # noqa: UP036 - nox itself runs on older ones
        session.error("survkit needs Python 3.11 or newer; run nox with it")
    python = SHARED / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    sources = [ROOT / "requirements-dev.txt", *ROOT.glob("survkit-*/pyproject.toml")]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    stamp = SHARED / "installed.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        if not python.exists():
            session.run(sys.executable, "-m", "venv", str(SHARED), external=True)
        requirements = ["-r", str(ROOT / "requirements-dev.txt")]
        session.run(str(python), "-m", "pip", "install", "--quiet", *requirements, external=True)
        stamp.write_text(wanted)
    return str(python)


def run_module(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a Python module in the shared environment."""
    session.run(shared_python(session), "-m", module, *arguments, external=True)


@nox.session
def demo(session: nox.Session) -> None:
    """Train and report the phantom CT + PET + clinical cohort (under 4 minutes on 2 cores)."""
    run_module(session, "survkit", "demo", *(session.posargs or ["--overwrite"]))


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test but the slow ones, the benchmarks and those for a GPU."""
    run_module(session, "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run the slow tests."""
    run_module(session, "pytest", "-m", "slow", *session.posargs)


@nox.session
def gpu(session: nox.Session) -> None:
    """Run the tests for a CUDA device."""
    run_module(session, "pytest", "-m", "gpu", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure survkit beside its peers in one run and print the ratios."""
    run_module(session, "pytest", "-m", "benchmark", "-s", *session.posargs)


@nox.session
def architecture(session: nox.Session) -> None:
    """Check the direction of imports, light start, sizes and version ranges."""
    run_module(session, "pytest", "tests/architecture", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    run_module(session, "ruff", "check", ".")
    run_module(session, "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types strictly."""
    run_module(session, "mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Run every command and example that the documentation shows."""
    run_module(session, "pytest", "tests/docs", *session.posargs)


@nox.session
def site(session: nox.Session) -> None:
    """Build the documentation as a site into build/site; a warning is an error."""
    run_module(
        session, "sphinx", "--fail-on-warning", "--keep-going", "--nitpicky", "--fresh-env",
        "-q", "-j", "auto", "-b", "html", "-c", "docs", *session.posargs, ".", "build/site",
    )  # fmt: skip
    session.log("open build/site/index.html")


IMAGES, TIMM = ["monai", "nibabel", "pydicom", "SimpleITK"], ["timm", "torchvision", "radiomics"]
SMALL = (
    ("survkit-core", IMAGES + TIMM, "demo", "clinical"),
    ("survkit-robsurv", TIMM, "robsurv/small", "ct pet"),
    ("survkit-slicetention", ["radiomics"], "slicetention/small", "ct"),
    ("survkit-radvit", ["radiomics"], "radvit/small", "cxr"),
    ("survkit-my-paper", ["radiomics"], "my-paper/small", "cxr clinical"),
)
"""Distribution, packages that must not have come with it, recipe, modalities of its phantoms."""


@nox.session(venv_backend="venv")
def wheels(session: nox.Session) -> None:
    """Build the wheels; install core alone, then plugin after plugin; train with each; the demo.

    What pip brings for one of them is all that its training can use: no timm for robsurv, nothing
    for images for core.
    """
    folder = Path(session.create_tmp()) / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    session.install("build")
    for distribution in DISTRIBUTIONS:
        session.run("python", "-m", "build", "--wheel", "--outdir", str(folder), distribution)
    with session.chdir(folder):
        for distribution, absent, recipe, modalities in SMALL:
            if distribution == "survkit-my-paper":
                session.run("survkit", "new-plugin", "my-paper")
                session.run("python", "-m", "build", "--wheel", "--outdir", ".", distribution)
            (wheel,) = Path().glob(f"{distribution.replace('-', '_')}-*.whl")
            session.install(str(wheel))
            looked = f"import importlib.util as u; exit(any(map(u.find_spec, {absent})))"
            session.run("python", "-c", looked)
            train_small(session, distribution, recipe, modalities)
        session.run("python", "-m", "pip", "check")
        session.run("survkit", "doctor")
        session.run("survkit", "list")
        session.run("survkit", "demo", "--fast", "--overwrite")


def train_small(session: nox.Session, name: str, recipe: str, modalities: str) -> None:
    """Train a recipe for an epoch on phantoms, and predict."""
    options = [word for each in modalities.split() for word in ("--modality", each)]
    options += ["--hu"] if modalities == "ct" else []
    options += ["--subjects", "24", "--size", "48" if modalities == "cxr" else "16"]
    session.run("survkit", "phantom", "--out", f"{name}-cohort", *options)
    changes = ["--set", "training.epochs=1"]
    if modalities == "clinical":
        changes += ["--set", "encoders={clinical: {use: tabular, dim: 8}}"]
    given = ["--cohort", f"{name}-cohort/cohort.yaml"]
    session.run("survkit", "fit", recipe, *given, "--out", f"{name}-run", *changes)
    session.run("survkit", "predict", f"{name}-run", *given, "--out", f"{name}.csv")
