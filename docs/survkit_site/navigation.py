"""Where every page stands in the site.

Pages are found, not listed: a new page in ``docs`` stands at the end of "More guides" without a
change here. The lists below only say what comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from survkit_site.api_pages import MODULES as API_PAGES

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Section(NamedTuple):
    """Pages under one heading of one page's navigation.

    Attributes:
        caption: The heading; none for the children of a page.
        pages: Names or wildcards, in their order; what fits several stands at the first.
        shown: Whether the list is printed on the page too.
    """

    caption: str
    pages: tuple[str, ...]
    shown: bool = False


HOME = "docs/README"
SECTIONS: dict[str, tuple[Section, ...]] = {
    "docs/decisions/README": (Section("", ("docs/decisions/*",)),),
    "examples/README": (Section("", ("examples/*", "docs/generated/folders/*")),),
    "survkit-*/README": (Section("", ("{folder}/docs/*", "{folder}/CHANGELOG")),),
    "docs/generated/commands/index": (Section("", ("docs/generated/commands/*",)),),
    "docs/generated/components/index": (
        Section("", tuple(
            f"docs/generated/components/{kind}"
            for kind in ("encoder", "fusion", "head", "loss", "baseline", "corruption", "*")
        )),
    ),
    "docs/generated/recipes/index": (Section("", ("docs/generated/recipes/*",)),),
    "docs/generated/api/index": (
        Section(
            "",
            tuple(f"docs/generated/api/{name}" for name in ("survkit", *API_PAGES, "*")),
        ),
    ),
    "docs/models": (Section("", ("docs/generated/example-card",), shown=True),),
    HOME: (
        Section("Start", ("docs/getting-started", "docs/concepts", "docs/faq", "docs/tutorial")),
        Section("Data", ("docs/dicom", "docs/petct", "docs/cxr", "docs/slices", "docs/radiomics")),
        Section(
            "Evidence",
            (
                "docs/evaluation", "docs/metrics", "docs/stress", "docs/audit", "docs/report",
                "docs/explain", "docs/importance", "docs/pruning", "docs/reproduce",
            ),
        ),
        Section(
            "More guides", ("docs/search", "docs/interop", "docs/hub", "docs/models", "docs/*")
        ),
        Section("Plugins", ("survkit-core/README", "survkit-*/README")),
        Section(
            "Reference",
            (
                "docs/generated/commands/index", "docs/generated/recipes/index",
                "docs/generated/components/index", "docs/matrix", "docs/generated/api/index",
            ),
        ),
        Section(
            "Project",
            ("README", "examples/README", "CONTRIBUTING", "docs/decisions/README", "*"),
        ),
    ),
}  # fmt: skip
"""By page, or wildcard of pages. Earlier ones choose first: children before the home page."""


def place(documents: Iterable[str]) -> dict[str, list[Section]]:
    """Return by page the sections of its navigation; every document stands in one of them.

    Args:
        documents: Names of all pages, without their endings.

    Raises:
        ValueError: A document has no place; the message says where to give it one.
    """
    return _place(tuple(sorted({*documents, HOME})))


@cache
def _place(found: tuple[str, ...]) -> dict[str, list[Section]]:
    left = [each for each in found if each != HOME]
    placed: dict[str, list[Section]] = {}
    for pattern, sections in SECTIONS.items():
        for parent in (each for each in found if fnmatchcase(each, pattern)):
            filled = [one._replace(pages=_take(one, parent, left)) for one in sections]
            placed[parent] = [one for one in filled if one.pages]
    if left:
        raise ValueError(f"pages without a place in docs/survkit_site/navigation.py: {left}")
    return placed


def _take(section: Section, parent: str, left: list[str]) -> tuple[str, ...]:
    """Take out of ``left`` what the section names, in its order.

    A wildcard takes nothing that the home page names, nor the page that the section stands on.
    """
    named = {page for one in SECTIONS[HOME] for page in one.pages}
    taken: list[str] = []
    for pattern in section.pages:
        wanted = pattern.format(folder=parent.partition("/")[0])
        fitting = [
            each
            for each in left
            if each == wanted or (_fits(each, wanted) and each not in named | {parent})
        ]
        taken += fitting
        left[:] = [each for each in left if each not in fitting]
    return tuple(taken)


def _fits(document: str, pattern: str) -> bool:
    """Say whether the pattern names the document; only that of ``examples`` reaches below."""
    deep = document.count("/") > pattern.count("/")
    return fnmatchcase(document, pattern) and (not deep or pattern.startswith("examples/"))


def connect(app: Sphinx) -> None:
    """Add the lists of pages to the pages that hold them, and read those anew every time."""
    app.connect("source-read", _add_lists)
    app.connect("env-get-outdated", lambda app, env, *_: list(place(env.found_docs)))


def _add_lists(app: Sphinx, document: str, source: list[str]) -> None:
    rst = app.env.doc2path(document).suffix == ".rst"
    for section in place(app.env.found_docs).get(document, []):
        options = [f":caption: {section.caption}"] if section.caption else []
        options += [] if section.shown else [":hidden:"]
        pages = [_entry(page, Path(app.env.doc2path(page))) for page in section.pages]
        lines = [":titlesonly:", *options, "", *pages]
        if rst:
            source[0] += "\n\n.. toctree::\n" + "".join(f"   {line}\n" for line in lines)
        else:
            source[0] += "\n\n```{toctree}\n" + "\n".join(lines) + "\n```\n"


def _entry(page: str, path: Path) -> str:
    """Return how a list names a page: by its heading, up to a colon."""
    heading = path.read_text(encoding="utf-8").partition("\n")[0]
    short, colon, _ = heading.removeprefix("# ").partition(":")
    return (
        f"{short.replace('`', '')} </{page}>" if colon and heading.startswith("# ") else f"/{page}"
    )
