"""Settings of the documentation site: ``python -m nox -s site`` builds it into build/site.

The source folder is the whole repository, so that pages stay where they are, READMEs of plugins
and examples are pages like the others, and a relative link means the same here and on GitHub.
Nothing is fetched: no inventories of other sites, no fonts, no scripts but those of the theme.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "survkit"
author = "the survkit contributors"
release = metadata.version("survkit-core")
copyright = "the survkit contributors, Apache-2.0"
language = "en"
smartquotes = False  # two hyphens of an option are no dash

extensions = [
    "sphinx.ext.autodoc",
    "myst_parser",
    "survkit_site",
]
root_doc = "docs/README"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
include_patterns = [
    "*.md",
    "docs/**",
    "examples/**",
    "survkit-*/README.md",
    "survkit-*/CHANGELOG.md",
    "survkit-*/docs/**",
]
# Folders that are never entered: environments, results of builds and runs, hidden ones.
exclude_patterns = [
    ".*", "**/.*", "build", "dist", "runs", "tests", "survkit-*/src", "**/__pycache__",
]  # fmt: skip

html_theme = "furo"
html_title = "survkit"
html_static_path = ["survkit_site/static"]
html_css_files = ["survkit.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}

myst_heading_anchors = 4  # links to headings, as GitHub makes them
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
python_maximum_signature_line_length = 88
add_module_names = False

nitpicky = True
# Types of other libraries: this site has no inventory of theirs, because it is built without a
# network. Names of survkit's own are not excused: see survkit_site/own_names.py.
nitpick_ignore_regex = [
    (r"py:.*", r"(torch|numpy|np|pandas|pd|pathlib|collections|typing|types|pydantic)\..*"),
]
