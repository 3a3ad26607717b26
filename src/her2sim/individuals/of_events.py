"""Patients of an event table: its records become doses, levels and what is known over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array, Mask
from her2sim.drugs.pk import PkModel
from her2sim.errors import DataError, Faults
from her2sim.individuals.history import History
from her2sim.individuals.of_drug import KnownOverTime, Levels
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import with_derived
from her2sim.pk.dataset_run import DoseChanges, past_of
from her2sim.regimens.dose import MINUTES_PER_DAY, ROUTES
from her2sim.regimens.dose_rows import Doses
from her2sim.regimens.event_table import MS_PER_DAY, RESET, RESET_AND_DOSE, EventTable
from her2sim.regimens.unroll import Carry, DosingModel, unroll


def history_of_events(
    table: EventTable,
    name: str,
    pk: PkModel,
    characteristics: Mapping[str, NDArray[Any]],
    typical: Mapping[str, Array],
    observed: Array,
    is_below: Mask,
    carry: Carry = "nocb",
) -> History:
    """Patients, doses and levels of an event table.

    Parameters
    ----------
    table : checked records; each subject begins at its first dose, the past of a steady state too
    name : of the table
    pk : model of the drug
    characteristics, typical : characteristics and typical parameters at each record
    observed : a level at each record, NaN where there is none
    is_below : whether that is a limit below which nothing could be told
    carry : whether the next record's values hold backwards, or the last one's on

    Raises
    ------
    DataError
        If a record asks for what is not fitted (resets, SS 2).
    """
    _require_plain(table, name)
    compartments, n = pk.structural.compartments, table.n_records
    changes = DoseChanges.none(n)
    values = np.array([typical[p] for p in pk.structural.model.parameters])
    past = past_of(table, pk.structural, values)
    dosing = DosingModel(
        tuple(range(len(compartments))), compartments, changes.lag_ms, changes.bioavailability,
        changes.modelled_rate, changes.modelled_duration_ms, np.zeros((0, n)), past,
    )  # fmt: skip
    unrolled = unroll(table, dosing, carry)
    first = table.first_records()
    labels = [str(label) for label in table.label[first]]
    place = {label: k for k, label in enumerate(labels)}
    patient = np.array([place[d.subject] for d in unrolled.doses], dtype=np.int64)
    start = np.array([d.start_day for d in unrolled.doses], dtype=np.float64)
    begins = np.full(len(labels), np.inf)
    np.minimum.at(begins, patient, start)
    routes = {compartment: route for route, compartment in pk.structural.dosed.items()}
    route = [ROUTES.index(routes[d.compartment]) for d in unrolled.doses]
    lasts = np.array([d.end_day - d.start_day for d in unrolled.doses]) * MINUTES_PER_DAY
    order = np.lexsort((start, patient))
    doses = Doses(
        patient[order], (start - begins[patient])[order],
        np.array([d.amount_mg for d in unrolled.doses])[order], lasts[order],
        np.array(route, dtype=np.int64)[order], np.ones(order.size, dtype=np.int64),
        np.zeros(order.size),
    )  # fmt: skip
    record = unrolled.reading_of[:, 0]
    record = record[np.isfinite(observed[record])]
    subject = table.subject[record]
    day = table.time_ms[record] / MS_PER_DAY - begins[subject]
    faults = Faults(name)
    for k in np.flatnonzero(day <= 0):
        faults.add(
            f"row {table.line[record[k]]} (ID {table.label[record[k]]}): a level not after the "
            "first dose, where the model has none; leave it out (MDV 1)"
        )
    faults.raise_if_any(DataError)
    turn = np.lexsort((day, subject))
    levels = Levels(
        subject[turn], day[turn], np.zeros(turn.size, dtype=np.int64), observed[record][turn],
        is_below[record][turn],
    )  # fmt: skip
    last = np.zeros(len(labels))
    np.maximum.at(last, doses.patient, doses.day)
    known = _over_time(table, name, characteristics, begins, carry)
    offset = tuple(float(day) for day in begins)
    return History(tuple(labels), known, doses, levels, (), last, None, (), offset)


def _require_plain(table: EventTable, name: str) -> None:
    """Refuse records that a fit does not know."""
    faults = Faults(name)
    for mask, text in (
        (np.isin(table.evid, (RESET, RESET_AND_DOSE)), "EVID 3 and 4 (resets) are not fitted; give "
         "what comes after a reset as a subject of its own"),
        (table.steady_state == 2, "SS 2 is not fitted; write the doses out"),
        (table.rate < 0, "RATE -1 and -2 are not fitted; give the rate or the duration"),
    ):  # fmt: skip
        rows = np.flatnonzero(mask)
        faults.add_many((f"row {table.line[r]}: {text}" for r in rows[:1]), rows.size)
    faults.raise_if_any(DataError)


def _over_time(
    table: EventTable, name: str, characteristics: Mapping[str, NDArray[Any]], begins: Array,
    carry: Carry,
) -> KnownOverTime:  # fmt: skip
    """A stretch of time for each record at which something of its subject changes."""
    values = with_derived(characteristics)
    is_first = np.zeros(table.n_records, dtype=bool)
    is_first[table.first_records()] = True
    changed = is_first.copy()
    for column in values.values():
        changed[1:] |= column[1:] != column[:-1]
    rows = np.flatnonzero(changed)
    day = table.time_ms / MS_PER_DAY - begins[table.subject]
    before = np.concatenate([day[:1], day[:-1]])
    from_day = np.where(is_first, -np.inf, before if carry == "nocb" else day)[rows]
    numbers = table.subject[rows] + 1
    cohort = Cohort(name, numbers, {n: v[rows] for n, v in values.items()}, seed=0)
    return KnownOverTime(cohort, table.subject[rows], from_day)
