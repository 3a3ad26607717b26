"""A real treatment record as a timeline: doses, tests, events, and departures from labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from her2sim.protocol.departures import Departure
from her2sim.protocol.record import Entry, by_patient
from her2sim.report.canvas import (
    COLOURS,
    FAINT,
    PRINTED,
    SMALL,
    SMALLEST,
    finished,
    legend_above,
    new_canvas,
    plain_words,
)
from her2sim.units import DAY_PER_WEEK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PATIENTS = 40
ROW_INCH, HEAD_INCH = 0.3, 1.7
MOST_LETTERS = 24
LANES, TESTED_AT, MARKED_AT = (-0.28, 0.3), -0.36, 0.42
"""Heights in the row of a patient: of lanes of doses, of tests and events, of departures."""
MOST_DRUGS = len(COLOURS)


def record_figure(name: str, entries: Sequence[Entry], departures: Sequence[Departure]) -> Figure:
    """Doses of each patient by drug, tests, events, and each departure with its row of the file.

    Parameters
    ----------
    name : of the file
    entries : lines of the record
    departures : of the same record; patients with most of them stand first where not all fit
    """
    patients = dict(by_patient(entries))
    found: dict[str, list[Departure]] = {patient: [] for patient in patients}
    for departure in departures:
        found[departure.patient].append(departure)
    most = sorted(patients, key=lambda patient: -len(found[patient]))[:MOST_PATIENTS]
    shown = [patient for patient in patients if patient in set(most)]
    drugs = _drugs([entry for patient in shown for entry in patients[patient]])
    figure, panels = new_canvas(HEAD_INCH + ROW_INCH * max(len(shown), 2))
    axes = panels[0, 0]
    for place, patient in enumerate(shown):
        _draw(axes, place, patients[patient], found[patient], drugs)
    axes.set_yticks(range(len(shown)), [plain_words(p, MOST_LETTERS) for p in shown])
    axes.set_ylim(len(shown) - 0.4, -0.7)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("weeks since the first line of the patient")
    axes.tick_params(labelsize=SMALL)
    _key(axes, drugs)
    which = "" if len(shown) == len(patients) else (
        f"; {len(shown)} of {len(patients)} patients, those with most departures"
    )  # fmt: skip
    return finished(figure, f"{plain_words(name)}: departures from the label, with the row of "
                            f"the file{which}")  # fmt: skip


def _drugs(entries: Sequence[Entry]) -> Mapping[str, int]:
    """Drugs of doses and their lanes; those beyond the colours share the last."""
    names = dict.fromkeys(e.drug.casefold() for e in entries if e.kind == "dose" and e.drug)
    return {name: min(place, MOST_DRUGS - 1) for place, name in enumerate(names)}


def _draw(
    axes: Any,
    place: int,
    entries: Sequence[Entry],
    departures: Sequence[Departure],
    drugs: Mapping[str, int],
) -> None:
    """The row of a patient."""
    first = min(entry.day for entry in entries)
    last = max(entry.day for entry in entries)
    axes.plot([0, (last - first) / DAY_PER_WEEK], [place, place], color=FAINT, linewidth=0.5)
    own = [name for name in drugs if any((e.drug or "").casefold() == name for e in entries)]
    step = (LANES[1] - LANES[0]) / max(len(own), 1)
    for k, name in enumerate(own):
        weeks = [(e.day - first) / DAY_PER_WEEK for e in entries
                 if e.kind == "dose" and (e.drug or "").casefold() == name]  # fmt: skip
        low = place - LANES[1] + k * step
        axes.vlines(weeks, low, low + 0.85 * step, color=COLOURS[drugs[name]], linewidth=2.2)
    for kind, marker in (("lab", "."), ("event", "x")):
        weeks = [(e.day - first) / DAY_PER_WEEK for e in entries if e.kind == kind]
        axes.plot(weeks, [place - TESTED_AT] * len(weeks), marker, color=FAINT, markersize=4)
    by_row = {entry.row: (entry.day - first) / DAY_PER_WEEK for entry in entries}
    by_week: dict[float, list[str]] = {}
    for departure in departures:
        by_week.setdefault(by_row[departure.row], []).append(str(departure.row))
    for week, rows in by_week.items():
        axes.plot(week, place - MARKED_AT, "v", color=PRINTED, markersize=6)
        axes.annotate(
            ", ".join(dict.fromkeys(rows)), (week, place - MARKED_AT), xytext=(5, -2),
            textcoords="offset points", fontsize=SMALLEST, color=PRINTED, annotation_clip=False,
        )  # fmt: skip


def _key(axes: Any, drugs: Mapping[str, int]) -> None:
    """What colours and marks mean."""
    for name, place in drugs.items():
        label = plain_words(name, MOST_LETTERS)
        if place == MOST_DRUGS - 1 and len(drugs) > MOST_DRUGS:
            label = f"{len(drugs) - MOST_DRUGS + 1} others"
            axes.plot([], [], "|", color=COLOURS[place], markeredgewidth=2.2, label=label)
            break
        axes.plot([], [], "|", color=COLOURS[place], markeredgewidth=2.2, label=label)
    axes.plot([], [], "v", color=PRINTED, label="departure, row of the file")
    axes.plot([], [], ".", color=FAINT, label="test")
    axes.plot([], [], "x", color=FAINT, markersize=4, label="event")
    legend_above(axes, columns=4)
