"""A drug model given by a regimen: what is done to a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2sim.arrays import Array
from her2sim.drugs.drug import Drug, load_drug, load_pk
from her2sim.drugs.interactions import (
    Interaction,
    Kind,
    apply_interactions,
    chosen_interactions,
)
from her2sim.drugs.pk import PkModel, typical_parameters
from her2sim.engine.schedule import Action, Block, Row, Schedule, schedule_from_blocks
from her2sim.errors import DoseError, did_you_mean
from her2sim.patients.cohort import Cohort
from her2sim.regimens.dose import MINUTES_PER_DAY, mg_of
from her2sim.regimens.dose_rows import At, cycle_blocks, dose_blocks, planned_doses
from her2sim.regimens.regimen import Regimen, labelled_regimen


@dataclass(frozen=True, eq=False)
class Treatment:
    """A drug model given by a regimen: what is done to a patient."""

    drug: Drug
    pk: PkModel
    regimen: Regimen
    interactions: tuple[Interaction, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Drug, model, its status and regimen as plain data, for JSON."""
        pk = self.pk
        named = {"drug": self.drug.id, "model": pk.model, "model_status": pk.status}
        return named | {"regimen": self.regimen.name}

    def typical(self, covariates: Any, n: int) -> dict[str, Array]:
        """Parameters of ``n`` patients without random effects, interactions included."""
        return apply_interactions(typical_parameters(self.pk, covariates, n), self.interactions)

    def target(self, route: str) -> int:
        """State that doses by a route enter."""
        dosed = self.pk.structural.dosed
        if route not in dosed:
            raise DoseError(f"{self.pk.name} has no route {route!r}" + did_you_mean(route, dosed))
        return self.pk.structural.model.index("states", dosed[route])

    def ends_day(self, cycles: int | Sequence[float]) -> Array:
        """Days on which cycles end: of the regimen's own length, or as given."""
        if isinstance(cycles, int):
            return np.arange(1, cycles + 1, dtype=np.float64) * self.regimen.cycle_day
        return np.asarray(cycles, dtype=np.float64)

    def rows(self, cycles: int | Sequence[float]) -> list[Row]:
        """The schedule of one patient, to be looked at.

        ``cycles`` is a number of cycles of the regimen, or the days on which cycles end.
        """
        return self.schedule(self.ends_day(cycles), 1).rows_of(0)

    def schedule(self, ends_day: Array, n_patients: int, until_day: float = 0.0) -> Schedule:
        """Schedule of patients on the plan: at the end of a cycle its reading, then the next dose.

        Parameters
        ----------
        ends_day : days on which cycles end
        n_patients : patients, who share the rows
        until_day : where the run goes on to after the last cycle, if it does
        """
        pk, model = self.pk, self.pk.structural.model
        doses = planned_doses(self.regimen.doses_before(round(ends_day[-1] * MINUTES_PER_DAY)))
        one = np.zeros(ends_day.size, dtype=np.int64)
        cycles = np.arange(ends_day.size)
        blocks: list[Block] = [
            (one, ends_day, At.READING, Action.CYCLE, cycles, 0.0),
            *dose_blocks(doses, self.target, pk.lag_day()),
            *cycle_blocks(
                pk, lambda name: model.index("parameters", name), doses,
                self.regimen.doses_per_cycle,
            ),
        ]  # fmt: skip
        found = schedule_from_blocks(blocks, 1, n_cycles=ends_day.size)
        if until_day > found.time_day[-1]:
            blocks.append((one[:1], until_day, At.STOP, Action.STOP, 0, 0.0))
            found = schedule_from_blocks(blocks, 1, n_cycles=ends_day.size)
        return found.shared_by(n_patients)

    def scale(self, covariates: Any, parameters: Mapping[str, Array], n: int) -> Array:
        """What amounts are multiplied with: weight or surface, and bioavailability."""
        scale = np.ones((len(self.pk.structural.model.states), n))
        for route, unit in self.regimen.routes.items():
            target = self.target(route)
            scale[target] = mg_of(scale[target], unit, covariates)
            if route != "iv" and "f" in parameters:
                scale[target] *= parameters["f"]
        return scale

    def maintenance_mg(self, cohort: Cohort) -> Array:
        """Last kind of dose of each patient in mg, shape (n,)."""
        dose = self.regimen.phases[-1].maintenance
        one = np.ones(cohort.n_patients)
        return np.asarray(one * mg_of(dose.amount, dose.unit, cohort.covariate))


def load_treatment(
    drug: str, regimen: str, interactions: Sequence[tuple[Kind, str]] = ()
) -> Treatment:
    """A treatment by names: ``load_treatment("trastuzumab", "q3w")``.

    ``interactions`` are pairs of kind and name, as in ``("co-medication", "itraconazole")``.

    Raises
    ------
    DataError
        If nothing is published of an interaction, or the model cannot carry it.
    """
    found, pk = load_drug(drug), load_pk(drug)
    rows = chosen_interactions(found.id, interactions)
    for row in rows:
        row.require_carrier(pk)
    return Treatment(found, pk, labelled_regimen(found, regimen), rows)
