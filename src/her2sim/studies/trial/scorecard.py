"""How often predictions were right: the rows of all trials counted by stated limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.biology.lesion_model import disease_of
from her2sim.studies.trial.report import TrialReport
from her2sim.studies.trial.rows import Estimate
from her2sim.trials.measures import EARLY_CURVES, EARLY_RATES

JUDGED_EVENTS = ("lvef_drop", "thrombocytopenia", "neutropenia", "ild", "diarrhoea")
PROGRESSION = ("PFS", "TTP")
MEDIAN_SHARE, ORR_POINTS = 0.20, 8.0
"""How near a fitted median and response shall be."""
PCR_POINTS, CURVE_POINTS, FROM_MONTH = 7.0, 3.0, 36
"""The same of a complete response, and of a share without event from three years on."""
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
    """All criteria over some trials; whole arms only, no groups of patients.

    A criterion of a setting of which there is no trial is left out. Each tumour type other than
    breast cancer has its own.
    """
    types = dict.fromkeys(report.trial.tumour_type for report in reports)
    found = list[Score]()
    for tumour_type in types:
        own = [report for report in reports if report.trial.tumour_type == tumour_type]
        found += _of_breast(own) if tumour_type == "breast" else _of_type(own)
    return tuple(found)


def _of_type(reports: Sequence[TrialReport]) -> Iterator[Score]:
    """Criteria of a tumour type, where overall survival is judged, too."""
    first = reports[0].trial
    disease, near = disease_of(first.tumour_type, first.setting), _within(MEDIAN_SHARE)
    share = f"within {100 * MEDIAN_SHARE:.0f} %"
    yield Score(
        f"{disease}: median PFS or TTP {share}", "anchor",
        tuple(_endpoints(reports, "median_month", PROGRESSION, near)),
    )  # fmt: skip
    yield Score(
        f"{disease}: median overall survival {share}", "anchor",
        tuple(_endpoints(reports, "median_month", ("OS",), near)),
    )  # fmt: skip
    yield Score(
        f"{disease}: ORR within {ORR_POINTS:g} points",
        "anchor",
        tuple(_endpoints(reports, "rate_percent", ("ORR",), _points(ORR_POINTS))),
    )
    yield Score(
        f"{disease}: hazard ratio inside the published interval",
        "anchor",
        tuple(_ratios(reports, (*PROGRESSION, "OS"))),
    )
    events = tuple(_events(reports))
    if events:
        yield Score(
            f"{disease}: severe adverse events, LVEF falls and ILD within a factor of 1.5",
            "prediction", events,
        )  # fmt: skip


def _of_breast(reports: Sequence[TrialReport]) -> tuple[Score, ...]:
    """Criteria of metastatic and of early breast cancer."""
    near = _within(MEDIAN_SHARE)
    found = (
        Score(
            f"median PFS or TTP within {100 * MEDIAN_SHARE:.0f} %", "anchor",
            tuple(_endpoints(reports, "median_month", PROGRESSION, near)),
        ),
        Score(
            f"ORR within {ORR_POINTS:g} points", "anchor",
            tuple(_endpoints(reports, "rate_percent", ("ORR",), _points(ORR_POINTS))),
        ),
        Score(
            "hazard ratio of PFS or TTP inside the published interval", "anchor",
            tuple(_ratios(reports, PROGRESSION)),
        ),
        Score(
            f"pCR within {PCR_POINTS:g} points", "anchor",
            tuple(_endpoints(reports, "rate_percent", EARLY_RATES, _points(PCR_POINTS))),
        ),
        Score(
            f"without event at 3 years and later within {CURVE_POINTS:g} points", "anchor",
            tuple(_late(reports)),
        ),
        Score(
            "hazard ratio of early disease inside the published interval", "anchor",
            tuple(_ratios(reports, EARLY_CURVES)),
        ),
        Score(
            "severe adverse events, LVEF falls and ILD within a factor of 1.5", "prediction",
            tuple(_events(reports)),
        ),
    )  # fmt: skip
    settings = {report.trial.setting for report in reports}
    left_out = [
        *(found[:3] if "metastatic" not in settings else ()),
        *(found[3:6] if "early" not in settings else ()),
    ]
    return tuple(score for score in found if score not in left_out)


def _late(reports: Sequence[TrialReport]) -> Iterator[Judged]:
    """Shares without an event of early disease from three years on."""
    for report in reports:
        for row in report.endpoints:
            is_late = row.at_month is not None and row.at_month >= FROM_MONTH
            if report.trial.setting != "early" or row.subgroup is not None or not is_late:
                continue
            if row.figure.published is not None:
                what = f"{row.endpoint} at {row.at_month:g} months"
                yield _judged(report, row.arm, what, row.figure, _points(CURVE_POINTS))


@dataclass(frozen=True)
class Skill:
    """Mean absolute errors of one endpoint: ours, and those of two guesses from other trials.

    Hazard ratios and medians: of the logarithm; shares of patients: points.
    """

    endpoint: str
    unit: str
    n: int
    ours: float
    constant: float
    alike: float


def skills(reports: Sequence[TrialReport]) -> tuple[Skill, ...]:
    """Errors of whole arms beside guesses; what is not reached is left out."""
    kinds = {
        "median": "median", "ORR": "ORR", "hazard ratio of PFS": "hazard ratio", "pCR": "pCR",
        "without event": "without event", "hazard ratio of early": "hazard ratio, early",
    }  # fmt: skip
    found = []
    for score in scorecard(reports):
        begins = [text for text in kinds if score.title.startswith(text)]
        if not begins:
            continue
        endpoint = kinds[begins[0]]
        rows = [row.figure for row in score.rows if _has_guesses(row.figure)]
        if rows:
            found.append(_skill(endpoint, rows))
    return tuple(found)


def _has_guesses(figure: Estimate) -> bool:
    is_there = figure.predicted is not None and np.isfinite(figure.predicted)
    return bool(is_there and figure.published and figure.constant and figure.alike)


def _skill(endpoint: str, rows: Sequence[Estimate]) -> Skill:
    of_points = not endpoint.startswith(("median", "hazard"))

    def error(name: str) -> float:
        at = np.array([[getattr(row, name), row.published] for row in rows], dtype=np.float64)
        gaps = at[:, 0] - at[:, 1] if of_points else np.log(at[:, 0] / at[:, 1])
        return float(np.abs(gaps).mean())

    unit = "points" if of_points else "log"
    return Skill(endpoint, unit, len(rows), error("predicted"), error("constant"), error("alike"))


def _endpoints(
    reports: Sequence[TrialReport],
    measure: str,
    endpoints: Sequence[str],
    is_hit: Callable[[Estimate], bool],
) -> Iterator[Judged]:
    for report in reports:
        for row in report.endpoints:
            is_whole = row.subgroup is None and row.at_month is None
            is_asked = row.endpoint in endpoints and row.measure == measure
            if row.figure.published is None:
                continue
            if is_whole and is_asked:
                yield _judged(report, row.arm, row.endpoint, row.figure, is_hit)


def _ratios(reports: Sequence[TrialReport], endpoints: Sequence[str]) -> Iterator[Judged]:
    for report in reports:
        for row in report.ratios:
            is_asked = row.subgroup is None and row.endpoint in endpoints
            if is_asked and row.figure.published_low is not None:
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
