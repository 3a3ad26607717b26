"""Readings that come from the patients themselves: advanced to a visit, then measured."""

from __future__ import annotations

from collections.abc import Iterable

from her2sim.arrays import Array, Positions
from her2sim.protocol.readings import Visit
from her2sim.protocol.recorder import TreatmentRecorder
from her2sim.virtual_patient.cohort_state import CohortState
from her2sim.virtual_patient.instruments import Instruments


class SimulatedAssessments:
    """The source of readings of a protocol: bodies, and the instruments that look at them."""

    is_scheduled = True

    def __init__(self, state: CohortState, instruments: Instruments) -> None:
        self.state, self.instruments = state, instruments
        self._n_blocks = 0

    def has(self, variable: str) -> bool:
        """Whether a variable can be measured."""
        return self.instruments.has(variable)

    def arrive(self, visit: Visit, recorder: TreatmentRecorder) -> None:
        """Advance the patients of a visit to its day, with the doses since they came last."""
        for block in recorder.doses_since(self._n_blocks):
            self.state.give(block)
            self._n_blocks += 1
        waited = self.state.day[visit.who] < visit.day
        who, until = visit.who[waited], visit.day[waited]
        if who.size:
            tests = self.instruments.blood.between(self.state.day[who], until)
            self.instruments.note_interval(self.state.advance(who, until, tests.tolist()))
        self.instruments.look(visit)

    def parts(self, visit: Visit) -> Iterable[Visit]:
        """Measured once a visit."""
        return (visit,)

    def next_day(self, who: Positions) -> Array:
        """When scans and tests of the heart are due next."""
        return self.instruments.next_day(who)

    def measure(self, variable: str, visit: Visit, repeat: int = 0) -> Array:
        """Measured values of the patients of a visit; nothing is changed by it."""
        return self.instruments.measure(variable, visit, repeat)

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        """Keep what was measured at a visit."""
        self.instruments.note(variable, visit, values)
