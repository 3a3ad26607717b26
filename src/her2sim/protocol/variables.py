"""The register of what rules may look at: readings of a visit, and clocks of doses."""

from __future__ import annotations

from dataclasses import dataclass

from her2sim.units import outside_text


@dataclass(frozen=True)
class Variable:
    """A variable of rules: its unit, the range of believable values, what it is."""

    name: str
    unit: str
    low: float
    high: float
    meaning: str


_REGISTER = (
    Variable("lvef", "%", 5, 90, "left ventricular ejection fraction"),
    Variable("lvef_drop", "percentage points", -60, 60, "fall of the LVEF since the baseline"),
    Variable("heart_failure", "1", 0, 1, "1 with symptoms of heart failure"),
    Variable("platelets", "1/nL", 0, 2000, "platelet count"),
    Variable("neutrophils", "1/nL", 0, 100, "absolute neutrophil count"),
    Variable("fever", "1", 0, 1, "1 with fever"),
    Variable("ast", "ULN", 0, 500, "aspartate aminotransferase over its upper limit of normal"),
    Variable("alt", "ULN", 0, 500, "alanine aminotransferase over its upper limit of normal"),
    Variable("transaminase", "ULN", 0, 500, "the higher of AST and ALT over its upper limit"),
    Variable("bilirubin", "ULN", 0, 100, "total bilirubin over its upper limit of normal"),
    Variable("alkaline_phosphatase", "ULN", 0, 100, "alkaline phosphatase over its upper limit"),
    Variable("diarrhoea_grade", "1", 0, 5, "grade of diarrhoea"),
    Variable("diarrhoea_days", "day", 0, 1000, "days that the diarrhoea has lasted"),
    Variable("diarrhoea_complicated", "1", 0, 1, "1 with dehydration, fever, low pressure ..."),
    Variable("on_antidiarrhoeal", "1", 0, 1, "1 if antidiarrhoeals are taken already"),
    Variable("ild_grade", "1", 0, 5, "grade of interstitial lung disease or pneumonitis"),
    Variable("infusion_reaction_grade", "1", 0, 5, "grade of an infusion reaction"),
    Variable("neuropathy_grade", "1", 0, 5, "grade of peripheral neuropathy"),
    Variable("other_grade", "1", 0, 5, "highest grade of any other adverse reaction"),
    Variable("progression", "1", 0, 1, "1 once the disease has progressed"),
    Variable("weight_change", "%", -80, 300, "change of weight since the dose was worked out"),
    Variable(
        "cumulative_mg_per_m2", "mg/m2", 0, 1e5, "dose of the drug in all, with the one that is due"
    ),
    Variable("days_held", "day", 0, 1e5, "days since the hold began"),
    Variable("days_late", "day", 0, 1e5, "days since the dose was due"),
    Variable("days_since_dose", "day", 0, 1e5, "days since the last dose"),
)

VARIABLES = {variable.name: variable for variable in _REGISTER}
SETTINGS = {"lln": "lower limit of normal of the LVEF, in percent"}
"""Named numbers of an institution that rules may refer to."""

DERIVED = {"lvef_drop": ("lvef",), "transaminase": ("ast", "alt")}
"""Variables that follow from others, which are what is measured."""

CLOCKS = ("cumulative_mg_per_m2", "days_held", "days_late", "days_since_dose")
"""Variables that nobody measures: the protocol knows them."""


def reading_fault(name: str, value: float) -> str:
    """Why a reading cannot be, with what was probably meant; empty if it can."""
    limits = VARIABLES[name]
    if limits.unit == "1" and value != round(value):
        return f"{name} {value:g}: write a whole number from {limits.low:g} to {limits.high:g}"
    return outside_text(name, value, limits.low, limits.high, limits.unit)
