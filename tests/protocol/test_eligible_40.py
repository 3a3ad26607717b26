"""Forty patients against what was labelled for them, by the texts that `eligible_40.toml` names."""

from __future__ import annotations

import datetime
import tomllib
from typing import Any

import pytest

from her2sim.patients.patient import Patient
from her2sim.protocol.eligibility import eligible_regimens
from her2sim.regimens.indication import DATE_NOT_KNOWN
from her2sim.regimens.library import named_regimens
from tests.conftest import ROOT

TABLE = tomllib.loads((ROOT / "tests" / "protocol" / "eligible_40.toml").read_text("utf-8"))
PATIENTS: list[dict[str, Any]] = TABLE["patient"]
LEAST_PATIENTS = 40


@pytest.mark.parametrize("row", PATIENTS, ids=[row["about"] for row in PATIENTS])
def test_what_is_labelled_is_what_the_texts_say(row: dict[str, Any]) -> None:
    day = datetime.date.fromisoformat(row["date"])
    patient = Patient.model_validate(row["told"])
    found = [v for v in eligible_regimens(patient, row["region"], day)[1] if v.labelled]
    assert {v.regimen for v in found} == set(row["labelled"]), row["why"]
    assert {v.regimen for v in found if v.dated == DATE_NOT_KNOWN} == set(row.get("undated", ()))


def test_the_table_is_broad_and_names_its_texts() -> None:
    assert len(PATIENTS) >= LEAST_PATIENTS
    for row in PATIENTS:
        assert row["why"]
        assert row["read"]
        assert set(row["labelled"]) <= set(named_regimens())
    told = [row["told"] for row in PATIENTS]
    assert {one["tumour"] for one in told} == {
        "breast", "gastric", "colorectal", "biliary", "lung", "other",
    }  # fmt: skip
    assert {row["region"] for row in PATIENTS} == {"us", "eu"}
    assert {one["setting"] for one in told} == {"early", "metastatic"}
