"""Regimens: what is planned of one drug, as phases that unroll into complete dose records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from her2sim.drugs.drug import Drug, LabelledDose
from her2sim.errors import DoseError
from her2sim.regimens.dose import MINUTES_PER_DAY, Dose


@dataclass(frozen=True)
class Phase:
    """Doses at a regular interval from a start on.

    ``loading`` (if any) is the first dose, ``maintenance`` each further one. It ends after
    ``n_doses``, where the next phase starts, or never. With ``treated_min``, doses are given only
    in the first minutes of each period (``period_min``), as in 14 of 21 days. Planned doses whose
    number (from 1) is ``missed`` are not given; they count among ``n_doses``.
    """

    route: str
    start_min: int
    interval_min: int
    maintenance: LabelledDose
    loading: LabelledDose | None = None
    n_doses: int | None = None
    treated_min: int | None = None
    period_min: int = 0
    missed: frozenset[int] = frozenset()

    @property
    def has_loading_dose(self) -> bool:
        """Whether the first dose is another amount; a longer first infusion alone is none."""
        first, later = self.loading, self.maintenance
        return first is not None and (first.amount, first.unit) != (later.amount, later.unit)

    def times_min(self, end_min: int) -> Iterator[int]:
        """Times of the doses before an end."""
        planned = 0
        for time in range(self.start_min, end_min, self.interval_min):
            if planned == self.n_doses:
                return
            place = (time - self.start_min) % self.period_min if self.treated_min else 0
            if self.treated_min is None or place < self.treated_min:
                planned += 1
                if planned not in self.missed:
                    yield time


@dataclass(frozen=True)
class Regimen:
    """A drug given in one or more phases.

    A cycle is 21 days for antibodies and conjugates, also when they are dosed weekly; it only says
    over what the exposure is summed up. ``is_once``: one dose, which is repeated here cycle by
    cycle for nothing but its exposure.
    """

    name: str
    drug: str
    cycle_min: int
    phases: tuple[Phase, ...]
    title: str = ""
    is_once: bool = False

    @property
    def cycle_day(self) -> float:
        """Length of a cycle in days."""
        return self.cycle_min / MINUTES_PER_DAY

    @property
    def doses_per_cycle(self) -> int:
        """How many doses are planned in a cycle."""
        phase = self.phases[-1]
        return max(1, (phase.treated_min or self.cycle_min) // phase.interval_min)

    @property
    def routes(self) -> dict[str, str]:
        """Routes, and the unit of the amounts given by each.

        Raises
        ------
        DoseError
            If one route has amounts in two units.
        """
        units: dict[str, str] = {}
        for phase in self.phases:
            for dose in (phase.loading or phase.maintenance, phase.maintenance):
                if units.setdefault(phase.route, dose.unit) != dose.unit:
                    raise DoseError(
                        f"{self.drug} {self.name}: all {phase.route} doses need the same unit"
                    )
        return units

    def with_missed(self) -> Regimen:
        """The regimen with the doses that are missed, as the label has it."""
        phases = tuple(replace(phase, missed=frozenset()) for phase in self.phases)
        return replace(self, phases=phases)

    def doses(self, n_cycles: int) -> list[Dose]:
        """All doses of the first ``n_cycles`` cycles."""
        return self.doses_before(n_cycles * self.cycle_min)

    def doses_before(self, end_min: int) -> list[Dose]:
        """All doses before a time."""
        following = [phase.start_min for phase in self.phases[1:]]
        found = []
        for phase, next_start in zip(self.phases, [*following, end_min], strict=True):
            dose = phase.loading or phase.maintenance
            for time in phase.times_min(min(next_start, end_min)):
                found.append(
                    Dose(
                        self.drug,
                        phase.route,  # type: ignore[arg-type]
                        dose.amount,
                        dose.unit,
                        time,
                        dose.duration_min,
                    )
                )
                dose = phase.maintenance
        return found


def labelled_regimen(drug: Drug, name: str) -> Regimen:
    """The regimen that the label of a drug calls ``name`` (q3w, qw, ...)."""
    facts = drug.labelled_regimen(name)
    interval, cycle = (round(d * MINUTES_PER_DAY) for d in (facts.interval_day, facts.cycle_day))
    if cycle % interval:
        raise DoseError(f"{drug.id} {name}: a cycle must hold whole dosing intervals")
    treated = None if facts.treated_day is None else round(facts.treated_day * MINUTES_PER_DAY)
    phase = Phase(
        facts.route, 0, interval, facts.maintenance, facts.loading,
        treated_min=treated, period_min=cycle,
    )  # fmt: skip
    regimen = Regimen(name, drug.id, cycle, (phase,), facts.title, facts.is_once)
    assert regimen.routes
    return regimen
