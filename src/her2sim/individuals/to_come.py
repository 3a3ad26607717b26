"""What is to come for a single patient, by each way to go on, over all models by their weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array
from her2sim.individuals.candidates import (
    Target,
    WayOutcome,
    WayToGoOn,
    auc_per_day,
    chance_of,
    searched,
)
from her2sim.individuals.fit import N_DRAWS, Fit
from her2sim.individuals.history import History
from her2sim.individuals.outlook import (
    LevelsAhead,
    cycles_in,
    doses_to_come,
    ends_of,
    going_on,
    joined_doses,
    levels_ahead,
    readings_ahead,
)
from her2sim.patients.patient import Patient
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dose_rows import Doses

GRID = 120
"""Times at which levels are drawn, beside those of the doses."""
NEXT_TO_NOTHING = 1e-3
"""Share of the peak below which a trough tells nothing."""
SHOWN_CYCLES = 4
"""Cycles to come that are drawn."""
NO_GRID = np.empty(0)
TUMOUR = "tumour"
"""Name of the sum of diameters among what is shown beside levels, % of that at the start."""


@dataclass(frozen=True, eq=False)
class LevelBands:
    """Levels over time, percentiles 5, 50 and 95 (n_times, 3): of such patients, of this one, and
    of this one by each way to go on (from ``next_day``). ``tests`` has blood and heart, of such
    patients and of this one, ``tests_ahead`` those of this one by each way and test.
    """

    day: Array
    population: Array
    patient: Array
    ahead: dict[str, Array]
    tests: dict[str, tuple[Array, Array]]
    tests_ahead: dict[str, dict[str, Array]]


class WhatIsToCome:
    """What is to come for a single patient, over all models by their weight."""

    def __init__(
        self, fits: Sequence[Fit], weight: Array, history: History, cycles: int,
        target: Target | None,
    ) -> None:  # fmt: skip
        self.fits, self.history, self.cycles, self.target = fits, history, cycles, target
        self.shares = _shares(weight)
        (phase,) = fits[0].model.treatment.regimen.phases
        after_dose = float(history.last_day[0]) + phase.interval_min / 1440
        last_level = float(history.levels.day.max(initial=0.0))
        self.next_day = max(after_dose, last_level)
        self.draws = [
            fit.posterior.draws[:, 0, :n]
            for fit, n in zip(fits, self.shares, strict=True)
            if fit.posterior is not None
        ]
        self.prior = [
            fit.prior_draws(max(n, 1))[:, :n] for fit, n in zip(fits, self.shares, strict=True)
        ]
        regimen = fits[0].model.treatment.regimen
        self.days = cycles * regimen.cycle_day
        if target is not None:
            self.target = replace(target, cycle_day=regimen.cycle_day)
        usual = WayToGoOn(regimen.name, regimen, regimen.title)
        self.population = self.run(usual, self.prior, NO_GRID)
        self.high_auc = float(np.percentile(auc_per_day(self.population), 95))

    def run(
        self, way: WayToGoOn, draws: Sequence[Array], grid: Array, test_day: Array | None = None
    ) -> LevelsAhead:
        """Levels by a way to go on, of the draws of all models; and tests on some days."""
        doses, ends, known = self.doses(way), self.ends(way), self.history.known
        level = None if self.target is None else self.target.level
        parts, tests = [], []
        for fit, own in zip(self.fits, draws, strict=True):
            if not own.shape[1]:
                continue
            levels = fit.model.of_levels
            levels = replace(levels, treatment=replace(levels.treatment, regimen=way.regimen))
            of_levels = own[: fit.model.n_of_levels]
            parts.append(levels_ahead(levels, known, doses, of_levels, ends, grid, level))
            if test_day is not None:
                tests.append(readings_ahead(fit.model, known, doses, own, test_day))
        return LevelsAhead(
            ends, np.concatenate([p.cycles for p in parts]),
            np.concatenate([p.grid for p in parts]),
            {name: np.concatenate([t[name] for t in tests]) for name in (tests or [{}])[0]},
            np.empty(0) if test_day is None else test_day,
        )  # fmt: skip

    def doses(self, way: WayToGoOn) -> Doses:
        """Doses that were given, then those of a way."""
        cohort, regimen = self.history.known.cohort, going_on(way.regimen, self.next_day)
        last = cohort.part(cohort.n_patients - 1, cohort.n_patients)
        cycles = cycles_in(way.regimen, self.days)
        return joined_doses(self.history.doses, doses_to_come(regimen, last, cycles))

    def ends(self, way: WayToGoOn) -> Array:
        """Ends of the cycles of a way; all ways go on for about as long."""
        return ends_of(way.regimen, self.next_day, cycles_in(way.regimen, self.days))

    def days_to_come(self, way: WayToGoOn) -> Array | None:
        """Days on which tests are read, one a day; None without any."""
        if not self.history.tests:
            return None
        return np.arange(self.next_day, float(self.ends(way)[-1]) + 0.5)

    def with_searched(
        self, ways: Sequence[WayToGoOn]
    ) -> tuple[tuple[WayToGoOn, ...], tuple[str, ...]]:
        """The ways with the dose that just reaches the target, or why none does."""
        found, notes = list(ways), list[str]()
        if self.target is not None:
            drug = self.fits[0].model.treatment.drug
            dose = searched(drug, ways[0].name, self.target, self.ahead)
            if isinstance(dose, str):
                notes.append(dose)
            elif dose.dose not in {way.dose for way in ways}:
                found.append(dose)
        notes.append(
            "Ranges hold what is not known of this patient under the model; they do not hold the "
            "error of a new measurement, errors of the model, or changes of the patient."
        )
        if self.history.tests:
            notes.append(
                f"Lowest {', '.join(self.history.tests)}: the true value, without the scatter of a "
                "reading, by which labels go. Limits: grade 3 of counts, an LVEF of 50 %."
            )
        return tuple(found), tuple(notes)

    def chance(self, way: WayToGoOn) -> WayOutcome:
        """What one way brings."""
        return chance_of(way, self.ahead(way), self.target, self.high_auc)

    def ahead(self, way: WayToGoOn) -> LevelsAhead:
        """What follows one way in this patient."""
        return self.run(way, self.draws, NO_GRID, self.days_to_come(way))

    def bands(self, ways: Sequence[WayToGoOn], tumour_of: Patient | None = None) -> LevelBands:
        """Levels over time, from the first day of the file; and a tumour like that of a patient."""
        length = ways[0].regimen.cycle_day
        day = self.grid(ways, self.next_day + min(self.cycles, SHOWN_CYCLES) * length)
        later = day[day >= self.next_day]
        test_day, tests_later = (day, later) if self.history.tests else (None, None)
        population = self.run(ways[0], self.prior, day, test_day)
        patient = self.run(ways[0], self.draws, day, test_day)
        tests = {
            name: (_band(population.tests[name]), _band(values))
            for name, values in patient.tests.items()
        }
        ahead = {way.name: self.run(way, self.draws, later, tests_later) for way in ways[1:]}
        if tumour_of is not None:
            tests[TUMOUR] = self._tumours(ways[0], tumour_of, day)
        shown = self.history.shown_day
        return LevelBands(
            np.array([shown(one) for one in day]), _band(population.grid), _band(patient.grid),
            {name: _band(own.grid) for name, own in ahead.items()}, tests,
            {name: {t: _band(v) for t, v in own.tests.items()} for name, own in ahead.items()},
        )  # fmt: skip

    def _tumours(self, way: WayToGoOn, patient: Patient, day: Array) -> tuple[Array, Array]:
        """Diameters under the levels of such patients, and of this one, by the likeliest model."""
        from her2sim.individuals.tumour_to_come import diameters_to_come

        k = int(np.argmax(self.shares))
        fit, doses = self.fits[k], self.doses(way)
        own = self.draws[k][: fit.model.n_of_levels]
        found = [
            diameters_to_come(fit, patient, draws, doses, day, seed=1) for draws in (None, own)
        ]
        return _band(found[0]), _band(found[1])

    def grid(self, ways: Sequence[WayToGoOn], last: float) -> Array:
        """Times to draw: evenly, and just before and after each infusion."""
        known = self.history.doses
        edges = [known.day, known.day + known.duration_min / MINUTES_PER_DAY]
        for way in ways:
            doses = going_on(way.regimen, self.next_day).doses_before(round(last * MINUTES_PER_DAY))
            edges += [np.array([one.time_day for one in doses])]
            edges += [np.array([one.end_day for one in doses])]
        first = max(0.0, -self.history.shown_day(0.0))
        found = np.concatenate([np.linspace(first, last, GRID), *edges])
        return np.unique(found[(found >= first) & (found <= last)])

    def data_percent(self, way: WayToGoOn) -> float | None:
        """Share of the population's variance of what comes next that the data took away.

        Of the next trough; of the AUC where a trough is next to nothing. None if nothing varies.
        """
        trough, peak = (np.median(self.population.metric(m)[:, 1]) for m in ("cmin", "cmax"))
        metric = "cmin" if trough > NEXT_TO_NOTHING * peak else "auc"
        own, all_ = (
            np.log(np.maximum(run.metric(metric)[:, 1], 1e-300))
            for run in (self.run(way, self.draws, NO_GRID), self.population)
        )
        if not all_.var() > 0:
            return None
        return float(np.clip(100 * (1 - own.var() / all_.var()), 0, 100))


def _band(grid: Array) -> Array:
    return np.asarray(np.percentile(grid, (5, 50, 95), axis=0).T)


def _shares(weight: Array) -> list[int]:
    """Draws of each model, by its weight."""
    return [int(n) for n in np.diff(np.round(np.concatenate([[0.0], np.cumsum(weight)]) * N_DRAWS))]
