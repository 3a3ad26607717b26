"""Phases of treatment of early disease: what doses do to a tumour, and growth between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.early_disease import (
    CLONES,
    LOG_UNIT,
    EarlyTumours,
    lesion_parameters,
)
from her2sim.early.clones import NOTHING, Clones
from her2sim.engine.trajectories import Request, Tolerance
from her2sim.virtual_patient.composition import VirtualPatient
from her2sim.virtual_patient.known_doses import KnownDoses
from her2sim.virtual_patient.run import advance_patients

STEP_DAY = 7.0
"""Days between looks at how few the cells of a clone became, on the same days for everybody."""
WASHOUT_DAY = 168.0
"""Days after the last planned dose until which drugs count: four to five half-lives of an antibody,
and six weeks of delays."""
MOST_ROWS = 4000
"""Patients that are integrated at once."""


@dataclass(frozen=True, eq=False)
class TreatmentPhase:
    """Drugs that some patients get from a day on; ``doses`` count days from the start of all.

    ``who`` says which patients, shape (n,). Doses are those of :class:`KnownDoses` over all
    patients of the cohort.
    """

    whole: VirtualPatient
    doses: KnownDoses
    who: Mask
    from_day: float
    until_day: float


@dataclass(frozen=True, eq=False)
class Endocrine:
    """When endocrine therapy is taken by those with hormone receptors."""

    from_day: float
    until_day: float

    def left(self, early: EarlyTumours, day: float) -> Array:
        """Growth that is left on a day, shape (n,)."""
        if self.from_day <= day < self.until_day:
            return early.endocrine
        return np.ones(early.endocrine.size)


def follow(
    early: EarlyTumours,
    clones: Clones,
    phases: Sequence[TreatmentPhase],
    from_day: float,
    until_day: float,
    *,
    kill: Array,
    endocrine: Endocrine,
    tolerance: Tolerance,
    carried: dict[str, Array],
    threads: int | None = None,
) -> None:
    """Take clones from a day to another through phases of treatment; ``clones`` is changed.

    Parameters
    ----------
    early : tumours of all patients
    clones : their clones, of one site
    phases : in order; phases of the same patients follow one another
    from_day, until_day : where it begins and ends
    kill : factor on all kill at the site, shape (n,)
    endocrine : when that is taken
    tolerance, threads : of the solver
    carried : states of drugs by name, (n,) each, which go on from one call to the next
    """
    days = [endocrine.from_day, endocrine.until_day]
    days += [day for phase in phases for day in (phase.from_day, phase.until_day)]
    edges = sorted({from_day, until_day, *(d for d in days if from_day < d < until_day)})
    for start, end in zip(edges, edges[1:], strict=False):
        growth = early.growth_per_day * endocrine.left(early, start)
        free = np.ones(kill.size, dtype=bool)
        for phase in phases:
            if phase.from_day <= start < phase.until_day:
                rows = np.flatnonzero(phase.who & (clones.now.max(axis=0) > NOTHING / 2))
                free &= ~phase.who
                for part in np.array_split(rows, -(-rows.size // MOST_ROWS)) if rows.size else ():
                    _treated(
                        early, clones, phase, part, (start, end), growth, kill, carried, tolerance,
                        threads,
                    )  # fmt: skip
        _grown(clones, np.flatnonzero(free), growth, start, end)


def _grown(clones: Clones, rows: Positions, growth: Array, start: float, end: float) -> None:
    own = take_clones(clones, rows)
    own.grow(growth[rows], start, end)
    put_clones(clones, own, rows)


def _treated(
    early: EarlyTumours,
    clones: Clones,
    phase: TreatmentPhase,
    rows: Positions,
    days: tuple[float, float],
    growth: Array,
    kill: Array,
    carried: dict[str, Array],
    tolerance: Tolerance,
    threads: int | None,
) -> None:
    """Integrate the lesion of some patients under the drugs of a phase, between two days."""
    whole, people = phase.whole, early.people.take(rows)
    some = take_early(early, rows)
    parameters = early_parameters(whole, some, kill[rows])
    parameters[whole.model.index("parameters", "growth")] = growth[rows]
    states = whole.start(people)
    for name in whole.model.states:
        if name in carried:
            row = whole.model.index("states", name)
            states[row] = np.where(np.isnan(carried[name][rows]), states[row], carried[name][rows])
    own = take_clones(clones, rows)
    places = [whole.model.index("states", f"log_cells_{clone}") for clone in CLONES]
    states[places] = own.now - LOG_UNIT
    start, end = days
    looks = STEP_DAY * np.arange(np.floor(start / STEP_DAY) + 1, np.ceil(end / STEP_DAY))
    grid = np.append(looks, end)
    request = Request(
        parameters, phase.doses.between(rows, start, end), whole.scale(people.cohort), states, grid
    )
    found = advance_patients(whole, request, tolerance, threads)
    outputs = [whole.model.index("outputs", f"cells_{clone}") for clone in CLONES]
    with np.errstate(divide="ignore"):
        course = np.log(found.grid[:, :, outputs]) + LOG_UNIT
    course = np.moveaxis(course, 0, 2)
    course = np.moveaxis(course, 1, 0)
    course[:, -1] = found.states[places] + LOG_UNIT
    own.move(np.concatenate([[start], grid]), np.concatenate([own.now[:, None], course], axis=1))
    put_clones(clones, own, rows)
    for name, values in zip(whole.model.states, found.states, strict=True):
        if not name.startswith("log_cells"):
            carried.setdefault(name, np.full(kill.size, np.nan))[rows] = values


def early_parameters(whole: VirtualPatient, early: EarlyTumours, kill: Array) -> Array:
    """Parameters of patients with early disease, shape (n_parameters, n)."""
    found = whole.parameters(early.people)
    names = whole.model.parameters
    values = dict(zip(names, found, strict=True))
    cytotoxic = {
        drug.tag: drug.typical_kill(early.people.members)
        for drug in whole.drugs
        if drug.mechanism.kind == "cytotoxic"
    }
    changed = lesion_parameters(values, early, cytotoxic, kill)
    for name, value in changed.items():
        found[whole.model.index("parameters", name)] = value
    return found


def take_clones(clones: Clones, rows: Positions) -> Clones:
    """Those of some patients."""
    return replace(
        clones, now=clones.now[:, rows], least=clones.least[:, rows], fate=clones.fate[:, rows],
        found=clones.found[rows],
    )  # fmt: skip


def put_clones(clones: Clones, own: Clones, rows: Positions) -> None:
    """Write those of some patients back."""
    clones.now[:, rows], clones.least[:, rows] = own.now, own.least
    clones.found[rows] = own.found


def take_early(early: EarlyTumours, rows: Positions) -> EarlyTumours:
    """Early disease of some patients."""
    cut = {name: value[..., rows] for name, value in vars(early).items() if name != "people"}
    return EarlyTumours(early.people.take(rows), **cut)
