"""The outlook of a patient with early disease as a figure: shares without an event over years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2sim.report.canvas import COLOURS, SMALL, WIDTH, finished, new_canvas
from her2sim.timeline.outlook import Outlook

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT = 3.6
SHADE = 0.15


def outlook_figure(outlook: Outlook, title: str, width: float = WIDTH) -> Figure:
    """Curves of each endpoint with the 90 % range over the members; ``width`` in inches."""
    figure, panels = new_canvas(HEIGHT, 1, width=width)
    axes = panels[0, 0]
    for curve, colour in zip(outlook.curves, COLOURS, strict=False):
        years = curve.month / 12
        axes.fill_between(years, curve.low, curve.high, color=colour, alpha=SHADE, linewidth=0)
        axes.plot(years, curve.percent, color=colour, label=curve.title)
    axes.set_xlabel("years from the first dose", fontsize=SMALL)
    axes.set_ylabel("% of patients like this one", fontsize=SMALL)
    axes.set_ylim(0, 102)
    axes.tick_params(labelsize=SMALL)
    axes.legend(fontsize=SMALL, frameon=False, loc="lower left")
    return finished(figure, title)
