"""The generated pages of the documentation site name everything that there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from survkit_site import (
    api_pages,
    command_pages,
    component_pages,
    docstrings,
    folder_links,
    navigation,
    own_names,
    recipe_pages,
)

import survkit
from survkit.cli import COMMANDS
from survkit.cli.app import load_command
from survkit.component import TEXT_KINDS
from survkit.plugins import default_registry
from survkit.settings import settings_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def commands() -> dict[str, str]:
    """Return the pages of the commands."""
    return command_pages.pages()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_page_with_every_option(name: str, commands: dict[str, str]) -> None:
    """The parser's own options, not those that somebody remembered."""
    page, index = commands[f"commands/{name}.md"], commands["commands/index.md"]
    command = load_command(name)
    parts = list(getattr(command, "commands", {}).values()) or [command]
    options = {option for part in parts for each in part.params for option in each.opts}

    assert f"[{name}]({name}.md)" in index
    assert [each for each in options if each.startswith("-") and each not in page] == []
    assert [each for each in COMMANDS[name].examples if each not in page] == []


def test_options_tell_type_bounds_and_default(commands: dict[str, str]) -> None:
    """One row of each kind: a number with a bound, a required path, a switch, a list."""
    page = commands["commands/cv.md"]

    assert "| `--folds` *whole number* from 2 | `5` |" in page
    assert "| `--cohort` *path* | required |" in page
    assert "| `--by-site` |  |" in page
    assert "path=value. May be given several times. |" in page


def test_every_public_name_is_on_its_page() -> None:
    """What ``from survkit import`` gives is what the page describes."""
    page = api_pages.pages()["api/survkit.rst"]
    described = {line.split()[-1].removeprefix("survkit.") for line in page.splitlines()
                 if line.startswith((".. auto", ".. py:data"))}  # fmt: skip

    assert described == set(survkit.__all__)


def test_every_package_that_offers_names_has_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that nobody gave a title to, after those that somebody did."""
    named = {module: title for module, title in api_pages.MODULES.items() if "stress" not in module}
    monkeypatch.setattr(api_pages, "MODULES", named)
    found = api_pages.modules.__wrapped__()

    assert list(found)[: len(named)] == list(named)
    assert found["survkit.stress"] == "Stress"
    assert {"survkit.protocols", "survkit.flow", "survkit.prediction"} <= set(found)
    assert not set(api_pages.NO_PAGE) & set(found)


def test_every_component_has_its_settings_on_the_page_of_its_kind() -> None:
    """Of every installed plugin, with every setting that its constructor takes."""
    pages = component_pages.pages()
    for component in default_registry().iterate():
        if component.kind in TEXT_KINDS:
            continue
        page = pages[f"components/{component.kind}.rst"]
        _, _, rest = page.partition(f".. _{recipe_pages.label(component)}:\n")
        section, _, _ = rest.partition("\n.. _component-")
        settings = settings_schema(component.load(), where=component.name)

        assert f"\n{component.full_name}\n" in section
        assert component.target.replace(":", ".") in section
        assert [name for name in settings if f"``{name}``" not in section] == []
        assert f"`{component.full_name} <" in pages["components/index.rst"]


def test_every_recipe_table_and_experiment_is_named() -> None:
    """With its file, word for word, where it is a recipe."""
    pages = recipe_pages.pages()
    for kind in ("recipe", "reproduction", "experiment"):
        for component in default_registry().iterate(kind):
            assert component.full_name in pages["recipes/index.md"]
            if kind == "recipe":
                page = pages[f"recipes/{component.plugin}.md"]
                assert component.load().rstrip() in page
                assert f"survkit cv {component.full_name} --cohort" in page


def test_every_page_of_the_repository_has_one_place() -> None:
    """Also a page of docs and one of a plugin that nobody has written yet."""
    pages = [
        str(page.relative_to(ROOT).with_suffix(""))
        for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "survkit-*/**/*.md")
        for page in ROOT.glob(pattern)
        if "/src/" not in str(page)
    ]
    new = ["ZEBRA", "docs/zebra", "survkit-zebra/README", "survkit-zebra/docs/stripes"]
    placed = navigation.place([*pages, *new])
    listed = [page for sections in placed.values() for one in sections for page in one.pages]
    by_caption = {section.caption: section.pages for section in placed[navigation.HOME]}

    assert sorted(listed) == sorted({*pages, *new} - {navigation.HOME})
    assert by_caption["More guides"][-1] == "docs/zebra"
    assert by_caption["Project"][-1] == "ZEBRA"
    assert "survkit-zebra/README" in by_caption["Plugins"]
    assert placed["survkit-zebra/README"][0].pages == ("survkit-zebra/docs/stripes",)


def test_a_page_that_fits_nowhere_is_named() -> None:
    """It would be built and never found."""
    with pytest.raises(ValueError, match=r"without a place.*'elsewhere/page'"):
        navigation.place(["docs/hub", "elsewhere/page"])


def test_a_link_to_a_folder_leads_to_its_readme_or_its_files(tmp_path: Path) -> None:
    """As on GitHub."""
    (tmp_path / "told").mkdir()
    (tmp_path / "told/README.md").write_text("# Told\n")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/recipe.yaml").write_text("title: x\n")
    page = tmp_path / "page.md"
    page.write_text("[a](told) [b](bare/) [c](told/README.md) [d](https://example.org)\n")
    found = folder_links.linked_folders(tmp_path, page)

    assert found == {"told": Path("told"), "bare/": Path("bare")}
    assert folder_links.page_of(tmp_path, Path("told")) == Path("told/README.md")
    assert folder_links.page_of(tmp_path, Path("bare")).name == "bare.md"
    assert "[recipe.yaml](/bare/recipe.yaml)" in folder_links.list_files(tmp_path, Path("bare"))


def test_a_reference_to_what_does_not_exist_is_not_excused() -> None:
    """Names of survkit are looked up, in the module that a class comes from too."""
    scopes = own_names.scopes_of(None, ["survkit.Registry"])
    found = [own_names.find(name) for name in ("survkit.Cohort.read", "survkit.flow.Fused")]

    assert all(found)
    assert "survkit.registry.KINDS" in own_names.candidates("KINDS", scopes)
    for wrong in ("survkit.flow.Fussed", "survkit.Cohort.reed", "nothing.at.all"):
        with pytest.raises(LookupError):
            own_names.find(wrong)


def test_signs_of_shapes_and_absolute_values_are_no_marks() -> None:
    """A star within a shape and bars around a letter are shown; emphasis stays emphasis."""
    lines = ["Values (batch, *shape) of |Z|, *not* more; ``*args``."]

    assert docstrings.converted(lines, "function") == [
        "Values (batch, \\*shape) of \\|Z\\|, *not* more; ``*args``."
    ]
    assert docstrings.converted(["The longest: of all."], "property") == ["The longest: of all."]
