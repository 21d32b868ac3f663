"""The changelog is of the form it says it is, and leads where it says."""

from __future__ import annotations

import re
from pathlib import Path

import survkit
from survkit.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_it_is_kept_as_keep_a_changelog_says() -> None:
    """The unreleased comes first, and headings below a version are those of that page."""
    versions = re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE)

    assert versions[0] == "[Unreleased]"
    assert set(re.findall(r"^### (.+)$", TEXT, flags=re.MULTILINE)) <= KINDS
    assert "API_VERSION" in TEXT
    assert survkit.API_VERSION


def test_its_links_lead_somewhere_and_others_lead_here() -> None:
    """Every plugin's own changelog is among them."""
    links = {link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link}

    assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob("survkit-*/CHANGELOG.md")} <= (
        links
    )
    assert all((ROOT / link).is_file() for link in links)
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "](CHANGELOG.md)" in (ROOT / page).read_text(encoding="utf-8")


def test_its_commands_exist() -> None:
    """Whatever stands in brackets behind a heading is a command."""
    named = set(re.findall(r"`survkit ([a-z-]+)`", TEXT))
    for group in re.findall(r"\*\* \((`[^)]*)\)", TEXT):
        named |= set(re.findall(r"`(?:survkit )?([a-z-]+)`", group))

    assert {"fit", "cv", "audit", "ingest"} <= named <= set(COMMANDS)
