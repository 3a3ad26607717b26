"""What files tell of patients, brought together: who, what was given, what was measured, when."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from her2sim.drug_names import find_meaning
from her2sim.drugs.drug import Drug, load_drug
from her2sim.errors import DataError, Faults, UnitError, did_you_mean
from her2sim.formats.csv_table import headings_of
from her2sim.formats.levels_csv import DoseRow, LevelRow, When, read_doses, read_levels
from her2sim.formats.record_csv import BODY, read_record
from her2sim.individuals.of_drug import TESTS, KnownOverTime, Levels, labelled_doses
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import with_derived
from her2sim.pk.needs import require_characteristics
from her2sim.pk.treatment import Treatment
from her2sim.protocol.given import given_doses
from her2sim.protocol.record import Entry
from her2sim.protocol.variables import VARIABLES, reading_fault
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES
from her2sim.regimens.dose_rows import Doses
from her2sim.units import conversion_factor, convert_molar

SECONDS_PER_DAY = 86_400
MIDNIGHT = datetime.time()
"""The time of a date alone."""
SAME_AS_PER_NL = ("10^9/l", "10*9/l", "1e9/l", "x10^9/l", "x10e9/l", "g/l", "10^3/ul", "/nl")
"""Other spellings of a unit of counts."""
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
    offset_day: tuple[float, ...] = ()

    def shown_day(self, day: float, patient: int = 0) -> float:
        """A day as the file counts it: an event table may begin after a long past."""
        return day + (self.offset_day[patient] if self.offset_day else 0.0)


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
        notes += _other_interval(doses_given, treatment)
    _check_times(measured, doses_given, names, tests, treatment, faults)
    faults.raise_if_any(DataError)
    known = _over_time(cohort, weights, begins, known_names)
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
            + ("" if meaning is None else "; fit each drug by itself")
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
    is_named = row.unit == unit or (unit == "1/nL" and row.unit.lower() in SAME_AS_PER_NL)
    if not is_named:
        faults.add(f"row {row.line}: {row.test} is in {unit!r}, not in {row.unit!r}")
    elif text:
        faults.add(f"row {row.line}: {text}")
    elif row.is_below:
        faults.add(f"row {row.line}: {row.test} has no limit of quantification; write a number")
    return is_named and not text and not row.is_below


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
    untimed = {when.date() for when in dates if when.time() == MIDNIGHT}
    for row in dated:
        when = row.when
        if not isinstance(when, datetime.datetime) or when.time() == MIDNIGHT:
            continue
        if when.date() in untimed:
            faults.add(
                f"row {row.line}: a level at {when:%H:%M} on the day of a dose whose time is not "
                "told; give the time of that dose too, or the date alone for a level before it"
            )
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
            faults.add(
                f"row {row.line}: unit {row.unit!r} is none of a level of {treatment.drug.id}; use "
                f"{unit}"
            )
            value.append(np.nan)
    day = np.array([_day(row.when, begins) for row in rows], dtype=np.float64)
    patient = np.array(who, dtype=np.int64)
    order = np.lexsort((day, patient))
    return Levels(
        patient[order], day[order], np.array(kind, dtype=np.int64)[order],
        np.array(value, dtype=np.float64)[order],
        np.array([row.is_below for row in rows], dtype=bool)[order],
    )  # fmt: skip


OTHER_FORM = "{} is another form than {}; its model is another, and a switch is not fitted"


def _is_form_of(other: str, drug: Drug) -> bool:
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
        elif any(_is_form_of(other, drug) for other in meaning.drugs if other != drug.id):
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
            faults.add(
                f"row {row.line}: {treatment.pk.name} has no route {ROUTES[route]!r} but "
                f"{', '.join(known)}; leave the route out, or name the drug of that form"
            )
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


def _other_interval(doses: Doses, treatment: Treatment) -> list[str]:
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


def _check_times(
    levels: Levels, doses: Doses, names: Sequence[str], tests: Sequence[str], treatment: Treatment,
    faults: Faults,
) -> None:  # fmt: skip
    """Levels until the first dose, or twice at one time, are faults."""
    first = np.full(len(names), np.inf)
    np.minimum.at(first, doses.patient, doses.day)
    is_level = levels.kind == 0 if tests else np.ones(levels.kind.shape, dtype=bool)

    def who(patient: int) -> str:
        return f" of patient {names[patient]}" if names[patient] else ""

    for k in np.flatnonzero(is_level & (levels.day <= first[levels.patient])):
        faults.add(
            f"a level{who(levels.patient[k])} on day {levels.day[k]:g} is not after the first dose "
            f"of {treatment.drug.id}, where the model has none; leave it out, or tell the doses "
            "before it"
        )
    told = np.stack([levels.patient.astype(float), levels.day, levels.kind.astype(float)])
    found, times = np.unique(told, axis=1, return_counts=True)
    for patient, day, _ in found[:, times > 1].T:
        faults.add(
            f"two measurements of one kind{who(int(patient))} on day {day:g}; keep one, or give "
            "their times"
        )


def _over_time(
    cohort: Cohort, weights: Sequence[Entry], begins: datetime.datetime | None, names: _Names
) -> KnownOverTime:
    """The patients with the weights and heights of a record, each from its day on."""
    if not weights or begins is None:
        return KnownOverTime.always(cohort)
    told: dict[int, list[Entry]] = {}
    for entry in sorted(weights, key=lambda e: e.day):
        place = 0 if cohort.n_patients == 1 else names.places.get(entry.patient, -1)
        told.setdefault(place, []).append(entry)
    stretches: list[tuple[int, float, dict[str, Any]]] = []
    for place in range(cohort.n_patients):
        values = {name: column[place : place + 1] for name, column in cohort.covariates.items()}
        own = [(place, -np.inf, values)]
        for entry in told.get(place, ()):
            day = float(entry.day - begins.toordinal())
            values = dict(values) | {BODY[entry.test or ""]: np.array([entry.value])}
            for name in ("bsa_m2", "lean_body_weight_kg"):
                values.pop(name, None)
            values = with_derived(values)
            if day <= 0:
                own[0] = (place, -np.inf, values)
            else:
                own.append((place, day, values))
        stretches += own
    columns = {
        name: np.concatenate([values[name] for _, _, values in stretches])
        for name in cohort.covariates
        if all(name in values for _, _, values in stretches)
    }
    places = np.array([place for place, _, _ in stretches], dtype=np.int64)
    many = replace(cohort, covariates=columns, numbers=cohort.numbers[places])
    return KnownOverTime(many, places, np.array([day for _, day, _ in stretches]))
