"""One patient whose readings come from the model: tumour, heart and blood through all lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members
from her2sim.biology.heart import CardiacProfile
from her2sim.biology.tumour_profile import AMPLIFIED_BY, TumourProfile
from her2sim.biology.virtual_cohort import VirtualCohort, draw_virtual_cohort
from her2sim.drugs.mechanism import load_mechanism
from her2sim.errors import DataError
from her2sim.patients.cohort import Cohort
from her2sim.patients.covariates import EARLIER_DRUGS
from her2sim.patients.patient import Patient
from her2sim.pk.treatment import Treatment
from her2sim.protocol.readings import TableReadings, Visit
from her2sim.regimens.dose import MINUTES_PER_DAY
from her2sim.regimens.dosing_record import DosingRecord
from her2sim.timeline.outlook import GivenLine, Outlook, early_outlook, members_of_outlook
from her2sim.timeline.result import BodyBand
from her2sim.virtual_patient.assessments import SimulatedAssessments
from her2sim.virtual_patient.calendar import SCANS
from her2sim.virtual_patient.cohort_state import CohortState
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.drugs import ORGANS
from her2sim.virtual_patient.instruments import AssessmentPlan, Instruments, scan_error
from her2sim.virtual_patient.run import SimulatedTrajectories, run_virtual_patient

TWINS = 300
STEP_DAY = 2.0
_SHOWN = (
    ("occupancy_iv", "occupied HER2, domain IV", "share", "occupancy_iv"),
    ("occupancy_ii", "occupied HER2, domain II", "share", "occupancy_ii"),
    ("kinase", "kinase activity left", "share", "kinase"),
    ("payload_s", "payload in tumour cells", "nmol/L", "payload"),
    ("diameters_mm", "sum of diameters", "mm", "progression"),
    ("lvef", "LVEF", "%", "lvef"),
    ("count_neutrophils", "neutrophils", "1/nL", "neutrophils"),
    ("count_platelets", "platelets", "1/nL", "platelets"),
)
_STAGES = (
    ("receptors_mean", "HER2 receptors of a cell", "receptors"),
    ("signal", "growth signal that is left", "share"),
)
"""Quantities between dose and tumour that no reading shows."""


def can_be_modelled(treatments: Sequence[Treatment]) -> bool:
    """Whether the model knows how all drugs act."""
    return all(load_mechanism(treatment.drug.id) is not None for treatment in treatments)


class _RecordedAssessments(SimulatedAssessments):
    """Readings of one patient, written down as they are noted."""

    def __init__(
        self,
        state: CohortState,
        instruments: Instruments,
        records: dict[str, list[tuple[float, float]]],
    ) -> None:
        super().__init__(state, instruments)
        self.records = records

    def note(self, variable: str, visit: Visit, values: Array) -> None:
        """Keep what was measured, and write it down."""
        super().note(variable, visit, values)
        if values.size and not np.isnan(values[0]):
            self.records.setdefault(variable, []).append((float(visit.day[0]), float(values[0])))


@dataclass(frozen=True, eq=False)
class _TreatedLine:
    """A line that is over: the model, the drugs before it, its doses and days, what came of it."""

    whole: VirtualPatient
    drugs_before: tuple[str, ...]
    record: DosingRecord
    span: tuple[float, float]
    own: Mapping[str, Array]


class ModelledPatient:
    """A patient through lines of treatment, and patients like this one beside it."""

    def __init__(self, patient: Patient, one: Cohort) -> None:
        self.patient, self._drugs = patient, patient.drugs_before
        self.one = virtual_cohort_of(patient, one, self._drugs)
        self.has_lesion = bool(self.one.tumours.has_lesion_model.all())
        self.records: dict[str, list[tuple[float, float]]] = {}
        self.lines: list[_TreatedLine] = []
        self._states: dict[str, Array] = {}
        self._line: _RecordedAssessments | None = None
        self._before = self._drugs

    def begin_line(
        self, treatments: Sequence[Treatment], number: int, start_day: float
    ) -> _RecordedAssessments:
        """The source of readings of a line that starts now."""
        if number > 1:  # what was given in earlier lines changes how these drugs act
            self.one = virtual_cohort_of(self.patient, self.one.cohort, self._drugs)
        self._before = self._drugs
        given = [t.drug.substance or t.drug.id for t in treatments]
        self._drugs = tuple(dict.fromkeys((*self._drugs, *given)))
        whole = virtual_patient(treatments, ("",) if self.has_lesion else (), organs=ORGANS)
        scans = SCANS if self.has_lesion else None
        state = CohortState(whole, self.one, line=number)
        state.continue_from(self._states, start_day)
        plan = AssessmentPlan(scan_error("echo"), scans=scans)
        self._line = _RecordedAssessments(state, Instruments(state, plan, start_day), self.records)
        return self._line

    def progressed_day(self) -> float:
        """When a scan of the line showed progression; infinite if none did."""
        assert self._line is not None
        return float(self._line.instruments.scans.progressed_day[0])

    def end_line(self, record: DosingRecord, start_day: float, end_day: float) -> None:
        """Keep the line, and the states at its end."""
        assert self._line is not None
        whole, span = self._line.state.whole, (start_day, end_day)
        own, self._states = self._replay(whole, self.one, record, span, self._states)
        self.lines.append(_TreatedLine(whole, self._before, record, span, own))

    def bands(self, n_twins: int = TWINS) -> tuple[tuple[BodyBand, ...], tuple[BodyBand, ...]]:
        """What readings show, and what lies between doses and tumour, over all lines.

        ``n_twins`` patients with the same characteristics, other draws and the same doses make
        the band; with none there is no band, and nothing is simulated anew.
        """
        shown: dict[str, list[BodyBand]] = {}
        between: dict[str, list[BodyBand]] = {}
        for line, of_twins in zip(self.lines, self._of_twins(n_twins), strict=True):
            time, nothing = self._grid(*line.span, line.record), np.empty((3, 0))
            for kept, test, name, title, unit, factor in _known(shown, between, line.whole):
                if name not in line.own:
                    continue
                p5, median, p95 = factor * of_twins.get(name, nothing)
                own = factor * line.own[name][0]
                kept.setdefault(test, []).append(
                    BodyBand(title, unit, test, time, median, p5, p95, own)
                )
        return (
            tuple(_joined(parts) for parts in shown.values()),
            tuple(_joined(parts) for parts in between.values()),
        )

    def _of_twins(self, n_twins: int) -> Iterator[dict[str, Array]]:
        """5th, 50th and 95th percentile of twins in each line, by output, (3, n_grid)."""
        one, states = self.one.cohort, dict[str, Array]()
        same = {name: np.repeat(values, n_twins) for name, values in one.covariates.items()}
        twins = replace(one, numbers=np.arange(2, n_twins + 2), covariates=same)
        for line in self.lines:
            if not n_twins:
                yield {}
                continue
            people = virtual_cohort_of(self.patient, twins, line.drugs_before)
            columns = {name: np.tile(values, n_twins) for name, values in vars(line.record).items()}
            columns["patient"] = np.repeat(np.arange(n_twins), line.record.day.size)
            doses = DosingRecord(**columns)
            found, states = self._replay(line.whole, people, doses, line.span, states)
            yield {
                name: np.quantile(values, [0.05, 0.5, 0.95], axis=0)
                for name, values in found.items()
            }

    def _grid(self, start_day: float, end_day: float, record: DosingRecord) -> Array:
        """Days that are looked at: at regular steps, and at the end of each infusion."""
        n = max(2, round((end_day - start_day) / STEP_DAY) + 1)
        infused = (record.patient == 0) & (record.duration_min > 0)
        ends = (record.day + record.duration_min / MINUTES_PER_DAY)[infused]
        ends = ends[(ends > start_day) & (ends < end_day)]
        return np.unique(np.concatenate([np.linspace(start_day, end_day, n), ends]))

    def _replay(
        self,
        whole: VirtualPatient,
        people: VirtualCohort,
        record: DosingRecord,
        span: tuple[float, float],
        before: Mapping[str, Array],
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Outputs on the grid of a line, and states at its end, both by name."""
        start = whole.start(people)
        for name, values in before.items():
            if name in whole.model.states:
                start[whole.model.index("states", name)] = values
        grid = self._grid(*span, record)
        course = run_virtual_patient(
            whole, people, record, span[1], grid, start=start, start_day=span[0]
        )
        outputs = dict(_outputs(course))
        states = dict(zip(whole.model.states, course.states, strict=True))
        states.pop("elsewhere", None)
        return outputs, {**before, **states}

    def outlook(self, lines: Sequence[GivenLine], surgery_day: float) -> Outlook:
        """What becomes of patients like this one with early disease after what was given."""
        members, cohort = members_of_outlook(), self.one.cohort
        n = members.ids.size
        same = {name: np.repeat(values, n) for name, values in cohort.covariates.items()}
        if "locally_advanced" in self.patient.history:
            same.setdefault("locally_advanced", np.ones(n))
        alike = replace(cohort, numbers=np.arange(1, n + 1), covariates=same)
        people = virtual_cohort_of(self.patient, alike, self.patient.drugs_before, members)
        return early_outlook(people, lines, surgery_day)

    def readings(self) -> TableReadings:
        """Everything that was measured."""
        return TableReadings(
            {
                name: (
                    np.zeros(len(rows), dtype=np.int64),
                    np.array([day for day, _ in rows]),
                    np.array([value for _, value in rows]),
                )
                for name, rows in self.records.items()
                if name != "progression" or any(value for _, value in rows)
            }
        )


def _known(
    shown: dict[str, list[BodyBand]], between: dict[str, list[BodyBand]], whole: VirtualPatient
) -> Iterator[tuple[dict[str, list[BodyBand]], str, str, str, str, float]]:
    """Where each output belongs: its list, reading, name, title, unit and factor."""
    for title_name, title, unit, test in _SHOWN:
        yield shown, test, title_name, title, unit, 1.0
    for drug in whole.drugs:
        pk = drug.treatment.pk
        title, name = f"{drug.treatment.drug.id} in blood", f"conc_{drug.tag}"
        yield between, name, name, title, pk.concentration_unit, pk.concentration_factor()
    for name, title, unit in _STAGES:
        yield between, name, name, title, unit, 1.0


def _outputs(course: SimulatedTrajectories) -> Iterator[tuple[str, Array]]:
    """Outputs that are shown; the payload is that of the conjugate that is given."""
    whole = course.whole
    for name in (*(f"conc_{drug.tag}" for drug in whole.drugs), *(name for name, *_ in _STAGES)):
        if name in whole.model.outputs:
            yield name, course.output(name)
    for name, *_ in _SHOWN:
        if name in _OF_LESION and not whole.lesions:
            continue
        if name == "payload_s":
            tags = [agent.tag for agent in whole.lesions[0].of_kind("conjugate")]
            yield from ((name, course.output(f"{name}_{tag}")) for tag in tags[:1])
        elif name == "kinase":
            if whole.lesions[0].of_kind("reversible", "covalent"):
                yield name, course.output(name)
        elif name in whole.model.outputs:
            yield name, course.output(name)


_OF_LESION = ("payload_s", "kinase")
"""Outputs that only some lesions have."""


def _joined(parts: Sequence[BodyBand]) -> BodyBand:
    def put(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    first = parts[0]
    return BodyBand(
        first.title, first.unit, first.test, put("time_day"), put("median"), put("p5"),
        put("p95"), put("own"),
    )  # fmt: skip


def virtual_cohort_of(
    patient: Patient,
    cohort: Cohort,
    drugs_before: Sequence[str],
    members: Members | None = None,
) -> VirtualCohort:
    """Patients like one: what its file tells is fixed, the rest is drawn.

    ``drugs_before`` are all drugs that were given until now; ``members`` those of the ensemble.
    """
    biology = patient.biology
    lines = -1 if patient.setting == "early" else patient.anti_her2_regimens_metastatic
    her2 = patient.her2()
    if her2.deciding is None:
        told = "; ".join(her2.status.specimens) or her2.status.note
        raise DataError(f"HER2: a simulated tumour needs one result that stands: {told}")
    by_mutation = her2.deciding.mutation is not None and her2.deciding.ihc is None
    tumour = TumourProfile(
        ihc=her2.deciding.ihc or "3+",
        is_amplified=None if by_mutation else AMPLIFIED_BY.get(her2.status.status),
        pik3ca=biology.pik3ca,
        genotype=biology.fcgr3a,
        is_heterogeneous=biology.her2_heterogeneous,
        is_er_positive=patient.is_hormone_receptor_positive,
        earlier_lines=lines,
        earlier_drugs=tuple(name for name in drugs_before if name in EARLIER_DRUGS),
        is_pd_l1_positive="pd_l1_positive" in patient.history or None,
    )
    heart = CardiacProfile("prior_anthracycline" in patient.history, None, patient.lvef_percent)
    return draw_virtual_cohort(cohort, tumour, heart, members)
