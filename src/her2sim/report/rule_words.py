"""Rules in words: what their variables are called, and their conditions."""

from __future__ import annotations

import re

from her2sim.errors import Her2SimError
from her2sim.protocol.conditions import Clause, Condition, parse_condition
from her2sim.protocol.variables import VARIABLES

NAMES = {
    "lvef": "LVEF", "lvef_drop": "fall of the LVEF", "platelets": "platelets",
    "neutrophils": "neutrophils", "ast": "AST", "alt": "ALT", "transaminase": "AST or ALT",
    "bilirubin": "bilirubin", "alkaline_phosphatase": "alkaline phosphatase",
    "diarrhoea_grade": "grade of diarrhoea", "diarrhoea_days": "days of diarrhoea",
    "ild_grade": "grade of lung disease", "infusion_reaction_grade": "grade of infusion reaction",
    "neuropathy_grade": "grade of neuropathy", "other_grade": "grade of another reaction",
    "cumulative_mg_per_m2": "dose in all with the one that is due",
    "days_held": "days on hold", "days_late": "days late",
    "days_since_dose": "days since the last dose",
}  # fmt: skip
FLAGS = {
    "heart_failure": "symptoms of heart failure", "fever": "fever",
    "diarrhoea_complicated": "complicated diarrhoea", "on_antidiarrhoeal": "antidiarrhoeals taken",
}  # fmt: skip
UNITS = {"1": "", "day": "", "ULN": " times the ULN"}
SIGNS = {">=": "≥", "<=": "≤", "==": "=", ">": ">", "<": "<"}
TOKEN = re.compile(r"[a-z][a-z0-9_]*|>=|<=|==")


def condition_text(condition: Condition) -> str:
    """A condition in words; what stands between two *or* belongs together."""
    parts = (" and ".join(map(_clause_text, clauses)) for clauses in condition.alternatives)
    return ", or ".join(parts)


def _clause_text(clause: Clause) -> str:
    if clause.variable in FLAGS:
        return ("" if clause.sign in (">=", ">") else "no ") + FLAGS[clause.variable]
    limit = clause.limit if isinstance(clause.limit, str) else f"{clause.limit:g}"
    if limit == "lln":
        return f"{name_of(clause.variable)} {SIGNS[clause.sign]} its lower limit of normal"
    unit = VARIABLES[clause.variable].unit
    after = UNITS.get(unit, f" {unit}")
    return f"{name_of(clause.variable)} {SIGNS[clause.sign]} {limit}{after}"


def name_of(variable: str) -> str:
    """What a variable of rules is called."""
    return NAMES.get(variable, FLAGS.get(variable, VARIABLES[variable].meaning))


def reading_text(variable: str, reading: float | None) -> str:
    """A reading with the name and the unit of what was read; empty without one."""
    if reading is None or variable not in VARIABLES:
        return "" if reading is None else f"{variable} {reading:.4g}"
    if variable in FLAGS:
        return ("" if reading else "no ") + FLAGS[variable]
    unit = VARIABLES[variable].unit
    return f"{name_of(variable)} {reading:.4g}{UNITS.get(unit, f' {unit}')}"


def in_words(text: str) -> str:
    """A condition in words; of another text the variables and signs in it."""
    try:
        return condition_text(parse_condition(text))
    except Her2SimError:
        return TOKEN.sub(_token, text)


def _token(found: re.Match[str]) -> str:
    token = found.group()
    if token in SIGNS:
        return SIGNS[token]
    return {**NAMES, "lln": "its lower limit of normal"}.get(token, token)
