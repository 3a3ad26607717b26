"""An arm of a trial of early disease: what is given to whom, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from her2sim.arrays import Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.early.run import EarlyPlan, GivenRegimen
from her2sim.pk.combination import load_combination
from her2sim.pk.treatment import Treatment
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.trials.early_design import EarlyDesign
from her2sim.trials.given import given_groups
from her2sim.trials.trial import Arm, Trial
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK
from her2sim.virtual_patient.composition import virtual_patient
from her2sim.virtual_patient.run import planned_record


def early_courses(
    trial: Trial,
    arm: Arm,
    people: VirtualCohort,
    records: Mapping[str, DosingRecord],
    seed: int,
) -> tuple[GivenRegimen, ...]:
    """All courses of an arm: before randomisation, in it, after surgery, and after crossover.

    Parameters
    ----------
    trial, arm : what is done
    people : the patients, each once
    records : doses of the regimens of the arm, as they were really given
    seed : of the patients
    """
    design = design_of(trial)
    numbers, end = people.cohort.numbers, trial.end_month * DAY_PER_MONTH
    start = design.randomised_week * DAY_PER_WEEK
    found = [
        GivenRegimen(drugs, rows, _planned(drugs, people, rows, end, trial), 0.0, end)
        for _, drugs, rows in given_groups(design.before, numbers, seed, "trial:before")
    ]
    found += [
        GivenRegimen(drugs, rows, records[name], start, end)
        for name, drugs, rows in given_groups(arm.regimen, numbers, seed)
    ]
    everyone = np.arange(numbers.size)
    for part in arm.next:
        after = load_combination(part.name).treatments
        record = _planned(after, people, everyone, end, trial)
        at = part.week * DAY_PER_WEEK
        found.append(GivenRegimen(after, everyone, record, at, end, part.when))
    for row in trial.crossover:
        if row.arm == arm.id and row.at_month is not None and row.value:
            given = row.regimen or trial.arm_of(row.to).regimen
            at = start + row.at_month * DAY_PER_MONTH
            for _, drugs, rows in given_groups(given, numbers, seed):
                record = _planned(drugs, people, rows, end, trial)
                found.append(GivenRegimen(drugs, rows, record, at, end, is_crossover=True))
    return tuple(found)


def early_plan(trial: Trial) -> EarlyPlan:
    """When surgery and the clock of a trial are, in days."""
    design = design_of(trial)
    week = np.inf if design.surgery_week is None else design.surgery_week
    return EarlyPlan(week * DAY_PER_WEEK, design.clock * DAY_PER_WEEK, design.takes)


def crossing_of(trial: Trial, arm: Arm) -> float:
    """Share of the patients of an arm without relapse who get the drugs of another."""
    rows = [row for row in trial.crossover if row.arm == arm.id and row.at_month is not None]
    return rows[0].value / 100 if rows else 0.0


def design_of(trial: Trial) -> EarlyDesign:
    """How a trial treats early disease; all after surgery, where it does not say."""
    if trial.early is not None:
        return trial.early
    return EarlyDesign(status="assumed", reason="treatment begins after surgery")


def early_drugs(trial: Trial, arm: Arm) -> frozenset[str]:
    """Drugs that some patients of an arm get at any time, but those of a crossover."""
    given = (*design_of(trial).before, *arm.regimen, *arm.next)
    return frozenset(t.drug.id for one in given for t in load_combination(one.name).treatments)


def _planned(
    drugs: Sequence[Treatment], people: VirtualCohort, rows: Positions, end: float, trial: Trial
) -> DosingRecord:
    """Doses as planned, of some patients, who count as in ``people``."""
    plans = tuple(DrugPlan(drug.drug.id, drug.regimen) for drug in drugs)
    protocol = Protocol(plans, trial.setting, end)
    record = planned_record(virtual_patient(drugs), people.take(rows).cohort, protocol)
    return replace(record, patient=rows[record.patient])
