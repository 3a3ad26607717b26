"""What can be changed in a regimen: start, number of doses, a delay, the interval, the route."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from her2sim.drugs.drug import LabelledDose
from her2sim.errors import DoseError
from her2sim.regimens.dose import LARGEST_AMOUNT, MINUTES_PER_DAY
from her2sim.regimens.library import RegimenPart
from her2sim.regimens.regimen import Phase, Regimen


def started_on(regimen: Regimen, day: float) -> Regimen:
    """The regimen, begun some days later."""
    shift = round(day * MINUTES_PER_DAY)
    phases = tuple(replace(p, start_min=p.start_min + shift) for p in regimen.phases)
    return replace(regimen, phases=phases)


def as_planned(regimen: Regimen, part: RegimenPart) -> Regimen:
    """The regimen as a part of a combination has it: doses, interval, number of doses, start."""
    if part.dose_percent != 100:
        regimen = scaled(regimen, part.dose_percent / 100)
    if part.every_day is not None:
        regimen = every(regimen, part.every_day, is_in_proportion=False)
    if part.missed:
        regimen = without(regimen, part.missed)
    if part.doses is not None:
        regimen = limited_to(regimen, part.doses)
    return started_on(regimen, part.start_day)


def scaled(regimen: Regimen, factor: float) -> Regimen:
    """The regimen with each dose as a multiple of the labelled one.

    Raises
    ------
    DoseError
        If a dose comes above what a dose may have.
    """
    phase = _only_phase(regimen)
    loading = None if phase.loading is None else _scaled(regimen, phase.loading, factor)
    maintenance = _scaled(regimen, phase.maintenance, factor)
    return replace(regimen, phases=(replace(phase, loading=loading, maintenance=maintenance),))


def _scaled(regimen: Regimen, dose: LabelledDose, factor: float) -> LabelledDose:
    amount = dose.amount * factor
    if amount > (most := LARGEST_AMOUNT[dose.unit]):
        raise DoseError(
            f"{regimen.drug}: {amount:g} {dose.unit} is above the {most:g} {dose.unit} that a dose "
            "may have; take less"
        )
    return dose.model_copy(update={"amount": amount})


def without(regimen: Regimen, numbers: Collection[int]) -> Regimen:
    """The regimen, some of whose planned doses are missed; each is neither given nor made up for.

    Raises
    ------
    DoseError
        If the regimen is of tablets, whose doses are not missed one by one, or the first dose is
        missed, which is a later start.
    """
    phase = _only_phase(regimen)
    if phase.route == "oral":
        raise DoseError(f"{regimen.drug}: single tablets are not missed; name an infusion")
    if 1 in numbers:
        raise DoseError(f"{regimen.drug}: dose 1 is missed; start later instead, as in @21")
    return replace(regimen, phases=(replace(phase, missed=frozenset(numbers)),))


def limited_to(regimen: Regimen, n_doses: int) -> Regimen:
    """The regimen, ended after a number of doses."""
    return replace(regimen, phases=(replace(_only_phase(regimen), n_doses=n_doses),))


def delayed(regimen: Regimen, dose_number: int, delay_day: float, is_reloaded: bool) -> Regimen:
    """The regimen with one dose given later, and all that follow counted from there.

    ``is_reloaded``: the late dose is a loading dose again.

    Raises
    ------
    DoseError
        If it is the first dose, or the regimen has no loading dose to give again.
    """
    phase = _only_phase(regimen)
    if dose_number < 2:
        raise DoseError(f"dose {dose_number}: a delay needs a dose before it; choose 2 or more")
    if not delay_day * MINUTES_PER_DAY >= 1:
        told = "it must be above zero, a minute at least"
        raise DoseError(f"a delay of {delay_day:g} days: {told}")
    if is_reloaded and not phase.has_loading_dose:
        raise DoseError(f"{regimen.drug} {regimen.name} has no loading dose to give again")
    planned = phase.start_min + (dose_number - 1) * phase.interval_min
    late = replace(
        phase,
        start_min=planned + round(delay_day * MINUTES_PER_DAY),
        loading=phase.loading if is_reloaded else None,
    )
    return replace(regimen, phases=(replace(phase, n_doses=dose_number - 1), late))


def every(regimen: Regimen, interval_day: float, is_in_proportion: bool) -> Regimen:
    """The regimen at another interval; the maintenance dose may grow in proportion to it.

    The first dose stays, and the new interval counts from it.
    """
    phase = _only_phase(regimen)
    if phase.treated_min is not None:
        raise DoseError(f"{regimen.drug} {regimen.name} pauses in each cycle: its interval stays")
    if not interval_day * MINUTES_PER_DAY >= 1:
        told = "it must be above zero, a minute at least"
        raise DoseError(f"an interval of {interval_day:g} days: {told}")
    interval = round(interval_day * MINUTES_PER_DAY)
    dose = phase.maintenance
    if is_in_proportion:
        amount = dose.amount * interval / phase.interval_min
        if amount > (most := LARGEST_AMOUNT[dose.unit]):
            raise DoseError(
                f"every {interval_day:g} days in proportion is {amount:g} {dose.unit}, above the "
                f"{most:g} {dose.unit} that a dose may have; take a shorter interval"
            )
        dose = dose.model_copy(update={"amount": amount})
    changed = replace(phase, interval_min=interval, maintenance=dose)
    return replace(regimen, cycle_min=interval, phases=(changed,))


def switched(first: Regimen, second: Regimen, n_doses: int) -> Regimen:
    """One regimen for a number of doses, then another in its place, without a loading dose."""
    before, after = _only_phase(first), _only_phase(second)
    if n_doses < 1:
        raise DoseError(f"a switch after {n_doses} doses: give at least one before it")
    start = before.start_min + n_doses * before.interval_min
    return replace(
        first,
        name=f"{first.name} then {second.name}",
        title=f"{n_doses} doses of {first.title}, then {second.title}",
        phases=(
            replace(before, n_doses=n_doses),
            replace(after, start_min=start, loading=None),
        ),
    )


def _only_phase(regimen: Regimen) -> Phase:
    if len(regimen.phases) != 1:
        raise DoseError(f"{regimen.drug} {regimen.name} was changed already; change it once")
    if regimen.is_once:
        raise DoseError(f"{regimen.drug} {regimen.name} is one dose: there is nothing to change")
    if regimen.phases[0].n_doses is not None:
        raise DoseError(f"{regimen.drug} {regimen.name} has an end already")
    return regimen.phases[0]
