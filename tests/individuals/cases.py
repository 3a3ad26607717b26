"""Reference cases of other programs, run by her2sim's own way from an event table to a fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from her2sim.drugs.pk import PkModel, typical_parameters
from her2sim.formats.event_csv import read_events
from her2sim.individuals.map_estimates import Measurements, Objective, rows_of
from her2sim.individuals.of_drug import model_of_levels, random_effects, subjects_of
from her2sim.individuals.of_events import history_of_events
from her2sim.individuals.residual_error import ResidualError, Scatter
from her2sim.pk.treatment import load_treatment
from her2sim.regimens.event_table import EventTable
from her2sim.studies.dataset import observed_levels
from tests.conftest import CASES

TINY = 1e-9
"""A clearance or exchange that is not in the reference's model."""
MEANING = {
    "Ka": ("ka", "1/h"), "Vc": ("v", "L"), "Cl": ("cl", "L/h"), "Vmax": ("vmax", "mg/h"),
    "Km": ("km", "mg/L"), "Q": ("q", "L/h"), "Vp": ("vp", "L"),
}  # fmt: skip
ASSUMED = {"status": "assumed", "reason": "a reference case"}


def folder(name: str) -> Path:
    """A folder of cases, which is absent outside the authors' machines."""
    found = CASES / name
    if not found.is_dir():
        pytest.skip(f"../shared/cases/{name} is not here")
    return found


def number(value: float, unit: str) -> dict[str, object]:
    return {"value": value, "unit": unit, **ASSUMED}


def model(
    structure: str, parameters: dict[str, tuple[float, str]], variance: dict[str, float],
    residual: dict[str, tuple[float, str]], *, unit: str = "mg/L",
    covariance: tuple[str, str, float] | None = None, relations: tuple[dict, ...] = (),
) -> PkModel:  # fmt: skip
    """A model of a reference case as facts."""
    joint = []
    if covariance is not None:
        first, second, value = covariance
        joint = [{"between": (first, second), "value": value, "unit": "1", **ASSUMED}]
    return PkModel.model_validate(
        {
            "drug": "trastuzumab", "model": "case", "title": "a reference case",
            "structure": structure, "status": "published", "concentration_unit": unit,
            "tumour_types": ["breast"],
            "parameter": {name: number(*told) for name, told in parameters.items()},
            "covariate": relations,
            "variability": {
                "convention": "variance of the logarithm",
                "variance": {name: number(value, "1") for name, value in variance.items()},
                "covariance": joint,
            },
            "residual": {name: number(*told) for name, told in residual.items()},
            "population": {"summary": "a reference case", **ASSUMED},
            "reference_patient": {"weight_kg": 75.0, "female": 0.0},
            "sources": {},
        }
    )  # fmt: skip


def asked_of(path: Path, pk: PkModel, characteristics: dict[str, str], ignore: tuple[str, ...],
             carry: str) -> Objective:  # fmt: skip
    """The objective of a case; ``characteristics`` names the columns that hold them."""
    compartments = pk.structural.compartments
    table, _ = read_events(path, "h", len(compartments), 1e9, (), ignore)
    known = {name: table.columns[column] for name, column in characteristics.items()}
    typical = typical_parameters(pk, known.__getitem__, table.n_records)
    observed = observed_levels(table)
    history = history_of_events(
        table, path.name, pk, known, typical, observed, np.zeros(table.n_records, bool), carry
    )
    treatment = replace(load_treatment("trastuzumab", "q3w"), pk=pk)
    fitted = model_of_levels(treatment)
    subjects, measured = subjects_of(fitted, history.known, history.doses, history.levels)
    return Objective(subjects, measured, fitted.omega)


def pkpdmap() -> tuple[Objective, np.ndarray]:
    """One hundred subjects and NONMEM's post hoc effects (InsightRX, PKPDmap, its tests)."""
    found = folder("map_pkpdmap")
    pk = model(
        "one_compartment_iv", {"cl": (7.67, "L/h"), "v": (97.7, "L")}, {"cl": 0.0406, "v": 0.117},
        {"additive_sd": (float(np.sqrt(1.73e4)), "ug/L")}, unit="ug/L",
        covariance=("cl", "v", 0.0623),
    )  # fmt: skip
    asked = asked_of(found / "run1_data.csv", pk, {}, ("IPRED", "IWRES"), "nocb")
    ebe = pl.read_csv(found / "run1_ebe.csv")
    return asked, np.log(np.array([ebe["CL"] / 7.67, ebe["V"] / 97.7]))


STRUCTURES = {
    "101": "two_compartment_absorption",
    "201": "two_compartment_absorption_michaelis_menten",
    "207": "two_compartment_absorption_michaelis_menten",
}


def monolix(run: str) -> tuple[Objective, np.ndarray, np.ndarray]:
    """Twenty subjects of a run, and Monolix's conditional means and SDs of the effects."""
    found = folder("map_monolix")
    told = dict(pl.read_csv(found / f"run{run}_pop.csv").iter_rows())
    structure = STRUCTURES.get(run, "one_compartment_oral")
    is_two = structure.startswith("two")
    parameters, variance, order = {}, {}, []
    for name, (own, unit) in MEANING.items():
        own = "vc" if own == "v" and is_two else own
        if f"{name}_pop" in told:
            parameters[own] = (told[f"{name}_pop"], unit)
        if f"omega_{name}" in told:
            variance[own] = told[f"omega_{name}"] ** 2
            order.append(name)
    if run in ("201", "207"):
        parameters |= {"q": (TINY, "L/h"), "vp": (1.0, "L")}
        parameters.setdefault("cl", (TINY, "L/h"))
    relations = ()
    columns = {}
    if run == "301":
        columns = {"weight_kg": "BW", "female": "SEX"}
        relations = (
            {"on": "cl", "covariate": "weight_kg", "form": "power",
             "coefficient": number(1.5, "1"), "reference": number(75.0, "kg")},
            {"on": "cl", "covariate": "female", "form": "exponential",
             "coefficient": number(float(np.log(0.75)), "1")},
        )  # fmt: skip
    residual = {"proportional_sd": (told["b"], "1")}
    if "a" in told:
        residual["additive_sd"] = (told["a"], "mg/L")
    pk = model(structure, parameters, variance, residual, relations=relations)
    asked = asked_of(found / f"run{run}_data.csv", pk, columns, ("s2_sampling",), "locf")
    assert [one.name for one in random_effects(pk)] == list(variance)
    eta = pl.read_csv(found / f"run{run}_eta.csv")
    mean = np.array([eta[f"eta_{name}_mean"] for name in order])
    return asked, mean, np.array([eta[f"eta_{name}_sd"] for name in order])


class WrittenOut:
    """One compartment with a lag, or with a zero-order share, by its closed form.

    her2sim's models have no lag or duration that varies between patients; for these runs only the
    estimates and draws are its own.
    """

    def __init__(self, told: dict[str, float], table: EventTable, names: list[str]) -> None:
        self.told, self.names = told, names
        observed = np.flatnonzero(np.isfinite(observed_levels(table)))
        self.subject, hours = table.subject[observed], table.time_ms / 3_600_000
        self.rows = []
        for row in observed:
            own = np.flatnonzero((table.subject == table.subject[row]) & (table.evid == 1))
            times = [
                hours[d] + k * table.interval_ms[d] / 3_600_000
                for d in own
                for k in range(int(table.additional[d]) + 1)
            ]
            since = np.array([hours[row] - t for t in times if t < hours[row]])
            self.rows.append((since, float(table.amount[own[0]])))

    def levels(self, effects: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        rows, place = rows_of(self.subject, subjects)
        effect = dict(zip(self.names, effects, strict=True))
        values = {
            name: self.told[f"{name}_pop"] * np.exp(effect.get(name, np.zeros(subjects.size)))
            for name in ("Ka", "Vc", "Cl", "ALAG", "D2")
            if f"{name}_pop" in self.told
        }
        found = np.zeros(rows.size)
        for row in np.unique(rows):
            chosen = np.flatnonzero(rows == row)
            own = {name: value[place[chosen]] for name, value in values.items()}
            since, amount = self.rows[row]
            found[chosen] = sum(self._one(own, t, amount) for t in since)
        return found

    def _one(self, own: dict[str, np.ndarray], since: float, amount: float) -> np.ndarray:
        """Level of one dose some hours after it."""
        rate, after = own["Cl"] / own["Vc"], np.maximum(since - own.get("ALAG", 0.0), 0.0)
        share = self.told.get("F1_pop", 0.0)
        first = (
            own["Ka"] / (own["Ka"] - rate) * (np.exp(-rate * after) - np.exp(-own["Ka"] * after))
        )
        level = (1 - share) * amount / own["Vc"] * first
        if share:
            lasts = own["D2"]
            begun = np.minimum(since, lasts)
            infused = (1 - np.exp(-rate * begun)) * np.exp(-rate * np.maximum(since - lasts, 0.0))
            level = level + share * amount / lasts / own["Cl"] * infused
        return level

    def slopes(self, effects: np.ndarray, subjects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By central differences, right to 1e-8."""
        moved = [np.zeros_like(effects) for _ in self.names]
        for k, one in enumerate(moved):
            one[k] = 1e-5
        return self.levels(effects, subjects), np.array(
            [
                (self.levels(effects + one, subjects) - self.levels(effects - one, subjects)) / 2e-5
                for one in moved
            ]
        )


def monolix_written_out(run: str) -> tuple[Objective, np.ndarray, np.ndarray]:
    """As :func:`monolix`, for the runs whose lag or duration varies."""
    found = folder("map_monolix")
    told = dict(pl.read_csv(found / f"run{run}_pop.csv").iter_rows())
    names = [name for name in ("ALAG", "D2", "Ka", "Vc", "Cl") if f"omega_{name}" in told]
    table, _ = read_events(found / f"run{run}_data.csv", "h", 2, 1e9, (), ("s2_sampling",))
    predictor = WrittenOut(told, table, names)
    observed = observed_levels(table)
    value = observed[np.isfinite(observed)]
    scatter = Scatter.of([ResidualError(proportional_sd=told["b"])], np.zeros(value.size, int))
    measured = Measurements(
        predictor.subject, value, np.zeros(value.size, bool), table.n_subjects, scatter
    )
    omega = np.diag([told[f"omega_{name}"] ** 2 for name in names])
    eta = pl.read_csv(found / f"run{run}_eta.csv")
    mean = np.array([eta[f"eta_{name}_mean"] for name in names])
    sd = np.array([eta[f"eta_{name}_sd"] for name in names])
    return Objective(predictor, measured, omega), mean, sd
