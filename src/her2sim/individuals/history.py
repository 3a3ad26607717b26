"""What files tell of patients, brought together: who, what was given, what was measured, when."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from her2sim.drug_names import find_meaning
from her2sim.errors import DataError, Faults, UnitError, did_you_mean
from her2sim.formats.levels_csv import DoseRow, LevelRow, read_levels
from her2sim.formats.record_csv import BODY
from her2sim.individuals.of_drug import TESTS, KnownOverTime, Levels, labelled_doses
from her2sim.individuals.told_doses import (
    PatientNames,
    day_of,
    doses_of,
    other_interval,
    read_told_doses,
    unusual_doses,
)
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import with_derived
from her2sim.pk.treatment import Treatment
from her2sim.protocol.record import Entry
from her2sim.protocol.variables import VARIABLES, reading_fault
from her2sim.regimens.dose_rows import Doses
from her2sim.units import conversion_factor, convert_molar

MIDNIGHT = datetime.time()
"""The time of a date alone."""
SAME_AS_PER_NL = ("10^9/l", "10*9/l", "1e9/l", "x10^9/l", "x10e9/l", "g/l", "10^3/ul", "/nl")
"""Other spellings of a unit of counts."""


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
    cohort : the patients, with what the model needs
    names : how the files call them; a file without a column ``patient`` is of the only one
    doses : CSV file of doses, or a treatment record; without it they are those of the label

    Raises
    ------
    DataError
        With every fault of the files.
    """
    found, drug, notes = read_levels(levels, treatment.drug.id), treatment.drug, list[str]()
    faults = Faults(str(levels))
    told = None if doses is None else read_told_doses(doses, treatment)
    given = None if told is None else told.rows
    notes += () if told is None else told.notes
    rows = [row for row in found if _is_of(row, treatment, faults)]
    tests = tuple(test for test in TESTS if test in {row.test for row in rows})
    begins = _begins(found, given, faults)
    known_names = PatientNames({name: place for place, name in enumerate(names)}, {})
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
        doses_given = doses_of(given, known_names, begins, treatment, doses or levels)
        notes += unusual_doses(doses_given, treatment, cohort)
        notes += other_interval(doses_given, treatment)
    _check_times(measured, doses_given, names, tests, treatment, faults)
    faults.raise_if_any(DataError)
    known = _over_time(cohort, () if told is None else told.bodies, begins, known_names)
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
    day = np.array([day_of(row.when, begins) for row in rows], dtype=np.float64)
    patient = np.array(who, dtype=np.int64)
    order = np.lexsort((day, patient))
    return Levels(
        patient[order], day[order], np.array(kind, dtype=np.int64)[order],
        np.array(value, dtype=np.float64)[order],
        np.array([row.is_below for row in rows], dtype=bool)[order],
    )  # fmt: skip


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
    cohort: Cohort, weights: Sequence[Entry], begins: datetime.datetime | None, names: PatientNames
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
