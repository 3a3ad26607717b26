"""Visual predictive check: observed percentiles beside those of simulated studies.

Source
------
Holford 2005 (visual predictive check); Bergstrand 2011 (correction by the prediction).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from her2sim.arrays import Array, Mask, Positions, Progress, no_progress
from her2sim.errors import DataError
from her2sim.notice import NOTICE
from her2sim.pk.dataset_run import DatasetPrediction, simulate_drug, simulate_replicates
from her2sim.regimens.event_table import MS_PER_DAY
from her2sim.regimens.unroll import Carry
from her2sim.studies.dataset import DrugEvents, events_of_drug, numbers_of
from her2sim.units import conversion_factor

if TYPE_CHECKING:
    import polars as pl

Against = Literal["time", "after-dose"]
PERCENTILES = (5.0, 50.0, 95.0)
BAND = (2.5, 97.5)
"""Percentiles over the simulated studies between which an observed percentile should lie."""
MOST_BINS, FEWEST_IN_BIN = 12, 8
FAR = 100.0
"""How far the observed median may be off before the unit is asked for."""
FEWEST_REPLICATES = 20


@dataclass(frozen=True)
class VpcRow:
    """A percentile of one bin: observed, and over the simulated studies.

    ``observed`` is None where nothing was observed; ``is_inside`` says whether it lies in the 95 %
    band from ``low`` to ``high``.
    """

    bin: int
    time: float
    n: int
    percentile: float
    observed: float | None
    simulated: float
    low: float
    high: float

    @property
    def is_inside(self) -> bool | None:
        """Whether the observed percentile lies in the band; None without one, or of too few."""
        if self.observed is None or self.n < FEWEST_IN_BIN:
            return None
        return self.low <= self.observed <= self.high


@dataclass(frozen=True, eq=False)
class VpcReport:
    """A visual predictive check; ``time`` and ``observed`` have the shape of the records (n,)."""

    path: Path
    drug: str
    model: str
    analyte: str
    unit: str
    time_unit: str
    against: Against
    is_corrected: bool
    replicates: int
    seed: int
    rows: tuple[VpcRow, ...]
    time: Array
    observed: Array
    records: Mapping[str, Any]
    simulated: Array
    notes: tuple[str, ...]

    def simulations(self) -> pl.DataFrame:
        """All simulated observations: one row a replicate and record."""
        import polars as pl

        n = self.time.size
        repeated = {name: np.tile(values, self.replicates) for name, values in self.records.items()}
        return pl.DataFrame(
            {
                "REP": np.repeat(np.arange(1, self.replicates + 1), n),
                **repeated,
                "SIM": self.simulated.ravel(),
                "UNIT": np.full(n * self.replicates, self.unit),
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        names = ("drug", "model", "analyte", "unit", "time_unit", "against", "replicates", "seed")
        return {
            **{name: getattr(self, name) for name in names},
            "prediction_corrected": self.is_corrected,
            "percentiles": [{**vars(row), "inside": row.is_inside} for row in self.rows],
            "notes": list(self.notes),
            "notice": NOTICE,
        }


def vpc_report(
    path: Path,
    drug: str,
    replicates: int,
    seed: int,
    *,
    constants: Sequence[str] = (),
    ignore: Sequence[str] = (),
    time_unit: str = "h",
    carry: Carry = "nocb",
    against: Against = "time",
    is_corrected: bool = False,
    progress: Progress = no_progress,
) -> VpcReport:
    """Simulate the study of an event table again and again, and lay what was observed over it.

    Parameters
    ----------
    path : event table (CSV) with observations in DV, in the unit of the drug's interfaces
    drug : drug or ``DRUG:MODEL``
    replicates, seed : simulated studies
    constants, ignore, time_unit, carry : see :func:`her2sim.simulate`
    against : ``time``, or the time since the last dose
    is_corrected : whether values are corrected by the population prediction of their bin

    Raises
    ------
    DataError
        With all faults of the table; or if it has no observation record.
    """
    read = events_of_drug(path, drug, constants, ignore, time_unit)
    table = read.table
    course = simulate_drug(table, read.drug, read.pk, read.characteristics, seed, False, carry)
    if not course.record.size:
        raise DataError(f"{path}: has no observation record (EVID 0), so nothing is checked")
    general, simulated = simulate_replicates(
        table, read.pk, read.characteristics, seed, replicates, carry, progress
    )
    time, observed, used, told = _observations(
        read, course, general, simulated, time_unit, against, is_corrected
    )
    if not used.any():
        raise DataError(f"{path}: no observation is left to be checked")
    notes = [*read.notes, *course.notes, *told]
    bins = time_bins(time[used])
    if np.bincount(bins).min() < FEWEST_IN_BIN:
        notes.append(
            f"Bins with fewer than {FEWEST_IN_BIN} observations are not judged: their 5th and 95th "
            "percentile are next to single values."
        )
    rows = _rows(time[used], observed[used], simulated[:, used], general[used], bins, is_corrected)
    records = {"ID": table.label[course.record], "TIME": table.time_text[course.record]}
    return VpcReport(
        path, read.drug.id, read.pk.name, course.analyte, course.unit, time_unit, against,
        is_corrected, replicates, seed, tuple(rows), time[used],
        _corrected(observed[used], general[used], bins) if is_corrected else observed[used],
        {**records, "PRED": general, "DV": observed}, simulated, tuple(notes),
    )  # fmt: skip


def _observations(
    read: DrugEvents,
    course: DatasetPrediction,
    general: Array,
    simulated: Array,
    time_unit: str,
    against: Against,
    is_corrected: bool,
) -> tuple[Array, Array, Mask, list[str]]:
    """Time and value of each observation record, which of them count, and what must be told."""
    table, notes = read.table, list[str]()
    observed = numbers_of(table.dv[course.record])
    day = table.time_ms[course.record] / MS_PER_DAY
    if against == "after-dose":
        day = day - _last_dose(day, table.label[course.record], course.doses)
    used = np.ones(day.size, dtype=bool)

    def leave_out(which: Any, why: str) -> None:
        if n := int((used & which).sum()):
            notes.append(f"{n} of {day.size} observation records are left out: {why}.")
        used[which] = False

    central = read.pk.structural.compartments.index("central") + 1
    if table.told_compartment is not None:
        elsewhere = ~np.isin(table.told_compartment[course.record], (0, 1, central))
        leave_out(elsewhere, f"their CMT is another one than that of {course.analyte}")
    if table.missing_dv is not None:
        leave_out(table.missing_dv[course.record] == 1, "MDV is 1")
    has_data = bool(np.isfinite(observed[used]).any())
    if has_data:
        leave_out(~np.isfinite(observed), "DV has no number")
    else:
        notes.append("No observation has a number in DV: the bands stand alone.")
    leave_out(np.isnan(day), "they come before the first dose")
    if is_corrected:
        leave_out(general <= 0, "a prediction of zero cannot correct them")
    if has_data and used.any():
        notes += _odd(observed[used], simulated[:, used])
    return day * conversion_factor("day", time_unit), observed, used, notes


def _odd(observed: Array, simulated: Array) -> Iterator[str]:
    """What of the observations cannot be, or is probably meant otherwise."""
    if n := int((observed < 0).sum()):
        yield f"{n} observations are negative: a concentration cannot be."
    if n := int((observed == 0).sum()):
        yield (
            f"{n} observations are zero: below the limit of quantification, perhaps; mark them "
            "with MDV 1, as simulated ones have no such limit."
        )
    middle, ours = np.median(observed), np.median(simulated)
    if ours > 0 and not 1 / FAR < middle / ours < FAR:
        yield (
            f"The observed median is {middle / ours:.3g} times the simulated one: check the unit."
        )


def _last_dose(day: Array, label: Any, doses: Sequence[Any]) -> Array:
    """Day of the last dose before each observation of a subject; NaN before the first."""
    starts: dict[str, list[float]] = {}
    for dose in doses:
        starts.setdefault(dose.subject, []).append(dose.start_day)
    ordered = {subject: np.sort(found) for subject, found in starts.items()}
    found = np.full(day.size, np.nan)
    for k, (at, subject) in enumerate(zip(day, label, strict=True)):
        own = ordered.get(str(subject), np.empty(0))
        place = np.searchsorted(own, at, side="right")
        if place:
            found[k] = own[place - 1]
    return found


def time_bins(time: Array) -> Positions:
    """Bin of each observation: each planned time, or about as many in each where there are many.

    Observations of one time always share a bin.
    """
    times, counts = np.unique(np.round(time, 9), return_counts=True)
    n_bins = min(MOST_BINS, max(1, time.size // FEWEST_IN_BIN))
    if times.size <= MOST_BINS:
        of_time = np.arange(times.size)
    else:
        middle = np.cumsum(counts) - counts / 2
        of_time = np.floor(middle / time.size * n_bins).astype(np.int64)
        of_time = np.unique(of_time, return_inverse=True)[1]
    found: Positions = of_time[np.searchsorted(times, np.round(time, 9))]
    return found


def _corrected(values: Array, predicted: Array, bins: Positions) -> Array:
    """Values corrected by the prediction: y x median prediction of the bin / own prediction."""
    found = np.array(values, dtype=np.float64)
    for k in np.unique(bins):
        inside = bins == k
        own = predicted[inside]
        factor = np.divide(np.median(own), own, out=np.ones_like(own), where=own > 0)
        found[..., inside] = values[..., inside] * factor
    return found


def _rows(
    time: Array,
    observed: Array,
    simulated: Array,
    predicted: Array,
    bins: Positions,
    is_corrected: bool,
) -> list[VpcRow]:
    if is_corrected:
        observed = _corrected(observed, predicted, bins)
        simulated = _corrected(simulated, predicted, bins)
    found = []
    for k in np.unique(bins):
        inside = bins == k
        own = observed[inside]
        each = np.percentile(simulated[:, inside], PERCENTILES, axis=1)
        seen = np.percentile(own, PERCENTILES) if np.isfinite(own).all() else None
        for number, percentile in enumerate(PERCENTILES):
            low, high = np.percentile(each[number], BAND)
            found.append(
                VpcRow(
                    int(k) + 1, float(np.median(time[inside])), int(inside.sum()), percentile,
                    None if seen is None else float(seen[number]), float(np.median(each[number])),
                    float(low), float(high),
                )
            )  # fmt: skip
    return found
