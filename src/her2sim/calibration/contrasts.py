"""Contrasts known from the clinic, as anchors: how deep one treatment or tumour against another.

Depth of response is minus the logarithm of the smallest sum of diameters over the first, mean over
patients who are treated for a year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.special import expit

from her2sim.arrays import Array, Positions
from her2sim.biology.ensemble import Members
from her2sim.biology.tumour_profile import TumourProfile
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.engine.trajectories import Tolerance
from her2sim.facts import Claim, FactModel
from her2sim.patients.cohort import Cohort, draw_cohort
from her2sim.patients.her2_test import Ihc
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.run import planned_record, run_virtual_patient

POPULATION, N_PATIENTS, SEED = "mbc", 192, 1
END_DAY = 364.0
GRID_DAY = np.arange(0.0, END_DAY + 1, 42.0)
DEEP, BLUR = 0.01, 0.3
"""Volume over the first below which a response is deep, and the width of the step (log)."""


class Side(FactModel):
    """A regimen, and what is known of the tumours; earlier lines of -1 are early disease."""

    regimen: str
    ihc: Ihc = "3+"
    is_amplified: bool | None = None
    pik3ca: bool | None = None
    is_heterogeneous: bool | None = None
    share_l: float | None = None
    earlier_lines: int = 0

    def profile(self) -> TumourProfile:
        """What is known of the tumours."""
        return TumourProfile(**self.model_dump(exclude={"regimen"}))


class Contrast(Claim):
    """One side over another: the ratio of their depths, or of their shares of deep responses.

    ``error`` is that of the logarithm of the ratio.
    """

    name: str
    what: Literal["depth", "deep"] = "depth"
    side: Side
    over: Side
    ratio: float = Field(gt=0)
    error: float = Field(gt=0)


def side_people(side: Side, members: Members) -> VirtualCohort:
    """The same patients for each set of numbers, one set after the other."""
    one = _patients()
    n_sets = members.ids.size // one.n_patients
    tiled = {name: np.tile(v, n_sets) for name, v in one.covariates.items()}
    cohort = replace(one, numbers=np.tile(one.numbers, n_sets), covariates=tiled)
    return draw_virtual_cohort(cohort, side.profile(), members=members)


def contrast_patients() -> Positions:
    """Numbers of the patients."""
    return _patients().numbers


@dataclass(frozen=True, eq=False)
class SideRun:
    """Works out one side of contrasts in many sets of numbers."""

    side: Side
    what: str
    tolerance: Tolerance

    def figure(self, members: Members) -> Array:
        """Mean depth, or share of deep responses, in each set, shape (n_sets,)."""
        what, whole, people = self.what, side_model(self.side), side_people(self.side, members)
        record = planned_record(whole, people.cohort, _protocol(whole))
        course = run_virtual_patient(
            whole, people, record, END_DAY, GRID_DAY, tolerance=self.tolerance, threads=1
        )
        n_sets = members.ids.size // _patients().n_patients
        smallest = np.log(np.maximum(course.output("volume").min(axis=1), 1e-12))
        is_deep = expit((np.log(DEEP) - smallest) / BLUR)
        values = -smallest / 3.0 if what == "depth" else is_deep
        found: Array = values.reshape(n_sets, -1).mean(axis=1)
        return found


@cache
def _patients() -> Cohort:
    return draw_cohort(load_population(POPULATION), np.arange(N_PATIENTS), SEED)


def side_model(side: Side) -> VirtualPatient:
    """The model of the patients of a side."""
    return _model(side.regimen)


@cache
def _model(regimen: str) -> VirtualPatient:
    return virtual_patient(load_combination(regimen).treatments)


def _protocol(whole: VirtualPatient) -> Protocol:
    plans = tuple(DrugPlan(d.treatment.drug.id, d.treatment.regimen) for d in whole.drugs)
    return Protocol(plans, "metastatic", END_DAY)
