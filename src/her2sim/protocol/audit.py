"""Where a real record departs from the label, by the evaluation that simulations use."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from her2sim.drugs.drug import Drug, LabelledDose, LabelledRegimen
from her2sim.drugs.interactions import Interaction, interactions_of
from her2sim.drugs.names import folded, unknown_name_text
from her2sim.facts import Claim, FactFile
from her2sim.patients.covariates import Setting, bsa_m2
from her2sim.protocol.departures import CheckReport, Code, Departure
from her2sim.protocol.given import EARLY_DAYS, OFF_BY, Given, added_up, best_regimens, given_doses
from her2sim.protocol.label import AfterLastDose, Label, Region, load_label
from her2sim.protocol.plan import DrugPlan
from her2sim.protocol.record import Entry, by_patient
from her2sim.protocol.rule_history import RuleHistory
from her2sim.regimens.dose import mg_of, size_needed
from her2sim.regimens.regimen import labelled_regimen

LATE_TEST_DAYS = 14
"""A test may come this much after its time."""
STALE_BASELINE_DAYS = 92
"""Beyond this an LVEF is no baseline: labels measure it anew every three months."""
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
        history = RuleHistory(group[0].plans(), setting, [chart.entries for chart in group])
        for place, chart in enumerate(group):
            chart.check(history, place)
    departures = [departure for chart in charts for departure in chart.departures]
    notes = dict.fromkeys(note for chart in charts for note in chart.notes)
    return CheckReport(tuple(sorted(departures, key=lambda d: d.row)), tuple(notes))


@dataclass(eq=False)
class _Course:
    """All doses of one substance of a patient, each with the labelled regimen that fits it."""

    number: int
    substance: str
    doses: list[Given]
    label: Label | None
    regimens: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What decides the rules."""
        return f"{self.substance}/{self.plan_regimen}"

    @property
    def plan_regimen(self) -> str:
        """The regimen that rules are told of."""
        first = self.doses[0]
        return next((name for name in self.regimens if name), next(iter(first.drug.regimen)))

    @property
    def levels(self) -> tuple[float, ...]:
        """Dose levels as shares of the full dose."""
        told = self.label.level if self.label is not None and self.label.level else (1.0,)
        return tuple(level / told[0] for level in told)


class _Sizes:
    """Weights and heights of a patient, each with its day."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._told: dict[str, tuple[list[int], list[float]]] = {}
        for entry in sorted(entries, key=lambda e: e.day):
            if entry.kind == "lab" and entry.test in ("weight", "height") and entry.value:
                days, values = self._told.setdefault(entry.test, ([], []))
                days.append(entry.day)
                values.append(entry.value)

    def at(self, name: str, day: int) -> tuple[float, int] | None:
        """The last value until a day, and how old it is; None if there is none."""
        days, values = self._told.get(name, ([], []))
        place = bisect.bisect_right(days, day)
        return None if not place else (values[place - 1], day - days[place - 1])


class _Chart:
    """One patient's record, dose by dose."""

    def __init__(self, patient: str, entries: Sequence[Entry], region: Region) -> None:
        self.patient, self.entries, self.region = patient, entries, region
        self.departures: list[Departure] = []
        self.notes: list[str] = []
        self.sizes = _Sizes(entries)
        self.lvef_days = sorted(e.day for e in entries if e.kind == "lab" and e.test == "lvef")
        self.others: list[Entry] = []
        self.is_stale_said = False
        self.courses = [*self._courses()]

    def _courses(self) -> Iterator[_Course]:
        doses: dict[str, list[Given]] = {}
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
            course = _Course(number, substance, added_up(own), label)
            course.regimens = best_regimens(course.doses, self._amount, course.levels)
            if label is None:
                self.notes.append(f"{substance}: no rules of the {self.region} label are known")
            yield course

    def plans(self) -> list[DrugPlan]:
        """The drugs, for their rules."""
        return [
            DrugPlan(c.substance, labelled_regimen(_holder(c), c.plan_regimen), c.label)
            for c in self.courses
        ]

    def check(self, history: RuleHistory, place: int) -> None:
        """All doses, by what the rules made of the readings."""
        for entry in self.others:
            self._unknown(entry)
        for course in self.courses:
            last: Given | None = None
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
        self._check_company()

    def _unknown(self, entry: Entry) -> None:
        """A name that is no drug of ours: a medicine that a label speaks of, or a departure."""
        if folded(entry.drug or "") in _medicines():
            return
        text = unknown_name_text(entry.drug or "")
        self._depart(entry, "unknown_drug", entry.drug or "", text, None, None)

    def _check_route(self, dose: Given) -> None:
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
        self, dose: Given, course: _Course, history: RuleHistory, standing: object
    ) -> None:
        row = history.rows[standing.rule]  # type: ignore[attr-defined]
        rule, label = row.rule, history.plans[row.drug].label
        if standing.is_stopped:  # type: ignore[attr-defined]
            self._depart(dose.entry, "dose_after_stop", "a dose", "none: stopped", rule, label)
        elif standing.was_read_again:  # type: ignore[attr-defined]
            after = f", after {rule.min_hold_days:g} days" if rule.min_hold_days else ""
            wanted = f"none until {rule.resume_when}{after}"
            self._depart(dose.entry, "resumed_too_early", "a dose", wanted, rule, label)
        else:
            self._depart(dose.entry, "dose_during_hold", "a dose", "none: on hold", rule, label)

    def _check_heart(
        self, dose: Given, course: _Course, last: Given | None, overdue_since: int | None
    ) -> int | None:
        """Whether an LVEF is there and in time; the day of the one that is overdue is returned."""
        label = course.label
        lines = [] if label is None else [m for m in label.monitoring if m.variable == "lvef"]
        if not lines:
            return overdue_since
        line, every = lines[0], lines[0].every_days
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
        if every is None or latest is None:
            return overdue_since
        if dose.day - latest - every > LATE_TEST_DAYS and overdue_since != latest:
            self._depart(
                dose.entry, "overdue_lvef", f"{dose.day - latest} days since the last LVEF",
                f"every {every:g} days", line, label,
            )  # fmt: skip
            return latest
        return overdue_since

    def _check_amount(
        self, course: _Course, number: int, last: Given | None, level_now: int
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
        full, start = (self._amount(dose, regimen, is_start) for is_start in (False, True))
        if full is None or start is None:
            self._note_size(dose, regimen)
        if full is None or start is None or dose.mg is None:
            return
        self._note_stale(dose, regimen)
        allowed = [full * level for level in course.levels]
        late = gap - interval
        is_reload = last is not None and label is not None and bool(label.is_reload(late, gap))
        has_loading = not _is_near(start, full)
        expects_loading = has_loading and (last is None or is_reload)
        expected = start if expects_loading else allowed[min(level_now, len(allowed) - 1)]
        if _is_near(dose.mg, expected):
            return
        code: Code = "dose_off_by_10pct"
        if expects_loading and _is_near(dose.mg, full):
            code = "missing_loading" if last is None else "missing_reload"
        elif not expects_loading and has_loading and _is_near(dose.mg, start):
            code = "needless_reload"
        elif any(_is_near(dose.mg, mg) for mg in allowed):
            code = "wrong_dose_level"
        basis: Claim = regimen
        file: FactFile = dose.drug
        if code in ("missing_reload", "needless_reload") and label is not None and label.reload:
            basis, file = label.reload, label
        self._depart(dose.entry, code, f"{dose.mg:g} mg", f"{expected:.4g} mg", basis, file)

    def _amount(self, dose: Given, regimen: LabelledRegimen, is_start: bool) -> float | None:
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

    def _note_size(self, dose: Given, regimen: LabelledRegimen) -> None:
        needed = "weight" if self.sizes.at("weight", dose.day) is None else "height"
        self.notes.append(
            f"patient {self.patient}: no {needed} before row {dose.entry.row}; the amount is not "
            "checked"
        )

    def _note_stale(self, dose: Given, regimen: LabelledRegimen) -> None:
        if size_needed(regimen.maintenance.unit) is None or self.is_stale_said:
            return
        weight = self.sizes.at("weight", dose.day)
        if weight is not None and weight[1] > STALE_WEIGHT_DAYS:
            self.is_stale_said = True
            self.notes.append(
                f"patient {self.patient}: the weight is stale from row {dose.entry.row} on "
                f"({weight[1]} days old): weigh anew, the amount depends on it"
            )

    # Drugs together.

    def _check_company(self) -> None:
        """What labels say of drugs together: other medicines, conjugates, anthracyclines."""
        doses = sorted(
            ((dose, course) for course in self.courses for dose in course.doses),
            key=lambda pair: (pair[0].day, pair[0].entry.row),
        )
        self._avoided_medicines(doses)
        self._one_antibody(doses)
        self._anthracyclines(doses)
        self._without_partner()

    def _avoided_medicines(self, doses: Sequence[tuple[Given, _Course]]) -> None:
        """Medicines that a label of the regimen says to avoid."""
        reported: set[tuple[str, str]] = set()
        named = [(e, folded(e.drug or "")) for e in self.others]
        named += [(dose.entry, dose.drug.id) for dose, _ in doses]
        for entry, name in sorted(named, key=lambda pair: (pair[0].day, pair[0].row)):
            for course in self.courses:
                row = _avoided(course.doses[0].drug, name)
                if row is None or (course.substance, row.name) in reported:
                    continue
                if name in (course.substance, course.doses[0].drug.id):
                    continue
                before = [d for d in course.doses if d.day <= entry.day]
                if not before:
                    continue
                interval = _interval(course, before[-1])
                if entry.day - before[-1].day <= 2 * interval:
                    reported.add((course.substance, row.name))
                    self._depart(
                        entry, "forbidden_comedication", f"{entry.drug} with {course.substance}",
                        row.action, row, interactions_of(course.doses[0].drug.id),
                    )  # fmt: skip

    def _one_antibody(self, doses: Sequence[tuple[Given, _Course]]) -> None:
        """Two products with the same antibody together, or two conjugates."""
        reported: set[frozenset[str]] = set()
        for place, (dose, course) in enumerate(doses):
            for other, its in reversed(doses[:place]):
                if other.day < dose.day - _interval(its, other) + EARLY_DAYS:
                    if dose.day - other.day > 31:
                        break
                    continue
                pair = frozenset((course.substance, its.substance))
                if len(pair) == 1 or pair in reported or not _share_antibody(dose, other):
                    continue
                reported.add(pair)
                self._depart(
                    dose.entry, "forbidden_combination", f"{dose.drug.id} with {other.drug.id}",
                    "one product with this antibody at a time", _basis(dose, other),
                    _conjugate(dose, other),
                )  # fmt: skip

    def _anthracyclines(self, doses: Sequence[tuple[Given, _Course]]) -> None:
        """An anthracycline beside an antibody, or too soon after it."""
        reported: set[tuple[str, str]] = set()
        for dose, course in doses:
            if "anthracycline" not in dose.drug.groups:
                continue
            for other, its in doses:
                line = _anthracycline_line(its.label)
                if line is None or (course.substance, its.substance) in reported:
                    continue
                months = line.months or 0
                if other.day <= dose.day <= other.day + months * 30.4:
                    reported.add((course.substance, its.substance))
                    self._depart(
                        dose.entry, "forbidden_combination",
                        f"{dose.drug.id} {dose.day - other.day} days after {other.drug.id}",
                        f"none with it, and none for {months} months after it, if possible", line,
                        its.label,
                    )  # fmt: skip

    def _without_partner(self) -> None:
        """A drug that its label gives with another only, given without it.

        Under the skin there is only the fixed combination, which holds the partner.
        """
        days = {c.substance: [d.day for d in c.doses] for c in self.courses}
        for course in self.courses:
            lines = course.label.partner if course.label is not None else ()
            for line in (line for line in lines if line.if_stopped == "stop"):
                own = days.get(line.drug, [])
                for dose in (d for d in course.doses if d.entry.route != "sc"):
                    if not any(abs(dose.day - day) <= PARTNER_DAYS for day in own):
                        self._depart(
                            dose.entry, "forbidden_combination",
                            f"{course.substance} without {line.drug}",
                            f"{course.substance} with {line.drug}", line, course.label,
                        )  # fmt: skip
                        break

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
        source = "" if file is None or basis is None else file.source_text(basis.source or "")
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


PARTNER_DAYS = 10
"""Within so many days of a dose its partner has to be given too."""


def _holder(course: _Course) -> Drug:
    """The product whose regimen rules are told of."""
    drugs = {dose.drug.id: dose.drug for dose in course.doses}
    return next(d for d in drugs.values() if course.plan_regimen in d.regimen)


def _interval(course: _Course, dose: Given) -> float:
    name = course.regimens[course.doses.index(dose)]
    return dose.drug.regimen[name or next(iter(dose.drug.regimen))].interval_day


def _share_antibody(one: Given, other: Given) -> bool:
    """Whether both bring the same antibody, by itself or in a conjugate."""
    brought = [{dose.substance, dose.drug.antibody} - {None} for dose in (one, other)]
    return bool(brought[0] & brought[1])


def _conjugate(one: Given, other: Given) -> Drug:
    return one.drug if one.drug.antibody else other.drug


def _basis(one: Given, other: Given) -> Claim:
    drug = _conjugate(one, other)
    return next(iter(drug.regimen.values()))


def _anthracycline_line(label: Label | None) -> AfterLastDose | None:
    lines = () if label is None else label.after_last_dose
    return next((line for line in lines if line.what.startswith("no anthracycline")), None)


@cache
def _medicines() -> frozenset[str]:
    """Other medicines that any label speaks of."""
    from her2sim.drugs.names import drug_names

    rows = [row for drug in drug_names() for row in interactions_of(drug).interaction]
    return frozenset(folded(row.name) for row in rows if row.kind == "co-medication")


def _is_near(found: float, expected: float) -> bool:
    return abs(found / expected - 1) <= OFF_BY


@cache
def _avoided_by(drug: str) -> dict[str, Interaction]:
    rows = interactions_of(drug).interaction
    found: dict[str, Interaction] = {}
    for row in rows:
        if row.kind == "co-medication":
            found.setdefault(folded(row.name), row)
    return found


def _avoided(drug: Drug, other: str) -> Interaction | None:
    """The row that says to avoid another medicine with a drug, if there is one."""
    row = _avoided_by(drug.id).get(folded(other))
    return row if row is not None and row.is_avoided else None
