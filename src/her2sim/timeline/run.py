"""One patient's course: lines of treatment under the labels' rules, and the levels they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.biology.lesion_model import is_early_breast, no_model_text
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.patients.patient import Patient
from her2sim.pk.combination import Combination, load_combination
from her2sim.pk.needs import require_characteristics
from her2sim.pk.treatment import Treatment
from her2sim.protocol.eligibility import her2_findings, verdict_on
from her2sim.protocol.label import Region, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.readings import Readings, TableReadings
from her2sim.protocol.visits import run_protocol
from her2sim.regimens.changes import started_on
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.timeline.account import (
    concentrations_of,
    decisions_of,
    drug_timeline,
    open_holds,
    reloads_of,
)
from her2sim.timeline.modelled import TWINS as BODY_TWINS
from her2sim.timeline.modelled import ModelledPatient, can_be_modelled
from her2sim.timeline.notes import beyond, note_idle, note_unread, with_baseline
from her2sim.timeline.outlook import GivenLine
from her2sim.timeline.result import Decided, DrugTimeline, Line, PatientTimeline, progressed_day
from her2sim.units import DAY_PER_WEEK
from her2sim.virtual_patient.treat import PROGRESSION, until_progression

PATIENT_FILE = "the patient file, [body]"
TWINS = 500
"""Patients with the same characteristics whose levels make the band."""


def progression_day(readings: TableReadings) -> float:
    """Day of the first reading that says progression.

    Raises
    ------
    DataError
        If no reading says so.
    """
    found = progressed_day(readings)
    if not np.isfinite(found):
        raise DataError(
            "no reading says progression; add a line such as 210,progression,1,1 to the readings, "
            "or name a week (week:30)"
        )
    return found


AT_PROGRESSION = -1.0


@dataclass(frozen=True)
class TimelinePlan:
    """What is asked of a course: regimens by name, and the days on which they start.

    A line that starts when the one before progresses has AT_PROGRESSION as its day. With
    ``by_rules`` off, no row of a label acts: drugs are given as planned until progression.
    """

    regimens: tuple[str, ...]
    starts_day: tuple[float, ...]
    end_day: float
    region: Region = "us"
    unconfirmed: bool = True
    surgery_day: float = np.inf
    by_rules: bool = True

    def __post_init__(self) -> None:
        edges = (*(d for d in self.starts_day if d != AT_PROGRESSION), self.end_day)
        if any(later <= earlier for earlier, later in zip(edges, edges[1:], strict=False)):
            starts = ", ".join(f"{day / DAY_PER_WEEK:g}" for day in edges[:-1])
            raise DataError(
                f"lines start in week {starts}, the course ends in week "
                f"{edges[-1] / DAY_PER_WEEK:g}; each must begin later than the one before, and "
                "before the end"
            )


def patient_timeline(
    patient: Patient,
    asked: TimelinePlan,
    readings: TableReadings | None,
    seed: int,
    twins: int = TWINS,
    body_twins: int = BODY_TWINS,
) -> PatientTimeline:
    """Treat one patient by lines of regimens under the labels' rules.

    Parameters
    ----------
    patient : characteristics, HER2 test and history
    asked : regimens, when they start, and the end of the course
    readings : readings of the patient, at position 0; without them the patient's own tumour,
        heart and blood are simulated and measured
    seed : decides everything that is drawn
    twins, body_twins : how many patients make the bands of levels, and of tumour and organs; none
        of them with 0, which is faster

    Raises
    ------
    DataError
        If the patient lacks a characteristic that a model needs (all are named), or a line waits
        for a progression that has no model.
    """
    combinations = [load_combination(name) for name in asked.regimens]
    one = patient.cohort(seed)
    every = [t for c in combinations for t in c.treatments]
    if readings is None:
        _require_mechanisms(every)
    require_characteristics(one, every, PATIENT_FILE)
    modelled = ModelledPatient(patient, one) if readings is None else None
    if modelled is not None and not modelled.has_lesion:
        _refuse_progression(patient, asked)
    status = her2_findings(patient, asked.region).status
    told = list[str]()
    if readings is not None:
        readings = with_baseline(readings, patient, told)
        told += beyond(readings, asked.end_day)
    run = _Lines(patient, one, asked, twins, readings, modelled)
    run.notes += told
    if not asked.by_rules:
        run.notes.append("No row of a label acts: drugs are given as planned until progression.")
    has_outlook = modelled is not None and is_early_breast(patient.tumour, patient.setting)
    _require_operable(asked, has_outlook)
    if modelled is not None and not modelled.has_lesion and not has_outlook:
        run.notes.append(_no_model("efficacy", patient))
    for number, combination in enumerate(combinations):
        if not run.treat(number, combination, combinations):
            break
    found = modelled.readings() if modelled is not None else readings
    assert found is not None
    if asked.by_rules:
        note_unread(combinations[: len(run.lines)], asked.region, found, run.notes)
    if modelled is None and asked.by_rules:
        note_idle(
            combinations[: len(run.lines)], asked.region, asked.unconfirmed, patient.setting,
            found, run.notes,
        )  # fmt: skip
    timeline = PatientTimeline(
        patient, status, asked.region, tuple(run.lines), tuple(run.drugs),
        tuple(sorted(run.decisions, key=lambda d: d.day)), found, seed, tuple(run.notes),
        outlook=modelled.outlook(run.given_lines, asked.surgery_day)
        if has_outlook and modelled else None, modelled=modelled,
    )  # fmt: skip
    return timeline.with_twins(body_twins)


class _Lines:
    """Lines of treatment so far."""

    def __init__(
        self,
        patient: Patient,
        one: Cohort,
        asked: TimelinePlan,
        twins: int,
        readings: TableReadings | None,
        modelled: ModelledPatient | None,
    ) -> None:
        self.patient, self.before, self.one, self.asked, self.twins = (
            patient, patient, one, asked, twins,
        )  # fmt: skip
        self.readings, self.modelled = readings, modelled
        self.lines, self.drugs = list[Line](), list[DrugTimeline]()
        self.decisions, self.notes = list[Decided](), list[str]()
        self.stopped: dict[str, tuple[float, str | None]] = {}
        self.given: dict[str, DosingRecord] = {}
        self.given_lines = list[GivenLine]()

    def treat(self, number: int, combination: Combination, all_: Sequence[Combination]) -> bool:
        """One line; false if it never starts."""
        start = self._start(number, combination)
        if start is None:
            return False
        following = self.asked.starts_day[number + 1] if number + 1 < len(all_) else None
        end = self.asked.end_day if following in (None, AT_PROGRESSION) else float(following or 0)
        verdict = verdict_on(self.before, combination.name, self.asked.region)
        self.before = _treated_with(self.before, combination)
        treatments = tuple(_allowed(combination, self.stopped, self.notes))
        plans = tuple(
            _plan(t, start, self.asked, self.given.get(t.pk.name), self.notes) for t in treatments
        )
        source: Readings | None = self.readings
        if self.modelled is not None:
            source = self.modelled.begin_line(treatments, number + 1, start)
            if self.modelled.has_lesion:
                plans = tuple(until_progression(plan, self.asked.region) for plan in plans)
        assert source is not None
        setting = self.patient.setting
        protocol = Protocol(plans, setting, end, unconfirmed=self.asked.unconfirmed)
        protocol_run = run_protocol(protocol, self.one, source)
        if self.modelled is not None:
            if following == AT_PROGRESSION:
                end = min(end, self.modelled.progressed_day())
            self.modelled.end_line(protocol_run.record, start, end)
        name, title = combination.name, combination.title
        self.lines.append(Line(name, title, start, end, verdict))
        self.given_lines.append(
            GivenLine(treatments, _since(protocol_run.record, start), start, end - start)
        )
        self._keep(number, combination, treatments, protocol_run)
        return True

    def _start(self, number: int, combination: Combination) -> float | None:
        start = self.asked.starts_day[number]
        if start != AT_PROGRESSION:
            return start
        assert self.modelled is not None
        start = self.modelled.progressed_day()
        if start < self.asked.end_day:
            return start
        self.notes.append(
            f"No scan showed progression by week {self.asked.end_day / 7:g}: "
            f"{combination.name} does not start."
        )
        return None

    def _keep(
        self,
        number: int,
        combination: Combination,
        treatments: Sequence[Treatment],
        protocol_run: ProtocolRun,
    ) -> None:
        """Doses, decisions, notes and levels of a line."""
        decided = list(decisions_of(protocol_run))
        self.decisions += [*decided, *reloads_of(protocol_run)]
        self.notes += open_holds(protocol_run, decided)
        self.notes += [note for note in combination.notes if note not in self.notes]
        for d, treatment in enumerate(treatments):
            own = _joined(self.given.get(treatment.pk.name), protocol_run.record.of(d))
            self.given[treatment.pk.name] = own
            levels = concentrations_of(treatment, self.one, own, self.asked.end_day, self.twins)
            course = drug_timeline(treatment, protocol_run, d, number + 1, levels)
            self.drugs.append(course)
            if course.stopped_day is not None and course.stopped_by != PROGRESSION.id:
                self.stopped[_substance(treatment)] = (course.stopped_day, course.stopped_by)


def _since(record: DosingRecord, start: float) -> DosingRecord:
    """The same doses in days from the start of a line."""
    return replace(record, day=record.day - start)


def _no_model(what: str, patient: Patient) -> str:
    return no_model_text(what, patient.tumour, patient.setting)


def _require_operable(asked: TimelinePlan, has_outlook: bool) -> None:
    """Refuse a surgery whose patient has no outlook."""
    if np.isfinite(asked.surgery_day) and not has_outlook:
        raise DataError(
            "surgery: only simulated early breast cancer is operated on (a course without "
            "readings); leave it out"
        )


def _refuse_progression(patient: Patient, asked: TimelinePlan) -> None:
    """Refuse to wait for a progression that nothing can show."""
    if AT_PROGRESSION in asked.starts_day:
        raise DataError(
            f"{_no_model('progression', patient)}; name a week (week:30), or give the "
            "readings of the patient"
        )


def _require_mechanisms(treatments: Sequence[Treatment]) -> None:
    unknown = [t.drug.id for t in treatments if not can_be_modelled([t])]
    if unknown:
        raise DataError(
            f"how {', '.join(dict.fromkeys(unknown))} acts on a tumour is not modelled; "
            "give the readings of the patient"
        )


def _treated_with(patient: Patient, combination: Combination) -> Patient:
    """The patient after a line, for the question whether the next is labelled."""
    drugs = [treatment.drug for treatment in combination.treatments]
    history = {*patient.history, *(told for drug in drugs for told in drug.tells)}
    has_chemotherapy = any("chemotherapy" in drug.groups for drug in drugs)
    if patient.setting == "metastatic":
        history = history - {"untreated_metastatic"} | {"prior_systemic"}
        if has_chemotherapy:
            is_second = "prior_chemotherapy_metastatic" in patient.told
            history.add(f"{'two_chemotherapies' if is_second else 'prior_chemotherapy'}_metastatic")
    elif has_chemotherapy:
        history.add("early_chemotherapy")
    counted = f"anti_her2_regimens_{patient.setting}"
    number = getattr(patient, counted) + any("anti-HER2" in drug.groups for drug in drugs)
    return patient.model_copy(update={"history": tuple(sorted(history)), counted: number})


def _substance(treatment: Treatment) -> str:
    return treatment.drug.substance or treatment.drug.id


def _allowed(
    combination: Combination, stopped: dict[str, tuple[float, str | None]], notes: list[str]
) -> Iterator[Treatment]:
    """Drugs of a line, less those that a rule stopped for good in a line before."""
    for treatment in combination.treatments:
        if _substance(treatment) in stopped:
            day, rule = stopped[_substance(treatment)]
            notes.append(
                f"{treatment.drug.id} was stopped on day {day:g} ({rule}) and is left out of "
                f"{combination.name}."
            )
        else:
            yield treatment


def _plan(
    treatment: Treatment,
    start: float,
    asked: TimelinePlan,
    before: DosingRecord | None,
    notes: list[str],
) -> DrugPlan:
    """The plan of a drug from a day on; what was given before decides on a loading dose."""
    region = asked.region
    label = load_label(treatment.drug.id, region) if asked.by_rules else None
    if label is None and asked.by_rules:
        text = (
            f"No rows of the {region.upper()} label of {treatment.drug.id}: it is given as planned."
        )
        if text not in notes:
            notes.append(text)
    plan = DrugPlan(treatment.drug.id, started_on(treatment.regimen, start), label)
    if before is None or not before.day.size or label is None or label.reload is None:
        return plan
    since = plan.phase.start_min / MINUTES_PER_DAY - before.day.max()
    if label.is_reload(since - plan.interval_day, since):
        return plan
    goes_on = replace(plan.phase, loading=None)
    return replace(plan, regimen=replace(plan.regimen, phases=(goes_on,)))


def _joined(before: DosingRecord | None, own: DosingRecord) -> DosingRecord:
    """Doses of one drug in all lines so far, as those of drug 0."""
    own = replace(own, drug=np.zeros_like(own.drug))
    if before is None:
        return own
    return DosingRecord(
        **{name: np.concatenate([v, getattr(own, name)]) for name, v in vars(before).items()}
    )
