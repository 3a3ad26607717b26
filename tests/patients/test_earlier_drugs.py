"""Drugs given before are told by any of their names, and mean the same everywhere."""

from __future__ import annotations

import pytest

from her2sim.biology.tumour_profile import TumourProfile
from her2sim.errors import DataError
from her2sim.patients.earlier_drugs import earlier_drug_ids
from her2sim.patients.patient import Patient
from her2sim.trials.enrolled import Enrolled

USUAL = {"tumour": "breast", "setting": "metastatic", "her2_test": {"ihc": "3+"}}
SHARE = {"share": 0.4, "status": "assumed", "reason": "a test"}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Herceptin"], ("trastuzumab",)),
        (["Ogivri", "trastuzumab-dkst", "trastuzumab-sc"], ("trastuzumab",)),
        (["Kadcyla", "T-DM1", "ado-trastuzumab emtansine"], ("trastuzumab-emtansine",)),
        (["Phesgo"], ("pertuzumab", "trastuzumab")),
        (["Perjeta", "herceptin"], ("pertuzumab", "trastuzumab")),
        ([], ()),
    ],
)
def test_names_mean_substances(names, expected: tuple[str, ...]) -> None:
    assert set(earlier_drug_ids(names)) == set(expected)
    assert len(earlier_drug_ids(names)) == len(expected)
    patient = Patient.model_validate({**USUAL, "earlier_drugs": names})
    assert set(patient.drugs_before) == set(expected)
    assert set(TumourProfile(earlier_drugs=tuple(names)).earlier_drugs or ()) == set(expected)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Enhertu", "Enhertu (trastuzumab-deruxtecan): only trastuzumab, pertuzumab"),
        ("lapatinib", "earlier drug lapatinib: only"),
        ("trastuzumap", "did you mean 'trastuzumab'"),
        ("trastuzumab-emta", "write which"),
        ("aspirin", "unknown drug 'aspirin'"),
    ],
)
def test_what_changes_nothing_or_is_unknown_is_refused(name: str, words: str) -> None:
    for told in ([name], ["Herceptin", name]):
        with pytest.raises(DataError) as refused:
            earlier_drug_ids(told)
        assert words in str(refused.value)
        with pytest.raises(ValueError, match="earlier drug"):
            Patient.model_validate({**USUAL, "earlier_drugs": told})


def test_shares_of_trial_files_are_by_substance() -> None:
    base = {
        "base": "mbc",
        "her2": {"shares": {"3+": 1.0}, "status": "assumed", "reason": "a test"},
    }
    told = Enrolled.model_validate({**base, "earlier_drugs": {"Herceptin": SHARE}})
    assert list(told.earlier_drugs or ()) == ["trastuzumab"]
    with pytest.raises(ValueError, match="the share of trastuzumab is told twice"):
        Enrolled.model_validate({**base, "earlier_drugs": {"Ogivri": SHARE, "trastuzumab": SHARE}})
