"""What stands beside a prediction: what other trials tell of the drugs, and guesses from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy.special import expit, logit

from her2sim.arrays import Array
from her2sim.calibration.skill import FEWEST_ALIKE, guess
from her2sim.patients.covariates import Setting, TumourTypeId
from her2sim.studies.trial.unlike import unlike_fitted
from her2sim.trials.figure_errors import Kind, between_trials, kind_of
from her2sim.trials.groups import (
    Evidence,
    alike_groups,
    drug_evidence,
    horizon_of,
    least_known,
)
from her2sim.trials.library import trials_like, trials_of
from her2sim.trials.measures import EARLY_CURVES, EARLY_RATES
from her2sim.trials.trial import Comparison, Outcome, Trial

PROGRESSION = ("PFS", "TTP")
OUTSIDE = "Outside the evidence: "
"""How a heading begins that says what no trial tells of."""


def into_scale(kind: Kind, values: Array) -> Array:
    """Figures as logarithms, shares (in per cent) as logits."""
    if kind in ("median", "hazard_ratio"):
        return np.log(np.maximum(values, 1e-6))
    found: Array = logit(np.clip(values / 100.0, 1e-3, 1 - 1e-3))
    return found


def from_scale(kind: Kind, values: Array) -> Array:
    """Figures from their scale."""
    return np.exp(values) if kind in ("median", "hazard_ratio") else 100.0 * expit(values)


@dataclass(frozen=True)
class _Known:
    """A published figure, on its scale, with the groups it belongs to."""

    trial: str
    kind: str
    value: float
    alike: tuple[str, str]


@cache
def _published(setting: Setting, tumour_type: TumourTypeId) -> tuple[_Known, ...]:
    return tuple(row for trial in trials_of(setting, tumour_type) for row in _of_trial(trial))


def _of_trial(trial: Trial) -> Iterator[_Known]:
    rows: tuple[Outcome | Comparison, ...] = (*trial.outcome, *trial.comparison)
    for row in rows:
        value = row.hazard_ratio if isinstance(row, Comparison) else row.value
        if value is None or row.subgroup is not None or not _is_judged(row):
            continue
        arm = trial.arm_of(row.arm)
        at = float(into_scale(kind_of(row), np.array(value)))
        yield _Known(trial.id, _alike(row), at, alike_groups(trial, arm))


def _alike(row: Outcome | Comparison) -> str:
    """What figures can stand for one another: of a kind, and of rates in the same years."""
    kind = kind_of(row)
    if isinstance(row, Comparison) or kind in ("median", "hazard_ratio"):
        return kind
    return f"{row.endpoint}" if kind == "response" else horizon_of(row.at_month or 0.0)


def _is_judged(row: Outcome | Comparison) -> bool:
    """Whether a figure is a median or hazard ratio of progression, or a response.

    In early disease: hazard ratios, complete responses and shares without event.
    """
    if row.endpoint in ("ORR", *EARLY_RATES, *EARLY_CURVES):
        return True
    is_rate = isinstance(row, Outcome) and row.measure != "median_month"
    return row.endpoint in PROGRESSION and not is_rate


@dataclass(frozen=True, eq=False)
class Beside:
    """What the trials that the calibration knows tell of one."""

    trial: Trial

    @cached_property
    def drugs(self) -> dict[str, dict[str, Evidence]]:
        """What is known of the drugs of each arm, in the tumour type of the trial."""
        return {
            arm.id: drug_evidence(self.trial, arm, trials_like(self.trial))
            for arm in self.trial.arm
        }

    @cached_property
    def evidence(self) -> dict[str, Evidence]:
        """The least that is known of a drug of each arm."""
        if not trials_like(self.trial):
            return {arm.id: "none" for arm in self.trial.arm}
        return {
            arm: least_known(found.values()) if found else "randomised"
            for arm, found in self.drugs.items()
        }

    def between(self, row: Outcome | Comparison) -> float:
        """Spread between trials of a figure, on its scale."""
        arms = [row.arm, *([row.versus] if isinstance(row, Comparison) else [])]
        return between_trials(kind_of(row), least_known(self.evidence[arm] for arm in arms))

    def between_rates(self, arm: str) -> float:
        """Spread between trials of points of a curve of an arm, as a logit."""
        return between_trials("rate", self.evidence[arm])

    def guesses(self, row: Outcome | Comparison) -> tuple[float | None, float | None]:
        """The mean of all other trials, and of those alike; None where nothing is judged."""
        if row.subgroup is not None or not _is_judged(row):
            return None, None
        kind, arm = kind_of(row), self.trial.arm_of(row.arm)
        if not arm.regimen:  # nothing is like an arm that is observed only
            return None, None
        own = _Known(self.trial.id, _alike(row), 0.0, alike_groups(self.trial, arm))
        published = _published(self.trial.setting, self.trial.tumour_type)
        known = [k for k in published if k.kind == own.kind and k.trial != own.trial]
        if len(known) < FEWEST_ALIKE:
            return None, None
        rows = [own, *known]
        values, names = np.array([k.value for k in rows]), [k.trial for k in rows]
        found = (
            guess(values, names).middle[0],
            guess(values, names, [*zip(*(k.alike for k in rows), strict=True)]).middle[0],
        )
        constant, alike = (float(from_scale(kind, np.array(value))) for value in found)
        return constant, alike

    def outside(self) -> str:
        """What of the trial no trial that was fitted tells of; empty if all is known."""
        found = [text for text in (self._unknown(), *unlike_fitted(self.trial)) if text]
        return OUTSIDE + "; ".join(found) if found else ""

    def _unknown(self) -> str:
        """A tumour or drugs that no randomised trial tells of."""
        if self.trial.setting != "metastatic" and self.trial.early is None:
            return ""
        if not trials_like(self.trial):
            return "no trial of this tumour was fitted; ranges over members are wider"
        unknown = dict.fromkeys(
            drug
            for found in self.drugs.values()
            for drug, level in found.items()
            if level != "randomised"
        )
        if not unknown:
            return ""
        return (
            f"no comparison of arms that was fitted in this disease tells of {', '.join(unknown)}; "
            "ranges over members are wider"
        )
