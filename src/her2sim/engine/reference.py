"""The readable oracle: the same model and schedule, patient by patient, with SciPy.

Slow and plain on purpose. Tests compare the compiled engine with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize_scalar

from her2sim.arrays import Array
from her2sim.engine.model import Model
from her2sim.engine.schedule import Action
from her2sim.engine.trajectories import (
    Request,
    Trajectories,
    blank_unreached,
    check_request,
    empty_results,
)

SAMPLES_PER_SEGMENT = 1025


def solve_reference(
    model: Model, request: Request, relative: float = 1e-11, absolute: float = 1e-12
) -> Trajectories:
    """Integrate every patient with SciPy's DOP853; same results as the engine, much slower."""
    check_request(model, request)
    results = empty_results(model, request)
    for patient in range(request.n_patients):
        _Run(model, request, results, patient, relative, absolute).execute()
    blank_unreached(request, results)
    return results


class _Run:
    """One patient on the way through the rows of the schedule."""

    def __init__(
        self,
        model: Model,
        request: Request,
        results: Trajectories,
        patient: int,
        relative: float,
        absolute: float,
    ) -> None:
        self.model, self.request, self.results, self.patient = model, request, results, patient
        self.relative, self.absolute = relative, absolute
        self.rows = request.schedule.rows_of(patient)
        ones = np.ones((len(model.states), request.n_patients))
        self.scale = (ones if request.scale is None else request.scale)[:, patient]
        self.parameters = request.parameters[:, patient].copy()
        self.y = results.states[:, patient].copy()
        self.infusion = np.zeros(len(model.states))
        self.aside = np.zeros(len(model.states))
        self.time = min(0.0, self.rows[0][0])
        self.next_grid = 0
        self.start_cycle()

    def execute(self) -> None:
        for time, action, target, value in self.rows:
            if time > self.time:
                self.integrate(time)
            self.read_grid(time, lambda _: self.y)
            self.act(action, target, value)
            self.note(self.outputs(self.y))
        self.results.states[:, self.patient] = self.y
        self.results.time_day[self.patient] = self.time

    def rates(self, _time: float, y: Array) -> Array:
        values = dict(zip(self.model.parameters, self.parameters, strict=True))
        values |= dict(zip(self.model.states, y, strict=True))
        return np.array(self.model.rates(values)[0]) + self.infusion

    def outputs(self, y: Array) -> Array:
        return self.model.outputs_of(y, self.parameters)

    def integrate(self, until: float) -> None:
        solution = solve_ivp(
            self.rates,
            (self.time, until),
            self.y,
            method="DOP853",
            dense_output=True,
            rtol=self.relative,
            atol=self.absolute,
        )
        self.read_grid(until, solution.sol)
        self.reduce(solution.sol, self.time, until)
        self.note_crossings(solution.sol, self.time, until)
        self.y, self.time = solution.y[:, -1], until

    def note_crossings(self, states_at: Callable[[float], Array], start: float, end: float) -> None:
        levels = self.request.watch_level
        if levels is None:
            return
        for number, name in enumerate(self.model.watched):
            state, level = self.model.index("states", name), levels[number, self.patient]
            found = self.results.crossing_day[number]

            def distance(t: float, state: int = state, level: float = level) -> float:
                return float(states_at(t)[state] - level)

            if np.isinf(found[self.patient]) and distance(end) >= 0:
                is_there = distance(start) >= 0
                root = start if is_there else brentq(distance, start, end, xtol=1e-12)
                found[self.patient] = root

    def read_grid(self, until: float, states_at: Callable[[float], Array]) -> None:
        grid = self.request.grid_day
        while self.next_grid < grid.size and grid[self.next_grid] <= until:
            states = states_at(grid[self.next_grid])
            self.results.grid[self.patient, self.next_grid] = self.outputs(states)
            self.next_grid += 1

    def act(self, action: Action, target: int, value: float) -> None:
        match action:
            case Action.BOLUS:
                self.y[target] += value * self.scale[target]
            case Action.INFUSION:
                self.infusion[target] = value * self.scale[target]
            case Action.RESET:
                self.y[:] = 0.0
                self.infusion[:] = 0.0
            case Action.PARAMETER:
                self.parameters[target] = value
            case Action.READING:
                self.results.readings[self.patient, target] = self.outputs(self.y)
            case Action.CLOCK:
                self.time = value
            case Action.SET_ASIDE:
                self.aside, self.y = self.y, np.zeros_like(self.y)
                self.infusion[:] = 0.0
            case Action.ADD_BACK:
                self.y = self.y + self.aside
            case Action.CYCLE:
                self.close_cycle(target)
            case Action.STOP:
                pass

    # Trough, peak, AUC and time above the level, one entry an analyte.

    def start_cycle(self) -> None:
        n = len(self.model.analytes)
        self.auc_before = self.auc_now()
        self.peak, self.above = np.full(n, -np.inf), np.zeros(n)
        self.note(self.outputs(self.y))

    def auc_now(self) -> Array:
        return np.array([self.y[self.model.index("states", a.auc)] for a in self.model.analytes])

    def concentrations(self, outputs: Array) -> Array:
        positions = [self.model.index("outputs", a.concentration) for a in self.model.analytes]
        return outputs[positions]

    def note(self, outputs: Array) -> None:
        self.peak = np.maximum(self.peak, self.concentrations(outputs))

    def reduce(self, states_at: Any, start: float, end: float) -> None:
        times = np.linspace(start, end, SAMPLES_PER_SEGMENT)
        outputs = self.model.outputs_of(states_at(times), self.parameters[:, None])
        sampled = self.concentrations(outputs)
        for k in range(len(self.model.analytes)):

            def conc(t: float, k: int = k) -> float:
                return float(self.concentrations(self.outputs(states_at(t)))[k])

            values = sampled[k]
            self.peak[k] = max(self.peak[k], values.max(), _interior_peak(conc, times, values))
            if self.request.level is not None:
                self.above[k] += _time_above(conc, times, values, self.request.level)

    def close_cycle(self, number: int) -> None:
        cells = self.results.cycles[self.patient, number]
        cells[:, 0] = self.concentrations(self.outputs(self.y))
        cells[:, 1] = self.peak
        cells[:, 2] = self.auc_now() - self.auc_before
        cells[:, 3] = self.above if self.request.level is not None else np.nan
        self.start_cycle()


def _interior_peak(conc: Callable[[float], float], times: Array, values: Array) -> float:
    top = int(values.argmax())
    if top in (0, values.size - 1):
        return -np.inf
    found = minimize_scalar(
        lambda t: -conc(t),
        bounds=(times[top - 1], times[top + 1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(-found.fun)


def _time_above(conc: Callable[[float], float], times: Array, values: Array, level: float) -> float:
    total = 0.0
    for t0, t1, v0, v1 in zip(times, times[1:], values, values[1:], strict=False):
        if v0 > level and v1 > level:
            total += t1 - t0
        elif (v0 > level) != (v1 > level):
            root = float(brentq(lambda t: conc(t) - level, t0, t1, xtol=1e-12))
            total += root - t0 if v0 > level else t1 - root
    return total
