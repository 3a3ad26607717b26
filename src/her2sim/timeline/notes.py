"""What is said of the readings of a course: the baseline, and what acts nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from her2sim.patients.covariates import Setting
from her2sim.patients.patient import Patient
from her2sim.pk.combination import Combination
from her2sim.protocol.conditions import parse_condition
from her2sim.protocol.idle_readings import idle_readings, measured, rules_at_work
from her2sim.protocol.label import Region, load_label
from her2sim.protocol.readings import TableReadings

BASELINE_DAY = -1.0


def with_baseline(readings: TableReadings, patient: Patient, notes: list[str]) -> TableReadings:
    """The readings, with the LVEF of the patient file as a baseline if they have none."""
    who, days, values = readings.records.get(
        "lvef", (np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    )
    if patient.lvef_percent is None or (days <= 0).any():
        return readings
    notes.append(f"Baseline LVEF: {patient.lvef_percent:g} %, of the patient file.")
    first = (
        np.concatenate([[0], who]), np.concatenate([[BASELINE_DAY], days]),
        np.concatenate([[patient.lvef_percent], values]),
    )  # fmt: skip
    return TableReadings({**readings.records, "lvef": first})


def beyond(readings: TableReadings, end_day: float) -> Iterator[str]:
    """Readings after the end of the course."""
    late = {name: days[days > end_day] for name, (_, days, _) in readings.records.items()}
    shown = [f"{name} of day {days[0]:g}" for name, days in late.items() if days.size]
    if shown:
        yield f"After the end of the course (day {end_day:g}), not used: {', '.join(shown)}."


def note_idle(
    combinations: Sequence[Combination], region: Region, unconfirmed: bool, setting: Setting,
    readings: TableReadings, notes: list[str],
) -> None:  # fmt: skip
    """Readings that no rule looks at, and what rules miss beside a reading that is there."""
    drugs = [treatment.drug.id for c in combinations for treatment in c.treatments]
    labels = [load_label(drug, region) for drug in drugs]
    rules = rules_at_work(labels, setting, unconfirmed=unconfirmed)
    idle = idle_readings({*readings.records} - {"progression"}, rules)
    if idle:
        notes.append(
            f"No rule of the {region.upper()} labels of these drugs reads {', '.join(idle)}: what "
            "was read of it changes nothing."
        )
    for rule in rules:
        for text in (rule.hold_when, rule.stop_when):
            if text is None or " or " in text or " and " not in text:
                continue
            needed = measured(parse_condition(text).variables)
            lacking = [name for name in needed if not readings.has(name)]
            if lacking and any(readings.has(name) for name in needed):
                notes.append(f"{rule.id} asks for {', '.join(lacking)} too, which was not read.")


def note_unread(
    combinations: Sequence[Combination],
    region: Region,
    readings: TableReadings,
    notes: list[str],
) -> None:
    """What rules ask for and no reading tells."""
    missing: dict[str, None] = {}
    for treatment in (t for c in combinations for t in c.treatments):
        label = load_label(treatment.drug.id, region)
        for line in label.monitoring if label is not None else ():
            if not readings.has(line.variable):
                missing[line.variable] = None
    if missing:
        notes.append(f"No reading of {', '.join(missing)}: rules that ask for it cannot act.")
