"""What every figure has: a canvas of one style, title, notice at its foot, one way to disk."""

from __future__ import annotations

from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.notice import NOTICE
from her2sim.store.files import require_figure, written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, NARROW = 9.0, 4.6
LETTERS_AN_INCH = 18.0
LINE, BAND, PRINTED, FAINT = "#0b3c6f", "#7fb3d5", "#b84a00", "#595959"
COLOURS = (
    "#0b3c6f", "#b84a00", "#00735a", "#a63d80", "#5d3a9b", "#6b5000", "#1f6fa8", "#3d3d3d",
)  # fmt: skip
"""Dark enough for letters on white; told apart by ``STYLES`` and ``MARKERS`` too, so in grey."""
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
SMALL, SMALLEST = 8.5, 7.5
"""Sizes of letters: of legends and labels, and of counts."""


def new_canvas(
    height: float, rows: int = 1, columns: int = 1, width: float = WIDTH, **options: Any
) -> tuple[Any, Any]:
    """A figure and its panels, shape (rows, columns); ``height`` and ``width`` in inches."""
    figure = _shown_figure()(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **options)
    for axes in np.ravel(panels):
        open_frame(axes)
    return figure, panels


@cache
def _shown_figure() -> type[Figure]:
    """A figure that a notebook shows by itself; matplotlib is read only when one is drawn."""
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        """A figure of no window, with a picture for notebooks."""

        def _repr_png_(self) -> bytes:
            return png_bytes(self)

    return ShownFigure


def open_frame(axes: Axes) -> None:
    """No line on top and on the right."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def plain_words(text: str, most: int = 60) -> str:
    """A name of a user as it stands: not too long, and no mathematics."""
    short = text if len(text) <= most else f"{text[: most - 3]}..."
    return short.replace("$", r"\$")


def legend_above(axes: Axes, columns: int = 2, **given: Any) -> None:
    """The legend over a panel, below its title, where it covers no data."""
    legend = axes.legend(
        fontsize=SMALL, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0),
        ncols=columns, borderaxespad=0.2, handlelength=2.6, columnspacing=1.6, **given,
    )  # fmt: skip
    rows = -(-len(legend.get_texts()) // columns)
    if title := axes.get_title(loc="left"):
        size = axes._left_title.get_fontsize() if hasattr(axes, "_left_title") else SMALL
        axes.set_title(title, fontsize=size, loc="left", pad=8 + 1.65 * SMALL * rows)


def finished(figure: Figure, title: str = "", size: float = 9.5) -> Figure:
    """A figure with its title, and the notice at its foot."""
    letters = round(LETTERS_AN_INCH * figure.get_figwidth())
    if title:
        lines = "\n".join(fill(line, round(0.8 * letters)) for line in title.splitlines())
        figure.suptitle(lines, fontsize=size, x=0.01, ha="left")
    figure.supxlabel(fill(NOTICE, letters), fontsize=7, color=FAINT)
    return figure


def write_figure(path: Path, figure: Figure) -> None:
    """Write a figure; the file type follows the ending of the path.

    Raises
    ------
    DataError
        If the file cannot be written, or its ending is no kind of figure.
    """
    require_figure(path)
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=150)


def svg_text(figure: Figure) -> str:
    """A figure as SVG text to be put into a page; its letters stay letters."""
    import matplotlib

    written = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "her2sim"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def png_bytes(figure: Figure) -> bytes:
    """A figure as the bytes of a picture."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def shown_unit(unit: str) -> str:
    """A unit as figures write it."""
    return unit.replace("ug", "µg")
