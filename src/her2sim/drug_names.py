"""What a name in a record, a label or a file means: one drug of her2sim, two at once, or none.

Names differ in case, hyphens, spaces and trade marks; American ones carry a suffix of four letters
without meaning (trastuzumab-dkst) and sometimes a prefix (ado-, fam-). A conjugate begins with the
name of its antibody: a name counts as a whole or not at all, never by its beginning.

Source
------
FDA, Nonproprietary naming of biological products, guidance of January 2017 (suffixes of four
lower-case letters devoid of meaning).
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from pydantic import Field

from her2sim.errors import UnknownDrugError
from her2sim.facts import Claim, FactFile, read_fact_file

PREFIXES = ("ado-", "fam-")
FORMLESS = ("INN", "INN, other language", "salt", "abbreviation", "code")
"""Kinds of names that tell no form."""
_SUFFIX = re.compile(r"^(?P<inn>.+)-[a-z]{4}$")
_BREAKS = re.compile(r"[\s_\-\u2010-\u2015/,.;()\[\]]+")
_MARKS = re.compile("[\u00ae\u2122\u00a9*]")


class DrugName(Claim):
    """Another name of one drug, or of a fixed combination of several.

    ``drugs`` are ids, each with a regimen after a slash where the name tells it. ``is_any_form`` is
    true where the name stands for more than one form, so that the route has to tell which.
    """

    text: str
    drugs: tuple[str, ...] = Field(min_length=1)
    kind: str
    is_any_form: bool = False


class OtherName(Claim):
    """A name that is known, of a drug that her2sim does not have."""

    text: str
    substance: str
    kind: str


class AmbiguousName(Claim):
    """A name that could be one thing or another; ``could_be`` says what, in words."""

    text: str
    could_be: tuple[str, ...] = Field(min_length=2)


class NameFile(FactFile):
    """All names."""

    name: tuple[DrugName, ...] = ()
    ambiguous: tuple[AmbiguousName, ...] = ()
    other: tuple[OtherName, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """What a name means: ids of drugs (of a fixed combination several), and regimens it tells.

    ``is_any_form``: the name does not tell the form of the drug.
    """

    text: str
    drugs: tuple[str, ...]
    regimens: tuple[str | None, ...]
    is_any_form: bool = False


def folded(text: str) -> str:
    """A name as it is compared: lower case, hyphens for all that separates, no trade marks."""
    plain = unicodedata.normalize("NFKC", _MARKS.sub("", text)).casefold()
    return _BREAKS.sub("-", plain).strip("-")


@cache
def drug_names() -> tuple[str, ...]:
    """Ids of all drugs."""
    folder = files("her2sim.drugs")
    found = (p.name for p in folder.iterdir() if p.joinpath("drug.toml").is_file())
    return tuple(sorted(found))


@cache
def substance_of(drug: str) -> str:
    """The substance of a drug: of another form of one, that one."""
    text = files("her2sim.drugs").joinpath(drug, "drug.toml").read_text(encoding="utf-8")
    substance: str = tomllib.loads(text).get("substance", drug)
    return substance


@cache
def name_file() -> NameFile:
    """The names that come with her2sim."""
    return read_fact_file(files("her2sim.drugs").joinpath("names.toml"), NameFile)


def names_of(drug: str) -> tuple[str, ...]:
    """Other names of a drug, those of fixed combinations left out."""
    return tuple(row.text for row in name_file().name if row.drugs == (drug,))


@cache
def _known() -> Mapping[str, Meaning]:
    """Every name, folded."""
    found = {folded(drug): Meaning(drug, (drug,), (None,), True) for drug in drug_names()}
    for row in name_file().name:
        parts = [part.partition("/") for part in row.drugs]
        meaning = Meaning(
            row.text,
            tuple(drug for drug, _, _ in parts),
            tuple(regimen or None for _, _, regimen in parts),
            row.is_any_form or row.kind in FORMLESS,
        )
        before = found.setdefault(folded(row.text), meaning)
        if before.drugs != meaning.drugs:
            raise ValueError(f"{row.text}: is a name of {before.drugs} and of {meaning.drugs}")
    return found


@cache
def _others() -> Mapping[str, OtherName | AmbiguousName]:
    """Names that are known and lead to no drug, folded."""
    rows: tuple[OtherName | AmbiguousName, ...] = (*name_file().other, *name_file().ambiguous)
    return {folded(row.text): row for row in rows}


@cache
def _run_together() -> Mapping[str, Meaning]:
    """Names without their hyphens (TDXd), where these mean one thing only."""
    found: dict[str, set[str]] = {}
    for text in _known():
        found.setdefault(text.replace("-", ""), set()).add(text)
    return {text: _known()[next(iter(of))] for text, of in found.items() if len(of) == 1}


@lru_cache(maxsize=4096)
def find_meaning(name: str) -> Meaning | None:
    """What a name means; None if it is no drug of her2sim, or could be several."""
    wanted, known = folded(name), _known()
    if wanted in known:
        return known[wanted]
    if wanted in _others() or _begun_by(wanted):
        return None
    if _is_mixed(wanted):
        return None
    for text in _without_affixes(wanted):
        if text in known and len(known[text].drugs) == 1:
            return known[text]
    return _run_together().get(wanted.replace("-", ""))


def _begun_by(name: str) -> list[str]:
    """Longer names that begin with one that looks whole: trastuzumab-emta is no biosimilar."""
    match = _SUFFIX.match(name)
    if match is None or match["inn"] not in _known():
        return []
    return [text for text in (*_known(), *_others()) if text.startswith(name)]


@cache
def _owners() -> Mapping[str, frozenset[str]]:
    """Prefixes and suffixes of names that are listed whole: the drugs that they are of."""
    found: dict[str, set[str]] = {}
    for text, meaning in _known().items():
        match = _SUFFIX.match(text)
        if match is not None and match["inn"] in _known() and len(meaning.drugs) == 1:
            found.setdefault(text.removeprefix(match["inn"]), set()).add(meaning.drugs[0])
        for prefix in (p for p in PREFIXES if text.startswith(p)):
            found.setdefault(prefix, set()).update(meaning.drugs)
    return {affix: frozenset(map(substance_of, drugs)) for affix, drugs in found.items()}


def _is_mixed(name: str) -> bool:
    """Whether a name has the prefix or the suffix of another drug: fam-trastuzumab emtansine."""
    match = _SUFFIX.match(name)
    affixes = [prefix for prefix in PREFIXES if name.startswith(prefix)]
    affixes += [name.removeprefix(match["inn"])] if match else []
    of = {substance_of(known.drugs[0]) for text in _without_affixes(name)
          if (known := _known().get(text)) is not None}  # fmt: skip
    return any(not of & _owners()[affix] for affix in affixes if affix in _owners() and of)


def _without_affixes(name: str) -> tuple[str, ...]:
    """A name without the suffix of four letters, without a prefix, and without both.

    Only the whole name of a conjugate may lose a prefix: "ado-trastuzumab" is not trastuzumab.
    """
    match = _SUFFIX.match(name)
    plain = [name, *([match["inn"]] if match else [])]
    conjugates = [text for text in plain for prefix in PREFIXES if text.startswith(prefix)]
    bare = [text.split("-", 1)[1] for text in conjugates]
    return (*plain[1:], *(text for text in bare if "-" in text))


def meaning_of(name: str) -> Meaning:
    """What a name means.

    Raises
    ------
    UnknownDrugError
        If it is no drug of her2sim: with what it is, if that is known, or the nearest names.
    """
    found = find_meaning(name)
    if found is None:
        raise UnknownDrugError(unknown_name_text(name))
    return found


def unknown_name_text(name: str) -> str:
    """Why a name leads to no drug: what it is, what it could be, or what was perhaps meant."""
    other = _others().get(folded(name))
    if isinstance(other, AmbiguousName):
        return f"{name!r} could be {' or '.join(other.could_be)}: write which"
    if other is not None:
        return f"{name!r} is {other.substance}, which her2sim does not have"
    if _is_mixed(folded(name)):
        return (
            f"{name!r} has the prefix or the suffix of another drug, and could be either: write "
            "the name alone, or the brand"
        )
    begun = _begun_by(folded(name))
    if begun:
        shorter = folded(name).rpartition("-")[0]
        return f"{name!r} could be {shorter} or {begun[0]}: write which"
    near = difflib.get_close_matches(folded(name), [*_known(), *_others()], n=1, cutoff=0.6)
    if not near:
        return f"unknown drug {name!r}; known: {', '.join(drug_names())}"
    known = _known().get(near[0])
    return f"unknown drug {name!r}; did you mean {(known.text if known else near[0])!r}?"
