"""What steers a cohort: drugs with their labels, the setting, and policies; and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.drugs.drug import load_drug
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import Setting
from her2sim.protocol.decisions import DecisionLog
from her2sim.protocol.label import Label
from her2sim.protocol.supply import Shortage
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dosing_record import DosingRecord, relative_dose_intensity
from her2sim.regimens.regimen import Phase, Regimen

LLN_PERCENT = 50.0
DISPENSED_DAY = 7.0
"""Tablets are handed out for a week at most: adverse events of the gut are asked for as often."""


@dataclass(frozen=True)
class DrugPlan:
    """A drug of a protocol: its planned regimen, and the label whose rules act on it (if any).

    ``given_with`` are the substances given with it, which may decide its dose levels.
    """

    drug: str
    regimen: Regimen
    label: Label | None = None
    given_with: frozenset[str] = frozenset()

    @property
    def phase(self) -> Phase:
        """The plan in one phase."""
        if len(self.regimen.phases) != 1:
            raise DataError(f"{self.drug}: a protocol starts from a regimen of one phase")
        return self.regimen.phases[0]

    @property
    def interval_day(self) -> float:
        """Planned days between doses."""
        return self.phase.interval_min / MINUTES_PER_DAY

    @property
    def is_dispensed(self) -> bool:
        """Whether it is tablets, which are handed out until the next visit."""
        return self.phase.route == "oral"

    @property
    def visit_day(self) -> float:
        """Planned days between visits for it."""
        return max(self.interval_day, DISPENSED_DAY) if self.is_dispensed else self.interval_day

    def level_factor(self, level: NDArray[np.int64]) -> Array:
        """Share of the full dose at each level."""
        return np.asarray(np.array(self.level_shares)[level])

    @property
    def level_shares(self) -> tuple[float, ...]:
        """Dose levels as shares of the full dose, by the ladder of the label that fits."""
        if self.label is None:
            return (1.0,)
        full = self.phase.maintenance
        return self.label.level_shares(full.amount, full.unit, self.given_with)

    @property
    def n_levels(self) -> int:
        """How many dose levels there are; below the last the drug stops."""
        return len(self.level_shares)


def given_together(plans: Sequence[DrugPlan]) -> tuple[DrugPlan, ...]:
    """Plans of one protocol: each knows the substances of the others."""
    names = [substance_of(plan.drug) for plan in plans]
    return tuple(
        replace(plan, given_with=frozenset(names) - {own})
        for plan, own in zip(plans, names, strict=True)
    )


def substance_of(drug: str) -> str:
    """The substance of a drug, whatever its form."""
    known = load_drug(drug)
    return known.substance or known.id


@dataclass(frozen=True)
class Protocol:
    """What steers a cohort: drugs with their labels, the setting, and policies by name.

    ``lln_percent`` is the institution's lower limit of normal of the LVEF. With
    ``is_confirmed_by_repeat``, a hold needs a second, independent measurement that agrees.
    ``unconfirmed`` rules rest on text that was not read.
    """

    plans: tuple[DrugPlan, ...]
    setting: Setting
    end_day: float
    lln_percent: float = LLN_PERCENT
    is_confirmed_by_repeat: bool = False
    unconfirmed: bool = True
    shortages: tuple[Shortage, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "plans", given_together(self.plans))


@dataclass(frozen=True, eq=False)
class ProtocolRun:
    """The realised treatment of a cohort.

    ``days_on_hold``, ``n_reductions``, ``n_missed`` (visits at which the drug was not to be had and
    nothing was given) and ``stopped_day`` (infinite if it went on) have shape (n_drugs, n);
    ``stop_rule`` is the position of the rule in the log's rules, -1 without one.
    """

    protocol: Protocol
    cohort: Cohort
    record: DosingRecord
    log: DecisionLog
    days_on_hold: Array
    n_reductions: NDArray[np.int64]
    n_missed: NDArray[np.int64]
    stopped_day: Array
    stop_rule: NDArray[np.int64]

    def planned(self, drug: int) -> tuple[Array, Array]:
        """Days of a drug's planned doses, and their amounts in mg, of shape (n, n_doses)."""
        end_min = round(self.protocol.end_day * MINUTES_PER_DAY)
        doses = self.protocol.plans[drug].regimen.with_missed().doses_before(end_min)
        amounts = np.empty((self.cohort.n_patients, len(doses)))
        for k, dose in enumerate(doses):
            amounts[:, k] = dose.mg_for(self.cohort)
        return np.array([dose.time_day for dose in doses]), amounts

    def given_mg(self, drug: int) -> Array:
        """Amount of a drug that each patient got, in mg."""
        own = self.record.of(drug)
        amounts, n = own.dose_mg * own.number, self.cohort.n_patients
        return np.bincount(own.patient, weights=amounts, minlength=n).astype(np.float64)

    def dose_intensity(self, drug: int) -> Array:
        """Relative dose intensity of each patient (`relative_dose_intensity`)."""
        interval_day = self.protocol.plans[drug].interval_day
        n = self.cohort.n_patients
        return relative_dose_intensity(self.record, drug, n, interval_day, *self.planned(drug))
