"""Doses of all drugs of a ledger as schedule rows of the whole patient's model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.heart import heart_number
from her2sim.biology.people import People
from her2sim.engine.schedule import Action, Block, Schedule, schedule_from_blocks
from her2sim.models.agent import BY_DOSE
from her2sim.protocol.ledger import Ledger
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES
from her2sim.whole_patient.composition import WholePatient
from her2sim.whole_patient.drugs import DrugInPatient

Array = NDArray[np.float64]
_CLOCK, _READ, _END, _CHANGE, _START, _STOP = range(6)
"""Order of rows at one time: the clock, a reading, what ends, what changes, a dose, the stop."""


def dose_schedule(
    whole: WholePatient,
    people: People,
    ledger: Ledger,
    end_day: Array,
    reading_day: Array,
    start_day: float = 0.0,
) -> Schedule:
    """Schedule rows of all patients.

    Parameters
    ----------
    whole, people : model and patients
    ledger : doses; its drugs count in the order of ``whole.drugs``
    end_day : where each patient ends, shape (n,)
    reading_day : days on which all outputs are read, the same for all
    start_day : where all start
    """
    cohort = people.cohort
    everyone = np.arange(cohort.n_patients)
    blocks: list[Block] = [(everyone, end_day, _STOP, Action.STOP, 0, 0.0)]
    if start_day > 0:
        blocks.append((everyone, 0.0, _CLOCK, Action.CLOCK, 0, start_day))
    for number, day in enumerate(reading_day):
        blocks.append((everyone, day, _READ, Action.READING, number, 0.0))
    for position, drug in enumerate(whole.drugs):
        doses = ledger.of(position)
        blocks += _drug_blocks(whole, drug, people, doses)
        if whole.organs.has_heart and drug.treatment.drug.id in ANTHRACYCLINES:
            blocks += _troponin_blocks(whole, people, doses)
    return schedule_from_blocks(blocks, cohort.n_patients, end_day, n_readings=reading_day.size)


def _drug_blocks(
    whole: WholePatient, drug: DrugInPatient, people: People, doses: Ledger
) -> Iterator[Block]:
    if drug.mechanism.kind in BY_DOSE and whole.lesions:
        yield from _acting_blocks(whole, drug, people, doses)
    if not drug.has_levels:
        return
    pk, model = drug.treatment.pk, whole.model
    tablets = doses.take(doses.number * doses.every_day > 0)
    if tablets.day.size:
        yield from _tablet_blocks(whole, drug, tablets)
    doses = doses.take(doses.every_day == 0)
    for k in np.unique(doses.route):
        route, own = ROUTES[k], doses.route == k
        target = model.index("states", drug.symbol(pk.structural.dosed[route]))
        start = doses.day[own] + (0.0 if route == "iv" else pk.lag_day())
        days = doses.duration_min[own] / MINUTES_PER_DAY
        patient, amount, lasts = doses.patient[own], doses.dose_mg[own], days > 0
        rate = amount[lasts] / days[lasts]
        at_once = ~lasts
        yield patient[lasts], start[lasts], _START, Action.INFUSION, target, rate
        yield patient[lasts], (start + days)[lasts], _END, Action.INFUSION, target, 0.0
        yield patient[at_once], start[at_once], _START, Action.BOLUS, target, amount[at_once]
    known = set(model.parameters)
    for effect in (e for e in pk.cycle_effect if drug.symbol(e.on) in known):
        number = doses.dose_numbers()
        first = pk.internal(effect.on, pk.parameter[effect.on])
        factors = np.array([effect.factor(k) for k in range(1, number.max(initial=0) + 1)])
        index = model.index("parameters", drug.symbol(effect.on))
        changed = first * factors[number - 1] if number.size else np.empty(0)
        yield doses.patient, doses.day, _CHANGE, Action.PARAMETER, index, changed


def _tablet_blocks(whole: WholePatient, drug: DrugInPatient, doses: Ledger) -> Iterator[Block]:
    """Tablets as a steady input: the tumour sees the mean level of the day."""
    target = whole.model.index("states", drug.symbol(drug.treatment.pk.structural.dosed["oral"]))
    over = doses.day + doses.number * doses.every_day
    rate = doses.dose_mg / doses.every_day
    yield doses.patient, doses.day, _START, Action.INFUSION, target, rate
    yield doses.patient, over, _END, Action.INFUSION, target, 0.0


def _acting_blocks(
    whole: WholePatient, drug: DrugInPatient, people: People, doses: Ledger
) -> Iterator[Block]:
    """A cytotoxic drug acts for one interval after each dose, in proportion to the dose."""
    index = whole.model.index("parameters", drug.symbol("given"))
    planned = drug.treatment.maintenance_mg(people.cohort)[doses.patient]
    interval = drug.treatment.regimen.phases[-1].interval_min / MINUTES_PER_DAY
    share = doses.dose_mg / planned
    over = doses.day + doses.number * interval
    following = np.append(doses.day[1:], np.inf)
    is_same = np.append(doses.patient[1:] == doses.patient[:-1], False)[: doses.day.size]
    goes_on = is_same & (following[: doses.day.size] <= over + 1e-6)
    ends = ~goes_on
    yield doses.patient, doses.day, _CHANGE, Action.PARAMETER, index, share
    yield doses.patient[ends], over[ends], _END, Action.PARAMETER, index, 0.0


ANTHRACYCLINES = ("doxorubicin",)


class TroponinClock:
    """Highest troponin T of each patient so far, dose by dose of an anthracycline."""

    def __init__(self, people: People) -> None:
        self.highest = people.hearts.parameters["troponin"].copy()
        self.start, self.slope = self.highest.copy(), people.hearts.troponin_slope
        self.amount = np.zeros(self.start.size)
        self.before_day = np.zeros(self.start.size)

    def after(self, who: NDArray[np.int64], day: Array | float, dose_mg: Array) -> Array:
        """Highest troponin T of some patients after a dose on a day."""
        since = day - self.before_day[who]
        left = self.amount[who] * np.exp(-heart_number("troponin_loss") * since)
        self.amount[who], self.before_day[who] = left + dose_mg, day
        reached = self.start[who] * (1 + self.slope[who] * self.amount[who])
        self.highest[who] = np.maximum(self.highest[who], reached)
        return self.highest[who].copy()


def _troponin_blocks(whole: WholePatient, people: People, doses: Ledger) -> Iterator[Block]:
    """The highest troponin T so far, from each dose of an anthracycline on."""
    index, clock = whole.model.index("parameters", "troponin"), TroponinClock(people)
    number = doses.dose_numbers()
    for k in range(1, number.max(initial=0) + 1):
        own = number == k
        who, day = doses.patient[own], doses.day[own]
        highest = clock.after(who, day, doses.dose_mg[own])
        yield who, day, _CHANGE, Action.PARAMETER, index, highest
