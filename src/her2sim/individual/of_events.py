"""Subjects of an event table: records become schedule rows, and observations measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.engine.sensitivities import only
from her2sim.individual.map_estimates import Measurements
from her2sim.individual.residual_error import ResidualError, Scatter
from her2sim.individual.subjects import RandomEffect, Readings, Subjects
from her2sim.models.structures import Structure
from her2sim.pk.dataset_run import DoseChanges, past_of
from her2sim.regimens.event_table import EventTable
from her2sim.regimens.unroll import Carry, DosingModel, unroll


def subjects_of_events(
    table: EventTable,
    structure: Structure,
    typical: Mapping[str, Array],
    effects: Sequence[RandomEffect],
    error: ResidualError,
    factor: float,
    observed: Array,
    is_below: Mask,
    *,
    absorbed: Mapping[str, Array] | None = None,
    changes: DoseChanges | None = None,
    carry: Carry = "nocb",
) -> tuple[Subjects, Measurements]:
    """Subjects of an event table, and what was measured of them.

    Parameters
    ----------
    table : checked records
    structure : structural model; its first concentration is observed
    typical : parameters without random effects at each record, in internal units
    effects : random effects
    error : residual error, in the unit of the observations
    factor : what a concentration in mg/L is multiplied with to be in that unit
    observed : one entry a record, NaN where nothing was observed
    is_below : whether ``observed`` is a limit below which nothing could be told
    absorbed : typical share of doses that enters a state, at each record
    changes : lag of doses; bioavailability belongs into ``absorbed``
    """
    model = only(structure.model, ("conc",))
    values = np.stack([typical[name] for name in model.parameters])
    changes = changes or DoseChanges.none(table.n_records)
    dosing = DosingModel(
        tuple(model.index("states", c) for c in structure.compartments), structure.compartments,
        changes.lag_ms, changes.bioavailability, changes.modelled_rate,
        changes.modelled_duration_ms, values, past_of(table, structure, values),
    )  # fmt: skip
    unrolled, first = unroll(table, dosing, carry), table.first_records()
    record, subject, reading = unrolled.reading_of.T
    told = np.isfinite(observed[record])
    record, subject, reading = record[told], subject[told], reading[told]
    kind = np.zeros(record.size, dtype=np.int64)
    subjects = Subjects(
        model, ("conc",), tuple(effects), values[:, first], unrolled.schedule,
        Readings(subject, reading, kind, np.full(kind.size, factor)),
        {state: share[first] for state, share in (absorbed or {}).items()},
    )  # fmt: skip
    scatter = Scatter.of([error], kind)
    measured = Measurements(
        subject, observed[record], is_below[record], table.n_subjects, scatter
    )  # fmt: skip
    return subjects, measured
