"""What became of each patient: one number a patient and outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.virtual_patient.treat import PROGRESSION, Treated
from her2sim.virtual_patient.tumour_scans import Scans


def patient_columns(treated: Treated) -> Iterator[tuple[str, NDArray[Any]]]:
    """Outcomes by name, each of shape (n,); days are infinite where nothing came.

    What scans tell (``best``, ``response_day``, ``progressed_day`` and so on) is NaN for patients
    without a lesion model, ``lvef_first`` for those whose LVEF was never measured; ``lowest:NAME``
    is infinite where no rule asked for a count. ``days_grade_2`` are days with an adverse event of
    grade 2 or more: episodes of harms that are known by rates, and neutrophils and platelets by
    weekly tests, each counted until the next; days of different events are added. Events of the
    heart and the lung are not in it.
    ``event:NAME`` and ``day:NAME`` are days of an event, ``worst:NAME`` is the worst grade of a
    harm, ``lowest:NAME`` the lowest count at a visit, ``nadir:NAME`` that of weekly tests; of each
    drug there are ``intensity:``, ``given_mg:``, ``hold:`` (days), ``reductions:`` and ``stopped:``
    (1 if a harm stopped it).
    """
    live, everyone = treated.live, np.arange(treated.people.cohort.n_patients)
    scans, hearts = live.scans, live.hearts
    for name, values in _of_scans(scans):
        yield name, np.where(scans.is_scanned, values, np.nan)
    for hazard in treated.whole.model.watched:
        yield f"event:{hazard}", live.happened(hazard, everyone)
    for name, worst in live.harms.worst().items():
        yield f"worst:{name}", worst
    yield "days_grade_2", live.harms.days_grade_2() + live.blood.days_low
    for line, nadir in live.blood.nadir.items():
        yield f"lowest:{line}", live.blood.lowest[line]
        yield f"nadir:{line}", nadir
    if treated.whole.organs.on_lung is not None:
        has_ild = np.isfinite(live.happened("lung_hazard", everyone))
        yield "worst:ild", np.where(has_ild, live.lung.worst(), 0)
    if treated.whole.organs.has_heart:
        yield "lvef_first", hearts.first
        for name, day in hearts.fell_day.items():
            yield f"day:{name}", day
        yield "day:lvef_drop_confirmed", hearts.fell_twice_day
    yield from _of_drugs(treated)


def _of_scans(scans: Scans) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "best", scans.best
    for name in ("response", "confirmed", "complete", "complete_confirmed", "progressed"):
        yield f"{name}_day", getattr(scans, f"{name}_day")
    yield "scanned_day", scans.seen_day
    yield "by_target", scans.by_target.astype(float)


def _of_drugs(treated: Treated) -> Iterator[tuple[str, NDArray[Any]]]:
    protocol_run = treated.protocol_run
    ids = np.array([*protocol_run.log.rules, ""])
    for d, drug in enumerate(treated.whole.drugs):
        name = drug.treatment.drug.id
        is_stopped = np.isfinite(protocol_run.stopped_day[d])
        is_event = is_stopped & (ids[protocol_run.stop_rule[d]] != PROGRESSION.id)
        yield f"intensity:{name}", protocol_run.dose_intensity(d)
        yield f"given_mg:{name}", protocol_run.given_mg(d)
        yield f"hold:{name}", protocol_run.days_on_hold[d]
        yield f"reductions:{name}", protocol_run.n_reductions[d]
        yield f"stopped:{name}", is_event.astype(float)
