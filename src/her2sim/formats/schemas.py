"""JSON schemas (draft 2020-12) of the files that her2sim reads; rows of a CSV file as objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from her2sim.formats.readings_csv import EARLIEST_DAY, LATEST_DAY, READ
from her2sim.patients.cardiac_risk import risk_table
from her2sim.patients.covariates import COVARIATES
from her2sim.patients.history import HISTORY
from her2sim.patients.patient import Patient
from her2sim.protocol.record import EVENTS, LAB_UNITS
from her2sim.protocol.variables import VARIABLES
from her2sim.regimens.dose import ROUTES
from her2sim.trials.measures import CURVES, GRADES, RATES, SAFETY
from her2sim.trials.trial import Trial

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def patient_schema() -> dict[str, Any]:
    """A patient file (TOML, read as an object)."""
    schema = Patient.model_json_schema()
    properties = schema["properties"]
    del properties["sources"]
    for unused in ("Source",):
        schema["$defs"].pop(unused, None)
    properties["history"]["items"] = {
        "oneOf": [{"const": name, "description": text} for name, text in HISTORY.items()]
    }
    properties["heart"]["items"] = {"enum": list(risk_table().told())}
    properties["body"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            c.name: {
                "type": "number",
                "minimum": c.low,
                "maximum": c.high,
                "description": c.meaning if c.unit == "1" else f"{c.meaning}, {c.unit}",
            }
            for c in COVARIATES.values()
        },
    }
    return {"$schema": DRAFT, **schema, "title": "her2sim patient"}


def trial_schema() -> dict[str, Any]:
    """A trial file (TOML, read as an object)."""
    schema = Trial.model_json_schema()
    properties = schema["$defs"]
    for name in ("Outcome", "Comparison", "Landmarks"):
        properties[name]["properties"]["endpoint"] = {"enum": [*CURVES, *RATES]}
    properties["Safety"]["properties"]["event"] = {
        "oneOf": [{"const": name, "description": text} for name, text in SAFETY.items()]
    }
    properties["Safety"]["properties"]["grade"] = {"enum": list(GRADES)}
    schema["properties"]["endpoints"]["items"] = {"enum": [*CURVES, *RATES, "safety"]}
    return {"$schema": DRAFT, **schema, "title": "her2sim trial"}


def readings_schema() -> dict[str, Any]:
    """A row of a file of readings."""
    rows = [
        {
            "properties": {
                "test": {"const": name, "description": VARIABLES[name].meaning},
                "value": {"minimum": VARIABLES[name].low, "maximum": VARIABLES[name].high},
                "unit": {"const": VARIABLES[name].unit},
            }
        }
        for name in READ
    ]
    return {
        "$schema": DRAFT,
        "title": "her2sim readings of one patient, one row",
        "type": "object",
        "properties": {
            "day": {"type": "number", "minimum": EARLIEST_DAY, "maximum": LATEST_DAY},
            "test": {"type": "string"},
            "value": {"type": "number"},
            "unit": {"type": "string"},
        },
        "required": ["day", "test", "value", "unit"],
        "additionalProperties": False,
        "oneOf": rows,
    }


def record_schema() -> dict[str, Any]:
    """A row of a treatment record; empty cells are left out."""
    labs = [
        {
            "properties": {"type": {"const": "lab"}, "test": {"const": test},
                           "unit": {"const": unit}},
            "required": ["test", "value", "unit"],
        }
        for test, unit in LAB_UNITS.items()
    ]  # fmt: skip
    return {
        "$schema": DRAFT,
        "title": "her2sim treatment record, one row",
        "type": "object",
        "properties": {
            "patient": {"type": "string", "minLength": 1},
            "date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
            "type": {"enum": ["dose", "lab", "event"]},
            "drug": {"type": "string"},
            "route": {"enum": list(ROUTES)},
            "dose_mg": {"type": "number", "exclusiveMinimum": 0},
            "test": {"type": "string"},
            "value": {"type": "number"},
            "unit": {"type": "string"},
            "grade": {"type": "integer", "minimum": 0, "maximum": 5},
        },
        "required": ["patient", "date", "type"],
        "additionalProperties": False,
        "oneOf": [
            {"properties": {"type": {"const": "dose"}}, "required": ["drug"]},
            *labs,
            {
                "properties": {"type": {"const": "event"}, "test": {"enum": list(EVENTS)}},
                "required": ["test"],
            },
        ],
    }


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "patient": patient_schema,
    "readings": readings_schema,
    "record": record_schema,
}
