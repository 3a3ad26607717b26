"""Predictions of what was measured of subjects by a traced model, with exact derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.engine.advance import advance
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action, Schedule
from her2sim.engine.sensitivities import places, slope_name, with_sensitivities
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.individuals.map_estimates import rows_of

AT_ONCE = 200_000
"""Runs that are kept in memory together."""
TOLERANCE = Tolerance(max_steps=20_000)
"""Who needs more steps of the solver has effects that cannot be."""


@dataclass(frozen=True)
class RandomEffect:
    """A random effect: its name, and the parameters that are multiplied with its exponential.

    ``absorbed`` names the states whose doses are multiplied with it (bioavailability).
    """

    name: str
    acts_on: tuple[str, ...] = ()
    absorbed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ReadingPlaces:
    """Where each measurement is found in a run, one entry each, in order of the subjects.

    ``output`` is the place in the names of outputs, ``factor`` turns what the model gives into the
    unit of the measurement.
    """

    subject: Positions
    reading: Positions
    output: Positions
    factor: Array


@dataclass(frozen=True, eq=False)
class Subjects:
    """Subjects under a model: what they were given, their typical numbers, and how they may differ.

    Predictions are NaN where the effects are so far off that the solver does not come to an end.

    Parameters
    ----------
    model : traced equations
    outputs : those that are read
    effects : random effects
    typical : parameters without random effects, shape (n_parameters, n_subjects)
    schedule : rows of all subjects; values of PARAMETER rows are typical ones
    readings : where the measurements are
    absorbed : typical share of doses that enters a state, shape (n_subjects,); one if not named
    start : parameters (or numbers) that states begin with, by state; zero if not named
    """

    model: Model
    outputs: tuple[str, ...]
    effects: tuple[RandomEffect, ...]
    typical: Array
    schedule: Schedule
    readings: ReadingPlaces
    absorbed: Mapping[str, Array] = field(default_factory=dict)
    start: Mapping[str, str | float] = field(default_factory=dict)
    tolerance: Tolerance = TOLERANCE

    @cached_property
    def _moving(self) -> Model:
        """The model beside its derivatives."""
        directions = tuple((one.name, one.acts_on) for one in self.effects)
        return with_sensitivities(self.model, directions, self.outputs)

    @cached_property
    def _acts(self) -> Array:
        """Whether an effect multiplies a parameter, shape (n_effects, n_parameters)."""
        acts = [[float(p in one.acts_on) for p in self.model.parameters] for one in self.effects]
        shape = (len(self.effects), len(self.model.parameters))
        found: Array = np.array(acts, dtype=np.float64).reshape(shape)
        return found

    @property
    def n_subjects(self) -> int:
        """How many subjects."""
        return int(self.typical.shape[1])

    def levels(self, effects: Array, subjects: Positions) -> Array:
        """Predictions for some subjects; see :class:`.map_estimates.Predictor`."""
        index = np.array([self.model.index("outputs", name) for name in self.outputs])
        found: Array = self._read(self.model, self.schedule, index[:, None], effects, subjects)[0]
        return found

    def slopes(self, effects: Array, subjects: Positions) -> tuple[Array, Array]:
        """Predictions, and their slopes by the random effects, shape (n_effects, n)."""
        names = [one.name for one in self.effects]
        index = np.array([places(self._moving, name, names) for name in self.outputs])
        found = self._read(self._moving, self._with_moves, index, effects, subjects)
        return found[0], found[1:]

    def parameters(self, effects: Array, subjects: Positions) -> Array:
        """Parameters, shape (n_parameters, n)."""
        found: Array = self.typical[:, subjects] * np.exp(self._acts.T @ effects)
        return found

    def _read(
        self, model: Model, schedule: Schedule, index: Array, effects: Array, subjects: Positions
    ) -> Array:
        """Values of outputs (one column of ``index`` a row), for the readings of subjects."""
        parts = []
        for first in range(0, max(subjects.size, 1), AT_ONCE):
            chosen = slice(first, first + AT_ONCE)
            parts.append(self._part(model, schedule, index, effects[:, chosen], subjects[chosen]))
        return np.concatenate(parts, axis=1)

    def _part(
        self, model: Model, schedule: Schedule, index: Array, effects: Array, subjects: Positions
    ) -> Array:
        request = self.request(effects, subjects, model, schedule)
        found = advance(model, request, self.tolerance)
        found.readings[found.failures()] = np.nan  # effects that no solver can follow
        rows, place = rows_of(self.readings.subject, subjects)
        reading, output = self.readings.reading[rows], self.readings.output[rows]
        factor = self.readings.factor[rows]
        values = found.readings[place[None, :], reading[None, :], index[output].T]
        return np.asarray(values * factor)

    def request(
        self, effects: Array, subjects: Positions, model: Model | None = None,
        schedule: Schedule | None = None,
    ) -> Request:  # fmt: skip
        """What the engine is asked for some subjects (of the plain model without others)."""
        model, schedule = model or self.model, schedule or self.schedule
        parameters, n = self.parameters(effects, subjects), subjects.size
        scale, states = np.ones((len(model.states), n)), np.zeros((len(model.states), n))
        for state, share in self.absorbed.items():
            gain = share[subjects]
            for effect, values in zip(self.effects, effects, strict=True):
                gain = gain * np.exp(values) if state in effect.absorbed else gain
            for name in (state, *(slope_name(state, e.name) for e in self.effects)):
                if name in model.states:
                    scale[model.index("states", name)] = gain
        for state, parameter in self.start.items():
            if not isinstance(parameter, str):
                states[model.index("states", state)] = parameter
                continue
            value = parameters[self.model.index("parameters", parameter)]
            states[model.index("states", state)] = value
            for effect in self.effects:
                name = slope_name(state, effect.name)
                if parameter in effect.acts_on and name in model.states:
                    states[model.index("states", name)] = value
        return Request(parameters, self._own_rows(schedule, effects, subjects), scale, states)

    def _own_rows(self, schedule: Schedule, effects: Array, subjects: Positions) -> Schedule:
        """Rows of some subjects; those that set a parameter have its value with the effects."""
        changes = schedule.action == Action.PARAMETER
        moved = np.asarray(self._acts.any(axis=0))
        if not (changes.any() and moved[schedule.target[changes]].any()):
            return schedule.of_patients(subjects)
        length = schedule.end[subjects] - schedule.begin[subjects]
        end = np.cumsum(length)
        place = np.repeat(np.arange(subjects.size), length)
        rows = schedule.begin[subjects][place] + np.arange(place.size) - (end - length)[place]
        own = replace(
            schedule, begin=end - length, end=end, time_day=schedule.time_day[rows],
            action=schedule.action[rows], target=schedule.target[rows],
            value=schedule.value[rows].copy(),
        )  # fmt: skip
        changes = np.flatnonzero(own.action == Action.PARAMETER)
        gain = np.einsum("kr,kr->r", self._acts[:, own.target[changes]], effects[:, place[changes]])
        own.value[changes] *= np.exp(gain)
        return own

    @cached_property
    def _with_moves(self) -> Schedule:
        """The schedule; doses into a state also enter how it moves with what is absorbed."""
        schedule, moving = self.schedule, self._moving
        into = {
            self.model.index("states", state): moving.index("states", slope_name(state, one.name))
            for one in self.effects
            for state in one.absorbed
        }
        if not into:
            return schedule
        is_dose = np.isin(schedule.action, (Action.BOLUS, Action.INFUSION))
        again = is_dose & np.isin(schedule.target, list(into))
        times = 1 + again.astype(np.int64)
        rows = np.repeat(np.arange(times.size), times)
        is_second = np.diff(rows, prepend=-1) == 0
        target = schedule.target[rows].copy()
        target[is_second] = [into[int(t)] for t in target[is_second]]
        before = np.concatenate([[0], np.cumsum(times)])
        return replace(
            schedule, begin=before[schedule.begin], end=before[schedule.end],
            time_day=schedule.time_day[rows], action=schedule.action[rows], target=target,
            value=schedule.value[rows],
        )  # fmt: skip
