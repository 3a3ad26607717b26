"""Regimens of several drugs: named ones as facts, others written as an expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from pydantic import Field

from her2sim.drugs.drug import first_regimen, is_drug, load_drug
from her2sim.errors import DataError, Faults, Her2SimError, UnknownNameError, did_you_mean
from her2sim.facts import Claim, FactFile, read_fact_file
from her2sim.regimens.indication import Indication

MARKS = "/*%~^@"
"""What stands before the parts of a drug that is written out."""
LEAST_PERCENT, MOST_PERCENT, LONGEST_INTERVAL_DAY = 5.0, 300.0, 364.0
_PART = re.compile(
    r"(?P<drug>[^/*%~^@]+)(/(?P<regimen>[^/*%~^@]+))?(\*(?P<doses>\d+))?"
    r"(%(?P<percent>\d+(\.\d+)?))?(~(?P<every>\d+(\.\d+)?))?(?P<missed>(\^\d+)*)"
    r"(@(?P<start>\d+(\.\d+)?))?"
)
GRAMMAR = "DRUG[:MODEL][/REGIMEN][*DOSES][%PERCENT][~DAYS][^MISSED][@DAY], joined by +"


class RegimenPart(Claim):
    """One drug of a regimen: how it is given, from which day on, and how many doses (all).

    What may be unlike the label: ``dose_percent`` of each labelled dose, ``every_day`` between
    doses, and the numbers of planned doses that are ``missed``.
    """

    drug: str
    regimen: str
    doses: int | None = Field(default=None, ge=1)
    start_day: float = Field(default=0.0, ge=0)
    dose_percent: float = Field(default=100.0, ge=LEAST_PERCENT, le=MOST_PERCENT)
    every_day: float | None = Field(default=None, ge=1, le=LONGEST_INTERVAL_DAY)
    missed: tuple[int, ...] = ()


class NamedRegimen(FactFile):
    """A regimen: its drugs, partners, planned length, and for whom it is labelled.

    ``with_others`` names partners that are not simulated, or not with the others: a course of a
    conjugate and then its antibody is two lines.
    """

    id: str
    title: str
    setting: str = ""
    aliases: tuple[str, ...] = ()
    with_others: tuple[str, ...] = ()
    planned: str = ""
    indication: tuple[Indication, ...] = ()
    part: tuple[RegimenPart, ...] = Field(min_length=1)


@cache
def named_regimens() -> dict[str, NamedRegimen]:
    """All regimens that come with her2sim, by id."""
    folder = files("her2sim.regimens").joinpath("facts")
    found = sorted(p.name for p in folder.iterdir() if p.name.endswith(".toml"))
    regimens = [read_fact_file(folder.joinpath(name), NamedRegimen) for name in found]
    return {regimen.id: regimen for regimen in regimens}


def find_named(name: str) -> NamedRegimen | None:
    """A regimen by id or alias; None if there is none."""
    for regimen in named_regimens().values():
        if name.casefold() in (n.casefold() for n in (regimen.id, *regimen.aliases)):
            return regimen
    return None


def require_one_drug(name: str) -> None:
    """Refuse a regimen of several drugs where one drug is wanted."""
    if find_named(name) is not None or "+" in name:
        raise DataError(f"{name} is several drugs; name one of them, or run it as a regimen")


def load_regimen(text: str) -> NamedRegimen:
    """A named regimen, a drug by itself, or one that is written out.

    As in ``pertuzumab + trastuzumab + docetaxel*6``. Each part is
    ``DRUG[:MODEL][/REGIMEN][*DOSES][%PERCENT][~DAYS][^MISSED][@DAY]``: the regimen is the drug's
    first if it is not given, doses go on to the end as labelled, and the start is day 0.

    Raises
    ------
    UnknownNameError
        If it is neither a name nor more than one part.
    DataError
        With all faults of the parts.
    """
    known = find_named(text.strip())
    if known is not None:
        return known
    pieces = [piece.strip() for piece in text.split("+")]
    is_one_name = len(pieces) == 1 and not any(mark in text for mark in MARKS)
    if is_one_name and is_drug(text.strip()):
        return _alone(_part(text.strip()))
    if is_one_name:
        names = [n for r in named_regimens().values() for n in (r.id, *r.aliases)]
        hint = did_you_mean(text, names)
        raise UnknownNameError(f"unknown regimen {text!r}{hint} (several drugs: {GRAMMAR})")
    faults, parts = Faults(f"regimen {text!r}"), []
    for piece in pieces:
        try:
            parts.append(_part(piece))
        except Her2SimError as error:
            faults.add(str(error))
    faults.raise_if_any(DataError)
    name = " + ".join(pieces)
    return NamedRegimen(id=name, title=name, part=tuple(parts))


def _alone(part: RegimenPart) -> NamedRegimen:
    """A drug by itself: the named regimen of just this drug, if there is one."""
    wanted = [(load_drug(part.drug).id, part.regimen, None)] if ":" not in part.drug else []
    for regimen in named_regimens().values():
        if [(p.drug, p.regimen, p.doses) for p in regimen.part] == wanted:
            return regimen
    return NamedRegimen(id=part.drug, title=f"{part.drug} by itself", part=(part,))


def _part(piece: str) -> RegimenPart:
    found = _PART.fullmatch(piece.replace(" ", ""))
    if found is None:
        raise DataError(f"{piece!r}: write {GRAMMAR}")
    drug, doses = found["drug"], found["doses"]
    if doses is not None and int(doses) < 1:
        raise DataError(f"{piece!r}: the number of doses must be above zero")
    missed = tuple(int(number) for number in found["missed"].split("^")[1:])
    faults = Faults(repr(piece))
    percent, every = float(found["percent"] or 100), found["every"]
    if not LEAST_PERCENT <= percent <= MOST_PERCENT:
        faults.add(f"%{percent:g}: use {LEAST_PERCENT:g} to {MOST_PERCENT:g} % of the label's dose")
    if every is not None and not 1 <= float(every) <= LONGEST_INTERVAL_DAY:
        faults.add(f"~{every}: use 1 to {LONGEST_INTERVAL_DAY:g} days between doses")
    if any(number < 1 for number in missed) or len(set(missed)) < len(missed):
        faults.add("the numbers of missed doses count from 1, each once")
    faults.raise_if_any(DataError)
    return RegimenPart(
        drug=drug,
        regimen=found["regimen"] or first_regimen(drug),
        doses=None if doses is None else int(doses),
        start_day=float(found["start"] or 0),
        dose_percent=percent,
        every_day=None if every is None else float(every),
        missed=tuple(sorted(missed)),
        status="assumed",
        reason="as written",
    )


def otherwise_labelled(drug: str, regimen: str, tumours: Iterable[str]) -> Iterator[str]:
    """Where labels name a drug for tumours by other regimens only: one text a tumour.

    Parameters
    ----------
    drug, regimen : what is given
    tumours : types of those who get it
    """
    for tumour in sorted(tumours):
        named = {
            part.regimen
            for one in named_regimens().values()
            for part in one.part
            if part.drug == drug and any(tumour in i.tumours for i in one.indication)
        }
        if named and regimen not in named:
            known = ", ".join(f"{drug}/{name}" for name in sorted(named))
            yield f"labels name {known} for {tumour} cancer, not {drug}/{regimen}"
