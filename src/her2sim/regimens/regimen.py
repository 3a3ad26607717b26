"""Regimens: what is planned, as a list of complete dose records."""

from __future__ import annotations

from dataclasses import dataclass

from her2sim.drugs.drug import Drug, LabelledDose
from her2sim.errors import DoseError
from her2sim.regimens.dose import MINUTES_PER_DAY, Dose


@dataclass(frozen=True)
class Regimen:
    """A drug given in cycles.

    ``loading`` (if any) is the first dose, ``maintenance`` each further one. A cycle is 21 days for
    antibodies and conjugates, also when they are dosed weekly.
    """

    name: str
    drug: str
    route: str
    interval_min: int
    cycle_min: int
    loading: LabelledDose | None
    maintenance: LabelledDose
    title: str = ""

    def __post_init__(self) -> None:
        if self.cycle_min % self.interval_min:
            raise DoseError(f"{self.drug} {self.name}: a cycle must hold whole dosing intervals")

    @property
    def cycle_day(self) -> float:
        """Length of a cycle in days."""
        return self.cycle_min / MINUTES_PER_DAY

    @property
    def unit(self) -> str:
        """Unit of the amounts, the same for all doses."""
        return self.maintenance.unit

    def doses(self, n_cycles: int) -> list[Dose]:
        """All doses of the first ``n_cycles`` cycles."""
        n_doses = n_cycles * (self.cycle_min // self.interval_min)
        planned = [self.loading or self.maintenance] + [self.maintenance] * (n_doses - 1)
        return [
            Dose(
                self.drug,
                self.route,  # type: ignore[arg-type]
                dose.amount,
                dose.unit,
                k * self.interval_min,
                dose.duration_min,
            )
            for k, dose in enumerate(planned)
        ]


def labelled_regimen(drug: Drug, name: str) -> Regimen:
    """The regimen that the label of a drug calls ``name`` (q3w, qw, ...)."""
    facts = drug.labelled_regimen(name)
    if facts.loading is not None and facts.loading.unit != facts.maintenance.unit:
        raise DoseError(f"{drug.id} {name}: loading and maintenance dose need the same unit")
    return Regimen(
        name=name,
        drug=drug.id,
        route=facts.route,
        interval_min=round(facts.interval_day * MINUTES_PER_DAY),
        cycle_min=round(facts.cycle_day * MINUTES_PER_DAY),
        loading=facts.loading,
        maintenance=facts.maintenance,
        title=facts.title,
    )
