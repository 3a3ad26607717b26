"""The rows of all labels, as a page of the documentation."""

from __future__ import annotations

from pathlib import Path

from her2sim.report.label_page import label_page
from her2sim.store.files import write_text

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write the page."""
    write_text(ROOT / "docs" / "labels.md", label_page())


if __name__ == "__main__":
    main()
