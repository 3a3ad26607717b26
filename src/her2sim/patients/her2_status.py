"""From a HER2 test to a status: the rows of the guidelines, executed as they are printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, Literal

from pydantic import Field, model_validator

from her2sim.errors import DataError, Faults
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.patients.her2_mutations import is_activating
from her2sim.patients.her2_test import IHC, NO_MUTATION, Her2Test

Status = Literal["positive", "negative", "equivocal"]
Category = Literal["positive", "low", "ultralow", "null", "none"]
NextStep = Literal["reflex_ish", "recount", "repeat_ihc", "adjudicate"]
Guideline = Literal["asco-cap", "eu-label"]
GUIDELINES: tuple[Guideline, ...] = ("asco-cap", "eu-label")
NOT_DONE = "not done"
STATED = ("stated positive", "stated negative")
PERCENTS = (None, 0.0, 5.0, 10.0, 30.0, 50.0, 80.0)
"""Shares of stained cells at which a table is checked for gaps and overlaps."""


class Percent(Claim):
    """Limits of the share of stained cells: from and to include the limit, above and below not."""

    percent_from: float | None = None
    percent_above: float | None = None
    percent_to: float | None = None
    percent_below: float | None = None

    def holds_percent(self, percent: float | None) -> bool:
        """Whether a share is within; without limits any is, also an unknown one."""
        limits = (self.percent_from, self.percent_above, self.percent_to, self.percent_below)
        if percent is None:
            return all(limit is None for limit in limits)
        return (
            (self.percent_from is None or percent >= self.percent_from)
            and (self.percent_above is None or percent > self.percent_above)
            and (self.percent_to is None or percent <= self.percent_to)
            and (self.percent_below is None or percent < self.percent_below)
        )


class IshResult(Claim):
    """A named result of in situ hybridisation: its group, and limits of ratio and copies."""

    name: str
    group: int | None = None
    is_single: bool = False
    ratio_from: float | None = None
    ratio_below: float | None = None
    copies_from: float | None = None
    copies_below: float | None = None

    def needs(self) -> frozenset[str]:
        """Which numbers it takes."""
        ratio = self.ratio_from is not None or self.ratio_below is not None
        copies = self.copies_from is not None or self.copies_below is not None
        return frozenset({"ratio"} if ratio else ()) | frozenset({"copies"} if copies else ())

    def holds(self, ratio: float | None, copies: float | None) -> bool:
        """Whether numbers are within."""
        return _within(ratio, self.ratio_from, self.ratio_below) and _within(
            copies, self.copies_from, self.copies_below
        )


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    if value is None:
        return False
    return (low is None or value >= low) and (high is None or value < high)


class Impossible(Percent):
    """A report that contradicts how the score is defined."""

    ihc: tuple[str, ...]
    stain: Literal["none", "faint"] | None = None
    specimen: Literal["biopsy", "resection"] | None = None
    why: str

    def is_met(self, test: Her2Test) -> bool:
        """Whether a test is such a report."""
        return (
            test.ihc in self.ihc
            and (self.stain is None or test.stain == self.stain)
            and (self.specimen is None or test.specimen == self.specimen)
            and self.holds_percent(test.percent)
        )


class StatusRule(Percent):
    """A row of a guideline: which results give which status."""

    id: str
    ihc: tuple[str, ...] = ()
    ish: tuple[str, ...] = ()
    mutation: Literal["present", "absent"] | None = None
    recounted: bool | None = None
    result: Status
    next_step: NextStep | None = None
    discordant: bool = False

    def applies(self, case: _Case) -> bool:
        """Whether a row is the one for a case."""
        if self.mutation is not None:
            return case.mutation == self.mutation
        return (
            case.ihc in self.ihc
            and case.ish in self.ish
            and self.recounted in (None, case.is_recounted)
            and self.holds_percent(case.percent)
        )


@dataclass(frozen=True)
class _Case:
    """What the rows look at."""

    ihc: str
    ish: str
    percent: float | None
    is_recounted: bool
    mutation: str | None


class StatusTable(FactFile):
    """The rows for some tumours by one guideline; together they cover every case once."""

    id: str
    title: str
    tumours: tuple[str, ...]
    guideline: Guideline | None = None
    by_mutation: bool = False
    needs_percent: tuple[str, ...] = ()
    ish: tuple[IshResult, ...] = ()
    impossible: tuple[Impossible, ...] = ()
    rule: tuple[StatusRule, ...] = Field(min_length=1)

    def cases(self) -> Iterator[_Case]:
        """Every combination of results that the table has to answer."""
        if self.by_mutation:
            for mutation in ("present", "absent"):
                yield _Case(NOT_DONE, NOT_DONE, None, False, mutation)
            return
        results = (NOT_DONE, *(result.name for result in self.ish), *STATED)
        for ihc, ish, recounted in product((NOT_DONE, *IHC), results, (False, True)):
            if ihc == ish == NOT_DONE:
                continue
            for percent in PERCENTS if ihc in self.needs_percent else (None,):
                if percent is not None or ihc not in self.needs_percent:
                    yield _Case(ihc, ish, percent, recounted, None)

    @model_validator(mode="after")
    def _covers_every_case_once(self) -> StatusTable:
        wrong = []
        for case in self.cases():
            found = [rule.id for rule in self.rule if rule.applies(case)]
            if len(found) != 1:
                wrong.append(f"{case}: {', '.join(found) or 'no rule'}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


@dataclass(frozen=True)
class Her2Status:
    """A status, how it came about, and what is missing for a final one."""

    status: Status
    category: Category
    ish_group: int | None
    next_step: NextStep | None
    discordant: bool
    rule_id: str
    guideline: str
    note: str | None
    source: str

    def as_dict(self) -> dict[str, Any]:
        """The status as plain data, for JSON."""
        return dict(vars(self))


@cache
def status_tables() -> tuple[StatusTable, ...]:
    """All tables that come with her2sim."""
    folder = files("her2sim.patients").joinpath("her2")
    names = sorted(p.name for p in folder.iterdir() if p.name.endswith(".toml"))
    return tuple(read_fact_file(folder.joinpath(name), StatusTable) for name in names)


def status_table(tumour: str, guideline: Guideline = "asco-cap") -> StatusTable:
    """The table for a tumour; the guideline matters where there is more than one."""
    known = [table for table in status_tables() if tumour in table.tumours]
    return next(table for table in known if table.guideline in (None, guideline))


def interpret(test: Her2Test, guideline: Guideline = "asco-cap") -> Her2Status:
    """Interpret a HER2 test.

    Parameters
    ----------
    test : what the laboratory reported
    guideline : for breast cancer, ASCO/CAP with its ISH groups, or the definition of the EU labels

    Raises
    ------
    DataError
        If the report contradicts itself or lacks what the guideline needs, with all faults.
    """
    table = status_table(test.tumour, guideline)
    _require_possible(test, table)
    ish = _ish_result(test, table)
    mutation = None
    if table.by_mutation:
        mutation = "present" if is_activating(test.mutation or NO_MUTATION) else "absent"
        case = _Case(NOT_DONE, NOT_DONE, None, False, mutation)
    else:
        percent = test.percent if test.ihc in table.needs_percent else None
        case = _Case(test.ihc or NOT_DONE, ish, percent, test.is_recounted, None)
    rule = next(rule for rule in table.rule if rule.applies(case))
    group = next((result.group for result in table.ish if result.name == ish), None)
    return Her2Status(
        rule.result,
        _category(rule.result, test),
        group,
        rule.next_step,
        rule.discordant,
        rule.id,
        table.id,
        "; ".join(text for text in (rule.note, _unused(test, table)) if text) or None,
        table.source_text(rule.source or ""),
    )


def _require_possible(test: Her2Test, table: StatusTable) -> None:
    faults = Faults(f"HER2 test ({table.title})")
    for row in table.impossible:
        if row.is_met(test):
            shown = f"IHC {test.ihc}" + (f", stain {test.stain}" if test.stain else "")
            shown += f", {test.percent:g} %" if test.percent is not None else ""
            faults.add(f"{shown}: {row.why}")
    if test.ihc in table.needs_percent and test.percent is None:
        faults.add(f"IHC {test.ihc}: the share of stained cells decides; give it in percent")
    if test.specimen is not None and all(row.specimen is None for row in table.impossible):
        faults.add("the kind of specimen does not decide here; leave it out")
    if table.by_mutation and test.ish is not None:
        faults.add("ISH does not decide here; leave it out")
    faults.raise_if_any(DataError)


def _unused(test: Her2Test, table: StatusTable) -> str:
    """What was counted and does not decide by this table; empty if all of it does."""
    used = {n for result in table.ish for n in result.needs()}
    given = [n for n in ("ratio", "copies") if getattr(test, n) is not None and n not in used]
    if not given or not used:
        return ""
    told = " and ".join(f"{name} {getattr(test, name):g}" for name in given)
    return f"{told}: not used, {' and '.join(sorted(used))} decides here; laboratories differ"


def _ish_result(test: Her2Test, table: StatusTable) -> str:
    """Name of the ISH result, or that there is none."""
    if test.ish is not None:
        return f"stated {test.ish}"
    given = {n for n in ("ratio", "copies") if getattr(test, n) is not None}
    if not given:
        return NOT_DONE
    used = {n for result in table.ish for n in result.needs()}
    if not used:
        raise DataError(f"{table.title}: ISH has no limits here; give the result in words")
    known = {n: getattr(test, n) for n in given & used}
    for result in table.ish:
        if result.needs() == set(known) and result.holds(known.get("ratio"), known.get("copies")):
            return result.name
    needed = " or ".join(sorted({" and ".join(sorted(r.needs())) for r in table.ish}))
    raise DataError(f"{table.title}: {', '.join(sorted(given))} alone is not enough; give {needed}")


def _category(status: Status, test: Her2Test) -> Category:
    """Category for drugs of low expression: of breast cancer only, and of a final status."""
    if status == "positive":
        return "positive"
    if status == "equivocal" or test.tumour != "breast":
        return "none"
    if test.ihc in ("1+", "2+"):
        return "low"
    if test.ihc == "0" and test.stain is not None:
        return "ultralow" if test.stain == "faint" else "null"
    return "none"
