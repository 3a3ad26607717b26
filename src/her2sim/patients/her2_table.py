"""Rows of the guidelines for HER2 tests, as fact files hold them; each table covers every case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Literal, get_args

from pydantic import Field, model_validator

from her2sim.errors import DataError
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.patients.her2_mutations import MutationReport
from her2sim.patients.her2_test import IHC, Her2Test, SpecimenKind, Stain

Status = Literal["positive", "negative", "equivocal"]
NextStep = Literal[
    "reflex_ish",
    "recount",
    "repeat_ihc",
    "adjudicate",
    "one_score",
    "test_mutation",
    "test_metastasis",
    "test_other_tissue",
    "tell_specimen",
]
STEP_TEXT: dict[NextStep, str] = {
    "reflex_ish": "reflex ISH",
    "recount": "recount",
    "repeat_ihc": "repeat IHC",
    "adjudicate": "adjudicate",
    "one_score": "ask the laboratory for one score",
    "test_mutation": "test for HER2 mutations",
    "test_metastasis": "test a metastasis",
    "test_other_tissue": "test tissue that is not decalcified",
    "tell_specimen": "tell whether it is a biopsy or a resection",
}
"""Next steps in words."""
Guideline = Literal["asco-cap", "eu-label", "heracles", "harmonised", "triumph", "destiny-crc01"]
GUIDELINES: tuple[Guideline, ...] = get_args(Guideline)
NOT_DONE = "not done"
NOT_TOLD = "not told"
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
    stain: Stain | None = None
    specimen: SpecimenKind | Literal["not told"] | None = None
    cluster_below: float | None = None
    why: str

    def is_met(self, test: Her2Test) -> bool:
        """Whether a test is such a report."""
        return (
            test.ihc in self.ihc
            and (self.stain is None or test.stain == self.stain)
            and (self.specimen is None or (test.specimen or NOT_TOLD) == self.specimen)
            and self._holds_cluster(test.cluster_cells)
            and self.holds_percent(test.percent)
        )

    def _holds_cluster(self, cells: float | None) -> bool:
        return self.cluster_below is None or (cells is not None and cells < self.cluster_below)


class StatusRule(Percent):
    """A row of a guideline: which results give which status."""

    id: str
    ihc: tuple[str, ...] = ()
    ish: tuple[str, ...] = ()
    mutation: MutationReport | None = None
    specimen: tuple[SpecimenKind | Literal["not told"], ...] = ()
    recounted: bool | None = None
    result: Status
    next_step: NextStep | None = None
    discordant: bool = False

    def applies(self, case: Case) -> bool:
        """Whether a row is the one for a case."""
        if self.mutation is not None:
            return case.mutation == self.mutation
        return (
            case.ihc in self.ihc
            and case.ish in self.ish
            and self.recounted in (None, case.is_recounted)
            and (not self.specimen or case.specimen in self.specimen)
            and self.holds_percent(case.percent)
        )


@dataclass(frozen=True)
class Case:
    """What the rows look at."""

    ihc: str
    ish: str
    percent: float | None
    is_recounted: bool
    mutation: str | None
    specimen: str = NOT_TOLD


class StatusTable(FactFile):
    """The rows for some tumours by one guideline; together they cover every case once."""

    id: str
    title: str
    tumours: tuple[str, ...]
    guideline: Guideline | None = None
    is_usual: bool = True
    by_mutation: bool = False
    needs_percent: tuple[str, ...] = ()
    ish: tuple[IshResult, ...] = ()
    impossible: tuple[Impossible, ...] = ()
    rule: tuple[StatusRule, ...] = Field(min_length=1)

    def cases(self) -> Iterator[Case]:
        """Every combination of results that the table has to answer."""
        if self.by_mutation:
            for mutation in get_args(MutationReport):
                yield Case(NOT_DONE, NOT_DONE, None, False, mutation)
            return
        results = (NOT_DONE, *(result.name for result in self.ish), *STATED)
        for ihc, ish, recounted in product((NOT_DONE, *IHC), results, (False, True)):
            if ihc == ish == NOT_DONE:
                continue
            percents = PERCENTS if ihc in self.needs_percent else (None,)
            for percent, specimen in product(percents, self.specimens):
                if percent is not None or ihc not in self.needs_percent:
                    yield Case(ihc, ish, percent, recounted, None, specimen)

    @property
    def specimens(self) -> tuple[str, ...]:
        """Kinds of specimen that the rows tell apart."""
        told = any(rule.specimen for rule in self.rule)
        return (NOT_TOLD, *get_args(SpecimenKind)) if told else (NOT_TOLD,)

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


@cache
def status_tables() -> tuple[StatusTable, ...]:
    """All tables that come with her2sim."""
    folder = files("her2sim.patients").joinpath("her2")
    names = sorted(p.name for p in folder.iterdir() if p.name.endswith(".toml"))
    return tuple(read_fact_file(folder.joinpath(name), StatusTable) for name in names)


def tables_of(tumour: str) -> tuple[StatusTable, ...]:
    """The tables for a tumour, the usual one first."""
    known = [table for table in status_tables() if tumour in table.tumours]
    return tuple(sorted(known, key=lambda table: not table.is_usual))


def status_table(tumour: str, guideline: Guideline | None = None) -> StatusTable:
    """The table for a tumour by a guideline, or the usual one.

    Raises
    ------
    DataError
        If the guideline is for other tumours.
    """
    known = tables_of(tumour)
    if guideline is None:
        return known[0]
    for table in known:
        if table.guideline == guideline:
            return table
    named = ", ".join(table.guideline for table in known if table.guideline)
    others = {t for table in status_tables() if table.guideline == guideline for t in table.tumours}
    raise DataError(
        f"guideline {guideline} is for {' and '.join(sorted(others))} cancer; for {tumour} cancer "
        + (f"there are {named}" if named else "there is one table only: leave it out")
    )
