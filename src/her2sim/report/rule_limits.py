"""The limits at which rules of the labels hold or stop a drug, for figures of readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from her2sim.protocol.label import Region, load_label
from her2sim.report.canvas import FAINT, SMALLEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACTING = ("hold_when", "stop_when")
LVEF_SHOWN = (35.0, 75.0)
"""What an axis of the LVEF shows at least, in per cent: where rules act and readings lie."""
LABEL_STEP = 0.105
"""Height that a label needs, as a share of its panel."""


def rule_limits(
    drugs: Iterable[str], region: Region, setting: str, test: str, first: float | None = None
) -> list[tuple[float, str]]:
    """Limits of a reading at which a rule holds or stops one of some drugs, in words.

    Parameters
    ----------
    drugs, region, setting : whose rows of which labels
    test : the reading
    first : its first value, from which falls count; without it falls are left out
    """
    found: dict[tuple[float, str], None] = {}
    for drug in dict.fromkeys(drugs):
        label = load_label(drug, region)
        for rule in () if label is None else label.rule:
            if rule.setting not in (None, setting):
                continue
            conditions = [rule.condition(name) for name in ACTING]
            clauses = [c for one in conditions if one for a in one.alternatives for c in a]
            for clause in clauses:
                if isinstance(clause.limit, str):
                    continue
                if clause.variable == test and clause.sign in ("<", "<="):
                    found[clause.limit, f"{clause.limit:g}"] = None
                is_fall = clause.variable == f"{test}_drop" and clause.sign in (">", ">=")
                if is_fall and first is not None:
                    found[first - clause.limit, f"first - {clause.limit:g}"] = None
    return sorted(found)


def draw_limits(axes: Axes, limits: Sequence[tuple[float, str]]) -> None:
    """Dotted lines with their numbers on the right, those that lie on the axis."""
    bottom, top = axes.get_ylim()
    place = -1.0
    for limit, words in limits:
        if not bottom <= limit <= top:
            continue
        axes.axhline(limit, color=FAINT, linewidth=0.8, linestyle=":")
        place = max((limit - bottom) / (top - bottom), place + LABEL_STEP)
        axes.annotate(
            words, (1.0, limit), (1.012, place), xycoords=("axes fraction", "data"),
            textcoords="axes fraction", fontsize=SMALLEST, color=FAINT, va="center",
            annotation_clip=False,
        )  # fmt: skip


def show_lvef(axes: Axes, low: float, high: float) -> None:
    """The axis of an LVEF: where it matters, not from zero."""
    axes.set_ylim(min(LVEF_SHOWN[0], low - 5), max(LVEF_SHOWN[1], high + 5))
