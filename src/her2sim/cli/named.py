"""Kinds of values that her2sim has names for, each with what looks at it when another one is wrong.

Nothing is looked at on the good path: the commands do it themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from her2sim.cli.kinds import Input, Matching, Output, Text, Whole
from her2sim.errors import DataError


def _patient(path: Any, told: Mapping[str, Any]) -> object:
    from her2sim.api.patients import patient_of

    return patient_of(path)


def _readings(path: Any, told: Mapping[str, Any]) -> object:
    from her2sim.formats.readings_csv import read_readings

    return read_readings(path)


def _regimen(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.pk.combination import load_combination

    return load_combination(text)


def _population(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.api.patients import Patients

    return Patients(text, told.get("setting")).load(told.get("patients"), 0)


def _drug(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.api.drugs import treatment_of

    return treatment_of(text)


def _model(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.drugs.drug import load_pk

    return load_pk(text)


def _regimen_of_drug(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.api.drugs import treatment_of

    return treatment_of(told["drug"], text) if told.get("drug") else None


def _trial(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.trials.library import load_trial

    return load_trial(text)


def _arm(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.api.drugs import arm_of

    return arm_of(text)


def _following(text: Any, told: Mapping[str, Any]) -> object:
    if "when" in told and told["when"] is None:  # given and wrong, it is not there
        raise DataError("--then: says what follows; --at has to say when")
    return _regimen(text, told)


def _drugs(told: Mapping[str, Any]) -> Any:
    from her2sim.pk.combination import load_combination

    return load_combination(told["regimen"]).treatments if told.get("regimen") else ()


def _earlier_drug(text: Any, told: Mapping[str, Any]) -> object:
    from her2sim.patients.earlier_drugs import earlier_drug_ids

    return earlier_drug_ids((text,))


def _given_with(text: Any, told: Mapping[str, Any]) -> None:
    from her2sim.drugs.supportive import require_known

    if drugs := _drugs(told):
        require_known((text,), [treatment.drug.id for treatment in drugs])


def _mechanism(text: Any, told: Mapping[str, Any]) -> None:
    from her2sim.virtual_patient.composition import require_mechanisms, virtual_patient
    from her2sim.virtual_patient.drugs import ORGANS

    if drugs := _drugs(told):
        require_mechanisms(virtual_patient(drugs, ("",), ORGANS), (text,))


def _compared(text: Any, told: Mapping[str, Any]) -> None:
    from her2sim.studies.trial.size import chosen_comparison
    from her2sim.trials.library import load_trial

    if told.get("name"):
        chosen_comparison(load_trial(told["name"]), told.get("endpoint"), told.get("arm"))


def _seed(number: Any, told: Mapping[str, Any]) -> object:
    from her2sim.random import check_seed

    return check_seed(number)


PATIENT = Input(_patient)
READINGS = Input(_readings)
REGIMEN = Text(_regimen)
FOLLOWING = Text(_following)
EARLIER_DRUG = Text(_earlier_drug)
GIVEN_WITH = Text(_given_with)
MECHANISM = Text(_mechanism)
COMPARED = Text(_compared)
POPULATION = Text(_population)
DRUG = Text(_drug)
MODEL = Text(_model)
REGIMEN_OF_DRUG = Text(_regimen_of_drug)
ARM = Text(_arm)
TRIAL = Text(_trial)
ADDRESS = Matching(r"\S+:\S+", lambda found: found[0], "write the address as in tcp://HOST:PORT")
SEED = Whole(0)
SEED.examine = _seed
FIGURE = Output("figure")
FILE = Output("file")
FOLDER = Output("folder")
