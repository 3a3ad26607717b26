"""Where a real record departs from the label, by the evaluation that simulations use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array
from her2sim.drugs.drug import Drug, LabelledDose, LabelledRegimen, load_drug
from her2sim.drugs.interactions import Interaction, interactions_of
from her2sim.errors import UnknownDrugError
from her2sim.facts import Claim, FactFile
from her2sim.patients.covariates import Setting, bsa_m2
from her2sim.protocol.departures import CheckReport, Code, Departure
from her2sim.protocol.label import Label, Region, load_label
from her2sim.protocol.plan import DrugPlan
from her2sim.protocol.record import EVENTS, Entry, by_day, by_patient
from her2sim.protocol.rule_states import Moment, RuleStates, rule_rows, with_derived_readings
from her2sim.regimens.dose import mg_of, size_needed
from her2sim.regimens.regimen import labelled_regimen

OFF_BY = 0.10
EARLY_DAYS = 3
"""A dose may come this much before its time (a visit is moved for a weekend)."""

LATE_TEST_DAYS = 14
"""A test may come this much after its time."""

DURING_A_DOSE = ("infusion_reaction",)
"""Events that a dose of the same day brought on."""

WEEKLY_GAP_DAYS = 10
"""Doses closer than this on average are a weekly regimen."""


def check_record(
    entries: Sequence[Entry], region: Region = "us", setting: Setting = "metastatic"
) -> CheckReport:
    """Compare a record with the labels of its drugs.

    On each day readings and events come first, then the rules, then the doses of that day. A rule
    looks at what was measured that day and at nothing older.
    """
    departures, notes = list[Departure](), list[str]()
    for patient, own in by_patient(entries):
        chart = _Chart(patient, own, region, setting)
        for day, today in by_day(own):
            chart.enter(day, today)
        departures += chart.departures
        notes += chart.notes
    return CheckReport(tuple(sorted(departures, key=lambda d: d.row)), tuple(dict.fromkeys(notes)))


@dataclass
class _DrugOfRecord:
    """Where one drug of a patient stands; ``number`` is its place among the rules."""

    number: int
    drug: Drug
    regimen_name: str
    label: Label | None
    last_day: int | None = None
    overdue_since: int | None = None

    @property
    def regimen(self) -> LabelledRegimen:
        """The regimen by which it is given."""
        return self.drug.regimen[self.regimen_name]


class _Chart:
    """One patient's record on the way through its days."""

    def __init__(
        self, patient: str, entries: Sequence[Entry], region: Region, setting: Setting
    ) -> None:
        self.patient, self.region = patient, region
        self.departures: list[Departure] = []
        self.notes: list[str] = []
        self.courses = self._courses(entries)
        plans = [
            DrugPlan(c.drug.id, labelled_regimen(c.drug, c.regimen_name), c.label)
            for c in self.courses.values()
        ]
        self.rules = RuleStates(plans, rule_rows(plans, setting), 1)
        self.read_again = np.zeros(len(self.rules.rows), dtype=bool)
        self.baseline_lvef: float | None = None
        self.lvef_day: int | None = None
        self.size: dict[str, float] = {}
        self.reported: set[tuple[str, str]] = set()

    def _courses(self, entries: Sequence[Entry]) -> dict[str, _DrugOfRecord]:
        found: dict[str, _DrugOfRecord] = {}
        doses = [e for e in entries if e.kind == "dose" and e.drug is not None]
        for name in dict.fromkeys(e.drug for e in doses if e.drug is not None):
            try:
                drug = load_drug(name)
            except UnknownDrugError:
                continue
            days = sorted(e.day for e in doses if e.drug == name)
            gaps = np.diff(days)
            is_weekly = gaps.size > 0 and float(np.median(gaps)) < WEEKLY_GAP_DAYS
            regimens = list(drug.regimen)
            weekly = [r for r in regimens if drug.regimen[r].interval_day == 7]
            regimen = weekly[0] if is_weekly and weekly else regimens[0]
            label = load_label(drug.id, self.region)
            found[name] = _DrugOfRecord(len(found), drug, regimen, label)
            if label is None:
                self.notes.append(f"{drug.id}: no rules of the {self.region} label are known")
        return found

    def enter(self, day: int, today: Sequence[Entry]) -> None:
        """One day: readings and events, rules, doses; then what the doses did."""
        reactions = [e for e in today if e.kind == "event" and e.test in DURING_A_DOSE]
        self._apply_rules(day, self._values(day, [e for e in today if e not in reactions]))
        for entry in today:
            if entry.kind == "dose":
                self._dose(entry, day)
        if reactions:
            self._apply_rules(day, self._values(day, reactions))

    def _values(self, day: int, today: Sequence[Entry]) -> dict[str, Array]:
        values: dict[str, float] = {}
        for entry in today:
            if entry.kind == "lab" and entry.test is not None and entry.value is not None:
                if entry.test in ("weight", "height"):
                    self.size[entry.test] = entry.value
                else:
                    values[entry.test] = entry.value
            elif entry.kind == "event" and entry.test is not None:
                values[EVENTS[entry.test]] = 1.0 if entry.grade is None else entry.grade
        if "lvef" in values:
            self.lvef_day = day
            if self.baseline_lvef is None:
                self.baseline_lvef = values["lvef"]
        found = {name: np.array([value]) for name, value in values.items()}
        known = self.baseline_lvef
        with_derived_readings(found, None if known is None else np.array([known]))
        return found

    # Rules.

    def _apply_rules(self, day: int, values: dict[str, Array]) -> None:
        """All rules on a day, and whether what would end a hold was read meanwhile."""
        rules, one = self.rules, np.zeros(1, dtype=np.int64)
        for number, row in enumerate(rules.rows):
            rules.apply(number, Moment(day, day), one, values, None)
            resume = row.conditions["resume_when"]
            was_read = resume is not None and any(v in values for v in resume.variables)
            is_waiting = bool(rules.held[number, 0] and rules.held_since[number, 0] < day)
            self.read_again[number] = is_waiting and (self.read_again[number] or was_read)
        for _ in rules.follow_partners(day, one):
            pass

    def _forbidding(self, course: _DrugOfRecord) -> tuple[int, bool] | None:
        """The rule that forbids a dose now (its own or a partner's), and whether it stopped."""
        rules, d = self.rules, course.number
        if np.isfinite(rules.stopped_day[d, 0]):
            return int(rules.stop_rule[d, 0]), True
        held_by = int(rules.holding_rule(d, np.zeros(1, dtype=np.int64))[0])
        return None if held_by < 0 else (held_by, False)

    # Doses.

    def _dose(self, entry: Entry, day: int) -> None:
        assert entry.drug is not None
        self._check_company(entry, day)
        if entry.drug not in self.courses:
            self.notes.append(f"{entry.drug}: not a drug of her2sim; its doses are not checked")
            return
        course = self.courses[entry.drug]
        self._check_permission(entry, course)
        self._check_heart(entry, course, day)
        self._check_amount(entry, course, day)
        course.last_day = day

    def _check_permission(self, entry: Entry, course: _DrugOfRecord) -> None:
        forbidding = self._forbidding(course)
        if forbidding is None:
            return
        number, is_stopped = forbidding
        row = self.rules.rows[number]
        rule, label = row.rule, self.rules.plans[row.drug].label
        if is_stopped:
            self._depart(entry, "dose_after_stop", "a dose", "none: stopped", rule, label)
        elif self.read_again[number]:
            after = f", after {rule.min_hold_days:g} days" if rule.min_hold_days else ""
            wanted = f"none until {rule.resume_when}{after}"
            self._depart(entry, "resumed_too_early", "a dose", wanted, rule, label)
        else:
            self._depart(entry, "dose_during_hold", "a dose", "none: on hold", rule, label)

    def _check_heart(self, entry: Entry, course: _DrugOfRecord, day: int) -> None:
        label = course.label
        lines = [] if label is None else [m for m in label.monitoring if m.variable == "lvef"]
        if not lines:
            return
        line, every = lines[0], lines[0].every_days
        if course.last_day is None:
            if self.lvef_day is None:
                self._depart(
                    entry, "missing_baseline_lvef", "no LVEF", "an LVEF before the first dose",
                    line, label,
                )  # fmt: skip
            return
        if every is None or self.lvef_day is None:
            return
        late = day - self.lvef_day - every
        if late > LATE_TEST_DAYS and course.overdue_since != self.lvef_day:
            course.overdue_since = self.lvef_day
            self._depart(
                entry, "overdue_lvef", f"{day - self.lvef_day} days since the last LVEF",
                f"every {every:g} days", line, label,
            )  # fmt: skip

    def _check_amount(self, entry: Entry, course: _DrugOfRecord, day: int) -> None:
        regimen, label = course.regimen, course.label
        is_first = course.last_day is None
        gap = math.inf if course.last_day is None else day - course.last_day
        if not is_first and gap < regimen.interval_day - EARLY_DAYS:
            self._depart(
                entry, "wrong_interval", f"{gap:g} days after the last dose",
                f"{regimen.interval_day:g} days", regimen, course.drug,
            )  # fmt: skip
        loading = regimen.loading or regimen.maintenance
        full, start = self._mg(entry, regimen.maintenance), self._mg(entry, loading)
        if full is None or start is None or entry.dose_mg is None:
            return
        levels = label.level if label is not None and label.level else (1.0,)
        allowed = [full * level / levels[0] for level in levels]
        level = min(int(self.rules.level[course.number, 0]), len(allowed) - 1)
        late = gap - regimen.interval_day
        is_reload = not is_first and label is not None and bool(label.is_reload(late, gap))
        has_loading = not _is_near(start, full)
        expects_loading = has_loading and (is_first or is_reload)
        expected = start if expects_loading else allowed[level]
        if _is_near(entry.dose_mg, expected):
            return
        shown, wanted = f"{entry.dose_mg:g} mg", f"{expected:.4g} mg"
        basis: Claim = regimen
        file: FactFile = course.drug
        code: Code = "dose_off_by_10pct"
        if expects_loading and _is_near(entry.dose_mg, full):
            code = "missing_loading" if is_first else "missing_reload"
        elif not expects_loading and has_loading and _is_near(entry.dose_mg, start):
            code = "needless_reload"
        elif any(_is_near(entry.dose_mg, mg) for mg in allowed):
            code = "wrong_dose_level"
        if code in ("missing_reload", "needless_reload") and label is not None and label.reload:
            basis, file = label.reload, label
        self._depart(entry, code, shown, wanted, basis, file)

    def _mg(self, entry: Entry, dose: LabelledDose) -> float | None:
        """Amount of a labelled dose for this patient; None if its size is not known."""
        weight, height = self.size.get("weight"), self.size.get("height")
        basis = size_needed(dose.unit)
        if basis is not None and (weight is None or (basis == "bsa_m2" and height is None)):
            needed = "weight" if weight is None else "height"
            self.notes.append(
                f"patient {self.patient}: no {needed} before row {entry.row}; the amount is not "
                "checked"
            )
            return None
        sizes = {"weight_kg": weight}
        if weight is not None and height is not None:
            sizes["bsa_m2"] = float(bsa_m2(weight, height))
        return float(mg_of(dose.amount, dose.unit, sizes.__getitem__))

    def _check_company(self, entry: Entry, day: int) -> None:
        """Medicines that a label of the regimen says to avoid."""
        for name, course in self.courses.items():
            if name == entry.drug or course.last_day is None:
                continue
            if day - course.last_day > 2 * course.regimen.interval_day:
                continue
            row = _avoided(course.drug, entry.drug or "")
            if row is not None and (name, row.name) not in self.reported:
                self.reported.add((name, row.name))
                self._depart(
                    entry, "forbidden_comedication", f"{entry.drug} with {course.drug.id}",
                    row.action, row, interactions_of(course.drug.id),
                )  # fmt: skip

    def _depart(
        self,
        entry: Entry,
        code: Code,
        found: str,
        expected: str,
        basis: Claim,
        file: FactFile | None,
    ) -> None:
        assert file is not None
        is_confirmed = getattr(basis, "is_confirmed", True)
        self.departures.append(
            Departure(
                entry.row,
                self.patient,
                entry.date.isoformat(),
                code,
                found,
                expected,
                getattr(basis, "id", code),
                self.region,
                file.source_text(basis.source or ""),
                "confirmed" if is_confirmed else "unconfirmed",
            )
        )


def _is_near(found: float, expected: float) -> bool:
    return abs(found / expected - 1) <= OFF_BY


def _avoided(drug: Drug, other: str) -> Interaction | None:
    """The row that says to avoid another medicine with a drug, if there is one."""
    for row in interactions_of(drug.id).interaction:
        if row.kind == "co-medication" and row.name.casefold() == other.casefold():
            return row if row.is_avoided else None
    return None
