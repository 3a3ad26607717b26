"""Hazard ratios of a trial: predicted with its range, published, and what a constant guess says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from her2sim.report.html import render
from her2sim.report.trial_tables import ratio_text

WIDTH, ROW, TOP, BOTTOM, LEFT, RIGHT = 760, 40, 10, 34, 250, 12
LETTER, WIDEST_LABEL = 6.2, 420
"""Width of a letter of a label, and the most room for labels."""
TICKS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
LOWEST, HIGHEST = 0.02, 20.0
PLACES = ("predicted", "low", "high", "published", "published_low", "published_high", "constant")


def forest_svg(rows: Sequence[Mapping[str, Any]]) -> str:
    """Hazard ratios on a logarithmic axis, as SVG; empty where none was predicted.

    Parameters
    ----------
    rows : as in the frame of hazard ratios of a trial: arms, endpoint, and PLACES, None if unknown
    """
    known = [row for row in rows if _is_ratio(row["predicted"])]
    if not known:
        return ""
    values = [float(row[name]) for row in known for name in PLACES if _is_ratio(row[name])]
    low = min(0.5, max(LOWEST, min(values))) / 1.1
    high = max(1.5, min(HIGHEST, max(values))) * 1.1
    left = max(LEFT, min(WIDEST_LABEL, LETTER * max(len(_label(row)) for row in known)))
    span = WIDTH - RIGHT - left

    def x(value: Any) -> float | None:
        if not _is_ratio(value):
            return None
        share = math.log(min(high, max(low, float(value))) / low) / math.log(high / low)
        return round(left + span * share, 1)

    height = TOP + BOTTOM + ROW * len(known)
    drawn = [
        {name: x(row[name]) for name in PLACES}
        | {"y": TOP + ROW * (k + 0.5), "label": _label(row), "text": in_words(row)}
        for k, row in enumerate(known)
    ]
    frame = (left, TOP, WIDTH - RIGHT, height - BOTTOM)
    return render(
        "forest", rows=drawn, size=(WIDTH, height), frame=frame,
        ticks=[(x(tick), f"{tick:g}") for tick in TICKS if low <= tick <= high], one=x(1.0),
    )  # fmt: skip


def in_words(row: Mapping[str, Any]) -> str:
    """A hazard ratio in a sentence."""
    text = f"{_label(row)}: predicted {_with_range(row, 'predicted', 'low', 'high')}"
    if _is_ratio(row["published"]):
        published = _with_range(row, "published", "published_low", "published_high")
        text += f"; published {published}"
    if _is_ratio(row["constant"]):
        text += f"; a constant guess says {row['constant']:.2f}"
    return text + "."


def _label(row: Mapping[str, Any]) -> str:
    what = ratio_text(row["endpoint"], row["subgroup"], row.get("cut_month"))
    endpoint, comma, rest = what.partition(", ")
    return f"{endpoint}, {row['arm']} over {row['versus']}{comma}{rest}"


def _with_range(row: Mapping[str, Any], name: str, low: str, high: str) -> str:
    text = f"{row[name]:.2f}"
    if _is_ratio(row[low]) and _is_ratio(row[high]):
        text += f" ({row[low]:.2f} to {row[high]:.2f})"
    return text


def _is_ratio(value: Any) -> bool:
    return value is not None and math.isfinite(value) and value > 0
