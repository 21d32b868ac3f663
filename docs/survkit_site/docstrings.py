"""Docstrings as Sphinx reads them: Google's sections, with what looks like a mark escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.ext.napoleon import Config, GoogleDocstring

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_CONFIG = Config(
    napoleon_use_ivar=True,
    napoleon_attr_annotations=False,  # the signature of a record shows the types of its fields
    napoleon_custom_sections=[("Reference", "returns_style"), ("Warns", "returns_style")],
)
_VALUES = ("attribute", "data", "property")
# The star of a shape, as in (batch, *spatial), and the bars of an absolute value, as in |Z|.
_SHAPE, _BARS = re.compile(r"(?<![*`\w])\*(?=\w+[),])"), re.compile(r"(?<!\|)\|(\w+)\|(?!\|)")


def connect(app: Sphinx) -> None:
    """Read every docstring and signature so."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-process-signature", _without_factories)
    app.connect("doctree-read", _with_dashes)


def converted(lines: list[str], what: str, name: str = "", described: object = None) -> list[str]:
    """Return the docstring of a function, class or value as reStructuredText.

    A value's docstring is prose as any other: "The longest duration: ..." does not name a type.
    """
    escaped = [_BARS.sub(r"\\|\1\\|", _SHAPE.sub(r"\\*", line)) for line in lines]
    kind = "function" if what in _VALUES else what
    return GoogleDocstring(escaped, _CONFIG, what=kind, name=name, obj=described).lines()


def _process(
    app: Sphinx, what: str, name: str, described: Any, options: Any, lines: list[str]
) -> None:
    lines[:] = converted(lines, what, name, described)


def _without_factories(
    app: Sphinx, what: str, name: str, described: Any, options: Any, arguments: str, result: str
) -> tuple[str, str] | None:
    """Write the default that a record's factory makes as Python would in a stub."""
    if arguments is None or "<factory>" not in arguments:
        return None
    return arguments.replace("<factory>", "..."), result


def _with_dashes(app: Sphinx, document: nodes.document) -> None:
    """Set the dash between a parameter and its meaning; elsewhere two hyphens are an option's."""
    for field in document.findall(nodes.field_body):
        for text in list(field.findall(nodes.Text)):
            if text.astext() == " -- ":
                text.parent.replace(text, nodes.Text(" – "))
