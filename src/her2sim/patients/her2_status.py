"""From a HER2 test to a status: the rows of the guidelines, executed as they are printed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from her2sim.errors import DataError, Faults
from her2sim.patients.her2_mutations import mutation_report
from her2sim.patients.her2_table import (
    NOT_DONE,
    NOT_TOLD,
    Case,
    Guideline,
    NextStep,
    Status,
    StatusTable,
    status_table,
    tables_of,
)
from her2sim.patients.her2_test import Her2Test

Category = Literal["positive", "low", "ultralow", "null", "none"]


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
    specimens: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The status as plain data, for JSON."""
        return dict(vars(self))


def interpret(test: Her2Test, guideline: Guideline | None = None) -> Her2Status:
    """Interpret a HER2 test.

    Parameters
    ----------
    test : what the laboratory reported
    guideline : where there are several: for breast cancer ASCO/CAP with its ISH groups (the usual
        one) or the definition of the EU labels, for colorectal cancer the criteria of a trial

    Raises
    ------
    DataError
        If the report contradicts itself or lacks what the guideline needs, with all faults.
    """
    if test.ish == "equivocal":
        return _without_final_ish(test, guideline)
    table = status_table(test.tumour, guideline)
    _require_possible(test, table)
    ish = _ish_result(test, table)
    if table.by_mutation:
        case = Case(NOT_DONE, NOT_DONE, None, False, mutation_report(test.mutation))
    else:
        percent = test.percent if test.ihc in table.needs_percent else None
        where = test.specimen or NOT_TOLD if len(table.specimens) > 1 else NOT_TOLD
        case = Case(test.ihc or NOT_DONE, ish, percent, test.is_recounted, None, where)
    rule = next(rule for rule in table.rule if rule.applies(case))
    group = next((result.group for result in table.ish if result.name == ish), None)
    notes = (rule.note, _unused(test, table), _stain_note(test))
    return Her2Status(
        rule.result,
        _category(rule.result, test),
        group,
        rule.next_step,
        rule.discordant,
        rule.id,
        table.id,
        "; ".join(text for text in notes if text) or None,
        table.source_text(rule.source or ""),
    )


def _without_final_ish(test: Her2Test, guideline: Guideline | None) -> Her2Status:
    """A status where ISH was reported as equivocal: what IHC says, or the next step."""
    why = "an equivocal ISH decides nothing: count again, or give ratio and copies"
    if test.ihc is None:
        table = status_table(test.tumour, guideline)
        return Her2Status(
            "equivocal", "none", None, "recount", False, "ish-equivocal", table.id, why, table.title
        )
    found = interpret(replace(test, ish=None), guideline)
    step: NextStep | None = "recount" if found.next_step == "reflex_ish" else found.next_step
    note = "; ".join(text for text in (found.note, why) if text)
    return replace(found, next_step=step, note=note)


def by_other_criteria(test: Her2Test, table: StatusTable) -> str:
    """What other criteria for the same tumour say, where they differ; empty if none does."""
    ours = interpret(test, table.guideline).status
    others = []
    for other in tables_of(test.tumour):
        if other.guideline == table.guideline:
            continue
        try:
            found = interpret(test, other.guideline)
        except DataError:
            continue
        if found.status != ours:
            others.append(f"{found.status} by {other.title}")
    return "; ".join(others)


def _require_possible(test: Her2Test, table: StatusTable) -> None:
    faults = Faults(f"HER2 test ({table.title})")
    for row in table.impossible:
        if row.is_met(test):
            faults.add(f"{test.in_words()}: {row.why}")
    if test.ihc in table.needs_percent and test.percent is None:
        faults.add(f"IHC {test.ihc}: the share of stained cells decides; give it in percent")
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


def _stain_note(test: Her2Test) -> str:
    """What is missing to tell ultralow from null; empty if nothing is."""
    if test.tumour != "breast" or test.ihc != "0" or test.seen_stain is not None:
        return ""
    return "whether any cell is stained is not told: neither ultralow nor null (stain or percent)"


def _category(status: Status, test: Her2Test) -> Category:
    """Category for drugs of low expression: of breast cancer only, and of a final status."""
    if status == "positive":
        return "positive"
    if status == "equivocal" or test.tumour != "breast":
        return "none"
    if test.ihc in ("1+", "2+"):
        return "low"
    if test.ihc == "0" and test.seen_stain is not None:
        return "ultralow" if test.seen_stain == "faint" else "null"
    return "none"
