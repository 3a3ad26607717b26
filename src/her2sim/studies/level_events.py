"""Event tables whose observations are levels to be fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from her2sim.errors import DataError, Faults
from her2sim.individuals.history import History
from her2sim.individuals.of_events import history_of_events
from her2sim.pk.dataset_run import typical_of_records
from her2sim.pk.treatment import Treatment
from her2sim.regimens.unroll import Carry
from her2sim.studies.dataset import events_of_drug, observed_levels

LIMITS = ("CENS", "BLQ")
"""Columns that say 1 where DV is the limit of quantification, below which the level lies."""


def levels_of_events(
    path: Path,
    treatment: Treatment,
    constants: Sequence[str],
    ignore: Sequence[str],
    time_unit: str,
    carry: Carry,
) -> History:
    """Patients, doses and levels of an event table whose DV is a level of the drug.

    A column CENS (or BLQ) says 1 where DV is the limit of quantification. ``treatment`` brings
    drug and model; see :func:`events_of_drug`.

    Raises
    ------
    DataError
        With all faults of the table, or if a characteristic that the model needs is missing.
    """
    pk = treatment.pk
    read = events_of_drug(path, pk.name, constants, ignore, time_unit, LIMITS)
    table = read.table
    typical, _ = typical_of_records(table, pk, read.characteristics, is_typical=False)
    observed, limits = observed_levels(table), [n for n in LIMITS if n in table.columns]
    is_below = np.zeros(table.n_records, dtype=bool)
    faults = Faults(str(path))
    for name in limits:
        is_below |= table.columns[name] == 1
        for row in np.flatnonzero(~np.isin(table.columns[name], (0, 1)))[:20]:
            faults.add(f"row {table.line[row]}: {name} {table.columns[name][row]:g}: use 0 or 1")
    for row in np.flatnonzero(np.isfinite(observed) & ~(observed > 0))[:20]:
        faults.add(
            f"row {table.line[row]} (ID {table.label[row]}): DV {table.dv[row]} is no level; leave "
            "it out (MDV 1), or give the limit of quantification with CENS 1"
        )
    faults.raise_if_any(DataError)
    found = history_of_events(
        table, path.name, pk, read.characteristics, typical, observed, is_below, carry
    )
    unit = f"DV is taken as {treatment.drug.analyte} in {pk.concentration_unit}"
    return replace(found, notes=(*read.notes, f"{unit}, TIME in {time_unit}."))
