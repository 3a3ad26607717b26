"""The documentation as a site: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from her2sim import __version__

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

project = "her2sim"
author = "The her2sim authors"
copyright = f"{author}; BSD-3-Clause"
release = version = __version__
extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click",
    "sphinx_copybutton",
]  # fmt: skip
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"her2sim {version}"
html_theme_options = {"source_repository": "", "footer_icons": []}
html_static_path = ["site/static"]
html_css_files = ["calm.css"]
html_show_sourcelink = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
autodoc_default_options = {"members": True, "inherited-members": False}
myst_url_schemes = ("http", "https", "mailto")
nitpicky = False


def setup(app: Any) -> None:
    """Pages that follow from the program are written before anything is read."""
    import site_pages

    site_pages.write()
    for part in ("description", "options", "arguments"):
        app.connect(f"sphinx-click-process-{part}", _plain)


def _plain(app: Any, context: Any, lines: list[str]) -> None:
    """Help texts are no markup: a star in them is a star."""
    lines[:] = [line.replace("*", "\\*") for line in lines]
