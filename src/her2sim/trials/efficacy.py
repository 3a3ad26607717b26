"""An arm for efficacy alone: the tumour under doses that are known, and nothing else.

Labels' rules look at the heart, the blood, the lung and adverse events, never at a tumour; a tumour
only ends treatment, when it progresses. So the doses of a patient are found once, as if nothing
progressed, and tumours are then run through them as often as is wanted: a fit moves numbers of
tumours and of how drugs act on them, and needs no heart.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from her2sim.arrays import Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.early.run import GivenRegimen, run_early
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.errors import DataError
from her2sim.protocol.readings import Visit
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.trials.arm import ArmPatients, observed_frame, regimen_groups, treatment_plan
from her2sim.trials.early_arm import crossing_of, early_courses, early_plan
from her2sim.trials.enrolment import enrol
from her2sim.trials.trial import Arm, Trial
from her2sim.virtual_patient.cohort_state import hazard_levels
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.known_doses import KnownDoses
from her2sim.virtual_patient.outcomes import SCANNED, scanned_columns
from her2sim.virtual_patient.run import TOLERANCE, advance_patients
from her2sim.virtual_patient.treat import TreatmentPlan, treat
from her2sim.virtual_patient.tumour_scans import Scans

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class ArmDoses:
    """Doses of patients of an arm to its end, as if no tumour progressed.

    ``records`` holds, for each regimen of the arm, the doses of its patients, who count there as
    they do in ``numbers``; ``courses`` are all of an arm of early disease. ``of`` names whose they
    are: trial, arm and seed.
    """

    of: str
    numbers: Positions
    records: Mapping[str, DosingRecord]
    courses: tuple[GivenRegimen, ...] = ()

    def places(self, of: str, numbers: Positions) -> Positions:
        """Places of patients with some numbers.

        Raises
        ------
        DataError
            If the doses are those of others, or a patient is not among those whose doses are known.
        """
        if of != self.of:
            raise DataError(f"these are doses of {self.of}, not of {of}: find them by arm_doses")
        if not self.numbers.size:
            raise DataError("doses of no patient are known: find them by arm_doses")
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
    if not patients.numbers.size:
        raise DataError("doses of no patients: give at least one")
    if (np.diff(patients.numbers) <= 0).any():
        raise DataError("numbers of patients must go up")
    people = enrol(trial, arm, patients.numbers, seed, patients.members)
    how = treatment_plan(trial, arm, by_rules)
    records = dict[str, DosingRecord]()
    for given in regimen_groups(arm, patients.numbers, seed):
        treated = treat(given.drugs, people.take(given.rows), how, sites=(), threads=threads)
        record = treated.protocol_run.record
        records[given.name] = replace(record, patient=given.rows[record.patient])
    courses: tuple[GivenRegimen, ...] = ()
    if trial.early is not None:
        courses = early_courses(trial, arm, people, records, seed)
    return ArmDoses(_whose(trial, arm, seed), patients.numbers, records, courses)


def _whose(trial: Trial, arm: Arm, seed: int) -> str:
    """Whose doses some are; another design of the same name has other ones."""
    design = zlib.crc32((trial.model_dump_json() + arm.model_dump_json()).encode())
    return f"{trial.id}, {arm.id}, seed {seed} (design {design:08x})"


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
    come to the same visits until they progress, so rules decide the same. Sums of diameters and the
    days on which lesions elsewhere progress differ by the error of the solver, and with them the
    dates of a patient for whom one lies as close to a limit or a scan: about one in 10,000 at the
    default tolerance, one in 500 at 1e-3. Days are those of the calendar (in the whole arm, of a
    visit that may be 1e-13 beside it).

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
    if trial.early is not None:
        return _early_efficacy(trial, arm, patients, people, doses, seed, tolerance, threads)
    if not people.tumours.has_lesion_model.all():
        raise DataError(f"{trial.id}: patients without a lesion model have no scans to predict")
    how = treatment_plan(trial, arm)
    places = doses.places(_whose(trial, arm, seed), patients.numbers)
    frames, rows = list[pl.DataFrame](), list[Positions]()
    for given in regimen_groups(arm, patients.numbers, seed):
        whole, some = virtual_patient(given.drugs), people.take(given.rows)
        known = KnownDoses(doses.records[given.name], whole, some, places[given.rows])
        scans = _scanned(whole, some, known, how, tolerance, threads)
        frames.append(pl.DataFrame(scanned_columns(scans)))
        rows.append(given.rows)
    outcomes = pl.concat(frames)[np.argsort(np.concatenate(rows))]
    return observed_frame(trial, people, patients, outcomes)


def _early_efficacy(
    trial: Trial,
    arm: Arm,
    patients: ArmPatients,
    people: VirtualCohort,
    doses: ArmDoses,
    seed: int,
    tolerance: Tolerance,
    threads: int | None,
) -> pl.DataFrame:
    """The same in early disease, which is not scanned: response at surgery, relapse, death."""
    import polars as pl

    places = doses.places(_whose(trial, arm, seed), patients.numbers)
    frame = observed_frame(trial, people, patients, _unscanned(patients.numbers.size))
    columns = run_early(
        early_plan(trial), people, doses.courses, places, crossing=crossing_of(trial, arm),
        tolerance=tolerance, threads=threads,
    )  # fmt: skip
    return frame.hstack(pl.DataFrame(columns))


def _unscanned(n: int) -> pl.DataFrame:
    """What scans tell of patients whom nobody scans."""
    import polars as pl

    return pl.DataFrame({name: np.full(n, np.nan) for name in SCANNED})


def _scanned(
    whole: VirtualPatient,
    people: VirtualCohort,
    doses: KnownDoses,
    how: TreatmentPlan,
    tolerance: Tolerance,
    threads: int | None,
) -> Scans:
    """All scans of patients until they progress."""
    scans = Scans(people, calendar=how.scans)
    parameters, states = whole.parameters(people), whole.start(people)
    scale, level = whole.scale(people.cohort), hazard_levels(whole, people)
    elsewhere = np.full(people.cohort.n_patients, np.inf)
    size = whole.lesions[0].name("diameters_mm")
    before = 0.0
    for day in _scan_days(how):
        who = np.flatnonzero(np.isfinite(scans.next_day))
        if not who.size:
            break
        request = Request(
            parameters[:, who], doses.between(who, before, day), scale[:, who], states[:, who],
            watch_level=level[:, who],
        )  # fmt: skip
        found = advance_patients(whole, request, tolerance, threads)
        states[:, who] = found.states
        elsewhere[who] = np.minimum(elsewhere[who], found.crossing_day[0])
        true_mm = whole.model.output_of(size, states, parameters, who)
        scans.look(Visit(np.array(day), who, scans.seen_day[who]), true_mm, elsewhere[who])
        before = day
    return scans


def _scan_days(how: TreatmentPlan) -> Iterator[float]:
    """Days of scans before the end."""
    day = float(how.scans.after(np.array(0.0)))
    while day < how.end_day:
        yield day
        day = float(how.scans.after(np.array(day)))
