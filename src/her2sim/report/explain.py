"""Why two patients on one regimen differ, and what each number rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim import __version__
from her2sim.biology.people import People
from her2sim.combination import Combination
from her2sim.notice import NOTICE
from her2sim.protocol.ledger import Ledger
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.whole_patient.basis import Basis, basis_of
from her2sim.whole_patient.composition import WholePatient, whole_patient
from her2sim.whole_patient.drugs import ORGANS
from her2sim.whole_patient.run import planned_ledger, run_whole

Array = NDArray[np.float64]
UNKNOWN = Basis("", "", False)


@dataclass(frozen=True)
class Difference:
    """A number in which two patients differ, and what it alone does to the first.

    ``effect_points`` is by how many points of the first sum of diameters the first patient would
    end elsewhere with the second's number; ``lvef_points`` the same of the LVEF.
    """

    name: str
    meaning: str
    first: float | None
    second: float | None
    unit: str
    basis: Basis
    effect_points: float
    lvef_points: float


@dataclass(frozen=True)
class Explanation:
    """Two patients (positions 0 and 1) on one regimen after some weeks."""

    combination: Combination
    weeks: int
    names: tuple[str, str]
    size_percent: tuple[float, float]
    lvef_percent: tuple[float, float]
    traits: tuple[dict[str, Any], dict[str, Any]]
    differences: tuple[Difference, ...]
    basis: dict[str, Basis]

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain data, for JSON."""
        return {
            "her2sim": __version__,
            "regimen": self.combination.name,
            "weeks": self.weeks,
            "patients": [
                {"name": name, "size_percent": size, "lvef_percent": lvef, "traits": traits}
                for name, size, lvef, traits in zip(
                    self.names, self.size_percent, self.lvef_percent, self.traits, strict=True
                )
            ],
            "differences": [vars(d) | {"basis": vars(d.basis)} for d in self.differences],
            "basis": {name: vars(basis) for name, basis in self.basis.items()},
            "notice": NOTICE,
        }


def explain(
    combination: Combination, people: People, weeks: int, names: tuple[str, str]
) -> Explanation:
    """Compare two patients, number by number.

    Parameters
    ----------
    combination : drugs of the regimen, given as planned
    people : the two patients
    weeks : when they are compared
    names : what they are called
    """
    whole = whole_patient(combination.treatments, organs=ORGANS)
    end_day = weeks * 7.0
    plans = tuple(DrugPlan(t.drug.id, t.regimen) for t in combination.treatments)
    ledger = planned_ledger(whole, people.cohort, Protocol(plans, "metastatic", end_day))
    parameters, start = whole.parameters(people), whole.start(people)
    changed = [
        k
        for k in range(len(whole.model.parameters))
        if not np.isclose(parameters[k, 0], parameters[k, 1], rtol=1e-9)
    ]
    n = 4 + len(changed)  # both, then the first with the second's doses, clones, numbers
    rows = np.zeros(n, dtype=np.int64)
    rows[1] = 1
    columns, states = parameters[:, rows].copy(), start[:, rows].copy()
    states[:, 3] = start[:, 1]
    for place, k in enumerate(changed, start=4):
        columns[k, place] = parameters[k, 1]
    doses = _spread_ledger(ledger, np.array([0, 1, 1, *[0] * (n - 3)]))
    course = run_whole(
        whole, people.take(rows), doses, end_day, np.array([0.0, end_day]),
        start=states, parameters=columns,
    )  # fmt: skip
    diameters, lvef = course.output("diameters_mm"), course.output("lvef")[:, 1]
    size = 100 * diameters[:, 1] / diameters[:, 0]
    found = list(_differences(whole, parameters, changed, size, lvef))
    found.sort(key=lambda d: -max(abs(d.effect_points), abs(d.lvef_points)))
    traits = tuple(
        {name: values[i].item() for name, values in people.tumours.traits.items()} for i in (0, 1)
    )
    return Explanation(
        combination, weeks, names, (float(size[0]), float(size[1])),
        (float(lvef[0]), float(lvef[1])), (traits[0], traits[1]), tuple(found), basis_of(whole),
    )  # fmt: skip


def _differences(
    whole: WholePatient, parameters: Array, changed: list[int], size: Array, lvef: Array
) -> Iterator[Difference]:
    basis, symbols = basis_of(whole), whole.model.symbols
    for place, name, meaning in (
        (2, "doses", "doses in mg, by weight or surface"),
        (3, "clones", "clones and counts at the start"),
    ):
        change = float(size[place] - size[0]), float(lvef[place] - lvef[0])
        if change != (0.0, 0.0):
            yield Difference(name, meaning, None, None, "", UNKNOWN, *change)
    for place, k in enumerate(changed, start=4):
        name = whole.model.parameters[k]
        yield Difference(
            name,
            symbols[name].meaning,
            float(parameters[k, 0]),
            float(parameters[k, 1]),
            symbols[name].unit,
            basis.get(name, UNKNOWN),
            float(size[place] - size[0]),
            float(lvef[place] - lvef[0]),
        )


def _spread_ledger(ledger: Ledger, of: NDArray[np.int64]) -> Ledger:
    """Doses of several patients, each with those of one of the two."""
    own = [np.flatnonzero(ledger.patient == patient) for patient in of]
    rows = np.concatenate(own)
    columns = {name: values[rows] for name, values in vars(ledger).items()}
    columns["patient"] = np.repeat(np.arange(of.size), [rows.size for rows in own])
    return Ledger(**columns)
