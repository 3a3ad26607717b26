"""One HER2 status from all that was reported of a tumour: specimens, and ranges of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from her2sim.errors import DataError, Faults
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.patients.her2_mutations import mutation_report
from her2sim.patients.her2_report import Her2Report
from her2sim.patients.her2_status import (
    Category,
    Her2Status,
    by_other_criteria,
    interpret,
)
from her2sim.patients.her2_table import (
    STEP_TEXT,
    Guideline,
    NextStep,
    StatusTable,
    status_table,
)
from her2sim.patients.her2_test import (
    Her2Test,
    Tumour,
)

FIRST_YEAR, LAST_YEAR = 1980, 2100
"""HER2 was not known before; a later date is a slip."""
IHC_OF_LUNG = "IHC 3+ is told too: labels for solid tumours may ask for that"
Her2Found = Literal[
    "positive", "negative", "equivocal", "low", "ultralow", "ihc2", "ihc3", "mutation"
]


class SpecimenRule(Claim):
    """What is done with several specimens, or with one that is not fit."""

    id: str
    note: str


class SpecimenFile(FactFile):
    """All such rules."""

    rule: tuple[SpecimenRule, ...]


@cache
def _rules() -> SpecimenFile:
    return read_fact_file(files("her2sim.patients").joinpath("her2_specimens.toml"), SpecimenFile)


@dataclass(frozen=True)
class Her2Findings:
    """HER2 status of a tumour, and what follows for labels and models.

    ``found`` is what indications ask for; ``deciding`` the one test that stands, None where
    several scores or specimens do.
    """

    status: Her2Status
    found: frozenset[Her2Found]
    deciding: Her2Test | None


@dataclass(frozen=True)
class _Read:
    """A report with its status, and the tests it may stand for."""

    report: Her2Report
    tests: tuple[Her2Test, ...]
    status: Her2Status


def read_reports(
    reports: Sequence[Her2Report],
    tumour: Tumour,
    setting: str = "metastatic",
    guideline: Guideline | None = None,
) -> Her2Findings:
    """One status from the reports of all specimens of a tumour.

    Specimens that agree give their status. If they differ in metastatic disease, that of the
    metastases stands; otherwise the status is equivocal, with the next step.

    Parameters
    ----------
    reports : what was reported, at least one
    tumour : type of tumour
    setting : early or metastatic
    guideline : where there are several; the usual one if None

    Raises
    ------
    DataError
        With the faults of all reports.
    """
    table = status_table(tumour, guideline)
    faults = Faults("HER2 test")
    read: list[_Read] = []
    for number, report in enumerate(reports, start=1):
        try:
            tests = report.tests(tumour)
            read.append(_Read(report, tests, _of_scores(tests, guideline)))
        except DataError as error:
            if len(reports) == 1:
                raise
            faults.add(f"specimen {number}: {str(error).removeprefix('HER2 test: ')}")
    for number, report in enumerate(reports, start=1):
        if report.is_metastasis and setting == "early":
            faults.add(f"specimen {number} is of a metastasis, and the setting is early")
        if report.date is not None and not FIRST_YEAR <= report.date.year <= LAST_YEAR:
            faults.add(f"specimen {number}: date {report.date} cannot be")
    faults.raise_if_any(DataError)
    valid = [_noted(one) for one in read if not one.report.is_spoilt]
    if not valid:
        return _without_valid(read, table)
    if len(read) == 1:
        return _findings(valid[0].status, valid)
    lines = tuple(_line(number, one) for number, one in enumerate(read, start=1))
    status, deciding = _together(valid, setting, table)
    if len(valid) < len(read):
        status = _with_note(status, "decalcified")
    return _findings(replace(status, specimens=lines), deciding)


def _of_scores(tests: Sequence[Her2Test], guideline: Guideline | None) -> Her2Status:
    """Status of a report that gives a score, or a range of scores."""
    each = [interpret(test, guideline) for test in tests]
    first = each[0]
    if len(each) == 1:
        others = by_other_criteria(tests[0], status_table(tests[0].tumour, guideline))
        return replace(first, note=_joined(first.note, others))
    shown = [f"IHC {t.ihc}: {_short(s)}" for t, s in zip(tests, each, strict=True)]
    note = "; ".join(shown)
    statuses = {one.status for one in each}
    if len(statuses) == 1 and first.next_step is None:
        categories = {one.category for one in each}
        category: Category = first.category if len(categories) == 1 else "none"
        if len(categories) > 1:
            note += "; the laboratory's one score decides for drugs of low expression"
        return replace(first, category=category, note=_joined(first.note, note))
    step: NextStep = next((one.next_step for one in each if one.next_step), "one_score")
    last = each[-1]
    return Her2Status(
        "equivocal", "none", last.ish_group, step, False, "score-range", last.guideline,
        note, last.source,
    )  # fmt: skip


def _noted(one: _Read) -> _Read:
    if one.report.decalcified != "edta":
        return one
    return replace(one, status=_with_note(one.status, "edta"))


def _without_valid(read: Sequence[_Read], table: StatusTable) -> Her2Findings:
    """No specimen with a valid result."""
    lines = tuple(_line(number, one) for number, one in enumerate(read, start=1))
    rule = _rule("decalcified")
    status = Her2Status(
        "equivocal", "none", None, "test_other_tissue", False, rule.id, table.id, rule.note,
        _rules().source_text(rule.source or ""), lines,
    )  # fmt: skip
    return Her2Findings(status, frozenset({"equivocal"}), None)


def _together(
    valid: Sequence[_Read], setting: str, table: StatusTable
) -> tuple[Her2Status, Sequence[_Read]]:
    """The status of several specimens, and those that it rests on."""
    if len({one.status.status for one in valid}) == 1:
        return _agreed(valid), valid
    metastases = [one for one in valid if one.report.is_metastasis]
    all_told = all(one.report.site is not None for one in valid)
    if (
        setting == "metastatic"
        and all_told
        and metastases
        and len({one.status.status for one in metastases}) == 1
    ):
        status = _with_note(_agreed(metastases), "metastasis")
        return replace(status, discordant=True), metastases
    step: NextStep = next((s.status.next_step for s in valid if s.status.next_step), "adjudicate")
    if step == "adjudicate" and setting == "metastatic" and not metastases:
        step = "test_metastasis"
    rule = _rule("discordant")
    missing = "" if all_told else "tell the site of each (primary, metastasis, liver ...)"
    status = Her2Status(
        "equivocal", "none", None, step, True, "specimens-discordant", table.id,
        _joined(rule.note, missing), _rules().source_text(rule.source or ""),
    )  # fmt: skip
    return status, ()


def _agreed(alike: Sequence[_Read]) -> Her2Status:
    """The status of specimens that agree in it."""
    first = next((one.status for one in alike if one.status.next_step is None), alike[0].status)
    categories = {one.status.category for one in alike}
    if len(categories) == 1:
        return first
    for category in ("low", "ultralow"):
        if category in categories:
            one = next(read.status for read in alike if read.status.category == category)
            return replace(_with_note(one, "low-in-any"), discordant=True)
    return replace(first, category="none", discordant=True)


def _findings(status: Her2Status, deciding: Sequence[_Read]) -> Her2Findings:
    """What a status and the tests that it rests on mean for labels and models."""
    tests = [test for one in deciding for test in one.tests]
    found: set[Her2Found] = {status.status}
    if status.category in get_args(Her2Found):
        found.add(status.category)  # type: ignore[arg-type]
    if tests and all(test.ihc == "3+" for test in tests):
        found.add("ihc3")
    if tests and all(test.ihc in ("2+", "3+") for test in tests):
        found.add("ihc2")
    if any(mutation_report(test.mutation) == "present" for test in tests):
        found.add("mutation")
    if "ihc3" in found and "mutation" not in found and tests[0].tumour == "lung":
        status = replace(status, note=_joined(status.note, IHC_OF_LUNG))
    distinct = set(tests)
    return Her2Findings(status, frozenset(found), distinct.pop() if len(distinct) == 1 else None)


def _rule(name: str) -> SpecimenRule:
    return next(rule for rule in _rules().rule if rule.id == name)


def _with_note(status: Her2Status, name: str) -> Her2Status:
    rule = _rule(name)
    source = _rules().source_text(rule.source or "")
    return replace(status, note=_joined(status.note, f"{rule.note} [{source}]"))


def _joined(*texts: str | None) -> str | None:
    return "; ".join(text for text in texts if text) or None


def _short(status: Her2Status) -> str:
    """A status with its category or its next step, in brackets."""
    if status.next_step is not None:
        return f"{status.status} ({STEP_TEXT[status.next_step]})"
    is_plain = status.category in ("none", status.status)
    return status.status + ("" if is_plain else f" ({status.category})")


def _line(number: int, one: _Read) -> str:
    """A specimen in one line: which it is, what was reported, what that means."""
    which = one.report.in_words()
    scores = " to ".join(dict.fromkeys(t.in_words() for t in (one.tests[0], one.tests[-1])))
    told = f"{number}" + (f" ({which})" if which else "")
    return f"{told}: {scores}: {'not valid' if one.report.is_spoilt else _short(one.status)}"
