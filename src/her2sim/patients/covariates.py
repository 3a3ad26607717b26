"""The register of patient characteristics, and those that follow from others."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Values = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Covariate:
    """A characteristic: its unit, the range outside which a value is refused, its meaning."""

    name: str
    unit: str
    low: float
    high: float
    meaning: str


_REGISTER = (
    Covariate("weight_kg", "kg", 20, 300, "body weight"),
    Covariate("height_cm", "cm", 100, 230, "height"),
    Covariate("bmi_kg_per_m2", "kg/m^2", 10, 90, "body mass index"),
    Covariate("age_year", "year", 18, 110, "age"),
    Covariate("albumin_g_per_l", "g/L", 10, 70, "serum albumin"),
    Covariate("ast_u_per_l", "U/L", 1, 5000, "aspartate aminotransferase"),
    Covariate("alt_u_per_l", "U/L", 1, 5000, "alanine aminotransferase"),
    Covariate("liver_metastases", "1", 0, 1, "liver metastases, 0 or 1"),
    Covariate("female", "1", 0, 1, "1 for a woman, 0 for a man"),
    Covariate("asian", "1", 0, 1, "1 for Asian, 0 for other"),
    Covariate("japan", "1", 0, 1, "1 for treatment in Japan"),
    Covariate("ecog_1_or_more", "1", 0, 1, "1 for an ECOG performance status of 1 or more"),
    Covariate("after_trastuzumab", "1", 0, 1, "1 if trastuzumab was given before, 0 or 1"),
    Covariate("after_pertuzumab", "1", 0, 1, "1 if pertuzumab was given before, 0 or 1"),
    Covariate(
        "after_trastuzumab_emtansine",
        "1",
        0,
        1,
        "1 if trastuzumab emtansine was given before, 0 or 1",
    ),
    Covariate("total_protein_g_per_l", "g/L", 20, 120, "total serum protein"),
    Covariate("sum_of_diameters_mm", "mm", 1, 1000, "sum of longest tumour diameters"),
    Covariate("tumour_mm", "mm", 1, 200, "size of the primary tumour before any treatment"),
    Covariate("positive_nodes", "1", 0, 100, "axillary nodes with tumour"),
    Covariate("locally_advanced", "1", 0, 1, "1 for a locally advanced or inflammatory tumour"),
    Covariate("shed_her2_ng_per_ml", "ng/mL", 0.1, 10000, "shed HER2 extracellular domain"),
    Covariate("residual_trastuzumab_ug_per_ml", "ug/mL", 0, 500, "trastuzumab left from before"),
    Covariate("egfr_ml_per_min", "mL/min", 5, 500, "estimated glomerular filtration per 1.73 m2"),
    Covariate("lean_body_weight_kg", "kg", 15, 150, "lean body weight (Boer)"),
    Covariate("bsa_m2", "m^2", 0.5, 4, "body surface area (Mosteller)"),
)

COVARIATES = {c.name: c for c in _REGISTER}
Setting = Literal["early", "metastatic"]
SETTINGS: tuple[Setting, ...] = ("early", "metastatic")
"""Disease after surgery, without a lesion, or metastatic disease."""
TumourTypeId = Literal["breast", "gastric", "colorectal", "biliary", "lung", "other", "none"]
TUMOUR_TYPES: tuple[TumourTypeId, ...] = get_args(TumourTypeId)
EARLIER_DRUGS = ("trastuzumab", "pertuzumab", "trastuzumab-emtansine")
"""Drugs that change something when they were given before, in any setting."""
BINARY = (
    "liver_metastases", "locally_advanced", "female", "asian", "japan", "ecog_1_or_more",
    *(f"after_{name.replace('-', '_')}" for name in EARLIER_DRUGS),
)  # fmt: skip


WHOLE = ("locally_advanced", "positive_nodes")
"""Characteristics of a patient that are whole numbers."""


@cache
def body_size_facts() -> dict[str, Any]:
    """Coefficients of the body size formulas with their sources."""
    text = files("her2sim.patients").joinpath("body_size.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def lean_body_weight_kg(weight_kg: Any, height_cm: Any, female: Any) -> Any:
    """Lean body weight by Boer 1984, linear in weight and height for each sex."""
    facts = body_size_facts()["lean_body_weight_kg"]

    def boer(sex: str) -> Any:
        row = facts[sex]
        return row["weight_factor"] * weight_kg + row["height_factor"] * height_cm + row["offset"]

    return np.where(np.asarray(female) > 0, boer("female"), boer("male"))


def bsa_m2(weight_kg: Any, height_cm: Any) -> Any:
    """Body surface area by Mosteller 1987."""
    return np.sqrt(np.asarray(weight_kg) * height_cm / body_size_facts()["bsa_m2"]["divisor"])


def with_derived(values: Values) -> dict[str, NDArray[Any]]:
    """Add lean body weight and body surface area where weight, height and sex are known."""
    complete = dict(values)
    if "weight_kg" in values and "height_cm" in values:
        weight, height = values["weight_kg"], values["height_cm"]
        complete.setdefault("bsa_m2", bsa_m2(weight, height))
        if "female" in values:
            lean = lean_body_weight_kg(weight, height, values["female"])
            complete.setdefault("lean_body_weight_kg", lean)
    return complete
