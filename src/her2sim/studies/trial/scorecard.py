"""How often predictions were right: the rows of all trials counted by stated limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.rows import Estimate

JUDGED_RATIOS = (
    "HER2CLIMB", "DESTINY-Breast03", "DESTINY-Breast04", "DESTINY-Breast06", "PHOEBE", "EGF104900",
    "PHEREXA",
)  # fmt: skip
JUDGED_EVENTS = ("lvef_drop", "thrombocytopenia", "neutropenia", "ild", "diarrhoea")
PROGRESSION = ("PFS", "TTP")
SMALLEST_PERCENT = 1.0
"""Rarer adverse events are judged by points: a factor of a few in a thousand says nothing."""


@dataclass(frozen=True)
class Judged:
    """A published figure and whether the prediction is within the limit; None without one."""

    trial: str
    arm: str
    what: str
    figure: Estimate
    is_hit: bool | None


@dataclass(frozen=True)
class Score:
    """A criterion: its limit in words, and the published figures it asks about."""

    title: str
    role: str
    asked: tuple[Judged, ...]

    @property
    def rows(self) -> tuple[Judged, ...]:
        """Figures with a prediction: hits and misses."""
        return tuple(row for row in self.asked if row.is_hit is not None)

    @property
    def unpredicted(self) -> tuple[Judged, ...]:
        """Figures without a prediction: neither hits nor misses."""
        return tuple(row for row in self.asked if row.is_hit is None)

    @property
    def hits(self) -> int:
        """Rows within the limit."""
        return sum(row.is_hit is True for row in self.asked)


def _judged(
    report: TrialReport, arm: str, what: str, figure: Estimate, is_hit: Callable[[Estimate], bool]
) -> Judged:
    verdict = is_hit(figure) if figure.is_predicted else None
    return Judged(report.trial.id, arm, what, figure, verdict)


def _within(share: float) -> Callable[[Estimate], bool]:
    return lambda f: f.ratio is not None and abs(f.ratio - 1) <= share


def _points(points: float) -> Callable[[Estimate], bool]:
    def is_near(f: Estimate) -> bool:
        return f.predicted is not None and abs(f.predicted - (f.published or 0.0)) <= points

    return is_near


def _inside(f: Estimate) -> bool:
    if f.predicted is None or f.published_low is None or f.published_high is None:
        return False
    return f.published_low <= f.predicted <= f.published_high


def _factor(f: Estimate) -> bool:
    if f.predicted is None or f.published is None:
        return False
    if max(f.predicted, f.published) < SMALLEST_PERCENT:
        return True
    return f.ratio is not None and 1 / 1.5 <= f.ratio <= 1.5


def scorecard(reports: Sequence[TrialReport]) -> tuple[Score, ...]:
    """All criteria over some trials; whole arms only, no groups of patients."""
    scores = []
    for role, median, points in (("anchor", 0.15, 7.0), ("prediction", 0.25, 10.0)):
        scores += [
            Score(
                f"median PFS or TTP within {100 * median:.0f} %", role,
                tuple(_endpoints(reports, role, "median_month", PROGRESSION, _within(median))),
            ),
            Score(
                f"ORR within {points:g} points", role,
                tuple(_endpoints(reports, role, "rate_percent", ("ORR",), _points(points))),
            ),
            Score(
                "hazard ratio of PFS or TTP inside the published interval", role,
                tuple(_ratios(reports, role)),
            ),
        ]  # fmt: skip
    scores.append(
        Score("severe adverse events, LVEF falls and ILD within a factor of 1.5", "prediction",
              tuple(_events(reports)))
    )  # fmt: skip
    return tuple(scores)


def _endpoints(
    reports: Sequence[TrialReport],
    role: str,
    measure: str,
    endpoints: Sequence[str],
    is_hit: Callable[[Estimate], bool],
) -> Iterator[Judged]:
    for report in reports:
        for row in report.endpoints:
            is_whole = row.subgroup is None and row.at_month is None
            is_asked = row.endpoint in endpoints and row.measure == measure
            if row.figure.published is None or row.figure.role != role:
                continue
            if is_whole and is_asked:
                yield _judged(report, row.arm, row.endpoint, row.figure, is_hit)


def _ratios(reports: Sequence[TrialReport], role: str) -> Iterator[Judged]:
    for report in reports:
        for row in report.ratios:
            is_asked = row.subgroup is None and row.endpoint in PROGRESSION
            if is_asked and row.figure.published is not None and row.figure.role == role:
                what = f"{row.endpoint} over {row.versus}"
                yield _judged(report, row.arm, what, row.figure, _inside)


def _events(reports: Sequence[TrialReport]) -> Iterator[Judged]:
    for report in reports:
        for row in report.safety:
            is_severe = row.grade == "3" or row.event in ("lvef_drop", "ild")
            if row.event not in JUDGED_EVENTS or not is_severe:
                continue
            if row.figure.published is not None and row.figure.role == "prediction":
                what = f"{row.event.replace('_', ' ')}, grade {row.grade}"
                yield _judged(report, row.arm, what, row.figure, _factor)
