"""What labels say of drugs together: medicines to avoid, one antibody at a time, partners."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from her2sim.drug_names import drug_names, folded
from her2sim.drugs.drug import Drug, LabelledRegimen
from her2sim.drugs.interactions import Interaction, interactions_of
from her2sim.facts import Claim, FactFile
from her2sim.protocol.departures import Code
from her2sim.protocol.given import EARLY_DAYS, RecordedDose
from her2sim.protocol.label import AfterLastDose, Label, Region
from her2sim.protocol.plan import substance_of
from her2sim.protocol.record import Entry
from her2sim.regimens.library import named_regimens
from her2sim.units import DAY_PER_MONTH

Found = tuple[Entry, Code, str, str, Claim, FactFile | None]
"""A departure: its line, what it is, what was found and expected, and what that rests on."""
PARTNER_DAYS = 10
"""Within so many days of a dose its partner has to be given too, or not be due again yet."""


@dataclass(eq=False)
class SubstanceCourse:
    """All doses of one substance of a patient, each with the labelled regimen that fits it.

    ``number`` is its place among the rules; ``given_with`` are the other substances of the same
    time that decide its dose levels.
    """

    number: int
    substance: str
    doses: list[RecordedDose]
    label: Label | None
    given_with: frozenset[str] = frozenset()
    regimens: list[str] = field(default_factory=list)
    _shares: dict[tuple[float, str], tuple[float, ...]] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """What decides the rules."""
        return "/".join((self.substance, self.plan_regimen, *sorted(self.given_with)))

    @property
    def plan_regimen(self) -> str:
        """The regimen that rules are told of."""
        first = self.doses[0]
        return next((name for name in self.regimens if name), next(iter(first.drug.regimen)))

    @property
    def holder(self) -> Drug:
        """The product whose regimen rules are told of."""
        drugs = {dose.drug.id: dose.drug for dose in self.doses}
        return next(d for d in drugs.values() if self.plan_regimen in d.regimen)

    def level_shares(self, regimen: LabelledRegimen) -> tuple[float, ...]:
        """Dose levels of a regimen as shares of its full dose."""
        full = regimen.maintenance
        known = self._shares.get((full.amount, full.unit))
        if known is None:
            known = (1.0,)
            if self.label is not None:
                known = self.label.level_shares(full.amount, full.unit, self.given_with)
            self._shares[full.amount, full.unit] = known
        return known

    def is_given_near(self, day: int) -> bool:
        """Whether a dose of some days before or after stands for a day.

        One before it does so until the next is due.
        """
        after = bisect.bisect_left(self.days, day)
        if after < len(self.days) and self.days[after] - day <= PARTNER_DAYS:
            return True
        gap = day - self.days[after - 1] if after else math.inf
        return gap <= PARTNER_DAYS or gap < self.interval_day(after - 1)

    @cached_property
    def days(self) -> list[int]:
        """Days of the doses, in order."""
        return [dose.day for dose in self.doses]

    def interval_day(self, number: int) -> float:
        """Days between doses by the regimen of one of them."""
        drug, name = self.doses[number].drug, self.regimens[number]
        return drug.regimen[name or next(iter(drug.regimen))].interval_day


def partners_in(
    label: Label | None, own: Sequence[RecordedDose], doses: Mapping[str, Sequence[RecordedDose]]
) -> frozenset[str]:
    """Substances of which a label has a ladder, and that were given in the time of a course."""
    names = {ladder.with_drug for ladder in label.ladder} if label is not None else set()
    first, last = own[0].day, own[-1].day
    return frozenset(
        name
        for name, others in doses.items()
        if name in names and others[0].day <= last and others[-1].day >= first
    )


def company_departures(
    courses: Sequence[SubstanceCourse], others: Sequence[Entry]
) -> Iterator[Found]:
    """Where a patient's drugs depart from what labels say of them together.

    Parameters
    ----------
    courses : of the patient's drugs
    others : doses of other medicines
    """
    yield from _avoided_medicines(courses, others)
    yield from _one_antibody(courses)
    yield from _anthracyclines(courses)
    yield from _without_partner(courses)


def _avoided_medicines(
    courses: Sequence[SubstanceCourse], others: Sequence[Entry]
) -> Iterator[Found]:
    """Medicines that a label of the regimen says to avoid."""
    named = [(entry, folded(entry.drug or "")) for entry in others]
    named += [(dose.entry, dose.drug.id) for course in courses for dose in course.doses]
    named.sort(key=lambda pair: (pair[0].day, pair[0].row))
    for course in courses:
        drug, reported = course.doses[0].drug, set[str]()
        rows = _avoided_by(drug.id)
        for entry, name in named if rows else ():
            row = rows.get(name)
            if row is None or name in reported or name in (course.substance, drug.id):
                continue
            before = [n for n, dose in enumerate(course.doses) if dose.day <= entry.day]
            if not before:
                continue
            since = entry.day - course.doses[before[-1]].day
            if since <= 2 * course.interval_day(before[-1]):
                reported.add(name)
                text = f"{entry.drug} with {course.substance}"
                file = interactions_of(drug.id)
                yield entry, "forbidden_comedication", text, row.action, row, file


def _one_antibody(courses: Sequence[SubstanceCourse]) -> Iterator[Found]:
    """Two products with the same antibody together, or two conjugates."""
    for place, one in enumerate(courses):
        for other in courses[place + 1 :]:
            if not _share_antibody(one.doses[0], other.doses[0]):
                continue
            clash = next(_together(one, other), None)
            if clash is not None:
                first, second = clash
                drug = second.drug if second.drug.antibody else first.drug
                yield (
                    second.entry,
                    "forbidden_combination",
                    f"{second.drug.id} with {first.drug.id}",
                    "one product with this antibody at a time",
                    next(iter(drug.regimen.values())),
                    drug,
                )


def _together(
    one: SubstanceCourse, other: SubstanceCourse
) -> Iterator[tuple[RecordedDose, RecordedDose]]:
    """Doses of both of which the later comes before the earlier has run its time."""
    doses = [(d.day, d.entry.row, c, n) for c in (one, other) for n, d in enumerate(c.doses)]
    doses.sort(key=lambda told: told[:2])
    for (day, _, course, number), (then, _, following, next_one) in zip(
        doses, doses[1:], strict=False
    ):
        if course is not following and then - day < course.interval_day(number) - EARLY_DAYS:
            yield course.doses[number], following.doses[next_one]


def _share_antibody(one: RecordedDose, other: RecordedDose) -> bool:
    """Whether both bring the same antibody, by itself or in a conjugate."""
    brought = [{dose.substance, dose.drug.antibody} - {None} for dose in (one, other)]
    return bool(brought[0] & brought[1])


def _anthracyclines(courses: Sequence[SubstanceCourse]) -> Iterator[Found]:
    """An anthracycline beside an antibody, or too soon after it."""
    for course in courses:
        if "anthracycline" not in course.doses[0].drug.groups:
            continue
        for other in courses:
            line = _anthracycline_line(other.label)
            if line is None:
                continue
            months = line.months or 0
            for dose in course.doses:
                before = [d for d in other.doses if d.day <= dose.day]
                if before and dose.day - before[-1].day <= months * DAY_PER_MONTH:
                    since = dose.day - before[-1].day
                    yield (
                        dose.entry,
                        "forbidden_combination",
                        f"{dose.drug.id} {since} days after {before[-1].drug.id}",
                        f"none with it, and none for {months} months after it, if possible",
                        line,
                        other.label,
                    )
                    break


def _without_partner(courses: Sequence[SubstanceCourse]) -> Iterator[Found]:
    """A drug that its label gives with another only, given without it.

    Under the skin there is only the fixed combination, which holds the partner. A regimen that is
    labelled without the partner in the region is none.
    """
    for course in courses:
        lines = course.label.partner if course.label is not None else ()
        for line in (line for line in lines if line.if_stopped == "stop"):
            region = course.label.region if course.label is not None else "us"
            others = [{line.drug}, *_labelled_without(course.substance, line.drug, region)]
            for dose in (d for d in course.doses if d.entry.route != "sc"):
                near = {other.substance for other in courses if other.is_given_near(dose.day)}
                if not any(names <= near for names in others):
                    yield (
                        dose.entry,
                        "forbidden_combination",
                        f"{course.substance} without {line.drug}",
                        f"{course.substance} with {line.drug}",
                        line,
                        course.label,
                    )
                    break


@cache
def _labelled_without(drug: str, partner: str, region: Region) -> tuple[set[str], ...]:
    """Substances of labelled regimens that hold a drug and not its partner."""
    regimens = [
        {substance_of(part.drug) for part in regimen.part}
        for regimen in named_regimens().values()
        if any(row.region == region for row in regimen.indication)
    ]
    return tuple(names for names in regimens if drug in names and partner not in names)


def _anthracycline_line(label: Label | None) -> AfterLastDose | None:
    lines = () if label is None else label.after_last_dose
    return next((line for line in lines if line.what.startswith("no anthracycline")), None)


@cache
def medicines() -> frozenset[str]:
    """Other medicines that any label speaks of, folded."""
    rows = [row for drug in drug_names() for row in interactions_of(drug).interaction]
    return frozenset(folded(row.name) for row in rows if row.kind == "co-medication")


@cache
def _avoided_by(drug: str) -> dict[str, Interaction]:
    """Medicines that the label of a drug says to avoid, by name."""
    found: dict[str, Interaction] = {}
    for row in interactions_of(drug).interaction:
        if row.kind == "co-medication":
            found.setdefault(folded(row.name), row)
    return {name: row for name, row in found.items() if row.is_avoided}
