"""Doses of all drugs of a record as schedule rows of the whole patient's model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.biology.heart import heart_number
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.engine.schedule import Action, Block, Schedule, schedule_from_blocks
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dose_rows import At, Doses, cycle_numbers, dose_blocks, dose_numbers
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.virtual_patient.calendar import ON_THE_DAY
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.drugs import PatientDrug


def dose_schedule(
    whole: VirtualPatient,
    people: VirtualCohort,
    record: DosingRecord,
    end_day: Array,
    reading_day: Array,
    start_day: float = 0.0,
) -> Schedule:
    """Schedule rows of all patients.

    Parameters
    ----------
    whole, people : model and patients
    record : doses; its drugs count in the order of ``whole.drugs``
    end_day : where each patient ends, shape (n,)
    reading_day : days on which all outputs are read, the same for all
    start_day : where all start
    """
    n = people.cohort.n_patients
    everyone = np.arange(n)
    blocks: list[Block] = [
        (everyone, day, At.READING, Action.READING, number, 0.0)
        for number, day in enumerate(reading_day)
    ]
    from_day = np.full(n, start_day)
    for position, drug in enumerate(whole.drugs):
        own = record.of(position)
        blocks += drug_blocks(whole, drug, own.doses(), drug.planned_mg(people.cohort), from_day)
        blocks += _lasting_blocks(whole, drug, people, own, from_day)
    return framed(blocks, from_day, end_day, reading_day.size)


def framed(blocks: Sequence[Block], from_day: Array, until_day: Array, n_readings: int) -> Schedule:
    """A schedule that begins and ends for each patient on a day, shape (n,) each."""
    everyone = np.arange(from_day.size)
    late = np.flatnonzero(from_day > 0)
    frame: tuple[Block, ...] = (
        (late, 0.0, At.CLOCK, Action.CLOCK, 0, from_day[late]),
        (everyone, until_day, At.STOP, Action.STOP, 0, 0.0),
    )
    return schedule_from_blocks([*frame, *blocks], from_day.size, until_day, n_readings)


def drug_blocks(
    whole: VirtualPatient, drug: PatientDrug, doses: Doses, planned_mg: Array, from_day: Array
) -> Iterator[Block]:
    """Rows of the doses of one drug: its levels, and how long it acts where only doses count.

    Parameters
    ----------
    whole, drug : model, and one of its drugs
    doses : in order of patient and day
    planned_mg : the full dose of each patient, shape (n,)
    from_day : where each patient's schedule begins, shape (n,)
    """
    if drug.is_kpd and whole.lesions:
        yield from _acting_blocks(whole, drug, doses, planned_mg, from_day)
    if drug.has_concentration:
        pk, model = drug.treatment.pk, whole.model

        def state_of(route: str) -> int:
            return model.index("states", drug.symbol(pk.structural.dosed[route]))

        yield from dose_blocks(doses, state_of, pk.lag_day(), from_day)


def acts_until_day(drug: PatientDrug, doses: Doses) -> Array:
    """Day until which each dose counts as treatment: one interval after it."""
    interval = drug.treatment.regimen.phases[-1].interval_min / MINUTES_PER_DAY
    return doses.day + doses.number * interval


def over_day(drug: PatientDrug, doses: Doses) -> Array:
    """Day on which each dose is in the body, and acts no more where only doses count."""
    lasts = np.maximum(doses.number * doses.every_day, doses.duration_min / MINUTES_PER_DAY)
    in_by = doses.day + drug.treatment.pk.lag_day() + lasts
    return np.maximum(in_by, acts_until_day(drug, doses)) if drug.is_kpd else in_by


def has_lasting_changes(drug: PatientDrug) -> bool:
    """Whether doses of a drug change parameters for good."""
    return bool(drug.treatment.pk.cycle_effect) or drug.is_anthracycline


def changed_by_doses(whole: VirtualPatient) -> frozenset[str]:
    """Parameters that rows of doses change, whoever gets which."""
    found = {"troponin"} if whole.organs.has_heart else set()
    for drug in whole.drugs:
        found.add(drug.symbol("given"))
        found.update(drug.symbol(effect.on) for effect in drug.treatment.pk.cycle_effect)
    return frozenset(found) & set(whole.model.parameters)


def _acting_blocks(
    whole: VirtualPatient, drug: PatientDrug, doses: Doses, planned_mg: Array, from_day: Array
) -> Iterator[Block]:
    """A cytotoxic drug acts for one interval after each dose, in proportion to the dose."""
    index = whole.model.index("parameters", drug.symbol("given"))
    over = acts_until_day(drug, doses)
    following = np.append(doses.day[1:], np.inf)[: doses.day.size]
    is_same = np.append(doses.patient[1:] == doses.patient[:-1], False)[: doses.day.size]
    ends = ~(is_same & (following <= over + ON_THE_DAY))
    acts = over > from_day[doses.patient]
    who, ends = doses.patient[acts], ends[acts]
    start = np.maximum(doses.day[acts], from_day[who])
    share = doses.amount[acts] / planned_mg[who]
    yield who, start, At.CHANGE, Action.PARAMETER, index, share
    yield who[ends], over[acts][ends], At.END, Action.PARAMETER, index, 0.0


class LastingChanges:
    """Parameters that a dose changes for good: release by cycle, troponin by an anthracycline.

    Doses of each drug are counted and added up, patient by patient.
    """

    def __init__(self, whole: VirtualPatient, people: VirtualCohort) -> None:
        self.whole = whole
        n = people.cohort.n_patients
        self.n_doses = np.zeros((len(whole.drugs), n), dtype=np.int64)
        self.troponin = TroponinClock(people) if whole.organs.has_heart else None

    def after(
        self,
        position: int,
        who: NDArray[np.int64],
        day: Array,
        dose_mg: Array,
        number: NDArray[np.int64],
    ) -> Iterator[tuple[int, Array]]:
        """Positions of parameters and their values in some patients after a dose of a drug."""
        drug, model = self.whole.drugs[position], self.whole.model
        pk = drug.treatment.pk
        self.n_doses[position, who] += number
        for effect in pk.cycle_effect if drug.has_concentration else ():
            name = drug.symbol(effect.on)
            if name in model.parameters:
                per_cycle = drug.treatment.regimen.doses_per_cycle
                cycle = cycle_numbers(self.n_doses[position, who], per_cycle)
                yield model.index("parameters", name), pk.at_cycle(effect, cycle)
        if self.troponin is not None and drug.is_anthracycline:
            yield model.index("parameters", "troponin"), self.troponin.after(who, day, dose_mg)


def _lasting_blocks(
    whole: VirtualPatient,
    drug: PatientDrug,
    people: VirtualCohort,
    own: DosingRecord,
    from_day: Array,
) -> Iterator[Block]:
    """Rows of what the doses of a drug change for good."""
    position = whole.drugs.index(drug)
    if not has_lasting_changes(drug):
        return
    changes, turn = LastingChanges(whole, people), dose_numbers(own.patient)
    for k in range(1, turn.max(initial=0) + 1):
        chosen = turn == k
        who, day, mg = own.patient[chosen], own.day[chosen], own.dose_mg[chosen]
        for index, values in changes.after(position, who, day, mg, own.number[chosen]):
            yield who, np.maximum(day, from_day[who]), At.CHANGE, Action.PARAMETER, index, values


class TroponinClock:
    """Highest troponin T of each patient so far, dose by dose of an anthracycline."""

    def __init__(self, people: VirtualCohort) -> None:
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
