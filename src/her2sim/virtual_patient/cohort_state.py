"""The bodies of a cohort between visits: states, parameters, doses under way, events so far.

The patients who come to a visit are advanced from their last one, with the doses that were given
then. What is true of them is asked here; what is measured is no matter of this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.drugs.toxicity import Line
from her2sim.engine.advance import advance, kernel_of
from her2sim.engine.epochs import modal_of
from her2sim.engine.linear_blocks import linear_blocks
from her2sim.engine.schedule import Action, Block
from her2sim.engine.trajectories import Request
from her2sim.errors import SolverError
from her2sim.protocol.recorder import DoseBlock
from her2sim.random import Purpose
from her2sim.regimens.dose_rows import At
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.doses_under_way import DosesUnderWay
from her2sim.virtual_patient.dosing import LastingChanges, drug_blocks, framed
from her2sim.virtual_patient.run import TOLERANCE


@dataclass(frozen=True, eq=False)
class Interval:
    """What happened to some patients between two visits.

    ``from_day`` and ``until`` (n of who) are each one's last visit and this one, ``acts_until_day``
    (drugs, n of who) is how long the last dose counts. ``counts`` has, by cell line, the count at
    the last visit, those on the days that were asked for (NaN beyond the visit) and that at its
    end: (n of who, 2 + n_days).
    """

    who: Positions
    from_day: Array
    until: Array
    acts_until_day: Array
    counts: Mapping[Line, Array]


class CohortState:
    """States of all patients, shape (n_states, n), each on a day of its own."""

    def __init__(
        self,
        whole: VirtualPatient,
        people: VirtualCohort,
        line: int = 1,
        threads: int | None = None,
    ) -> None:
        self.whole, self.people, self.threads = whole, people, threads
        self.parameters = whole.parameters(people)
        self.states = whole.start(people)
        self.scale = whole.scale(people.cohort)
        self.day = np.zeros(people.cohort.n_patients)
        self.hazard_level = hazard_levels(whole, people, line)
        self.event_day = np.full_like(self.hazard_level, np.inf)
        self.under_way = [DosesUnderWay(drug, people.cohort) for drug in whole.drugs]
        self.changes = LastingChanges(whole, people)
        given = [drug.symbol("given") for drug in whole.drugs if drug.is_kpd]
        self.varying = frozenset(given) & set(whole.model.parameters)
        self._blocks = linear_blocks(whole.model, self.varying)
        self._modal = modal_of(whole.model, self._blocks, self.parameters)
        self._is_old = np.zeros(people.cohort.n_patients, dtype=bool)

    def continue_from(self, states: Mapping[str, Array], day: float) -> None:
        """Take over states of an earlier line by name, and start on a day."""
        for name, values in states.items():
            if name in self.whole.model.states:
                self.states[self.whole.model.index("states", name)] = values
        self.day[:] = day

    def lower_hazard(self, hazard: str, ratio: float) -> None:
        """Lower the hazard of an event by a ratio from the start on, where it is modelled."""
        if hazard in self.whole.model.watched:
            self.hazard_level[self.whole.model.watched.index(hazard)] /= ratio

    def give(self, given: DoseBlock) -> None:
        """Doses of a drug: they act from here on."""
        self.under_way[given.drug].add(given.doses)
        who, doses = given.doses.patient, given.doses
        for row, values in self.changes.after(
            given.drug, who, doses.day, doses.amount, doses.number
        ):
            self._is_old[who] |= self.parameters[row, who] != values
            self.parameters[row, who] = values

    def _modal_numbers(self, who: Positions) -> Array:
        """Numbers of the linear blocks of some patients, anew where parameters changed."""
        old = who[self._is_old[who]]
        if old.size:
            model, parameters = self.whole.model, self.parameters[:, old]
            self._modal[:, old] = modal_of(model, self._blocks, parameters)
            self._is_old[old] = False
        return self._modal[None, :, who]

    def advance(self, who: Positions, until: Array, reading_days: Sequence[float]) -> Interval:
        """Advance some patients, each to its day; read counts some days after their last visits."""
        model, start = self.whole.model, self.day[who].copy()
        blocks: list[Block] = []
        for k, after in enumerate(reading_days):
            own = np.flatnonzero(start + after < until)
            blocks.append((own, start[own] + after, At.READING, Action.READING, k, 0.0))
        for under_way in self.under_way:
            doses, planned = under_way.of(who)
            blocks += drug_blocks(self.whole, under_way.drug, doses, planned, start)
        schedule = framed(blocks, start, until, len(reading_days))
        pending = np.isinf(self.event_day[:, who])
        request = Request(
            self.parameters[:, who], schedule, self.scale[:, who], self.states[:, who],
            watch_level=np.where(pending, self.hazard_level[:, who], np.inf),
        )  # fmt: skip
        kernel = kernel_of(model, request.reductions, self.varying)
        modal = self._modal_numbers(who)
        found = advance(model, request, TOLERANCE, self.threads, kernel, modal)
        failed = found.failures()
        if failed.size:
            number = self.people.cohort.numbers[who[failed[0]]]
            text = found.describe_failure(model, schedule, int(failed[0]))
            raise SolverError(f"patient {number} {text}")
        counts = {
            line: self._counts(line, who, found.readings, found.states) for line in self.lines
        }
        acts_until = np.array([under_way.acts_until_day[who] for under_way in self.under_way])
        self.states[:, who] = found.states
        self.event_day[:, who] = np.minimum(self.event_day[:, who], found.crossing_day)
        self.day[who] = until
        for under_way in self.under_way:
            under_way.drop_finished(self.day)
        return Interval(who, start, until, acts_until, counts)

    def _counts(self, line: Line, who: Positions, readings: Array, after: Array) -> Array:
        row = self.whole.model.index("states", line)
        between = readings[:, :, self.whole.model.index("outputs", f"count_{line}")]
        return np.column_stack([self.states[row, who], between, after[row]])

    @property
    def lines(self) -> tuple[Line, ...]:
        """Cell lines that are modelled."""
        return self.whole.organs.lines

    def count(self, line: Line, who: Positions) -> Array:
        """Counts of some patients."""
        found: Array = self.states[self.whole.model.index("states", line), who]
        return found

    def output(self, name: str, who: Positions) -> Array:
        """An output of the model for some patients as they are, without any error."""
        return self.whole.model.output_of(name, self.states, self.parameters, who)

    def diameters_mm(self, who: Positions) -> Array:
        """Sum of diameters of some patients without any error of a scan."""
        return self.output(self.whole.lesions[0].name("diameters_mm"), who)

    def happened(self, hazard: str, who: Positions) -> Array:
        """Day of an event of some patients; infinite if it has not come."""
        found: Array = self.event_day[self.whole.model.watched.index(hazard), who]
        return found


def hazard_levels(whole: VirtualPatient, people: VirtualCohort, line: int = 1) -> Array:
    """Level of each cumulative hazard at which its event comes, shape (n_events, n).

    Progression elsewhere is drawn anew for each line of treatment.
    """
    stream = people.cohort.stream(Purpose.HAZARDS)
    elsewhere = {lesion.name("elsewhere") for lesion in whole.lesions}
    names = [
        f"{name}:{line}" if name in elsewhere and line > 1 else name for name in whole.model.watched
    ]
    return np.array([-np.log(stream.uniform(name)) for name in names])
