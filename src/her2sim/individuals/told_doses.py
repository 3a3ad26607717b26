"""Doses that files tell of a drug: which rows are meant, of whom, and when."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2sim.drug_names import find_meaning
from her2sim.drugs.drug import Drug, load_drug
from her2sim.errors import DataError, Faults, did_you_mean
from her2sim.formats.csv_table import headings_of
from her2sim.formats.levels_csv import DoseRow, When, read_doses
from her2sim.formats.record_csv import BODY, read_record
from her2sim.individuals.of_drug import labelled_doses
from her2sim.patients.cohort import Cohort
from her2sim.pk.treatment import Treatment
from her2sim.protocol.given import given_doses
from her2sim.protocol.record import Entry
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES
from her2sim.regimens.dose_rows import Doses

SECONDS_PER_DAY = 86_400
UNUSUAL_DOSE = 3.0
"""A dose so many times above or below all labelled ones is told."""
OTHER_FORM = "{} is another form than {}; its model is another, and a switch is not fitted"


@dataclass(frozen=True, eq=False)
class PatientNames:
    """Names of patients; the only patient may have any name, or none, but one."""

    places: Mapping[str, int]
    used: dict[str, int]

    def place(self, name: str, line: int, faults: Faults) -> int:
        """Position of a patient."""
        if len(self.places) == 1:
            first = self.used.setdefault(name, line)
            if first == line and len([n for n in self.used if n]) > 1:
                faults.add(
                    f"row {line}: patient {name!r} is another one, and only one is told of "
                    "(--patient); keep the rows of one, or give a table of patients"
                )
            return 0
        if name not in self.places:
            what = f"patient {name!r} is not in the table" if name else "patient is missing"
            faults.add(f"row {line}: {what}{did_you_mean(name, self.places)}")
        return self.places.get(name, 0)


def day_of(when: When, begins: datetime.datetime | None) -> float:
    """A time as days from day 0, which begins on a date where times are dates."""
    if isinstance(when, datetime.datetime):
        assert begins is not None
        return (when - begins).total_seconds() / SECONDS_PER_DAY
    return when


@dataclass(frozen=True, eq=False)
class ToldDoses:
    """Doses of a file: those of the drug at hand, weights and heights beside them, and notes."""

    rows: tuple[DoseRow, ...]
    bodies: tuple[Entry, ...]
    notes: tuple[str, ...]


def read_told_doses(path: Path, treatment: Treatment) -> ToldDoses:
    """Read a list of doses, or a treatment record.

    Raises
    ------
    DataError
        With every fault of the file.
    """
    others: dict[str, int] = {}
    bodies: list[Entry] = []
    if "type" in (name.lower() for name in headings_of(path)):
        rows, bodies = _of_record(read_record(path), treatment, path, others)
    else:
        rows = _of_drug(read_doses(path, treatment.drug.id), treatment, path, others)
    shown = ", ".join(f"{name} ({n})" for name, n in others.items())
    text = f"Not known as drugs, and left out with their doses: {shown}."
    return ToldDoses(tuple(rows), tuple(bodies), (text,) if others else ())


def is_form_of(other: str, drug: Drug) -> bool:
    """Whether a drug is the same substance in another form."""
    return (load_drug(other).substance or other) == (drug.substance or drug.id)


def _note_unknown(name: str, line: int, drug: Drug, faults: Faults, others: dict[str, int]) -> None:
    """An unknown drug: perhaps a slip of the one at hand, else it is left out and told."""
    hint = did_you_mean(name, (drug.id, *drug.aliases))
    if hint.startswith("; did you mean"):
        faults.add(f"row {line}: unknown drug {name!r}{hint}")
    else:
        others[name] = others.get(name, 0) + 1


def _of_drug(
    rows: Sequence[DoseRow], treatment: Treatment, path: Path, others: dict[str, int]
) -> list[DoseRow]:
    """Doses of the drug at hand; those of others are left out."""
    faults, found, drug = Faults(str(path)), list[DoseRow](), treatment.drug
    for row in rows:
        meaning = find_meaning(row.drug)
        if meaning is None:
            _note_unknown(row.drug, row.line, drug, faults, others)
        elif drug.id in meaning.drugs and len(meaning.drugs) == 1:
            found.append(row)
        elif any(is_form_of(other, drug) for other in meaning.drugs if other != drug.id):
            faults.add(f"row {row.line}: {OTHER_FORM.format(row.drug, drug.id)}")
        elif drug.id in meaning.drugs:
            faults.add(f"row {row.line}: {row.drug} is more than one drug; write one row a drug")
    if not found and not faults.n_faults:
        faults.add(f"has no dose of {drug.id}")
    faults.raise_if_any(DataError)
    return found


def _of_record(
    entries: Sequence[Entry], treatment: Treatment, path: Path, others: dict[str, int]
) -> tuple[list[DoseRow], list[Entry]]:
    """Doses of the drug at hand in a treatment record, and its weights and heights."""
    faults, found, drug = Faults(str(path)), list[DoseRow](), treatment.drug
    substance = drug.substance or drug.id
    for entry in entries:
        if entry.kind != "dose":
            continue
        parts = given_doses(entry)
        if parts is None:
            _note_unknown(entry.drug or "", entry.row, drug, faults, others)
            continue
        for part in (one for one in parts if one.substance == substance):
            if part.drug.id != drug.id:
                faults.add(f"row {entry.row}: {OTHER_FORM.format(part.drug.id, drug.id)}")
            elif part.mg is not None:
                noon = datetime.datetime.combine(entry.date, datetime.time())
                route = entry.route or ""
                found.append(DoseRow(entry.row, entry.patient, noon, drug.id, part.mg, route, None))
    if not found and not faults.n_faults:
        faults.add(f"has no dose of {drug.id}")
    faults.raise_if_any(DataError)
    bodies = [e for e in entries if e.kind == "lab" and e.test in BODY]
    return found, bodies


def doses_of(
    rows: Sequence[DoseRow], names: PatientNames, begins: datetime.datetime | None,
    treatment: Treatment, path: Path,
) -> Doses:  # fmt: skip
    """Doses dose by dose; what contradicts itself is refused."""
    faults, (phase,) = Faults(str(path)), treatment.regimen.phases
    minutes, usual = phase.maintenance.duration_min, ROUTES.index(phase.route)
    columns: list[tuple[int, float, float, float, int]] = []
    first: dict[tuple[int, float], int] = {}
    for row in rows:
        who = names.place(row.patient, row.line, faults)
        route = ROUTES.index(row.route) if row.route else usual
        known = [r for r in ROUTES if r in treatment.pk.structural.dosed]
        if ROUTES[route] not in known:
            faults.add(
                f"row {row.line}: {treatment.pk.name} has no route {ROUTES[route]!r} but "
                f"{', '.join(known)}; leave the route out, or name the drug of that form"
            )
            continue
        lasts = row.duration_min
        if lasts is None:
            lasts = float(minutes) if ROUTES[route] == "iv" else 0.0
        for k in range(row.number):
            day = round(day_of(row.when, begins) + k * row.every_day, 9)
            before = first.setdefault((who, day), row.line)
            if before != row.line:
                faults.add(
                    f"rows {before} and {row.line}: two doses of {row.drug} on day {day:g}; keep "
                    "one, or add them up"
                )
                break
            columns.append((who, day, row.mg, lasts, route))
    without = [name for name, k in names.places.items() if k not in {row[0] for row in columns}]
    if columns and without and any(without):
        faults.add(f"has no dose of {treatment.drug.id} for patient {', '.join(without[:5])}")
    faults.raise_if_any(DataError)
    patient, day_, mg, lasts_, route_ = (np.array(c) for c in zip(*columns, strict=True))
    order = np.lexsort((day_, patient))
    ones = np.ones(order.size, dtype=np.int64)
    return Doses(
        patient[order].astype(np.int64), day_[order].astype(float), mg[order].astype(float),
        lasts_[order].astype(float), route_[order].astype(np.int64), ones, np.zeros(order.size),
    )  # fmt: skip


def unusual_doses(doses: Doses, treatment: Treatment, cohort: Cohort) -> list[str]:
    """Doses far from all that the label has."""
    planned = labelled_doses(treatment, cohort, treatment.regimen.cycle_day + 1e-6)
    notes = []
    for place, mg in enumerate(doses.amount):
        own = planned.amount[planned.patient == doses.patient[place]]
        if not own.min() / UNUSUAL_DOSE <= mg <= own.max() * UNUSUAL_DOSE:
            notes.append(
                f"A dose of {mg:g} mg on day {doses.day[place]:g} is far from the label's "
                f"{own.min():.4g} to {own.max():.4g} mg: check its unit."
            )
    return notes[:5]


def other_interval(doses: Doses, treatment: Treatment) -> list[str]:
    """That the doses come at another interval than the regimen at hand has."""
    last = doses.patient == doses.patient[-1]
    (phase,) = treatment.regimen.phases
    every = phase.interval_min / MINUTES_PER_DAY
    gaps = np.diff(doses.day[last])
    if not gaps.size or 0.6 <= gaps[-1] / every <= 1.6:
        return []
    return [
        f"The last doses are {gaps[-1]:g} days apart, and {treatment.regimen.name} has {every:g}: "
        "what is to come follows the regimen at hand (--regimen)."
    ]
