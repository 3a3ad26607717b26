"""Small charts as SVG that takes its colours from the page: light, dark and print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2sim.arrays import Array
from her2sim.report.html import render

WIDTH, HEIGHT = 640, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 12, 34
TICKS_X, TICKS_Y = 7, 4
MOST_POINTS = 400
SPARK_WIDTH, SPARK_HEIGHT, SPARK_POINTS = 132, 36, 60


@dataclass(frozen=True, eq=False)
class ChartCurve:
    """A line of a chart: ``kind`` is the class that colours it; x and y have one shape."""

    title: str
    x: Array
    y: Array
    kind: str = "own"


@dataclass(frozen=True, eq=False)
class ChartBand:
    """An area between two lines of one shape."""

    title: str
    x: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Mark:
    """Something that happened at a place of the x axis; ``kind`` decides its shape and colour."""

    x: float
    kind: str
    text: str


@dataclass(frozen=True)
class Limit:
    """A level that a rule looks at."""

    y: float
    text: str


@dataclass(frozen=True, eq=False)
class Chart:
    """What a chart shows; ``title`` and ``text`` tell it to those who do not see it."""

    title: str
    text: str
    x_title: str
    y_title: str
    curves: Sequence[ChartCurve] = ()
    points: Sequence[ChartCurve] = ()
    bands: Sequence[ChartBand] = ()
    marks: Sequence[Mark] = ()
    limits: Sequence[Limit] = ()
    low: float | None = 0.0
    x_end: float | None = None


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from a low to a high end, some ``most`` of them at most."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) for value in found if low - 1e-9 <= value <= high * (1 + 1e-9) + 1e-9]


def chart_svg(chart: Chart) -> str:
    """A chart with axes, as SVG."""
    lines: list[ChartCurve | ChartBand] = [*chart.curves, *chart.points, *chart.bands]
    xs = [np.asarray(line.x) for line in lines if len(line.x)]
    drawn = [curve.y for curve in (*chart.curves, *chart.points)]
    tops = drawn + [band.high for band in chart.bands]
    bottoms = drawn + [band.low for band in chart.bands]
    x_end = chart.x_end or max((float(x[-1]) for x in xs), default=1.0)
    high = _end(tops, np.nanmax, 1.0, [limit.y for limit in chart.limits])
    low = _end(bottoms, np.nanmin, 0.0, [limit.y for limit in chart.limits], largest=False)
    low = chart.low if chart.low is not None and chart.low <= low else low
    if high <= low:
        high = low + (abs(low) or 1.0)
    room = 0.04 * (high - low)
    high, low = high + room, low if low == 0 else low - room
    axis = _Axis(x_end, low, high)
    return render(
        "chart",
        chart=chart,
        size=(WIDTH, HEIGHT),
        frame=(LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM),
        x_ticks=[(axis.x(v), f"{v:g}") for v in ticks(0.0, x_end, TICKS_X)],
        y_ticks=[(axis.y(v), number(v)) for v in ticks(low, high, TICKS_Y)],
        bands=[(band.title, _area(axis, band)) for band in chart.bands if len(band.x)],
        curves=[(c.title, c.kind, _line(axis, c.x, c.y)) for c in chart.curves if len(c.x)],
        points=[
            (f"{c.title}: {number(float(y))}", axis.x(float(x)), axis.y(float(y)))
            for c in chart.points
            for x, y in zip(c.x, c.y, strict=True)
        ],
        limits=[(limit.text, axis.y(limit.y)) for limit in chart.limits],
        marks=[(mark, axis.x(mark.x)) for mark in chart.marks if mark.x <= x_end],
    )


LANE_LEFT, LANE_HEIGHT = 150, 46


def lanes_svg(lanes: Sequence[Any], weeks: float) -> str:
    """Doses of drugs on a timeline, a lane each, as SVG."""
    span = WIDTH - RIGHT - LANE_LEFT

    def place(week: float) -> float:
        return round(LANE_LEFT + span * week / weeks, 1)

    return render(
        "lanes",
        lanes=lanes,
        size=(WIDTH, LANE_HEIGHT * len(lanes) + BOTTOM),
        height=LANE_HEIGHT,
        left=LANE_LEFT,
        right=WIDTH - RIGHT,
        place=place,
        ticks=[(place(week), f"{week:g}") for week in ticks(0.0, weeks, TICKS_X)],
    )


def spark_svg(x: Array, y: Array) -> str:
    """A line without axes, for a card; its text stands beside it."""
    if not len(x):
        return ""
    high, low = float(np.nanmax(y)), min(0.0, float(np.nanmin(y)))
    axis = _Axis(float(x[-1]) or 1.0, low, high if high > low else low + 1.0)
    axis.frame = (1, 2, SPARK_WIDTH - 1, SPARK_HEIGHT - 2)
    few = np.unique(np.linspace(0, len(x) - 1, SPARK_POINTS).astype(int))
    return render("spark", size=(SPARK_WIDTH, SPARK_HEIGHT), line=_points(axis, x[few], y[few]))


def number(value: float) -> str:
    """A number with three digits, large ones with their thousands set apart."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


class _Axis:
    """Places of values in the frame of a chart."""

    def __init__(self, x_end: float, low: float, high: float) -> None:
        self.x_end, self.low, self.high = x_end, low, high
        self.frame = (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)

    def x(self, value: Any) -> Any:
        """Place from the left of a number or an array."""
        left, _, right, _ = self.frame
        return np.round(left + (right - left) * value / self.x_end, 1)

    def y(self, value: Any) -> Any:
        """Place from the top of a number or an array."""
        _, top, _, bottom = self.frame
        return np.round(bottom - (bottom - top) * (value - self.low) / (self.high - self.low), 1)


def _end(
    rows: Sequence[Array], reduce: object, none: float, also: Sequence[float], largest: bool = True
) -> float:
    """The end of what is shown; what is not finite is not looked at."""
    found = [float(reduce(row[np.isfinite(row)])) for row in rows if np.isfinite(row).any()]  # type: ignore[operator]
    found += also
    if not found:
        return none
    return max(found) if largest else min(found)


def _thin(x: Array, y: Array) -> tuple[Array, Array]:
    """Fewer points, peaks and troughs kept."""
    keep = np.isfinite(y)
    x, y = np.asarray(x)[keep], np.asarray(y)[keep]
    if x.size <= MOST_POINTS:
        return x, y
    turn = np.flatnonzero(np.diff(np.sign(np.diff(y))) != 0) + 1
    every = np.arange(0, x.size, -(-x.size // MOST_POINTS))
    chosen = np.unique(np.concatenate([every, turn[: 2 * MOST_POINTS], [x.size - 1]]))
    return x[chosen], y[chosen]


def _line(axis: _Axis, x: Array, y: Array) -> str:
    return _points(axis, *_thin(x, y))


def _area(axis: _Axis, band: ChartBand) -> str:
    high, low = _thin(band.x, band.high), _thin(band.x, band.low)
    return f"{_points(axis, *high)} {_points(axis, low[0][::-1], low[1][::-1])}"


def _points(axis: _Axis, x: Array, y: Array) -> str:
    """Places of points as SVG writes them."""
    places = np.round(np.column_stack([axis.x(x), axis.y(y)]), 1).tolist()
    return " ".join(f"{a},{b}" for a, b in places)
