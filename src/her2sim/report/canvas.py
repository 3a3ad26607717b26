"""What every figure has: a canvas of one style, title, notice at its foot, one way to disk."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.notice import NOTICE
from her2sim.store.files import require_figure, written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0
LINE, BAND, PRINTED = "#1b4f72", "#7fb3d5", "#b03a2e"
COLOURS = ("#1b4f72", "#b03a2e", "#1e8449")


def new_canvas(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure and its panels, shape (rows, columns)."""
    figure = _shown_figure()(figsize=(WIDTH, height), layout="constrained")
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


def finished(figure: Figure, title: str = "", size: float = 9.5) -> Figure:
    """A figure with its title, and the notice at its foot."""
    if title:
        figure.suptitle(title, fontsize=size, x=0.01, ha="left")
    figure.supxlabel(NOTICE, fontsize=6.5, color="#555555")
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


def png_bytes(figure: Figure) -> bytes:
    """A figure as the bytes of a picture."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def shown_unit(unit: str) -> str:
    """A unit as figures write it."""
    return unit.replace("ug", "µg")
