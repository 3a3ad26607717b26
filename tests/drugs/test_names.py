"""What names of drugs mean: one drug, two at once, or none, and never the wrong one."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2sim.drug_names import drug_names, find_meaning, folded, meaning_of, name_file
from her2sim.drugs.drug import is_drug, load_drug
from her2sim.errors import DataError, UnknownDrugError
from her2sim.regimens.library import load_regimen

BIOSIMILARS = (
    "Ogivri", "Herzuma", "Ontruzant", "Trazimera", "Kanjinti", "Hercessi", "Zercepac", "Herwenda",
    "Dazublys", "Tuznue",
)  # fmt: skip
"""Licensed in the US or the EU by the pages that names.toml cites."""


@pytest.mark.parametrize("name", BIOSIMILARS)
def test_every_licensed_biosimilar_is_trastuzumab(name: str) -> None:
    for text in (name, name.upper(), name.lower(), f"{name}\u00ae", f" {name} "):
        assert load_drug(text).id == "trastuzumab"


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("trastuzumab emtansine", "trastuzumab-emtansine"),
        ("TRASTUZUMAB_EMTANSINE", "trastuzumab-emtansine"),
        ("ado-trastuzumab emtansine", "trastuzumab-emtansine"),
        ("ado trastuzumab emtansine", "trastuzumab-emtansine"),
        ("ado-trastuzumab", "trastuzumab-emtansine"),
        ("TDM1", "trastuzumab-emtansine"),
        ("Kadcyla", "trastuzumab-emtansine"),
        ("fam-trastuzumab deruxtecan-nxki", "trastuzumab-deruxtecan"),
        ("trastuzumab deruxtecan-abcd", "trastuzumab-deruxtecan"),
        ("tdxd", "trastuzumab-deruxtecan"),
        ("DS-8201a", "trastuzumab-deruxtecan"),
        ("trastuzumab\u2013deruxtecan", "trastuzumab-deruxtecan"),  # an en dash
        ("trastuzumab-abcd", "trastuzumab"),  # any suffix of four letters
        ("trastuzumab-oysk", "trastuzumab-sc"),  # but this one tells the form
        ("Herceptin Hylecta", "trastuzumab-sc"),
        ("pertuzumab-dpzb", "pertuzumab"),
        ("Poherdy", "pertuzumab"),
        ("margetuximab-cmkb", "margetuximab"),
        ("lapatinib ditosylate", "lapatinib"),
        ("eribulin mesylate", "eribulin"),
    ],
)
def test_a_name_leads_to_its_drug(name: str, drug: str) -> None:
    assert load_drug(name).id == drug


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("trastuzumab-emta", "could be trastuzumab or trastuzumab-emtansine"),
        ("trastuzumab hyaluronidase", "could be Herceptin Hylecta"),
        ("pertuzumab/trastuzumab", "could be Phesgo or pertuzumab and trastuzumab"),
        ("TDM", "therapeutic drug monitoring"),
        ("trastuzumab-zzxf", "could be Phesgo"),
        ("nab-paclitaxel", "albumin-bound paclitaxel, which her2sim does not have"),
        ("Caelyx", "liposomal doxorubicin, which her2sim does not have"),
        ("epirubicin", "which her2sim does not have"),
        ("trastuzumab duocarmazine", "which her2sim does not have"),
        ("trastuzmab", "did you mean 'trastuzumab'"),
        ("trastuzumab emtansin", "did you mean 'trastuzumab-emtansine'"),
    ],
)
def test_what_is_no_drug_of_ours_or_could_be_two_is_refused(name: str, words: str) -> None:
    assert not is_drug(name)
    with pytest.raises(UnknownDrugError, match=words.replace("(", r"\(")):
        load_drug(name)


def test_a_fixed_combination_is_both_drugs() -> None:
    found = meaning_of("Phesgo")
    assert found.drugs == ("pertuzumab", "trastuzumab-sc")
    assert found.regimens == ("q3w-sc", None)
    with pytest.raises(DataError, match=r"write pertuzumab/q3w-sc \+ trastuzumab-sc"):
        load_drug("Phesgo")
    assert [part.drug for part in load_regimen("pertuzumab/q3w-sc + trastuzumab-sc").part]


def test_names_are_unique_and_their_drugs_exist() -> None:
    rows = name_file().name
    assert {drug.partition("/")[0] for row in rows for drug in row.drugs} <= {*drug_names()}
    texts = [folded(row.text) for row in (*rows, *name_file().other, *name_file().ambiguous)]
    assert len(texts) == len(set(texts))
    for drug in drug_names():
        assert find_meaning(drug).drugs == (drug,)  # type: ignore[union-attr]


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from([*drug_names(), *(row.text for row in name_file().name)]),
    how=st.sampled_from(["upper", "lower", "title", "space", "underscore"]),
)
def test_case_and_separators_change_nothing(name: str, how: str) -> None:
    told = {
        "upper": name.upper(), "lower": name.lower(), "title": name.title(),
        "space": name.replace("-", " "), "underscore": name.replace("-", "_").replace(" ", "_"),
    }[how]  # fmt: skip
    assert meaning_of(told) == meaning_of(name)


@settings(max_examples=200, deadline=None)
@given(suffix=st.text(string.ascii_lowercase, min_size=4, max_size=4))
def test_any_suffix_of_four_letters_is_the_same_substance_or_refused(suffix: str) -> None:
    """Never a conjugate by chance."""
    found = find_meaning(f"trastuzumab-{suffix}")
    assert found is None or found.drugs in (("trastuzumab",), ("trastuzumab-sc",))
