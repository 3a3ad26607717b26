"""Every row of every label in words, with its source, as a page of the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from her2sim.drug_names import drug_names
from her2sim.drugs.drug import load_drug
from her2sim.facts import Source
from her2sim.notice import NOTICE
from her2sim.protocol.label import (
    REGIONS,
    AfterLastDose,
    Label,
    Partner,
    Premedication,
    Rule,
    load_label,
)
from her2sim.protocol.label_row import LabelRow
from her2sim.protocol.ladder import Ladder
from her2sim.protocol.monitoring import Monitoring
from her2sim.report.rule_words import condition_text, name_of

HEAD = """# The rows of the labels

Written by `make labels` from the files `label_us.toml` and `label_eu.toml` of the drugs; a test
holds the page against them. How rules act: [course.md](course.md#the-rules); how a record is read
with them: [check.md](check.md).

A row is **confirmed** if it was read in a text of its region. A row that was read in the text of
another country, or in a summary, is *not confirmed*, and its note says where. Such a rule acts with
caution, is marked wherever it acts, and is left out by `--unconfirmed off`. Labels change: the
dates say which text was read. ULN: the upper limit of normal of the laboratory.

{notice}

| drug | region | rows | confirmed | not carried by a rule |
|---|---|---|---|---|
"""
ADDRESS = re.compile(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?::\d+)?(?:/[\w./%=?&-]*[\w/])?", re.I)


def label_page() -> str:
    """The page as Markdown."""
    labels = [
        label
        for drug in drug_names()
        for region in REGIONS
        if (label := load_label(drug, region)) is not None and label.drug == drug
    ]
    lines = [HEAD.format(notice=NOTICE).rstrip("\n")]
    for label in labels:
        rows = list(label.rows())
        n_confirmed = sum(row.is_confirmed for row in rows)
        lines.append(
            f"| [{label.drug}](#{label.drug}-{label.region}) | {label.region.upper()} "
            f"| {len(rows)} | {n_confirmed} | {len(label.not_encoded)} |"
        )
    for label in labels:
        lines += ["", *_label_lines(label)]
    return "\n".join(lines) + "\n"


def _label_lines(label: Label) -> Iterator[str]:
    yield f"## {label.drug} {label.region.upper()}"
    yield ""
    yield f"{load_drug(label.drug).title}; {label.dated}."
    yield ""
    yield "| row | what it does | confirmed | source | note |"
    yield "|---|---|---|---|---|"
    for row in label.rows():
        kind, text = _row_texts(row)
        doubt = "yes" if row.is_confirmed else "*no*"
        basis = (row.source or f"assumed: {row.reason}").replace(":", ": ", 1)
        yield f"| {kind} | {text} | {doubt} | {basis} | {row.note or ''} |"
    for left in label.not_encoded:
        basis = (left.source or "").replace(":", ": ", 1)
        name, note = left.row.replace("_", " "), left.note or ""
        yield f"| {name} | nothing: {left.why} | | {basis} | {note} |"
    yield ""
    for key, source in label.sources.items():
        yield f"- `{key}`: {_source_text(source)}"


def _source_text(source: Source) -> str:
    """A source with what was read of it; addresses become links."""
    read = f"; read in {source.read_via}" if source.read_via else ""
    return source.text() + ADDRESS.sub(lambda m: f"[{m.group()}](https://{m.group()})", read)


def _row_texts(row: LabelRow) -> tuple[str, str]:
    """What kind of row it is, and what it does in words."""
    if isinstance(row, Rule):
        return f"`{row.id}`", "; ".join(_rule_texts(row))
    if isinstance(row, Ladder):
        return "dose levels", row.text()
    if isinstance(row, Partner):
        held = f"when {row.drug} is held: {'held too' if row.if_held == 'hold' else 'goes on'}"
        return "partner", f"{held}; when it stops: {_ends(row.if_stopped)}"
    if isinstance(row, Premedication):
        return "premedication", f"{', '.join(row.what)}: {row.when}"
    if isinstance(row, Monitoring):
        return "measured", f"{name_of(row.variable)}: {row.text()}{_later_text(row)}"
    if isinstance(row, AfterLastDose):
        length = f"{row.months} months" if row.months is not None else f"{row.weeks} weeks"
        return "after the last dose", f"{row.what}: {length}"
    return "loading dose again", getattr(row, "when", "").replace("_", " ")


def _ends(what: str) -> str:
    return "stops too" if what == "stop" else "goes on"


def _later_text(row: Monitoring) -> str:
    texts = []
    for after in row.after_end:
        begins = f"from month {after.from_months} " if after.from_months else ""
        of = f", {after.setting} disease" if after.setting else ""
        needs = f", {after.needs.replace('_', ' ')}" if after.needs else ""
        texts.append(
            f"; after the end {begins}every {after.every_months} months "
            f"to month {after.for_months}{of}{needs}"
        )
    return "".join(texts)


def _rule_texts(rule: Rule) -> Iterator[str]:
    if rule.setting is not None:
        yield f"{rule.setting} disease only"
    for name, does in (("hold_when", "held when"), ("stop_when", "stopped when")):
        if condition := rule.condition(name):
            yield f"{does} {condition_text(condition)}"
    if resume := rule.condition("resume_when"):
        at = "one level down" if rule.resume_level == "one_down" else "at the same dose"
        yield f"goes on {at} when {condition_text(resume)}"
    if down := rule.condition("one_down_when"):
        yield f"then one level down if {condition_text(down)}"
    if rule.one_down_from_hold is not None:
        yield f"one level down from hold {rule.one_down_from_hold} on"
    if rule.min_hold_days:
        yield f"not before {rule.min_hold_days:g} days"
    if rule.recheck_days is not None:
        yield f"looked at again after {rule.recheck_days:g} days"
    if stop := rule.condition("stop_held_when"):
        yield f"then stopped when {condition_text(stop)}"
    if rule.max_hold_days is not None:
        yield f"stopped when a hold lasts {rule.max_hold_days:g} days"
    if rule.max_holds is not None:
        yield f"stopped at hold {rule.max_holds + 1}"
    if rule.ctcae:
        yield f"grades: {rule.ctcae}"
