"""What the report of a HER2 mutation says: an activating one, none, or nothing that can be used.

Only names of a list are activating: an amplification, a test that was not done, or a variant of
unknown significance is no activating mutation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from her2sim.errors import DataError, did_you_mean
from her2sim.facts import Claim, FactFile, read_fact_file

MutationReport = Literal["present", "absent", "not tested"]
Domain = Literal["extracellular", "transmembrane", "juxtamembrane", "kinase"]
NONE = (
    "none", "no", "negative", "not detected", "none detected", "no mutation",
    "no mutation detected", "undetected", "wild type", "wildtype", "wt", "absent", "-",
)  # fmt: skip
"""Words that tell of no activating mutation."""
NOT_TESTED = (
    "unknown", "not tested", "not done", "pending", "failed", "not available", "n/a", "na",
    "amplification", "amplified", "overexpression",
)  # fmt: skip
"""Words that tell nothing of a mutation; an amplification is none, and says nothing of one."""
CLASSES = (
    "exon 20 insertion", "exon 20 insertion mutation", "exon 20ins", "exon20ins", "20ins",
    "ex20ins", "exon 20 insertions", "activating", "activating mutation",
)  # fmt: skip
"""Words that tell of an activating mutation without its name."""
_LETTERS = {
    "ala": "A", "arg": "R", "asn": "N", "asp": "D", "cys": "C", "gln": "Q", "glu": "E", "gly": "G",
    "his": "H", "ile": "I", "leu": "L", "lys": "K", "met": "M", "phe": "F", "pro": "P", "ser": "S",
    "thr": "T", "trp": "W", "tyr": "Y", "val": "V",
}  # fmt: skip
_WORDS = re.compile("dup|delins|ins|del")


class Variant(Claim):
    """A variant of the protein, and other names of it."""

    name: str
    same: tuple[str, ...] = ()
    domain: Domain


class VariantGroup(Claim):
    """Variants of one domain that rest on one source."""

    names: tuple[str, ...] = Field(min_length=1)
    domain: Domain


class MutationFile(FactFile):
    """All activating mutations."""

    variant: tuple[Variant, ...] = ()
    group: tuple[VariantGroup, ...] = ()


@cache
def activating() -> Mapping[str, Domain]:
    """Activating mutations by each of their names, with the domain they lie in."""
    found = read_fact_file(files("her2sim.patients").joinpath("her2_mutations.toml"), MutationFile)
    names: dict[str, Domain] = {}
    for variant in found.variant:
        names |= dict.fromkeys((variant.name, *variant.same), variant.domain)
    for group in found.group:
        names |= dict.fromkeys(group.names, group.domain)
    return names


def mutation_report(report: str | None) -> MutationReport:
    """What the report of a mutation tells: an activating one, none, or nothing.

    Raises
    ------
    DataError
        If it names a variant that is not on the list, or says no more than that there is one.
    """
    if report is None:
        return "not tested"
    words = " ".join(re.sub(r"(?<=\w)[_-](?=\w)", " ", report.casefold()).split())
    plain = re.sub(r"\b(her2|erbb2|mutations?|gene)\b[ :]*", "", words).strip(" :;")
    if words in NOT_TESTED or plain in NOT_TESTED:
        return "not tested"
    if words in NONE or plain in NONE:
        return "absent"
    if words in CLASSES or plain in CLASSES:
        return "present"
    name, known = protein_change(report), activating()
    if name in known:
        return "present"
    remedy = "write its name (as in Y772_A775dup), exon 20 insertion, activating, or none"
    if plain in ("", "present", "positive", "yes", "detected", "mutated", "mutant"):
        raise DataError(
            f"mutation {report!r} does not say whether it is an activating one: {remedy}"
        )
    near = did_you_mean(name, known) if _WORDS.search(name) else ""
    near = near if "did you mean" in near else ""
    raise DataError(
        f"mutation {report!r} is not on the list of activating HER2 mutations{near}; {remedy}"
    )


def protein_change(report: str) -> str:
    """A variant as the list writes it: one letter for each amino acid, no gene, no ``p.``.

    >>> protein_change("ERBB2 p.(Tyr772_Ala775dup)")
    'Y772_A775dup'
    """
    pieces = re.sub(r"\b(her2|erbb2|mutations?|gene)\b", " ", report, flags=re.IGNORECASE)
    told = pieces.split(":")[-1].split()
    text = re.sub(r"^p\.", "", told[0].strip("()")).strip("()").casefold() if told else ""
    words, parts = _WORDS.findall(text), _WORDS.split(text)
    found = _one_letter(parts[0])
    for word, part in zip(words, parts[1:], strict=True):
        found += word + _one_letter(part)
    return found


def _one_letter(part: str) -> str:
    """A part of a name with one letter for each amino acid, if it has three."""
    if any(three in part for three in _LETTERS):
        part = re.sub("|".join(_LETTERS), lambda match: _LETTERS[match[0]], part)
    return part.upper()
