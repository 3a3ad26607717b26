"""What files tell of patients, brought together: who, what was given, what was measured, when."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from her2sim.drug_names import find_meaning
from her2sim.drugs.drug import Drug
from her2sim.errors import DataError, Faults, UnitError, did_you_mean
from her2sim.formats.csv_table import headings_of
from her2sim.formats.levels_csv import DoseRow, LevelRow, When, read_doses, read_levels
from her2sim.formats.record_csv import BODY, read_record
from her2sim.individuals.of_body import TESTS
from her2sim.individuals.of_drug import KnownOverTime, Levels, labelled_doses
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import with_derived
from her2sim.pk.needs import require_characteristics
from her2sim.pk.treatment import Treatment
from her2sim.protocol.given import given_doses
from her2sim.protocol.record import Entry
from her2sim.protocol.variables import VARIABLES, reading_fault
from her2sim.regimens.dose import ROUTES
from her2sim.regimens.dose_rows import Doses
from her2sim.units import conversion_factor, convert_molar

SECONDS_PER_DAY = 86_400
UNUSUAL_DOSE = 3.0
"""A dose so many times above or below all labelled ones is told."""


@dataclass(frozen=True, eq=False)
class History:
    """Patients of some files; ``notes`` say what was assumed.

    ``names`` are those of the patients as written, ``tests`` what was measured beside levels (their
    kinds come after those of the drug); ``last_day`` (n,) is the day of the last dose, and
    ``begins`` the date of day 0 if the files have dates.
    """

    names: tuple[str, ...]
    known: KnownOverTime
    doses: Doses
    levels: Levels
    tests: tuple[str, ...]
    last_day: np.ndarray[Any, np.dtype[np.float64]]
    begins: datetime.datetime | None
    notes: tuple[str, ...]


def read_history(
    levels: Path, treatment: Treatment, cohort: Cohort, names: Sequence[str], doses: Path | None
) -> History:
    """Read the levels and doses of patients.

    Parameters
    ----------
    levels : CSV file of measured levels
    treatment : drug, model and regimen
    cohort : the patients
    names : how the files call them; a file without a column ``patient`` is of the only one
    doses : CSV file of doses, or a treatment record; without it they are those of the label

    Raises
    ------
    DataError
        With every fault of the files, or if the patients lack what the model needs.
    """
    where = f"{cohort.name} (tell it, or take what is typical: --typical)"
    require_characteristics(cohort, [treatment], where)
    found, drug, notes = read_levels(levels, treatment.drug.id), treatment.drug, list[str]()
    faults = Faults(str(levels))
    weights: list[Entry] = []
    others: dict[str, int] = {}
    if doses is None:
        given = None
    elif "type" in (name.lower() for name in headings_of(doses)):
        given, weights = _of_record(read_record(doses), treatment, doses, others)
    else:
        given = _of_drug(read_doses(doses, drug.id), treatment, doses, others)
    if others:
        shown = ", ".join(f"{name} ({n})" for name, n in others.items())
        notes.append(f"Not known as drugs, and left out with their doses: {shown}.")
    rows = [row for row in found if _is_of(row, treatment, faults)]
    tests = tuple(test for test in TESTS if test in {row.test for row in rows})
    begins = _begins(found, given, faults)
    known_names = _Names({name: place for place, name in enumerate(names)}, {})
    who = [known_names.place(row.patient, row.line, faults) for row in rows]
    faults.raise_if_any(DataError)
    measured = _levels(rows, who, begins, treatment, tests, faults)
    if given is None:
        last = max([0.0, *measured.day.tolist()]) + 1e-6
        doses_given = labelled_doses(treatment, cohort, last)
        notes.append(
            f"No doses are told: {drug.id} is taken as given by the label from day 0 on "
            f"({treatment.regimen.title or treatment.regimen.name})."
        )
    else:
        doses_given = _doses(given, known_names, begins, treatment, doses or levels)
        notes += _unusual(doses_given, treatment, cohort)
    _check_times(rows, measured, doses_given, len(names), treatment, faults)
    faults.raise_if_any(DataError)
    known = _over_time(cohort, weights, begins)
    last_day = np.zeros(len(names))
    np.maximum.at(last_day, doses_given.patient, doses_given.day)
    return History(
        tuple(names), known, doses_given, measured, tests, last_day, begins, tuple(notes)
    )


def _is_of(row: LevelRow, treatment: Treatment, faults: Faults) -> bool:
    """Whether a row is of the drug at hand or a test; another drug or test is a fault."""
    if row.test in TESTS:
        return _is_possible(row, faults)
    name, _, analyte = row.test.partition(":")
    meaning = find_meaning(name)
    drug = treatment.drug
    analytes = [a.name for a in treatment.pk.structural.analytes[1:]]
    if meaning is None or drug.id not in meaning.drugs:
        faults.add(
            f"row {row.line}: test {row.test!r} is no level of {drug.id}; write {drug.id}, "
            + "".join(f"{drug.id}:{name}, " for name in analytes)
            + ", ".join(TESTS)
        )
        return False
    if analyte and analyte not in analytes:
        hint = did_you_mean(analyte, analytes) or f"; {treatment.pk.name} has none of it"
        faults.add(f"row {row.line}: unknown analyte {analyte!r}{hint}")
        return False
    return True


def _is_possible(row: LevelRow, faults: Faults) -> bool:
    """Whether a reading of blood or heart can be; why not is a fault."""
    unit, text = VARIABLES[row.test].unit, reading_fault(row.test, row.value)
    if row.unit != unit:
        faults.add(f"row {row.line}: {row.test} is in {unit!r}, not in {row.unit!r}")
    elif text:
        faults.add(f"row {row.line}: {text}")
    elif row.is_below:
        faults.add(f"row {row.line}: {row.test} has no limit of quantification; write a number")
    return row.unit == unit and not text and not row.is_below


def _begins(
    levels: Sequence[LevelRow], given: Sequence[DoseRow] | None, faults: Faults
) -> datetime.datetime | None:
    """The date of day 0: that of the first dose; None if the files count days."""
    dated = [row for row in levels if isinstance(row.when, datetime.datetime)]
    dates = [row.when for row in given or () if isinstance(row.when, datetime.datetime)]
    if dated and not dates:
        faults.add("has dates, but the doses have none; give days in both, or dates in both")
    if dates and len(dated) < len(levels):
        faults.add("has days, but the doses have dates; give days in both, or dates in both")
    return min(dates) if dates else None


def _day(when: When, begins: datetime.datetime | None) -> float:
    if isinstance(when, datetime.datetime):
        assert begins is not None
        return (when - begins).total_seconds() / SECONDS_PER_DAY
    return when


@dataclass(frozen=True, eq=False)
class _Names:
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


def _levels(
    rows: Sequence[LevelRow], who: Sequence[int], begins: datetime.datetime | None,
    treatment: Treatment, tests: Sequence[str], faults: Faults,
) -> Levels:  # fmt: skip
    """Levels in order of patient and day, in the units of the drug."""
    pk = treatment.pk
    names = [a.name for a in pk.structural.analytes]
    if tests and any(":" in row.test for row in rows):
        faults.add(
            f"levels of {', '.join(names[1:])} are not fitted together with {', '.join(tests)}"
        )
    kind, value = [], []
    for row in rows:
        if row.test in tests:
            kind.append(1 + tests.index(row.test))
            value.append(row.value)
            continue
        k = names.index(a) if (a := row.test.partition(":")[2]) else 0
        kind.append(k)
        unit = pk.concentration_units()[k]
        try:
            if pk.molar_mass is None or k:
                value.append(row.value * conversion_factor(row.unit, unit))
            else:
                mass = pk.molar_mass.to("g/mol")
                value.append(convert_molar(row.value, row.unit, unit, mass))
        except UnitError:
            faults.add(f"row {row.line}: unit {row.unit!r} is none of a level; use {unit}")
            value.append(np.nan)
    day = np.array([_day(row.when, begins) for row in rows], dtype=np.float64)
    patient = np.array(who, dtype=np.int64)
    order = np.lexsort((day, patient))
    return Levels(
        patient[order], day[order], np.array(kind, dtype=np.int64)[order],
        np.array(value, dtype=np.float64)[order],
        np.array([row.is_below for row in rows], dtype=bool)[order],
    )  # fmt: skip


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
                faults.add(
                    f"row {entry.row}: {part.drug.id} is another form than {drug.id}; its model is "
                    "another, and a switch between them is not fitted"
                )
            elif part.mg is not None:
                noon = datetime.datetime.combine(entry.date, datetime.time())
                route = entry.route or ""
                found.append(DoseRow(entry.row, entry.patient, noon, drug.id, part.mg, route, None))
    if not found and not faults.n_faults:
        faults.add(f"has no dose of {drug.id}")
    faults.raise_if_any(DataError)
    bodies = [e for e in entries if e.kind == "lab" and e.test in BODY]
    return found, bodies


def _doses(
    rows: Sequence[DoseRow], names: _Names, begins: datetime.datetime | None,
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
            faults.add(f"row {row.line}: {treatment.pk.name} has no route {ROUTES[route]!r}")
            continue
        lasts = row.duration_min
        if lasts is None:
            lasts = float(minutes) if ROUTES[route] == "iv" else 0.0
        for k in range(row.number):
            day = round(_day(row.when, begins) + k * row.every_day, 9)
            before = first.setdefault((who, day), row.line)
            if before != row.line:
                faults.add(
                    f"rows {before} and {row.line}: two doses of {row.drug} on day {day:g}; keep "
                    "one, or add them up"
                )
                break
            columns.append((who, day, row.mg, lasts, route))
    faults.raise_if_any(DataError)
    patient, day_, mg, lasts_, route_ = (np.array(c) for c in zip(*columns, strict=True))
    order = np.lexsort((day_, patient))
    ones = np.ones(order.size, dtype=np.int64)
    return Doses(
        patient[order].astype(np.int64), day_[order].astype(float), mg[order].astype(float),
        lasts_[order].astype(float), route_[order].astype(np.int64), ones, np.zeros(order.size),
    )  # fmt: skip


def _unusual(doses: Doses, treatment: Treatment, cohort: Cohort) -> list[str]:
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


def _check_times(
    rows: Sequence[LevelRow], levels: Levels, doses: Doses, n: int, treatment: Treatment,
    faults: Faults,
) -> None:  # fmt: skip
    """Levels before the first dose, or twice at one time, are faults."""
    first = np.full(n, np.inf)
    np.minimum.at(first, doses.patient, doses.day)
    is_level = levels.kind == 0
    early = is_level & (levels.day < first[levels.patient])
    for day in np.unique(levels.day[early]):
        faults.add(
            f"a level on day {day:g} is before the first dose of {treatment.drug.id}, where the "
            "model has none; leave it out, or tell the doses before it"
        )
    told = list(zip(levels.patient, levels.day, levels.kind, strict=True))
    twice = {key for key in told if told.count(key) > 1} if len(told) < 2000 else set()
    for _, day, _ in sorted(twice):
        faults.add(f"two measurements of one kind on day {day:g}; keep one, or give their times")


def _over_time(
    cohort: Cohort, weights: Sequence[Entry], begins: datetime.datetime | None
) -> KnownOverTime:
    """The patients with the weights and heights of a record, each from its day on."""
    always = KnownOverTime.always(cohort)
    if not weights or begins is None or cohort.n_patients != 1:
        return always
    stretches = [(-np.inf, dict(cohort.covariates))]
    for entry in sorted(weights, key=lambda e: e.day):
        day = float(entry.day - begins.toordinal())
        values = dict(stretches[-1][1]) | {BODY[entry.test or ""]: np.array([entry.value])}
        for name in ("bsa_m2", "lean_body_weight_kg", "bmi_kg_per_m2"):
            values.pop(name, None)
        values = with_derived(values)
        if day <= 0:
            stretches[0] = (-np.inf, values)
        else:
            stretches.append((day, values))
    joined = {
        name: np.concatenate([values[name] for _, values in stretches])
        for name in stretches[0][1]
        if all(name in values for _, values in stretches)
    }
    many = replace(
        cohort, covariates=joined, numbers=np.repeat(cohort.numbers, len(stretches))
    )  # fmt: skip
    days = np.array([day for day, _ in stretches])
    return KnownOverTime(many, np.zeros(days.size, dtype=np.int64), days)
