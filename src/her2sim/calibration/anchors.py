"""Published figures of trials on the scale on which they are compared, with their errors.

A median counts as the survival at the published month: a predicted median moves in steps with the
scans. Responses count as numbers of patients. The error of a figure is that of its sample and the
spread between trials, which no model of the patients tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import logit

from her2sim.calibration.contrasts import Contrast
from her2sim.calibration.plan import CalibrationPlan, calibration_plan
from her2sim.trials.figure_errors import outcome_sampling, patients_behind, ratio_sampling
from her2sim.trials.measures import EARLY_CURVES, RATES, SCANNED_CURVES
from her2sim.trials.trial import Comparison, Landmarks, Outcome, Trial

Kind = Literal["median", "share", "rate", "ratio", "target", "contrast"]
CURVE_MONTHS = {
    "metastatic": (3.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0),
    "early": (12.0, 24.0, 36.0, 48.0, 60.0),
}
"""Months at which a published curve counts."""
RATIOS = {"metastatic": ("PFS", "TTP"), "early": (*EARLY_CURVES, "OS")}
"""Endpoints whose hazard ratios are anchors."""
SLOPE = 2 * float(np.log(2))
"""Change of the logit of the survival with the logarithm of time at a median, of an exponential."""


@dataclass(frozen=True, eq=False)
class Anchor:
    """A published figure.

    ``value`` and ``sampling`` (the error of its sample) are logits of shares and rates, the
    logit of a half of medians, and logarithms of hazard ratios; ``between`` is the spread between
    trials on that scale. ``shared`` widens the error of points of one curve, which are of the same
    patients. ``counted`` is the number of patients of a share that counts by the binomial
    likelihood, NaN for the others.
    """

    trial: str
    kind: Kind
    endpoint: str
    arm: str
    versus: str
    subgroup: str | None
    month: float
    published: float
    value: float
    sampling: float
    between: float
    shared: float = 1.0
    counted: float = float("nan")

    @property
    def sd(self) -> float:
        """Its error, as it counts in a fit."""
        return float(np.hypot(self.sampling, self.between)) * self.shared

    @property
    def text(self) -> str:
        """What it is, in words."""
        if self.kind == "contrast":
            return self.arm
        parts = [self.endpoint or "progressions by target lesions"]
        if self.kind == "ratio":
            parts.append(f"hazard ratio over {self.versus}")
        elif self.kind != "target":
            parts.append("median" if self.kind == "median" else "rate")
        if self.kind == "rate":
            parts.append(f"at {self.month:g} months")
        return " ".join([*parts, *([self.subgroup.replace("_", " ")] if self.subgroup else [])])


def trial_anchors(trial: Trial) -> Iterator[Anchor]:
    """All figures of efficacy of a trial that are anchors.

    Overall survival of metastatic breast cancer is left out.
    """
    for row in trial.outcome:
        if row.role == "anchor" and row.endpoint in RATES and row.value is not None:
            yield _of_share(trial, row)
    for arm in trial.arm:
        for endpoint in curves_of(trial):
            yield from _of_curve(trial, arm.id, endpoint)
    for ratio in trial.comparison:
        is_told = ratio.role == "anchor" and ratio.hazard_ratio is not None
        if is_told and ratio.endpoint in (*RATIOS[trial.setting], *_deaths(trial)):
            yield _of_ratio(trial, ratio)


def curves_of(trial: Trial) -> tuple[str, ...]:
    """Endpoints of a trial whose curves are anchors."""
    if trial.setting == "early":
        return (*EARLY_CURVES, "OS")
    return (*SCANNED_CURVES, *_deaths(trial))


def _deaths(trial: Trial) -> tuple[str, ...]:
    """Overall survival, where times from progression to death are of the tumour type."""
    return () if trial.tumour_type == "breast" else ("OS",)


def _plan_of(trial: Trial) -> CalibrationPlan:
    return calibration_plan(trial.setting, trial.tumour_type)


def target_anchor() -> Anchor:
    """The share of progressions that target lesions show, over all arms."""
    plan = calibration_plan()
    value, sd = plan.error("by_target"), plan.error("by_target_sd")
    return Anchor("all", "target", "", "all", "", None, 0.0, 100 * value, value, sd, 0.0)


def contrast_anchors(rows: Iterable[Contrast]) -> Iterator[Anchor]:
    """Contrasts known from the clinic; ``arm`` is their name."""
    for row in rows:
        yield Anchor(
            "all", "contrast", "", row.name, "", None, 0.0, row.ratio, float(np.log(row.ratio)),
            row.error, 0.0,
        )  # fmt: skip


def _of_share(trial: Trial, row: Outcome) -> Anchor:
    n = patients_behind(trial, row)
    counted = np.nan if trial.tumour_type == "breast" else n
    share = np.clip(n * (row.value or 0.0) / 100, 0.5, n - 0.5) / n
    return Anchor(
        trial.id, "share", row.endpoint, row.arm, "", row.subgroup, 0.0, row.value or 0.0,
        float(logit(share)), outcome_sampling(trial, row),
        _plan_of(trial).error("trial_logit"), counted=counted,
    )  # fmt: skip


def _of_curve(trial: Trial, arm: str, endpoint: str) -> Iterator[Anchor]:
    """Medians and rates of an endpoint of an arm.

    Points of one curve are of the same patients: together they count as two.
    """
    found = [
        _of_point(trial, row)
        for row in trial.outcome
        if row.role == "anchor"
        and (row.arm, row.endpoint) == (arm, endpoint)
        and row.value is not None
    ]
    found += [
        _of_point(trial, _landmark(curve, month, survival))
        for curve in trial.landmarks
        if curve.role == "anchor" and (curve.arm, curve.endpoint) == (arm, endpoint)
        for month, survival in zip(curve.months, curve.survival, strict=True)
        if month in CURVE_MONTHS[trial.setting] and 0 < survival < 1
    ]
    for subgroup in dict.fromkeys(anchor.subgroup for anchor in found):
        own = [anchor for anchor in found if anchor.subgroup == subgroup]
        shared = max(1.0, len(own) / 2) ** 0.5
        yield from (replace(anchor, shared=shared) for anchor in own)


def _landmark(curve: Landmarks, month: float, survival: float) -> Outcome:
    return Outcome(
        arm=curve.arm, endpoint=curve.endpoint, measure="rate_percent", value=100 * survival,
        at_month=month, source=curve.source, status=curve.status, reason=curve.reason,
    )  # fmt: skip


def _of_point(trial: Trial, row: Outcome) -> Anchor:
    plan, value, sampling = (
        _plan_of(trial),
        row.value or 0.0,
        outcome_sampling(trial, row),
    )
    if row.measure == "median_month":
        between = SLOPE * plan.error("trial_log_month")
        return Anchor(
            trial.id, "median", row.endpoint, row.arm, "", row.subgroup, value, value, 0.0,
            SLOPE * sampling, between,
        )  # fmt: skip
    of_curve = "trial_logit_curve" if trial.setting == "early" else "trial_logit"
    return Anchor(
        trial.id, "rate", row.endpoint, row.arm, "", row.subgroup, row.at_month or 0.0, value,
        float(logit(np.clip(value / 100, 0.01, 0.99))), sampling, plan.error(of_curve),
    )  # fmt: skip


def _of_ratio(trial: Trial, row: Comparison) -> Anchor:
    value, month = float(row.hazard_ratio or 1.0), row.follow_up_month
    return Anchor(
        trial.id, "ratio", row.endpoint, row.arm, row.versus, row.subgroup,
        np.nan if month is None else month, value, float(np.log(value)),
        ratio_sampling(trial, row), _plan_of(trial).error("trial_log_ratio"),
    )  # fmt: skip
