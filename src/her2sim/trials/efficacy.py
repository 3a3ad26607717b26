"""An arm for efficacy alone: the tumour under doses that are known, and nothing else.

Labels' rules look at the heart, the blood, the lung and adverse events, never at a tumour; a tumour
only ends treatment, when it progresses. So the doses of a patient are found once, as if nothing
progressed, and tumours are then run through them as often as is wanted: a fit moves numbers of
tumours and of how drugs act on them, and needs no heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.engine.trajectories import Tolerance
from her2sim.errors import DataError
from her2sim.protocol.readings import Visit
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.trials.arm import ArmPatients, observed_frame, regimen_groups, treatment_plan
from her2sim.trials.enrolment import enrol
from her2sim.trials.trial import Arm, Trial
from her2sim.virtual_patient.cohort_state import hazard_levels
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.dosing import has_lasting_changes, over_day
from her2sim.virtual_patient.outcomes import scanned_columns
from her2sim.virtual_patient.run import TOLERANCE, run_virtual_patient
from her2sim.virtual_patient.treat import TreatmentPlan, treat
from her2sim.virtual_patient.tumour_scans import Scans

if TYPE_CHECKING:
    import polars as pl

SCANS_AT_ONCE = 2
"""Scans between which nobody is left out: who has progressed is not run further after them."""


@dataclass(frozen=True, eq=False)
class ArmDoses:
    """Doses of patients of an arm to its end, as if no tumour progressed.

    ``records`` holds, for each regimen of the arm, the doses of its patients, who count there as
    they do in ``numbers``.
    """

    numbers: Positions
    records: Mapping[str, DosingRecord]

    def places(self, numbers: Positions) -> Positions:
        """Places of patients with some numbers.

        Raises
        ------
        DataError
            If a patient is not among those whose doses are known.
        """
        places = np.searchsorted(self.numbers, numbers)
        known = self.numbers[np.minimum(places, self.numbers.size - 1)] == numbers
        if not known.all():
            number = numbers[np.argmin(known)]
            raise DataError(f"doses of patient {number} are not known: find them by arm_doses")
        return places


def arm_doses(
    trial: Trial,
    arm: Arm,
    patients: ArmPatients,
    seed: int,
    *,
    by_rules: bool = True,
    threads: int | None = None,
) -> ArmDoses:
    """Doses of patients of an arm as the labels' rules hold, lower and stop them.

    Parameters are those of :func:`her2sim.trials.arm.run_arm`; the numbers must go up.
    """
    if (np.diff(patients.numbers) <= 0).any():
        raise DataError("numbers of patients must go up")
    people = enrol(trial, arm, patients.numbers, seed, patients.members)
    how = treatment_plan(trial, arm, by_rules)
    records = dict[str, DosingRecord]()
    for given in regimen_groups(arm, patients.numbers, seed):
        treated = treat(given.drugs, people.take(given.rows), how, sites=(), threads=threads)
        record = treated.protocol_run.record
        records[given.name] = replace(record, patient=given.rows[record.patient])
    return ArmDoses(patients.numbers, records)


def run_efficacy(
    trial: Trial,
    arm: Arm,
    patients: ArmPatients,
    doses: ArmDoses,
    seed: int,
    *,
    tolerance: Tolerance = TOLERANCE,
    threads: int | None = None,
) -> pl.DataFrame:
    """What scans and deaths show in an arm, under doses that are known: one row a patient.

    Days of response and progression are those of :func:`her2sim.trials.arm.run_arm`: patients
    come to the same visits until they progress, so rules decide the same. Sums of diameters differ
    by the error of the solver, and with them the days of a patient whose sum lies as close to a
    limit (at the default tolerance none of 15,000, at a relative one of 1e-4 one in 2,000).

    Parameters
    ----------
    trial, arm : what is done to whom
    patients : those whose doses are known, any number of times, in any member of the ensemble
    doses : of the patients (:func:`arm_doses`)
    seed : that of the doses
    tolerance : of the solver

    Returns
    -------
    DataFrame
        The columns ``EFFICACY`` of :mod:`her2sim.trials.arm`.

    Raises
    ------
    DataError
        If a patient has no lesion model, or doses that are not known.
    """
    import polars as pl

    people = enrol(trial, arm, patients.numbers, seed, patients.members)
    if not people.tumours.has_lesion_model.all():
        raise DataError(f"{trial.id}: patients without a lesion model have no scans to predict")
    how = treatment_plan(trial, arm)
    places = doses.places(patients.numbers)
    frames, rows = list[pl.DataFrame](), list[Positions]()
    for given in regimen_groups(arm, patients.numbers, seed):
        whole, some = virtual_patient(given.drugs), people.take(given.rows)
        known = _KnownDoses.of(doses.records[given.name], whole, places[given.rows])
        frames.append(pl.DataFrame(scanned_columns(_scanned(some, known, how, tolerance, threads))))
        rows.append(given.rows)
    outcomes = pl.concat(frames)[np.argsort(np.concatenate(rows))]
    return observed_frame(trial, people, patients, outcomes)


@dataclass(frozen=True, eq=False)
class _KnownDoses:
    """A dosing record in which each patient of a cohort has a place, and the drugs of it.

    ``over_day`` says of each dose until when it matters.
    """

    record: DosingRecord
    whole: VirtualPatient
    places: Positions
    over_day: Array

    @classmethod
    def of(cls, record: DosingRecord, whole: VirtualPatient, places: Positions) -> _KnownDoses:
        """A record of the drugs of a patient."""
        over = np.full(record.day.size, np.inf)
        for position, drug in enumerate(whole.drugs):
            if not has_lasting_changes(drug):
                own = np.flatnonzero(record.drug == position)
                over[own] = over_day(drug, record.take(own).doses())
        return cls(record, whole, places, over)

    def between(self, who: Positions, from_day: float, until_day: float) -> DosingRecord:
        """Doses of some patients that matter between two days; they count from 0 in it."""
        matters = (self.record.day < until_day) & (self.over_day > from_day)
        return self.record.take(matters).of_patients(self.places[who])


def _scanned(
    people: VirtualCohort,
    doses: _KnownDoses,
    how: TreatmentPlan,
    tolerance: Tolerance,
    threads: int | None,
) -> Scans:
    """All scans of patients until they progress, some at a time for those who are left."""
    whole = doses.whole
    scans = Scans(people, calendar=how.scans)
    parameters, states = whole.parameters(people), whole.start(people)
    level = hazard_levels(whole, people)
    elsewhere = np.full(people.cohort.n_patients, np.inf)
    start_day = 0.0
    for days in _legs(how):
        who = np.flatnonzero(np.isfinite(scans.next_day))
        if not who.size:
            break
        run = run_virtual_patient(
            whole, people.take(who), doses.between(who, start_day, days[-1]), days[-1],
            np.array(days), hazard_level=level[:, who], start=states[:, who], start_day=start_day,
            parameters=parameters[:, who], tolerance=tolerance, threads=threads,
        )  # fmt: skip
        states[:, who] = run.states
        elsewhere[who] = np.minimum(elsewhere[who], run.event_day[0])
        true_mm = run.output(whole.lesions[0].name("diameters_mm"))
        for place, day in enumerate(days):
            left = np.isfinite(scans.next_day[who])
            seen = who[left]
            visit = Visit(np.array(day), seen, scans.seen_day[seen])
            scans.look(visit, true_mm[left, place], elsewhere[seen])
        start_day = days[-1]
    return scans


def _legs(how: TreatmentPlan) -> Iterator[Sequence[float]]:
    """Days of scans before the end, some at a time."""
    days, day = list[float](), 0.0
    while (day := float(how.scans.after(np.array(day)))) < how.end_day:
        days.append(day)
        if len(days) == SCANS_AT_ONCE:
            yield days
            days = []
    if days:
        yield days
