"""Single patients of a trial as figures: waterfall, swimmer and spider plots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from her2sim.errors import DataError
from her2sim.report.canvas import FAINT, SMALL, finished, legend_above, new_canvas, plain_words
from her2sim.studies.trial.courses import ArmCourses, PatientCourse, Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS: dict[Response, tuple[str, str]] = {
    "complete": ("#0b3c6f", ""),
    "partial": ("#4a90c2", "//"),
    "stable": ("#c9c9c9", ""),
    "progression": ("#b84a00", "\\\\"),
    "not assessed": ("#ffffff", ".."),
}
"""Colour and hatching of each best response: told apart in grey too."""
PARTIAL_PERCENT, PROGRESSION_PERCENT = -30.0, 20.0
HIGHEST_PERCENT = 100.0
PANEL_HEIGHT, ROW_HEIGHT = 2.9, 0.105


def _arms(arms: Sequence[ArmCourses]) -> Sequence[ArmCourses]:
    """The arms.

    Raises
    ------
    DataError
        If nobody has a scan: early disease has no lesion in the model.
    """
    if not any(len(p.scan_month) > 1 for arm in arms for p in arm.patients):
        raise DataError("no patient was scanned: this disease has no model of the lesion")
    return arms


def _panels(
    arms: Sequence[ArmCourses], heights: Sequence[float], draw: Callable[[Axes, ArmCourses], None]
) -> Figure:
    figure, panels = new_canvas(sum(heights) + 0.9, len(arms), height_ratios=list(heights))
    for axes, arm in zip(panels[:, 0], arms, strict=True):
        draw(axes, arm)
        axes.tick_params(labelsize=SMALL)
    found: Figure = figure
    return found


def _patches(used: set[Response]) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colour, hatch=hatch, edgecolor="#444444", linewidth=0.4, label=kind)
        for kind, (colour, hatch) in KINDS.items()
        if kind in used
    ]


def waterfall_figure(arms: Sequence[ArmCourses], name: str) -> Figure:
    """Best change of the sum of diameters of each patient, the largest growth first."""

    def draw(axes: Axes, arm: ArmCourses) -> None:
        shown = sorted(
            (p for p in arm.patients if len(p.scan_month) > 1), key=lambda p: -p.best_percent
        )
        for place, patient in enumerate(shown):
            colour, hatch = KINDS[patient.response]
            axes.bar(
                place, min(patient.best_percent, HIGHEST_PERCENT), width=0.85, color=colour,
                hatch=hatch, edgecolor="#444444", linewidth=0.3,
            )  # fmt: skip
            if patient.best_percent > HIGHEST_PERCENT:
                axes.annotate(
                    f"{patient.best_percent:.0f}", (place, HIGHEST_PERCENT), (0, 1),
                    textcoords="offset points", fontsize=6, ha="center",
                )  # fmt: skip
        for limit, what in ((PARTIAL_PERCENT, "-30 %"), (PROGRESSION_PERCENT, "+20 %")):
            axes.axhline(limit, color=FAINT, linewidth=0.8, linestyle=":")
            axes.annotate(
                what, (1.0, limit), (4, 0), xycoords=("axes fraction", "data"), fontsize=SMALL,
                textcoords="offset points", va="center", color=FAINT,
            )  # fmt: skip
        axes.axhline(0, color="#000000", linewidth=0.6)
        unseen = len(arm.patients) - len(shown)
        left = f"; {unseen} without a scan left out" if unseen else ""
        told = f"{plain_words(arm.title)}: {len(shown)} patients{left}"
        axes.set_title(told, fontsize=SMALL + 0.5, loc="left")
        axes.set_ylabel("best change (%)", fontsize=SMALL)
        axes.set_xticks([])
        axes.set_xlim(-1, max(1, len(shown)))
        axes.set_ylim(-105, HIGHEST_PERCENT + 8)

    arms = _arms(arms)
    figure = _panels(arms, [PANEL_HEIGHT] * len(arms), draw)
    used = {p.response for arm in arms for p in arm.patients if len(p.scan_month) > 1}
    _legend(figure, _patches(used))
    return finished(figure, f"{name}: best change of the sum of diameters, simulated patients")


def spider_figure(arms: Sequence[ArmCourses], name: str) -> Figure:
    """Change of the sum of diameters of each patient over time, until progression."""

    def draw(axes: Axes, arm: ArmCourses) -> None:
        for patient in arm.patients:
            if len(patient.scan_month) < 2:
                continue
            colour, hatch = KINDS[patient.response]
            shade = "#8a8a8a" if patient.response == "stable" else colour
            style = {"": "-", "//": "--", "\\\\": "-.", "..": ":"}[hatch]
            change = np.minimum(patient.change_percent, HIGHEST_PERCENT)
            axes.plot(patient.scan_month, change, color=shade, linestyle=style, linewidth=0.9)
            axes.plot(patient.scan_month[-1:], change[-1:], "o", color=shade, markersize=2.5)
        axes.axhline(0, color="#000000", linewidth=0.6)
        for limit in (PARTIAL_PERCENT, PROGRESSION_PERCENT):
            axes.axhline(limit, color=FAINT, linewidth=0.8, linestyle=":")
        axes.set_title(plain_words(arm.title), fontsize=SMALL + 0.5, loc="left")
        axes.set_ylabel("change (%)", fontsize=SMALL)
        axes.set_xlim(0, 1.02 * last)
        axes.set_ylim(-105, HIGHEST_PERCENT + 5)

    from matplotlib.lines import Line2D

    arms = _arms(arms)
    last = max(float(p.scan_month[-1]) for arm in arms for p in arm.patients)
    figure = _panels(arms, [PANEL_HEIGHT] * len(arms), draw)
    figure.axes[-1].set_xlabel("months", fontsize=SMALL + 1)
    styles: dict[Response, Any] = {
        "complete": "-",
        "partial": "--",
        "stable": "-",
        "progression": "-.",
    }
    used = {p.response for arm in arms for p in arm.patients}
    handles = [
        Line2D(
            [],
            [],
            color="#8a8a8a" if kind == "stable" else KINDS[kind][0],
            linestyle=style,
            label=kind,
        )
        for kind, style in styles.items()
        if kind in used
    ]
    _legend(figure, handles)
    return finished(figure, f"{name}: sum of diameters over time, simulated patients")


def swimmer_figure(arms: Sequence[ArmCourses], name: str) -> Figure:
    """Each patient's time in the trial: response, progression, death, or still observed."""

    def draw(axes: Axes, arm: ArmCourses) -> None:
        shown = sorted(arm.patients, key=lambda p: p.end_month)
        for place, patient in enumerate(shown):
            _swim(axes, place, patient)
        told = f"{plain_words(arm.title)}: {len(shown)} patients"
        axes.set_title(told, fontsize=SMALL + 0.5, loc="left")
        axes.set_yticks([])
        axes.set_ylim(-1, len(shown))
        axes.set_xlim(left=0)

    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    arms = _arms(arms)
    heights = [max(1.5, ROW_HEIGHT * len(arm.patients)) for arm in arms]
    figure = _panels(arms, heights, draw)
    last = max(axes.get_xlim()[1] for axes in figure.axes)
    for axes in figure.axes:
        axes.set_xlim(0, last)
    figure.axes[-1].set_xlabel("months", fontsize=SMALL + 1)
    handles: list[Any] = [
        Patch(facecolor=BEFORE, label="before progression"),
        Patch(facecolor=AFTER, label="after it"),
    ]
    handles += [
        Line2D([], [], linestyle="none", label=label, **style) for label, style in MARKS.items()
    ]
    _legend(figure, handles)
    return finished(figure, f"{name}: time in the trial, simulated patients")


BEFORE, AFTER = "#4a90c2", "#d5dde4"
MARKS: dict[str, dict[str, Any]] = {
    "response": {"marker": "^", "color": "#0b3c6f", "markersize": 4.5},
    "progression": {"marker": "x", "color": "#b84a00", "markersize": 5, "markeredgewidth": 1.4},
    "death": {"marker": "s", "color": "#000000", "markersize": 3.5},
    "still observed": {"marker": ">", "color": "#00735a", "markersize": 4.5},
}


def _swim(axes: Axes, place: int, patient: PatientCourse) -> None:
    end, progressed = patient.end_month, min(patient.progressed_month, patient.end_month)
    axes.barh(place, progressed, height=0.72, color=BEFORE, linewidth=0)
    axes.barh(place, end - progressed, left=progressed, height=0.72, color=AFTER, linewidth=0)
    points = {
        "response": patient.response_month,
        "progression": patient.progressed_month,
        "death": patient.death_month,
        "still observed": end if np.isinf(patient.death_month) else np.inf,
    }
    for label, month in points.items():
        if np.isfinite(month):
            axes.plot([month], [place], linestyle="none", clip_on=False, zorder=3, **MARKS[label])


def _legend(figure: Figure, handles: list[Any]) -> None:
    axes = figure.axes[0]
    legend_above(axes, len(handles), handles=handles)
