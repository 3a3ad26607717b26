"""Doses and labelled regimens."""

from __future__ import annotations

import pytest

from her2sim.drugs.drug import load_drug
from her2sim.engine.schedule import Action
from her2sim.errors import DoseError, UnknownNameError
from her2sim.pk.treatment import load_treatment
from her2sim.regimens.dose import Dose
from her2sim.regimens.library import otherwise_labelled
from her2sim.regimens.regimen import labelled_regimen


def test_trastuzumab_every_three_weeks() -> None:
    doses = labelled_regimen(load_drug("Herceptin"), "q3w").doses(3)
    assert [(d.time_day, d.amount, d.duration_min) for d in doses] == [
        (0, 8, 90), (21, 6, 30), (42, 6, 30),
    ]  # fmt: skip


def test_a_weekly_cycle_has_three_doses() -> None:
    doses = labelled_regimen(load_drug("trastuzumab"), "qw").doses(2)
    assert [d.time_day for d in doses] == [0, 7, 14, 21, 28, 35]


def test_a_cycle_closes_before_the_dose_that_follows() -> None:
    rows = [r for r in load_treatment("pertuzumab", "q3w").rows(2) if r[0] == 21]
    assert [r[1] for r in rows] == [Action.CYCLE, Action.INFUSION]


def test_an_unknown_regimen_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="no regimen 'q3'; did you mean 'q3w'"):
        load_treatment("trastuzumab", "q3")


@pytest.mark.parametrize(
    ("dose", "message"),
    [
        ({"amount": -6.0}, "must be above zero"),
        ({"amount": 6000.0}, "more than 100 mg/kg; check the unit"),
        ({"duration_min": -5}, "cannot last -5 minutes"),
        ({"route": "sc", "duration_min": 5}, "only intravenous doses"),
        ({"amount": float("nan")}, "must be above zero"),
    ],
)
def test_absurd_doses_are_refused(dose: dict, message: str) -> None:
    usual = {"drug": "trastuzumab", "route": "iv", "amount": 6.0, "unit": "mg/kg", "time_min": 0}
    with pytest.raises(DoseError, match=message):
        Dose(**usual | dose)


@pytest.mark.parametrize(
    ("drug", "regimen", "tumours", "says"),
    [
        ("trastuzumab-deruxtecan", "q3w", ["gastric"], ["q3w-gastric for gastric cancer, not"]),
        ("trastuzumab-deruxtecan", "q3w-gastric", ["gastric"], []),
        ("trastuzumab-deruxtecan", "q3w-gastric", ["breast"], ["not trastuzumab-deruxtecan/q3w-g"]),
        ("disitamab-vedotin", "q2w", ["gastric", "biliary"], ["q2w-gastric for gastric cancer"]),
        ("trastuzumab-emtansine", "q3w", ["gastric"], []),
    ],
)
def test_a_dose_of_another_tumour_is_told(
    drug: str, regimen: str, tumours: list[str], says: list[str]
) -> None:
    found = list(otherwise_labelled(drug, regimen, tumours))
    assert len(found) == len(says)
    assert all(part in text for part, text in zip(says, found, strict=True))
