"""Running whole patients through a dosing record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.engine.advance import advance, kernel_of
from her2sim.engine.trajectories import Request, Tolerance, Trajectories
from her2sim.patients.cohort import Cohort
from her2sim.protocol.plan import Protocol
from her2sim.protocol.readings import TableReadings
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.dosing import changed_by_doses, dose_schedule

TOLERANCE = Tolerance(relative=1e-5, absolute=1e-7)


@dataclass(frozen=True, eq=False)
class SimulatedTrajectories:
    """What happened: outputs on a grid, shape (n, n_grid, n_outputs), by name in ``whole``.

    ``event_day`` has the day on which each cumulative hazard (``whole.model.watched``) reached the
    level of the patient, shape (n_events, n); infinite if it did not.
    """

    whole: VirtualPatient
    people: VirtualCohort
    grid_day: Array
    grid: Array
    states: Array
    event_day: Array

    def output(self, name: str) -> Array:
        """One output on the grid, shape (n, n_grid)."""
        found: Array = self.grid[:, :, self.whole.model.index("outputs", name)]
        return found


def planned_record(whole: VirtualPatient, cohort: Cohort, protocol: Protocol) -> DosingRecord:
    """Doses of a protocol without any reading."""
    return run_protocol(protocol, cohort, TableReadings({})).record


def run_virtual_patient(
    whole: VirtualPatient,
    people: VirtualCohort,
    record: DosingRecord,
    end_day: float,
    grid_day: Array,
    *,
    hazard_level: Array | None = None,
    start: Array | None = None,
    start_day: float = 0.0,
    parameters: Array | None = None,
    tolerance: Tolerance = TOLERANCE,
    threads: int | None = None,
) -> SimulatedTrajectories:
    """Put the doses of a record through the model of the patients.

    Parameters
    ----------
    whole, people, record : model, patients and doses
    end_day, grid_day : where it ends, and when outputs are wanted
    hazard_level : levels of the watched hazards, shape (n_events, n)
    start, start_day : states to begin with, shape (n_states, n), and when (untreated on day 0)
    parameters : shape (n_parameters, n), instead of those of the people
    tolerance : of the solver
    """
    ends = np.full(people.cohort.n_patients, float(end_day))
    schedule = dose_schedule(whole, people, record, ends, np.empty(0), start_day)
    request = Request(
        whole.parameters(people) if parameters is None else parameters,
        schedule,
        whole.scale(people.cohort),
        whole.start(people) if start is None else start,
        np.asarray(grid_day, dtype=np.float64),
        watch_level=hazard_level,
    )
    found = advance_patients(whole, request, tolerance, threads)
    return SimulatedTrajectories(
        whole, people, request.grid_day, found.grid, found.states, found.crossing_day
    )


def advance_patients(
    whole: VirtualPatient, request: Request, tolerance: Tolerance, threads: int | None = None
) -> Trajectories:
    """Put a request through the model of the patients; all of them must finish.

    The compiled code is that for any doses of the drugs, so that what becomes of a patient does not
    depend on the doses of others.
    """
    kernel = kernel_of(whole.model, request.reductions, changed_by_doses(whole))
    found = advance(whole.model, request, tolerance, threads, kernel)
    found.require_finished(whole.model, request.schedule)
    return found
