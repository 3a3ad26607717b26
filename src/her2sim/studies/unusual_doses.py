"""Amounts of an event table that are far from every labelled dose of the drug it is run with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.drugs.drug import Drug, LabelledDose
from her2sim.drugs.pk import PkModel, reference_covariates
from her2sim.errors import UnknownNameError
from her2sim.patients.covariates import with_derived
from her2sim.regimens.dose import mg_of
from her2sim.regimens.event_table import EventTable

FAR = 3.0
"""An amount is far if it is this many times off: studies of doses go to about a half and twice."""
USUAL = {"weight_kg": 70.0, "bsa_m2": 1.8}
"""Taken where neither the table nor the model's reference patient tells it."""
SHOWN = 5
"""Rows that are named; of more it is said how many."""


def unusual_doses(
    drug: Drug, pk: PkModel, table: EventTable, characteristics: Mapping[str, NDArray[Any]]
) -> Iterator[str]:
    """A note if doses are far from every labelled dose of a drug; none otherwise.

    Parameters
    ----------
    drug, pk : the drug and its model
    table : records
    characteristics : by name, one entry a record
    """
    known = with_derived(characteristics)
    doses = [
        dose for row in drug.regimen.values() for dose in (row.loading, row.maintenance) if dose
    ]
    labelled = np.stack(
        [
            np.broadcast_to(mg_of(dose.amount, dose.unit, _body(known, pk)), table.n_records)
            for dose in doses
        ]
    )
    low, high = labelled.min(axis=0), labelled.max(axis=0)
    is_dose = table.amount > 0
    for mask, where in (
        (is_dose & (table.amount * FAR < low), "below"),
        (is_dose & (table.amount > FAR * high), "above"),
    ):
        rows = np.flatnonzero(mask)
        if rows.size:
            yield _note(drug, doses, table, rows, where, low[rows[0]], high[rows[0]])


def _body(known: Mapping[str, Array], pk: PkModel) -> Any:
    """Weight or surface of each record: of the table, else of a reference patient."""

    def read(name: str) -> Any:
        if name in known:
            return known[name]
        try:
            return reference_covariates(pk)(name)
        except (KeyError, UnknownNameError):
            return USUAL[name]

    return read


def _note(
    drug: Drug,
    doses: list[LabelledDose],
    table: EventTable,
    rows: NDArray[np.intp],
    where: str,
    low: float,
    high: float,
) -> str:
    names = ", ".join(str(table.line[row]) for row in rows[:SHOWN])
    more = f" and {rows.size - SHOWN} more" if rows.size > SHOWN else ""
    units = sorted({dose.unit for dose in doses})
    told = "; ".join(
        f"{min(d.amount for d in doses if d.unit == unit):g} to "
        f"{max(d.amount for d in doses if d.unit == unit):g} {unit}"
        for unit in units
    )
    return (
        f"row{'' if rows.size == 1 else 's'} {names}{more}: {table.amount[rows[0]]:g} mg is far "
        f"{where} every labelled dose of {drug.id} ({told}, which is {low:.3g} to {high:.3g} mg "
        "here); is AMT in mg?"
    )
