"""How trials that took no part in the calibration are predicted, beside guesses without a model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy.special import expit

from her2sim.arrays import Array, Mask
from her2sim.calibration.anchors import SLOPE, Anchor
from her2sim.calibration.crossvalidation import Fold
from her2sim.calibration.skill import (
    PredictionInterval,
    by_trial,
    guess,
    normal_interval,
    spread_between_trials,
)
from her2sim.patients.covariates import Setting, TumourTypeId
from her2sim.trials.groups import (
    YEARS_3_TO_5,
    YEARS_7_TO_10,
    Evidence,
    alike_groups,
    drug_class,
    evidence_for,
    horizon_of,
    least_known,
    line_of,
)
from her2sim.trials.library import load_trial
from her2sim.trials.measures import EARLY_CURVES, EARLY_RATES
from her2sim.trials.trial import Trial

Endpoint = Literal[
    "hazard ratio", "median", "survival", "ORR", "pCR", "3 to 5 years", "7 to 10 years"
]
MEDIANS: tuple[Endpoint, ...] = ("median", "survival")
"""Endpoints that are medians in months: of progression, and of overall survival."""


def judged_endpoints(
    setting: Setting, tumour_type: TumourTypeId = "breast"
) -> tuple[Endpoint, ...]:
    """What is judged: in early disease complete responses, and shares without event in some years.

    Overall survival counts in tumours other than breast cancer, where it is the primary endpoint.
    """
    if setting == "early":
        return ("hazard ratio", "pCR", YEARS_3_TO_5, YEARS_7_TO_10)
    survival: tuple[Endpoint, ...] = () if tumour_type == "breast" else ("survival",)
    return ("hazard ratio", "median", *survival, "ORR")


POINTS: tuple[Endpoint, ...] = ("ORR", "pCR", YEARS_3_TO_5, YEARS_7_TO_10)
"""Endpoints whose errors are in points."""
LESS_KNOWN = 2.0
"""Spread between trials where no randomised trial tells of a drug, over that where one does, if the
errors of too few such trials tell it."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A published figure of a trial that was left out.

    ``seen``, ``best`` and ``members`` are on the scale of the error: logarithms of hazard ratios
    and of months, logits of responses; ``sampling`` is the error of the sample on that scale.
    """

    trial: str
    arm: str
    versus: str
    endpoint: Endpoint
    published: float
    seen: float
    sampling: float
    best: float
    members: Array
    drug_class: str
    line: str
    evidence: Evidence
    alike: tuple[str, str]

    @property
    def variance(self) -> float:
        """Variance of the members, and that of the sample."""
        return float(np.var(self.members) + self.sampling**2)


def left_out_figures(folds: Sequence[Fold]) -> tuple[LeftOut, ...]:
    """Hazard ratios, medians and responses of whole arms that folds predicted."""
    took_part = {name for fold in folds for name in fold.trials}
    return tuple(row for fold in folds for row in _of_fold(fold, took_part))


def _of_fold(fold: Fold, took_part: Collection[str]) -> Iterator[LeftOut]:
    trials = {name: load_trial(name) for name in took_part}
    others = [trials[name] for name in took_part if name not in fold.trials]
    for anchor, best, members in zip(fold.anchors, fold.best, fold.members, strict=True):
        endpoint = _endpoint(anchor)
        if endpoint is None:
            continue
        trial = trials[anchor.trial]
        yield _row(anchor, endpoint, trial, others, float(best), members)


def _endpoint(anchor: Anchor) -> Endpoint | None:
    """What a figure counts as; None for groups of patients and what is not judged."""
    if anchor.subgroup is not None:
        return None
    if anchor.kind == "ratio":
        return "hazard ratio"
    if anchor.kind == "median" and anchor.endpoint in ("PFS", "TTP"):
        return "median"
    if anchor.kind == "median" and anchor.endpoint == "OS":
        return "survival"
    if anchor.endpoint in EARLY_RATES:
        return "pCR"
    if anchor.kind == "rate" and anchor.endpoint in (*EARLY_CURVES, "OS"):
        horizon = horizon_of(anchor.month)
        return (
            YEARS_3_TO_5
            if horizon == YEARS_3_TO_5
            else (YEARS_7_TO_10 if horizon == YEARS_7_TO_10 else None)
        )
    return "ORR" if anchor.endpoint == "ORR" else None


def _row(
    anchor: Anchor, endpoint: Endpoint, trial: Trial, others: Sequence[Trial], best: float,
    members: Array,
) -> LeftOut:  # fmt: skip
    arm = trial.arm_of(anchor.arm)
    is_median = endpoint in MEDIANS
    seen = float(np.log(anchor.published)) if is_median else anchor.value
    sampling = anchor.sampling / (SLOPE if is_median else 1.0)
    known = [evidence_for(trial, arm, others)]
    if anchor.versus:
        known.append(evidence_for(trial, trial.arm_of(anchor.versus), others))
    return LeftOut(
        trial.id, anchor.arm, anchor.versus, endpoint, anchor.published, seen, sampling, best,
        members, drug_class(arm), line_of(trial, arm), least_known(known),
        alike_groups(trial, arm),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class EndpointSkill:
    """Predictions of one endpoint beside two guesses, each with its intervals.

    Errors and intervals are logarithms, of responses points.
    """

    endpoint: Endpoint
    rows: tuple[LeftOut, ...]
    between: Array
    """Spread between trials in each interval, from the errors of the other trials."""

    @cached_property
    def trials(self) -> list[str]:
        """The trial of each row."""
        return [row.trial for row in self.rows]

    @cached_property
    def seen(self) -> Array:
        """What was published."""
        return self._read(np.array([row.seen for row in self.rows]))

    def _read(self, values: Array) -> Array:
        return 100.0 * expit(values) if self.endpoint in POINTS else values

    @cached_property
    def ours(self) -> PredictionInterval:
        """Predictions, with members, trials and samples in their intervals."""
        middle = np.array([row.best for row in self.rows])
        variance = np.array([row.variance for row in self.rows]) + self.between**2
        found = normal_interval(middle, variance)
        return PredictionInterval(*(self._read(v) for v in (found.middle, found.low, found.high)))

    @cached_property
    def constant(self) -> PredictionInterval:
        """The mean of all other trials."""
        return self._guess()

    @cached_property
    def alike(self) -> PredictionInterval:
        """The mean of other trials that are alike (:func:`alike_groups`), or of all."""
        return self._guess(*zip(*(row.alike for row in self.rows), strict=True))

    def _guess(self, *groups: Sequence[str]) -> PredictionInterval:
        seen = np.array([row.seen for row in self.rows])
        found = guess(seen, self.trials, groups)
        return PredictionInterval(*(self._read(v) for v in (found.middle, found.low, found.high)))

    def errors(self, of: PredictionInterval) -> Array:
        """Errors of predictions, shape (n,)."""
        return of.middle - self.seen

    def summary(self, of: PredictionInterval, chosen: Mask | None = None) -> dict[str, float]:
        """Mean absolute and root mean square error, bias, coverage and interval score."""
        take = np.ones(self.seen.size, dtype=bool) if chosen is None else chosen
        error = self.errors(of)[take]
        return {
            "n": float(error.size),
            "mean_absolute": float(np.abs(error).mean()),
            "rms": float(np.sqrt((error**2).mean())),
            "bias": float(error.mean()),
            "coverage": float(of.holds(self.seen)[take].mean()),
            "score": float(of.score(self.seen)[take].mean()),
        }

    def coverage_range(self, of: PredictionInterval) -> tuple[float, float]:
        """The 90 % interval of the coverage, trials as clusters."""
        return by_trial(of.holds(self.seen).astype(np.float64), self.trials)

    def gain(self, over: PredictionInterval) -> dict[str, tuple[float, float, float]]:
        """What ours gains over a guess, with 90 % intervals over trials: above 0 is better."""
        errors = np.abs(self.errors(over)) - np.abs(self.errors(self.ours))
        scores = over.score(self.seen) - self.ours.score(self.seen)
        return {
            name: (float(values.mean()), *by_trial(values, self.trials))
            for name, values in (("absolute error", errors), ("interval score", scores))
        }


def endpoint_skill(endpoint: Endpoint, figures: Sequence[LeftOut]) -> EndpointSkill:
    """Predictions of an endpoint, their intervals widened by the errors of other trials."""
    rows = tuple(row for row in figures if row.endpoint == endpoint)
    error = np.array([row.best - row.seen for row in rows])
    variance = np.array([row.variance for row in rows])
    trial, known = np.array([row.trial for row in rows]), np.array([row.evidence for row in rows])
    is_known = known == "randomised"
    between = np.array(
        [between_trials(error, variance, is_known, trial != row.trial, row.evidence == "randomised")
         for row in rows]
    )  # fmt: skip
    return EndpointSkill(endpoint, rows, between)


def between_trials(
    error: Array, variance: Array, is_known: Mask, chosen: Mask, of_known: bool
) -> float:
    """Spread between trials by the errors of some figures, randomised evidence or not."""
    known = chosen & is_known
    base = spread_between_trials(error[known], variance[known])
    if np.isnan(base):
        base = spread_between_trials(error[chosen], variance[chosen])
    if of_known:
        return base
    rest = chosen & ~is_known
    wider = spread_between_trials(error[rest], variance[rest])
    return LESS_KNOWN * base if np.isnan(wider) else max(base, wider)


def calls(figures: Sequence[LeftOut]) -> dict[str, Any]:
    """Success of comparisons (log-rank at 5 %), as predicted and as published.

    A success is predicted where the predicted hazard ratio, with the error of the sample of the
    trial, would be significant more often than not.
    """
    rows = [row for row in figures if row.endpoint == "hazard ratio"]
    limit = np.array([-1.96 * row.sampling for row in rows])
    seen = np.array([row.seen for row in rows]) < limit
    called = np.array([row.best for row in rows]) < limit
    return {
        "n": len(rows),
        "successes": int(seen.sum()),
        "sensitivity": float(called[seen].mean()) if seen.any() else None,
        "specificity": float((~called[~seen]).mean()) if (~seen).any() else None,
        "wrong": [row.trial for row, a, b in zip(rows, seen, called, strict=True) if a != b],
    }


@dataclass(frozen=True)
class FigureRow:
    """A figure that was left out, on the scale on which it is read; ranges are of 90 %."""

    trial: str
    arm: str
    versus: str
    endpoint: str
    drug_class: str
    line: str
    evidence: str
    published: float
    predicted: float
    low: float
    high: float
    constant: float
    alike: float
    is_inside: bool


def figure_rows(skill: EndpointSkill) -> Iterator[FigureRow]:
    """Each figure of an endpoint with its prediction, its interval and two guesses."""
    inside = skill.ours.holds(skill.seen)

    def read(value: float) -> float:
        return float(value if skill.endpoint in POINTS else np.exp(value))

    for k, row in enumerate(skill.rows):
        of = skill.ours
        yield FigureRow(
            row.trial, row.arm, row.versus, row.endpoint, row.drug_class, row.line, row.evidence,
            row.published, read(of.middle[k]), read(of.low[k]), read(of.high[k]),
            read(skill.constant.middle[k]), read(skill.alike.middle[k]), bool(inside[k]),
        )  # fmt: skip
