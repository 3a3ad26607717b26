"""Where a real record departs from the label, by the evaluation that simulations use."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from itertools import accumulate

from her2sim.drug_names import folded, unknown_name_text
from her2sim.drugs.drug import LabelledDose, LabelledRegimen
from her2sim.facts import Claim, FactFile
from her2sim.patients.covariates import Setting, bsa_m2
from her2sim.protocol.body_sizes import BodySizes
from her2sim.protocol.company import (
    SubstanceCourse,
    company_departures,
    medicines,
    partners_in,
)
from her2sim.protocol.cumulative_dose import is_counted
from her2sim.protocol.departures import CheckReport, Code, Departure
from her2sim.protocol.given import (
    EARLY_DAYS,
    RecordedDose,
    added_up,
    best_regimens,
    doses_per_day,
    given_doses,
    is_near,
    single_doses,
)
from her2sim.protocol.idle_readings import idle_readings, rules_at_work
from her2sim.protocol.label import Region, Rule, load_label
from her2sim.protocol.plan import DrugPlan
from her2sim.protocol.record import EVENTS, Entry, by_patient
from her2sim.protocol.rule_history import DosesGiven, RuleHistory, Standing
from her2sim.regimens.dose import mg_of, size_needed
from her2sim.regimens.regimen import labelled_regimen

LATE_TEST_DAYS = 14
"""A test may come this much after its time."""
STALE_BASELINE_DAYS = 92
"""Beyond this an LVEF is no baseline: labels measure it anew every three months."""
BODY = ("weight", "height")
STALE_WEIGHT_DAYS = 183
"""Beyond this the weight by which a dose is checked is called stale."""


def check_record(
    entries: Sequence[Entry], region: Region = "us", setting: Setting = "metastatic"
) -> CheckReport:
    """Compare a record with the labels of its drugs.

    On each day readings and events come first, then the rules, then the doses of that day. A rule
    looks at what was measured that day and at nothing older.
    """
    charts = [_Chart(patient, own, region) for patient, own in by_patient(entries)]
    alike: dict[tuple[str, ...], list[_Chart]] = {}
    for chart in charts:
        alike.setdefault(tuple(course.key for course in chart.courses), []).append(chart)
    for group in alike.values():
        given = [[*chart.doses_given()] for chart in group]
        plans = group[0].plans()
        history = RuleHistory(plans, setting, [chart.entries for chart in group], given)
        rules = rules_at_work([plan.label for plan in plans], setting)
        for place, chart in enumerate(group):
            chart.check(history, place)
            chart.note_idle(rules)
    departures = [departure for chart in charts for departure in chart.departures]
    notes = dict.fromkeys(note for chart in charts for note in chart.notes)
    found = tuple(sorted(departures, key=lambda d: d.row))
    return CheckReport(found, tuple(notes), len(charts), len(entries))


class _Chart:
    """One patient's record, dose by dose."""

    def __init__(self, patient: str, entries: Sequence[Entry], region: Region) -> None:
        self.patient, self.entries, self.region = patient, entries, region
        self.departures: list[Departure] = []
        self.notes: list[str] = []
        self.sizes = BodySizes(entries)
        self.lvef_days = sorted(e.day for e in entries if e.kind == "lab" and e.test == "lvef")
        self.others: list[Entry] = []
        self.is_stale_said = False
        self.courses = [*self._courses()]

    def _courses(self) -> Iterator[SubstanceCourse]:
        doses: dict[str, list[RecordedDose]] = {}
        for entry in sorted(self.entries, key=lambda e: (e.day, e.row)):
            if entry.kind != "dose":
                continue
            given = given_doses(entry, doses)
            if given is None:
                self.others.append(entry)
            for dose in given or ():
                doses.setdefault(dose.substance, []).append(dose)
        for number, (substance, own) in enumerate(doses.items()):
            label = load_label(substance, self.region)
            partners = partners_in(label, own, doses)
            course = SubstanceCourse(number, substance, added_up(own), label, partners)
            course.regimens = best_regimens(course.doses, self._amount, course.level_shares)
            if label is None:
                self.notes.append(f"{substance}: no rules of the {self.region} label are known")
            yield course

    def plans(self) -> list[DrugPlan]:
        """The drugs, for their rules."""
        return [
            DrugPlan(c.substance, labelled_regimen(c.holder, c.plan_regimen), c.label, c.given_with)
            for c in self.courses
        ]

    def doses_given(self) -> Iterator[DosesGiven]:
        """The doses of each drug; in all and in mg/m2 where a rule looks at that."""
        for course, plan in zip(self.courses, self.plans(), strict=True):
            each = [self._mg_per_m2(d) for d in course.doses] if is_counted(plan) else []
            yield DosesGiven([d.day for d in course.doses], [*accumulate(each)])

    def _mg_per_m2(self, dose: RecordedDose) -> float:
        weight, height = (self.sizes.at(name, dose.day) for name in ("weight", "height"))
        if weight is None or height is None or dose.mg is None:
            return math.nan
        return dose.mg / float(bsa_m2(weight[0], height[0]))

    def check(self, history: RuleHistory, place: int) -> None:
        """All doses, by what the rules made of the readings."""
        for entry in self.others:
            self._unknown(entry)
        for course in self.courses:
            last: RecordedDose | None = None
            overdue_since: int | None = None
            for number, dose in enumerate(course.doses):
                self._check_route(dose)
                standing = history.standing(course.number, place, dose.day)
                if standing.rule >= 0:
                    self._forbidden(dose, course, history, standing)
                overdue_since = self._check_heart(dose, course, last, overdue_since)
                if dose.regimens:
                    self._check_amount(course, number, last, standing.level)
                last = dose
        for found in company_departures(self.courses, self.others):
            self._depart(*found)

    def note_idle(self, rules: Sequence[Rule]) -> None:
        """Say which readings no rule of these drugs looks at."""
        read = {EVENTS.get(e.test or "", e.test or "") for e in self.entries if e.kind != "dose"}
        idle = idle_readings(read - {*BODY}, rules)
        if idle and self.courses:
            drugs = ", ".join(course.substance for course in self.courses)
            self.notes.append(
                f"No rule of the {self.region.upper()} labels of {drugs} reads {', '.join(idle)}"
            )

    def _unknown(self, entry: Entry) -> None:
        """A name that is no drug of ours: a medicine that a label speaks of, or a departure."""
        if folded(entry.drug or "") in medicines():
            return
        text = unknown_name_text(entry.drug or "")
        self._depart(entry, "unknown_drug", entry.drug or "", text, None, None)

    def _check_route(self, dose: RecordedDose) -> None:
        if dose.regimens:
            return
        if any(d.row == dose.entry.row and d.code == "wrong_route" for d in self.departures):
            return  # the other half of a fixed combination
        regimen = dose.drug.regimen[dose.told or next(iter(dose.drug.regimen))]
        self._depart(
            dose.entry, "wrong_route", f"{dose.entry.drug}, {dose.entry.route}", regimen.route,
            regimen, dose.drug,
        )  # fmt: skip

    def _forbidden(
        self, dose: RecordedDose, course: SubstanceCourse, history: RuleHistory, standing: Standing
    ) -> None:
        row = history.rows[standing.rule]
        rule, label = row.rule, history.plans[row.drug].label
        if standing.is_stopped:
            self._depart(dose.entry, "dose_after_stop", "a dose", "none: stopped", rule, label)
        elif standing.was_read_again:
            after = f", after {rule.min_hold_days:g} days" if rule.min_hold_days else ""
            wanted = f"none until {rule.resume_when}{after}"
            self._depart(dose.entry, "resumed_too_early", "a dose", wanted, rule, label)
        else:
            self._depart(dose.entry, "dose_during_hold", "a dose", "none: on hold", rule, label)

    def _check_heart(
        self,
        dose: RecordedDose,
        course: SubstanceCourse,
        last: RecordedDose | None,
        overdue_since: int | None,
    ) -> int | None:
        """Whether an LVEF is there and in time; the day of the one that is overdue is returned."""
        label = course.label
        lines = [] if label is None else [m for m in label.monitoring if m.variable == "lvef"]
        if not lines:
            return overdue_since
        line = lines[0]
        place = bisect.bisect_right(self.lvef_days, dose.day)
        latest = self.lvef_days[place - 1] if place else None
        if last is None:
            if latest is None or dose.day - latest > STALE_BASELINE_DAYS:
                found = "no LVEF" if latest is None else f"an LVEF of {dose.day - latest} days ago"
                self._depart(
                    dose.entry, "missing_baseline_lvef", found, "an LVEF before the first dose",
                    line, label,
                )  # fmt: skip
                return latest
            return overdue_since
        if line.every_days is None or latest is None:
            return overdue_since
        every = float(line.interval_day(latest - course.doses[0].day))
        if dose.day - latest - every > LATE_TEST_DAYS and overdue_since != latest:
            self._depart(
                dose.entry, "overdue_lvef", f"{dose.day - latest} days since the last LVEF",
                f"every {every:g} days", line, label,
            )  # fmt: skip
            return latest
        return overdue_since

    def _check_amount(
        self, course: SubstanceCourse, number: int, last: RecordedDose | None, level_now: int
    ) -> None:
        dose, name = course.doses[number], course.regimens[number]
        regimen, label = dose.drug.regimen[name], course.label
        gap, interval = math.inf, regimen.interval_day
        if last is not None:
            gap = dose.day - last.day
            before = course.regimens[number - 1]
            interval = last.drug.regimen[before].interval_day if before else interval
            if gap < interval - EARLY_DAYS:
                self._depart(
                    dose.entry, "wrong_interval", f"{gap:g} days after the last dose",
                    f"{interval:g} days", regimen, dose.drug,
                )  # fmt: skip
        if regimen.status == "assumed":
            self.notes.append(f"{dose.drug.id}: no labelled amount ({regimen.reason}); not checked")
            return
        full, start = (self._amount(dose, regimen, is_start) for is_start in (False, True))
        if full is None or start is None:
            self._note_size(dose, regimen)
        if full is None or start is None or dose.mg is None:
            return
        self._note_stale(dose, regimen)
        allowed = [full * share for share in course.level_shares(regimen)]
        late = gap - interval
        is_reload = last is not None and label is not None and bool(label.is_reload(late, gap))
        has_loading = not is_near(start, full)
        expects_loading = has_loading and (last is None or is_reload)
        expected = start if expects_loading else allowed[min(level_now, len(allowed) - 1)]

        def is_given(mg: float) -> bool:
            return any(is_near(one, mg) for one in single_doses(dose, regimen))

        if is_given(expected):
            return
        code: Code = "dose_off_by_10pct"
        if expects_loading and is_given(full):
            code = "missing_loading" if last is None else "missing_reload"
        elif not expects_loading and has_loading and is_given(start):
            code = "needless_reload"
        elif any(is_given(mg) for mg in allowed):
            code = "wrong_dose_level"
        basis: Claim = regimen
        file: FactFile = dose.drug
        if code in ("missing_reload", "needless_reload") and label is not None and label.reload:
            basis, file = label.reload, label
        wanted = expected * (doses_per_day(regimen) if dose.n_rows > 1 else 1)
        self._depart(dose.entry, code, f"{dose.mg:g} mg", f"{wanted:.4g} mg", basis, file)

    def _amount(self, dose: RecordedDose, regimen: LabelledRegimen, is_start: bool) -> float | None:
        """A labelled dose of a regimen for this patient; None if its size is not known."""
        labelled: LabelledDose = regimen.maintenance
        if is_start and regimen.loading is not None:
            labelled = regimen.loading
        basis = size_needed(labelled.unit)
        if basis is None:
            return labelled.amount
        weight = self.sizes.at("weight", dose.day)
        if weight is None:
            return None
        if basis == "weight_kg":
            return labelled.amount * weight[0]
        height = self.sizes.at("height", dose.day)
        if height is None:
            return None
        return float(mg_of(labelled.amount, labelled.unit, lambda _: bsa_m2(weight[0], height[0])))

    def _note_size(self, dose: RecordedDose, regimen: LabelledRegimen) -> None:
        needed = "weight" if self.sizes.at("weight", dose.day) is None else "height"
        self.notes.append(
            f"patient {self.patient}: no {needed} before row {dose.entry.row}; the amount is not "
            "checked"
        )

    def _note_stale(self, dose: RecordedDose, regimen: LabelledRegimen) -> None:
        if size_needed(regimen.maintenance.unit) is None or self.is_stale_said:
            return
        weight = self.sizes.at("weight", dose.day)
        if weight is not None and weight[1] > STALE_WEIGHT_DAYS:
            self.is_stale_said = True
            self.notes.append(
                f"patient {self.patient}: the weight is stale from row {dose.entry.row} on "
                f"({weight[1]} days old): weigh anew, the amount depends on it"
            )

    def _depart(
        self,
        entry: Entry,
        code: Code,
        found: str,
        expected: str,
        basis: Claim | None,
        file: FactFile | None,
    ) -> None:
        is_confirmed = getattr(basis, "is_confirmed", True)
        source = "" if file is None or basis is None else _source(file, basis)
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
                source,
                "confirmed" if is_confirmed else "unconfirmed",
            )
        )


def _source(file: FactFile, basis: Claim) -> str:
    """The source of a claim, or the reason why it was assumed."""
    return file.source_text(basis.source) if basis.source else f"assumed: {basis.reason}"
