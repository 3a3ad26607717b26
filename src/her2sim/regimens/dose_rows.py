"""The one translator of doses into schedule rows; infusions into one state add up.

A planned regimen, a dosing record, the drugs of a whole patient and an event table all pass here,
so that a dose means the same wherever it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Whole
from her2sim.drugs.pk import PkModel
from her2sim.engine.schedule import Action, Block
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES, Dose

Entry = tuple[Action, int, float]
"""What a row does: action, state and value."""
SAME_TIME_DAY = 1e-9
"""An infusion that ends so little after the next begins ends where it begins (rounding)."""


class At(IntEnum):
    """Order of rows at one time."""

    CLOCK = 0
    READING = 1
    END = 2
    CHANGE = 3
    START = 4
    STOP = 5


@dataclass(frozen=True, eq=False)
class Doses:
    """Doses of one drug, one entry each; all arrays have the shape (n_doses,).

    ``patient`` is a position in the cohort, ``day`` the start; ``amount`` is in mg (or per kg or m2
    where the run has the size of each patient in its scale); ``duration_min`` 0 is at once;
    ``route`` is the position in ROUTES. Tablets that are taken ``number`` times, every
    ``every_day`` days, enter as a steady input; anything else has 1 and 0.
    """

    patient: Whole
    day: Array
    amount: Array
    duration_min: Array
    route: Whole
    number: Whole
    every_day: Array

    def take(self, rows: Whole | NDArray[np.bool_]) -> Doses:
        """Some of the doses."""
        return Doses(**{name: values[rows] for name, values in vars(self).items()})


def planned_doses(doses: Sequence[Dose]) -> Doses:
    """Doses of a plan, as those of patient 0; amounts stay in the unit of the plan."""
    n = len(doses)
    return Doses(
        np.zeros(n, dtype=np.int64),
        np.array([dose.time_day for dose in doses]),
        np.array([dose.amount for dose in doses]),
        np.array([float(dose.duration_min) for dose in doses]),
        np.array([ROUTES.index(dose.route) for dose in doses], dtype=np.int64),
        np.ones(n, dtype=np.int64),
        np.zeros(n),
    )


def dose_blocks(
    doses: Doses, state_of: Callable[[str], int], lag_day: float, from_day: Array | None = None
) -> Iterator[Block]:
    """Rows of the doses of a drug.

    Parameters
    ----------
    doses : what is given
    state_of : the state that doses by a route enter
    lag_day : lag of all doses but intravenous ones
    from_day : day on which each patient's schedule begins, shape (n_patients,); what was over by
        then is left out, an infusion that is under way goes on
    """
    is_steady = doses.every_day > 0
    if is_steady.any():
        own = doses.take(is_steady)
        end = own.day + own.number * own.every_day
        rate = own.amount / own.every_day
        yield from infusion_blocks(own.patient, own.day, end, rate, state_of("oral"), from_day)
        if is_steady.all():
            return
        doses = doses.take(~is_steady)
    for k in np.unique(doses.route):
        route, own = ROUTES[k], doses.take(doses.route == k)
        target = state_of(route)
        start = own.day + (0.0 if route == "iv" else lag_day)
        days = own.duration_min / MINUTES_PER_DAY
        lasts = days > 0
        end, rate = (start + days)[lasts], own.amount[lasts] / days[lasts]
        yield from infusion_blocks(own.patient[lasts], start[lasts], end, rate, target, from_day)
        at_once = ~lasts
        if from_day is not None:
            at_once &= start >= from_day[own.patient]
        bolus = own.amount[at_once]
        yield own.patient[at_once], start[at_once], At.START, Action.BOLUS, target, bolus


def infusion_blocks(
    patient: Whole,
    start_day: Array,
    end_day: Array,
    rate_per_day: Array,
    target: int,
    from_day: Array | None = None,
) -> Iterator[Block]:
    """Rows of infusions into one state; the rate is their sum, exactly zero when none is left.

    Parameters
    ----------
    patient, start_day, end_day, rate_per_day : one entry an infusion
    target : the state
    from_day : see :func:`dose_blocks`
    """
    if from_day is not None:
        goes_on = end_day > from_day[patient]
        patient, end_day, rate_per_day = patient[goes_on], end_day[goes_on], rate_per_day[goes_on]
        start_day = np.maximum(start_day[goes_on], from_day[patient])
    order = np.lexsort((start_day, patient))
    patient, start_day = patient[order], start_day[order]
    end_day, rate_per_day = end_day[order].copy(), rate_per_day[order]
    is_same = patient[1:] == patient[:-1]
    too_long = np.where(is_same, end_day[:-1] - start_day[1:], -np.inf)
    touches = (too_long > 0) & (too_long < SAME_TIME_DAY)
    end_day[:-1][touches] = start_day[1:][touches]
    overlaps = too_long >= SAME_TIME_DAY
    crowded = np.unique(patient[1:][overlaps]) if overlaps.any() else patient[:0]
    alone = ~np.isin(patient, crowded) if crowded.size else slice(None)
    who = patient[alone]
    yield who, start_day[alone], At.START, Action.INFUSION, target, rate_per_day[alone]
    yield who, end_day[alone], At.END, Action.INFUSION, target, 0.0
    for one in crowded:
        own = np.flatnonzero(patient == one)
        times = list(zip(start_day[own], end_day[own], rate_per_day[own], strict=True))
        yield from _overlapping(int(one), times, target)


def _overlapping(
    patient: int, infusions: Sequence[tuple[float, float, float]], target: int
) -> Iterator[Block]:
    """Rows of infusions (start, end, rate) of one patient that overlap."""
    changes: list[tuple[float, At, Administration]] = []
    for start, end, rate in infusions:
        dose = Administration(target, rate * (end - start), float(rate), float(end))
        changes += [(float(start), At.START, dose), (float(end), At.END, dose)]
    running = RunningInfusions()
    for time, at, dose in sorted(changes, key=lambda change: change[:2]):
        entry = running.begin(dose) if at is At.START else running.finish(dose)
        if entry is not None:
            yield np.array([patient]), time, at, *entry


def cycle_blocks(
    pk: PkModel, index_of: Callable[[str], int | None], doses: Doses, doses_per_cycle: int
) -> Iterator[Block]:
    """Rows that set the parameters of a model which change with the cycle, at its doses.

    Parameters
    ----------
    pk : model of the drug
    index_of : place of a parameter in the model that is run; None where it does not have it
    doses : doses of the drug, in order of patient and day
    doses_per_cycle : how many doses make a cycle
    """
    for effect in pk.cycle_effect:
        index = index_of(effect.on)
        if index is not None:
            cycle = cycle_numbers(dose_numbers(doses.patient), doses_per_cycle)
            value = pk.at_cycle(effect, cycle)
            yield doses.patient, doses.day, At.CHANGE, Action.PARAMETER, index, value


def dose_numbers(patient: Whole) -> Whole:
    """Number of each dose of its patient, from 1; doses are in order of patient and day."""
    if not patient.size:
        return np.empty(0, dtype=np.int64)
    first = np.flatnonzero(np.diff(patient, prepend=-1))
    lengths = np.diff([*first, patient.size])
    return np.arange(patient.size) - np.repeat(first, lengths) + 1


def cycle_numbers(number: Whole, doses_per_cycle: int) -> Whole:
    """Cycle (from 1) of doses that are counted from 1."""
    return (number - 1) // doses_per_cycle + 1


@dataclass(eq=False)
class Administration:
    """An amount on its way into a state: at once (rate 0), or at a rate until an end.

    ``end`` is in the time of who keeps the clock.
    """

    target: int
    amount: float
    rate_per_day: float = 0.0
    end: float = 0.0


class RunningInfusions:
    """Infusions that run now; the rate into a state is their sum."""

    def __init__(self) -> None:
        self.infusions: list[Administration] = []

    def begin(self, dose: Administration) -> Entry:
        """What happens when a dose begins."""
        if not dose.rate_per_day:
            return Action.BOLUS, dose.target, dose.amount
        self.infusions.append(dose)
        return self.rate(dose.target)

    def finish(self, dose: Administration) -> Entry | None:
        """What happens when an infusion ends; nothing if it was cancelled."""
        if dose not in self.infusions:
            return None
        self.infusions.remove(dose)
        return self.rate(dose.target)

    def rate(self, target: int) -> Entry:
        """The rate into a state as it is now."""
        rates = (dose.rate_per_day for dose in self.infusions if dose.target == target)
        return Action.INFUSION, target, math.fsum(rates)

    def targets(self) -> list[int]:
        """States into which something runs."""
        return sorted({dose.target for dose in self.infusions})
