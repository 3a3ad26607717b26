"""Patients treated by the labels' rules, with readings that come from the patients themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.drugs.supportive import ratio_of_hazards
from her2sim.patients.covariates import Setting
from her2sim.pk.treatment import Treatment
from her2sim.protocol.label import Label, Region, Rule, load_label
from her2sim.protocol.plan import DrugPlan, Protocol, ProtocolRun
from her2sim.protocol.visits import run_protocol
from her2sim.virtual_patient.assessments import SimulatedAssessments
from her2sim.virtual_patient.calendar import SCANS, Calendar
from her2sim.virtual_patient.cohort_state import CohortState
from her2sim.virtual_patient.composition import VirtualPatient, virtual_patient
from her2sim.virtual_patient.drugs import ORGANS
from her2sim.virtual_patient.instruments import AssessmentPlan, Instruments, scan_error

PROGRESSION = Rule(
    id="treatment-until-progression",
    toxicity="progression",
    stop_when="progression >= 1",
    status="assumed",
    reason="as trials do: treatment ends when the disease progresses",
)


@dataclass(frozen=True)
class TreatmentPlan:
    """How people are treated.

    With ``by_rules`` off nothing but progression changes the plan. ``scan`` is the method by which
    the LVEF is measured (``echo``, ``muga``, ``none`` for no error); ``given_with`` names what is
    taken against adverse events, as in the fact files; ``off`` names mechanisms that are switched
    off.
    Tumours are looked at by the calendar ``scans`` (where they have a lesion model), hearts by
    ``lvef_tests`` in place of the pace that labels ask for; the first LVEF is not below
    ``lvef_entry_percent``.
    """

    end_day: float
    setting: Setting = "metastatic"
    region: Region = "us"
    by_rules: bool = True
    unconfirmed: bool = True
    is_confirmed_by_repeat: bool = False
    scan: str = "echo"
    given_with: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    scans: Calendar = SCANS
    lvef_tests: Calendar | None = None
    lvef_entry_percent: float | None = None


@dataclass(frozen=True, eq=False)
class Treated:
    """What was done to people, and how they are at their last visits."""

    whole: VirtualPatient
    people: VirtualCohort
    protocol_run: ProtocolRun
    state: CohortState
    instruments: Instruments


def treat(
    treatments: Sequence[Treatment],
    people: VirtualCohort,
    how: TreatmentPlan,
    *,
    sites: Sequence[str] = ("",),
    threads: int | None = None,
) -> Treated:
    """Treat people visit by visit.

    Parameters
    ----------
    treatments : drugs, each with its regimen
    people : patients with their tumours and hearts
    how : length, setting, rules and methods
    sites : lesions (:func:`her2sim.virtual_patient.composition.virtual_patient`); where nobody
        has a lesion model (early disease, other tumours) there is none, and no progression.
        Without sites, patients come to their scans, and nobody looks at a tumour
    """
    is_scanned = how.setting == "metastatic" and bool(people.tumours.has_lesion_model.any())
    lesions = sites if is_scanned else ()
    whole = virtual_patient(treatments, lesions, ORGANS, how.off)
    plans = tuple(_plan(treatment, how) for treatment in treatments)
    if lesions:
        plans = tuple(until_progression(plan, how.region) for plan in plans)
    protocol = Protocol(
        plans,
        how.setting,
        how.end_day,
        is_confirmed_by_repeat=how.is_confirmed_by_repeat,
        unconfirmed=how.unconfirmed,
    )
    state = CohortState(whole, people, threads=threads)
    drugs = [treatment.drug.id for treatment in treatments]
    fever = "febrile_neutropenia"
    state.lower_hazard(fever, ratio_of_hazards(how.given_with, drugs, fever))
    assessments = AssessmentPlan(
        scan_error(how.scan), how.given_with, how.scans if is_scanned else None, how.lvef_tests,
        how.lvef_entry_percent,
    )  # fmt: skip
    instruments = Instruments(state, assessments)
    readings = SimulatedAssessments(state, instruments)
    run = run_protocol(protocol, people.cohort, readings)
    return Treated(whole, people, run, state, instruments)


def _plan(treatment: Treatment, how: TreatmentPlan) -> DrugPlan:
    """A drug's plan and the rules that act on it."""
    label = load_label(treatment.drug.id, how.region) if how.by_rules else None
    if label is not None and how.lvef_tests is not None:
        label = _tested_every(label, how.lvef_tests.paces[0][0])
    return DrugPlan(treatment.drug.id, treatment.regimen, label)


def _tested_every(label: Label, days: float) -> Label:
    """The same label with the LVEF tested at the pace of a trial."""
    lines = tuple(
        line.model_copy(update={"every_days": days, "at_first": ()})
        if line.variable == "lvef"
        else line
        for line in label.monitoring
    )
    return label.model_copy(update={"monitoring": lines})


def until_progression(plan: DrugPlan, region: Region) -> DrugPlan:
    """The same plan, stopped when the disease progresses."""
    label = plan.label or Label(drug=plan.drug, region=region, dated="no rows")
    rules = (*label.rule, PROGRESSION)
    return replace(plan, label=label.model_copy(update={"rule": rules}))
