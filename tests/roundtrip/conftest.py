"""Wheels, a Hub on this machine, models that were trained here and pushed to it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.fresh_environment.broken import BROKEN, write_broken
from tests.fresh_environment.environment import FreshEnvironment, make_environment
from tests.fresh_environment.lines import run_lines
from tests.fresh_environment.settings import hub_settings
from tests.fresh_environment.wheels import OURS, ROOT, build_wheels
from tests.hub_server.server import running
from tests.roundtrip.mixed import lines_of_mixing
from tests.roundtrip.models import MODELS, lines_of_training

MakeFresh = Callable[..., FreshEnvironment]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheels of this repository's distributions."""
    folder = tmp_path_factory.mktemp("wheels")
    build_wheels([ROOT / name for name in OURS], folder)
    return folder


@pytest.fixture(scope="session")
def hub_url() -> Iterator[str]:
    """Yield the address of a Hub that lasts as long as the tests."""
    with running() as server:
        yield server.url


@pytest.fixture(scope="session")
def fresh(wheels: Path, hub_url: str, tmp_path_factory: pytest.TempPathFactory) -> MakeFresh:
    """Return what makes an environment with these requirements, or gives the one that it made."""

    @cache
    def make(*asked: str) -> FreshEnvironment:
        folder = tmp_path_factory.mktemp("fresh")
        settings = hub_settings(hub_url, folder / "home")
        return make_environment(folder / "environment", asked, wheels, settings)

    return make


@pytest.fixture(scope="session")
def trained(hub_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every model, what it predicts here, and the cohorts.

    One process of the environment that runs the tests has trained, pushed and predicted.
    """
    folder = tmp_path_factory.mktemp("trained")
    lines = [line for model in MODELS for line in lines_of_training(model)]
    variables = os.environ | hub_settings(hub_url, folder / "home")
    run_lines([sys.executable], lines, cwd=folder, env=variables)
    return folder


@pytest.fixture(scope="session")
def strangers(fresh: MakeFresh, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new plugin's folder; its wheel lies beside ours, and so do those of broken plugins.

    The survkit that writes it comes from a wheel itself.
    """
    folder = tmp_path_factory.mktemp("strangers")
    fresh("survkit-core").survkit("new-plugin my-paper", cwd=folder)
    build_wheels([folder / "survkit-my-paper", *write_broken(folder)], wheels)
    return folder / "survkit-my-paper"


@pytest.fixture(scope="session")
def author(strangers: Path, fresh: MakeFresh) -> FreshEnvironment:
    """Return an environment with core, robsurv, the new plugin, and what its tests need."""
    del strangers  # its wheel must be there
    return fresh("survkit-my-paper", "survkit-robsurv", "survkit-core[testing]")


@pytest.fixture(scope="session")
def mixed(author: FreshEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model of both plugins' parts, what it predicts there, and cohorts."""
    folder = tmp_path_factory.mktemp("mixed")
    author.lines(*lines_of_mixing(folder), cwd=folder)
    return folder


@pytest.fixture(scope="session")
def everything(strangers: Path, fresh: MakeFresh) -> FreshEnvironment:
    """Return an environment with core, every plugin, the new one and the broken ones."""
    del strangers  # their wheels must be there
    return fresh(*OURS, "survkit-my-paper", *(each.distribution for each in BROKEN))
