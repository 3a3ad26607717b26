"""What became of each patient: outcomes by kind, one number a patient each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from her2sim.arrays import Array
from her2sim.drug_names import drug_names
from her2sim.drugs.toxicity import LINES, Line
from her2sim.virtual_patient.heart_tests import FALLS
from her2sim.virtual_patient.treat import PROGRESSION, Treated
from her2sim.virtual_patient.tumour_scans import Scans

if TYPE_CHECKING:
    import polars as pl

Column = Callable[[str], NDArray[Any]]
SCANNED = (
    "best", "response_day", "confirmed_day", "complete_day", "complete_confirmed_day",
    "progressed_day", "scanned_day", "by_target",
)  # fmt: skip
"""Outcomes that scans tell."""
CONFIRMED_FALL = "lvef_drop_confirmed"


@dataclass(frozen=True, eq=False)
class DrugOutcome:
    """What became of a drug in each patient; all of shape (n,).

    ``dose_intensity`` is relative to the plan, ``given_mg`` the total, ``hold_day`` days on hold,
    ``n_reductions`` steps down, ``is_stopped`` 1 where an adverse event stopped it.
    """

    dose_intensity: Array
    given_mg: Array
    hold_day: Array
    n_reductions: Array
    is_stopped: Array


_OF_DRUG = {
    "dose_intensity": "intensity", "given_mg": "given_mg", "hold_day": "hold",
    "n_reductions": "reductions", "is_stopped": "stopped",
}  # fmt: skip
"""Kinds of columns that hold the outcomes of a drug."""


class PatientOutcomes:
    """Outcomes of patients; days are infinite where nothing came. Nothing changes them.

    They stand in memory or in a stored table: a column is read when it is asked for. What scans
    tell (``best``, ``response_day``, ``progressed_day`` ...) is NaN for patients without a lesion
    model, the first LVEF for those whose LVEF was never measured.
    """

    def __init__(self, column: Column, names: Iterable[str]) -> None:
        self._column, self._names = column, frozenset(names)

    def _has(self, kind: str, of: str) -> bool:
        return _name(kind, of) in self._names

    def _of(self, kind: str, of: str) -> Array | None:
        return self._numbers(_name(kind, of)) if self._has(kind, of) else None

    def _numbers(self, name: str) -> Array:
        return np.asarray(self._column(name), dtype=np.float64)

    def scanned(self, name: str) -> Array:
        """What scans tell: one of ``SCANNED``, shape (n,)."""
        return self._numbers(name)

    @property
    def days_grade_2(self) -> Array:
        """Days with an adverse event of grade 2 or more, those of different events added.

        Episodes of events that are known by rates, and neutrophils and platelets by weekly tests,
        each counted until the next. Events of the heart and the lung are not in it.
        """
        return self._numbers("days_grade_2")

    def event_day(self, hazard: str) -> Array | None:
        """Day of an event whose hazard is modelled; None without the model."""
        return self._of("event", hazard)

    def worst_grade(self, event: str) -> Array | None:
        """Worst grade of an adverse event; None without a model of it."""
        return self._of("worst", event)

    def graded_events(self, names: Iterable[str]) -> Iterator[str]:
        """Those of some adverse events that have grades here."""
        return (name for name in names if self._has("worst", name))

    def lowest_count(self, line: Line) -> Array | None:
        """Lowest count that a rule asked for at a visit (infinite: none did)."""
        return self._of("lowest", line)

    def nadir_count(self, line: Line) -> Array | None:
        """Lowest count of weekly tests."""
        return self._of("nadir", line)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Cell lines that are modelled."""
        return tuple(line for line in LINES if self._has("nadir", line))

    @property
    def first_lvef(self) -> Array | None:
        """First measured LVEF, in per cent; None without a model of the heart."""
        return self._numbers("lvef_first") if "lvef_first" in self._names else None

    def lvef_fall_day(self, name: str) -> Array | None:
        """Day on which a fall of the LVEF (one of ``FALLS``) was first seen."""
        return self._of("day", name)

    @property
    def drugs(self) -> tuple[str, ...]:
        """Drugs that any of the patients was to get."""
        return tuple(drug for drug in drug_names() if self._has(_OF_DRUG["given_mg"], drug))

    def drug(self, drug: str) -> DrugOutcome:
        """What became of one of the drugs; NaN for patients of another regimen."""
        columns = {n: self._numbers(_name(kind, drug)) for n, kind in _OF_DRUG.items()}
        return DrugOutcome(**columns)

    def frame(self) -> pl.DataFrame:
        """All outcomes as a table, one row a patient."""
        import polars as pl

        return pl.DataFrame({name: self._column(name) for name in sorted(self._names)})


def _name(kind: str, of: str) -> str:
    """Column of a kind of outcome of something."""
    return f"{kind}:{of}"


def patient_outcomes(treated: Treated) -> PatientOutcomes:
    """Outcomes of patients who were treated."""
    columns = dict(_columns(treated))
    return PatientOutcomes(columns.__getitem__, columns)


def joined(parts: Iterable[PatientOutcomes], sizes: Iterable[int]) -> PatientOutcomes:
    """Outcomes of several groups, one after the other; NaN where a group has no such outcome."""
    pairs = list(zip(parts, sizes, strict=True))

    def column(name: str) -> Array:
        return np.concatenate(
            [
                part._numbers(name) if name in part._names else np.full(n, np.nan)
                for part, n in pairs
            ]
        )

    return PatientOutcomes(column, {name for part, _ in pairs for name in part._names})


def scanned_columns(scans: Scans) -> dict[str, Array]:
    """What scans told of each patient, by the names ``SCANNED``; NaN where nobody looked."""
    found = {name: getattr(scans, name) for name in SCANNED if name != "scanned_day"}
    found["scanned_day"] = scans.seen_day
    return {name: np.where(scans.is_scanned, values, np.nan) for name, values in found.items()}


def _columns(treated: Treated) -> Iterator[tuple[str, NDArray[Any]]]:
    state, shown = treated.state, treated.instruments
    everyone = np.arange(treated.people.cohort.n_patients)
    hearts = shown.hearts
    yield from scanned_columns(shown.scans).items()
    for hazard in treated.whole.model.watched:
        yield _name("event", hazard), state.happened(hazard, everyone)
    for event, worst in shown.events.worst().items():
        yield _name("worst", event), worst
    yield "days_grade_2", shown.events.days_grade_2() + shown.blood.days_low
    for line, nadir in shown.blood.nadir.items():
        lowest = shown.blood.lowest[line]
        yield _name("lowest", line), np.where(np.isfinite(lowest), lowest, np.nan)
        yield _name("nadir", line), nadir
    if treated.whole.organs.on_lung is not None:
        has_ild = np.isfinite(state.happened("lung_hazard", everyone))
        yield _name("worst", "ild"), np.where(has_ild, shown.lung.worst(), 0)
    if treated.whole.organs.has_heart:
        yield "lvef_first", hearts.first
        for fall in FALLS:
            yield _name("day", fall), hearts.fell_day[fall]
        yield _name("day", CONFIRMED_FALL), hearts.fell_twice_day
    yield from _of_drugs(treated)


def _of_drugs(treated: Treated) -> Iterator[tuple[str, NDArray[Any]]]:
    run = treated.protocol_run
    ids = np.array([*run.log.rules, ""])
    for d, drug in enumerate(treated.whole.drugs):
        name = drug.treatment.drug.id
        is_event = np.isfinite(run.stopped_day[d]) & (ids[run.stop_rule[d]] != PROGRESSION.id)
        found: Mapping[str, NDArray[Any]] = {
            "dose_intensity": run.dose_intensity(d),
            "given_mg": run.given_mg(d),
            "hold_day": run.days_on_hold[d],
            "n_reductions": run.n_reductions[d],
            "is_stopped": is_event.astype(float),
        }
        for of, values in found.items():
            yield _name(_OF_DRUG[of], name), values
