"""Why two patients on one regimen differ, and what each number rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from her2sim import __version__
from her2sim.arrays import Array
from her2sim.biology.lesion_model import (
    MODELLED,
    disease_of,
    diseases,
    efficacy_notes,
    evidence_texts,
    modelled_types,
)
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.notice import NOTICE
from her2sim.pk.combination import Combination
from her2sim.protocol.plan import DrugPlan, Protocol
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.trials.groups import drugs_of
from her2sim.trials.library import load_trial
from her2sim.trials.measures import PAIRS, SUBGROUPS
from her2sim.trials.seen_subgroups import SeenContrast, seen_subgroups, trait_names
from her2sim.virtual_patient.basis import Basis, basis_of
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.drugs import ORGANS
from her2sim.virtual_patient.run import planned_record, run_virtual_patient

if TYPE_CHECKING:
    import polars as pl

UNKNOWN = Basis("", "", False)


@dataclass(frozen=True)
class Difference:
    """A number in which two patients differ, and what it alone does to the first.

    ``effect_points`` is by how many points of the first sum of diameters the first patient would
    end elsewhere with the second's number, None without a lesion model; ``lvef_points`` the same
    of the LVEF.
    """

    name: str
    meaning: str
    first: float | None
    second: float | None
    unit: str
    basis: Basis
    effect_points: float | None
    lvef_points: float

    @property
    def largest_points(self) -> float:
        """The larger of both effects."""
        return max(abs(self.effect_points or 0.0), abs(self.lvef_points))


@dataclass(frozen=True)
class Explanation:
    """Two patients (positions 0 and 1) on one regimen after some weeks.

    Sizes are None unless both patients have a lesion model; ``notes`` then say why.
    """

    combination: Combination
    weeks: int
    names: tuple[str, str]
    size_percent: tuple[float, float] | None
    lvef_percent: tuple[float, float]
    traits: tuple[dict[str, Any], dict[str, Any]]
    differences: tuple[Difference, ...]
    basis: dict[str, Basis]
    notes: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def seen(self) -> tuple[SeenContrast, ...]:
        """What trials saw of the traits in which they differ; those of a drug of theirs first."""
        if self.size_percent is None:
            return ()
        drugs = {t.drug.substance or t.drug.id for t in self.combination.treatments}
        rows = [row for row in seen_subgroups() if self._concerns(row)]
        return tuple(sorted(rows, key=lambda row: not drugs & _drugs_of(row)))

    def _concerns(self, row: SeenContrast) -> bool:
        """Whether one patient is of the group and the other is not; receptors nobody was told."""
        trait, values = SUBGROUPS[row.group]
        if trait not in self.traits[0]:
            return False
        other = SUBGROUPS[row.over][1] if row.over else None
        told = [str(traits[trait]) for traits in self.traits]
        inside = [value in values for value in told]
        outside = [value not in values if other is None else value in other for value in told]
        return (inside[0] and outside[1]) or (inside[1] and outside[0])

    @property
    def traits_apart(self) -> tuple[str, ...]:
        """Traits by which treatment could be chosen, in which they differ."""
        first, second = self.traits
        apart = {name for name in first if first[name] != second.get(name)}
        return tuple(trait for trait in PAIRS if apart & trait_names(trait))

    def frame(self) -> pl.DataFrame:
        """One row a number in which they differ, the one that moves most first."""
        import polars as pl

        rows = [
            {name: value for name, value in vars(d).items() if name != "basis"}
            | {"status": d.basis.status, "basis": d.basis.text}
            for d in self.differences
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain data, for JSON."""
        return {
            "her2sim": __version__,
            "evidence": "\n".join(self.evidence),
            "regimen": self.combination.name,
            "weeks": self.weeks,
            "patients": [
                {"name": name, "size_percent": size, "lvef_percent": lvef, "traits": traits}
                for name, size, lvef, traits in zip(
                    self.names,
                    self.size_percent or (None, None),
                    self.lvef_percent,
                    self.traits,
                    strict=True,
                )
            ],
            "differences": [vars(d) | {"basis": vars(d.basis)} for d in self.differences],
            "seen": [row.model_dump() for row in self.seen],
            "basis": {name: vars(basis) for name, basis in self.basis.items()},
            "notes": list(self.notes),
            "notice": NOTICE,
        }


def explanation(
    combination: Combination, people: VirtualCohort, weeks: int, names: tuple[str, str]
) -> Explanation:
    """Compare two patients, number by number.

    Parameters
    ----------
    combination : drugs of the regimen, given as planned
    people : the two patients
    weeks : when they are compared
    names : what they are called
    """
    tumours = people.tumours
    sites = ("",) if tumours.has_lesion_model.all() else ()
    whole = virtual_patient(combination.treatments, sites, organs=ORGANS)
    end_day = weeks * 7.0
    plans = tuple(DrugPlan(t.drug.id, t.regimen) for t in combination.treatments)
    record = planned_record(whole, people.cohort, Protocol(plans, people.cohort.setting, end_day))
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
    doses = _spread_record(record, np.array([0, 1, 1, *[0] * (n - 3)]))
    course = run_virtual_patient(
        whole, people.take(rows), doses, end_day, np.array([0.0, end_day]),
        start=states, parameters=columns,
    )  # fmt: skip
    lvef, size = course.output("lvef")[:, 1], None
    if whole.lesions:
        diameters = course.output("diameters_mm")
        size = 100 * diameters[:, 1] / diameters[:, 0]
    found = list(_differences(whole, parameters, changed, size, lvef))
    found.sort(key=lambda d: -d.largest_points)
    kinds = tumours.traits["tumour_type"], tumours.traits["setting"]
    return Explanation(
        combination, weeks, names, None if size is None else (float(size[0]), float(size[1])),
        (float(lvef[0]), float(lvef[1])), (_traits(people, 0), _traits(people, 1)), tuple(found),
        basis_of(whole), _notes(diseases(*kinds)), evidence_texts(*kinds),
    )  # fmt: skip


def _drugs_of(row: SeenContrast) -> frozenset[str]:
    """Drugs of the arms of a contrast."""
    trial = load_trial(row.trial)
    names = [name for name in (row.arm, row.versus) if name] or [arm.id for arm in trial.arm]
    return frozenset().union(*(drugs_of(trial.arm_of(name)) for name in names))


def _notes(of: Counter[str]) -> tuple[str, ...]:
    """Why there is no size; that of one patient alone could not be compared."""
    modelled = {disease_of(one, MODELLED[1]) for one in modelled_types()}
    return efficacy_notes({name: n for name, n in of.items() if name not in modelled})


def _traits(people: VirtualCohort, patient: int) -> dict[str, Any]:
    """What was told or drawn of a patient's tumour; early disease has no earlier lines."""
    traits = people.tumours.traits
    left_out = ("earlier_lines",) if traits["setting"][patient] == "early" else ()
    return {name: v[patient].item() for name, v in traits.items() if name not in left_out}


def _differences(
    whole: VirtualPatient, parameters: Array, changed: list[int], size: Array | None, lvef: Array
) -> Iterator[Difference]:
    basis, symbols = basis_of(whole), whole.model.symbols

    def moved(place: int) -> tuple[float | None, float]:
        points = None if size is None else float(size[place] - size[0])
        return points, float(lvef[place] - lvef[0])

    start = "clones and counts at the start" if whole.lesions else "counts at the start"
    for place, name, meaning in (
        (2, "doses", "doses in mg, by weight or surface"),
        (3, "clones", start),
    ):
        if any(moved(place)):
            yield Difference(name, meaning, None, None, "", UNKNOWN, *moved(place))
    for place, k in enumerate(changed, start=4):
        name = whole.model.parameters[k]
        yield Difference(
            name,
            symbols[name].meaning,
            float(parameters[k, 0]),
            float(parameters[k, 1]),
            symbols[name].unit,
            basis.get(name, UNKNOWN),
            *moved(place),
        )


def _spread_record(record: DosingRecord, of: NDArray[np.int64]) -> DosingRecord:
    """Doses of several patients, each with those of one of the two."""
    own = [np.flatnonzero(record.patient == patient) for patient in of]
    rows = np.concatenate(own)
    columns = {name: values[rows] for name, values in vars(record).items()}
    columns["patient"] = np.repeat(np.arange(of.size), [rows.size for rows in own])
    return DosingRecord(**columns)
