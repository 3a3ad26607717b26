"""How far published figures lie from what a model of patients can tell: samples and trials.

Errors of medians and hazard ratios are those of their logarithm, errors of shares those of their
logit.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from scipy.special import ndtri

from her2sim.arrays import Array
from her2sim.facts import NumberFile, read_fact_file
from her2sim.trials.groups import Evidence
from her2sim.trials.measures import CURVES
from her2sim.trials.trial import Comparison, Outcome, Trial
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK

Kind = Literal["hazard_ratio", "median", "rate", "response"]
INTERVAL_95 = 2 * float(ndtri(0.975))
"""Width of a 95 % interval in standard errors."""
_LEVELS = ndtri((np.arange(199) + 0.5) / 199)


@cache
def figure_error_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.trials").joinpath("figure_errors.toml"), NumberFile)


def figure_error(name: str) -> float:
    """One of the numbers."""
    return figure_error_facts().parameter[name].value


def between_trials(kind: Kind, evidence: Evidence) -> float:
    """Spread between trials that differ in nothing that is modelled."""
    wider = 1.0 if evidence == "randomised" else figure_error("less_known")
    return wider * figure_error(f"between_{kind}")


def kind_of(row: Outcome | Comparison) -> Kind:
    """What a figure counts as."""
    if isinstance(row, Comparison):
        return "hazard_ratio"
    if row.measure == "median_month":
        return "median"
    return "rate" if row.endpoint in CURVES else "response"


def patients_behind(trial: Trial, row: Outcome) -> float:
    """Patients whom a figure is about: a subgroup is a quarter, and only responders have a DoR."""
    n = float(row.n or trial.arm_of(row.arm).n or figure_error("usual_patients"))
    if row.subgroup is not None and row.n is None:
        n *= figure_error("subgroup_share")
    if row.endpoint == "DoR":
        rates = [r.value for r in trial.outcome if r.arm == row.arm and r.endpoint == "ORR"]
        percent = rates[0] if rates and rates[0] else 100 * figure_error("usual_response")
        n *= percent / 100
    return n


def outcome_sampling(trial: Trial, row: Outcome) -> float:
    """Error of the sample of a published figure of an arm."""
    n, value = patients_behind(trial, row), row.value or 0.0
    if row.measure == "median_month":
        sd = median_chance(n)
        if row.low and row.high:
            sd = float(np.log(row.high / row.low)) / INTERVAL_95
        step = _scan_gap_month(trial, value) / 12**0.5 / value if trial.scans else 0.0
        return float(np.hypot(max(sd, figure_error("least_log")), step))
    if row.endpoint in CURVES:
        share = min(max(value / 100, 0.01), 0.99)
        return max(share_chance(n, share), figure_error("least_logit"))
    count = min(max(n * value / 100, 0.5), n - 0.5)
    return share_chance(n, count / n)


def ratio_sampling(trial: Trial, row: Comparison) -> float:
    """Error of the sample of a published hazard ratio."""
    if row.low and row.high:
        return max(float(np.log(row.high / row.low)) / INTERVAL_95, figure_error("least_log"))
    n = [float(trial.arm_of(a).n or figure_error("usual_patients")) for a in (row.arm, row.versus)]
    share = figure_error("subgroup_share") if row.subgroup else 1.0
    return max(ratio_chance(share * n[0], share * n[1]), figure_error("least_log"))


def median_chance(n: float) -> float:
    """Chance of a median of n patients."""
    return 1.2 / float(np.sqrt(n))


def share_chance(n: float, share: float) -> float:
    """Chance of a share of n patients."""
    return float(np.sqrt(1 / (n * share * (1 - share))))


def ratio_chance(n: float, other: float) -> float:
    """Chance of a hazard ratio of two arms, of whose patients some have the event."""
    return float(np.sqrt((1 / n + 1 / other) / figure_error("usual_events")))


def _scan_gap_month(trial: Trial, month: float) -> float:
    """Time between scans around a month: a median is known no better than to that step."""
    week = month * DAY_PER_MONTH / DAY_PER_WEEK
    pace = next(p for p in trial.scans if p.until_week is None or week <= p.until_week)
    return pace.every_week * DAY_PER_WEEK / DAY_PER_MONTH


def predictive_range(
    values: Array, predicted: float, chance: float, noise: float
) -> tuple[float, float]:
    """The 5th and 95th percentile of what may be seen, from the members of an ensemble.

    Parameters
    ----------
    values : a figure in each member, on the scale of its error; infinite where it is not reached
    predicted : the figure with the numbers that fit best: members tell how far it may be off
    chance : the part of their spread that is chance of the patients of a member: it is taken out
    noise : what comes on top: trials, and the sample of a published figure
    """
    finite = np.isfinite(values)
    if not finite.any():
        return float("inf"), float("inf")
    middle, variance = float(np.median(values[finite])), float(np.var(values[finite]))
    kept = (max(variance - chance**2, 0.0) / variance) ** 0.5 if variance > 0 else 0.0
    centre = predicted if np.isfinite(predicted) else middle
    own = np.where(finite, centre + kept * (np.where(finite, values, middle) - middle), np.inf)
    spread = (own[:, None] + noise * _LEVELS[None]).ravel()
    low, high = np.quantile(spread, [0.05, 0.95], method="inverted_cdf")
    return float(low), float(high)
