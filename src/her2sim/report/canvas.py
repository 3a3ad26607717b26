"""What every figure has: a canvas of one style, title, notice at its foot, one way to disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.notice import NOTICE
from her2sim.store.files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0
LINE, BAND, PRINTED = "#1b4f72", "#7fb3d5", "#b03a2e"
COLOURS = ("#1b4f72", "#b03a2e", "#1e8449")


def new_canvas(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure and its panels, shape (rows, columns)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, **options)
    for axes in np.ravel(panels):
        open_frame(axes)
    return figure, panels


def open_frame(axes: Axes) -> None:
    """No line on top and on the right."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def write_canvas(path: Path, figure: Figure, title: str = "", size: float = 9.5) -> None:
    """Write a figure with title and notice; the file type follows the ending of the path.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    if title:
        figure.suptitle(title, fontsize=size, x=0.01, ha="left")
    figure.supxlabel(NOTICE, fontsize=6.5, color="#555555")
    with written_whole(path) as partial:
        figure.savefig(partial, dpi=150)


def shown_unit(unit: str) -> str:
    """A unit as figures write it."""
    return unit.replace("ug", "µg")
