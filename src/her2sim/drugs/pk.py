"""Pharmacokinetic models of drugs as facts: the records of a ``pk.toml`` file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from her2sim.errors import UnknownNameError, did_you_mean
from her2sim.facts import Claim, FactFile, FactModel, Quantity, Status
from her2sim.models.structures import STRUCTURES, Structure, structure
from her2sim.models.symbols import SYMBOLS
from her2sim.patients.covariates import COVARIATES, TumourTypeId
from her2sim.units import conversion_factor, convert_molar

DOSING_PARAMETERS = {"f": "1", "tlag": "day"}
"""Parameters of dosing, outside the equations: bioavailability and lag of extravascular doses."""


class Switch(FactModel):
    """Typical values that replace the general one for some tumour types."""

    on: str
    covariate: Literal["tumour_type"]
    gastric: Quantity | None = None
    other: Quantity | None = None

    def values(self) -> dict[str, Quantity]:
        """Tumour types and their values."""
        found = {"gastric": self.gastric, "other": self.other}
        return {name: value for name, value in found.items() if value is not None}


class CovariateRelation(FactModel):
    """How a characteristic changes a parameter.

    power: (x / reference)^coefficient. exponential: exp(coefficient (x - reference)), reference 0
    unless given. linear: 1 + coefficient (x - reference). fraction: 1 + coefficient for patients
    whose tumour type is ``level``, 1 for the others.
    """

    on: str
    covariate: str
    form: Literal["power", "exponential", "linear", "fraction"]
    level: TumourTypeId | None = None
    coefficient: Quantity
    reference: Quantity | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> CovariateRelation:
        if (self.form == "fraction") != (self.level is not None):
            raise ValueError("a fraction (and nothing else) needs a level")
        if self.form == "fraction":
            if self.covariate != "tumour_type":
                raise ValueError("a fraction is for tumour_type; use linear for 0 or 1")
            return self
        if self.covariate not in COVARIATES:
            raise ValueError(
                f"unknown characteristic {self.covariate!r}"
                + did_you_mean(self.covariate, COVARIATES)
            )
        if self.form == "power" and self.reference is None:
            raise ValueError("a power relation needs a reference")
        return self

    def reference_value(self) -> float:
        """Reference in the unit of the register."""
        if self.reference is None:
            return 0.0
        return self.reference.to(COVARIATES[self.covariate].unit)

    def factor(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """What the parameter is multiplied with, shape of ``values``."""
        k = self.coefficient.value
        if self.form == "fraction":
            return np.where(values == self.level, 1 + k, 1.0)
        reference = self.reference_value()
        if self.form == "power":
            return np.asarray((values / reference) ** k)
        if self.form == "exponential":
            return np.exp(k * (values - reference))
        return 1 + k * (values - reference)

    def formula(self) -> str:
        """The relation in words of algebra."""
        k, name = self.coefficient.value, self.covariate
        if self.form == "fraction":
            return f"{1 + k:g} if tumour type is {self.level}"
        if self.form == "power" and self.reference is not None:
            unit = self.reference.unit
            return f"({name} / {self.reference.value:g} {unit})^{k:g}"
        shifted = f"({name} - {self.reference_value():g})" if self.reference else name
        if self.form == "exponential":
            return f"exp({k:g} {shifted})"
        return f"(1 + {k:g} {shifted})"


class Covariance(Claim):
    """Covariance of two random effects on the log scale."""

    between: tuple[str, str]
    value: float
    unit: Literal["1"]


class EffectCorrelation(Claim):
    """Correlation of two random effects."""

    between: tuple[str, str]
    value: float = Field(gt=-1, lt=1)


class Variability(FactModel):
    """Variability between patients.

    A parameter has a coefficient of variation (``cv_percent``) or a ``variance`` of the logarithm,
    as printed; ``convention`` says how a CV was turned into a variance. ``shared`` names parameters
    that have the random effect of another.
    """

    convention: str
    cv_percent: dict[str, Quantity] = Field(default_factory=dict)
    variance: dict[str, Quantity] = Field(default_factory=dict)
    covariance: tuple[Covariance, ...] = ()
    correlation: tuple[EffectCorrelation, ...] = ()
    shared: dict[str, str] = Field(default_factory=dict)

    def names(self) -> list[str]:
        """Parameters that vary by an effect of their own, in order."""
        return [*self.cv_percent, *self.variance]

    def omega(self) -> NDArray[np.float64]:
        """Covariance matrix of the random effects on the log scale."""
        names = self.names()
        diagonal = [variance_from_cv(q.to("1")) for q in self.cv_percent.values()]
        diagonal += [q.value for q in self.variance.values()]
        matrix = np.diag(diagonal)
        for c in self.covariance:
            a, b = (names.index(n) for n in c.between)
            matrix[a, b] = matrix[b, a] = c.value
        for r in self.correlation:
            a, b = (names.index(n) for n in r.between)
            matrix[a, b] = matrix[b, a] = r.value * np.sqrt(diagonal[a] * diagonal[b])
        return matrix


def variance_from_cv(cv: float) -> float:
    """Variance of the logarithm of a log-normal quantity with coefficient of variation ``cv``.

    >>> round(variance_from_cv(0.401), 5)
    0.14911
    """
    return float(np.log1p(cv**2))


class Residual(FactModel):
    """Residual error of a measured concentration: proportional, additive, or on the logarithm."""

    proportional_sd: Quantity | None = None
    additive_sd: Quantity | None = None
    log_sd: Quantity | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Residual:
        if self.log_sd is not None and (self.proportional_sd or self.additive_sd):
            raise ValueError("an error on the log scale stands alone")
        return self


class CycleEffect(FactModel):
    """A parameter that changes with the cycle: x cycle^exponent, x later_factor after the first."""

    on: str
    exponent: Quantity
    later_factor: Quantity

    def factor(self, cycle: int) -> float:
        """What the parameter is multiplied with in a cycle (from 1)."""
        trend: float = float(cycle) ** self.exponent.value
        return trend * (self.later_factor.value if cycle > 1 else 1.0)


class StudiedPopulation(Claim):
    """In whom the model was estimated."""

    n_patients: int | None = Field(default=None, gt=0)
    n_observations: int | None = None
    summary: str


class PkModel(FactFile):
    """A published (or surrogate) pharmacokinetic model of a drug."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    drug: str
    model: str
    title: str
    structure: str
    status: Status
    estimation: str | None = None
    concentration_unit: str
    molar_mass: Quantity | None = None
    tumour_types: tuple[str, ...]
    parameter: dict[str, Quantity]
    switch: tuple[Switch, ...] = ()
    covariate: tuple[CovariateRelation, ...] = ()
    cycle_effect: tuple[CycleEffect, ...] = ()
    variability: Variability
    residual: Residual = Residual()
    population: StudiedPopulation
    reference_patient: dict[str, float | str]

    @model_validator(mode="after")
    def _fits_together(self) -> PkModel:
        faults = list(_structure_faults(self)) or list(_relation_faults(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def name(self) -> str:
        """Drug and model, as in ``trastuzumab:quartino2019``."""
        return f"{self.drug}:{self.model}"

    @property
    def structural(self) -> Structure:
        """The structural model."""
        return structure(self.structure)

    def concentration_units(self) -> tuple[str, ...]:
        """Unit of each analyte; payloads and metabolites are shown in ng/mL."""
        released = self.structural.analytes[1:]
        return (self.concentration_unit, *("ng/mL" for _ in released))

    def auc_units(self) -> tuple[str, ...]:
        """Unit of the AUC of each analyte: in days for antibodies, in hours for small molecules."""
        return tuple(
            unit.replace("/", "*h/" if unit.startswith("ng") else "*day/")
            for unit in self.concentration_units()
        )

    def concentration_factor(self) -> float:
        """What an internal concentration (mg/L) is multiplied with to be shown."""
        return conversion_factor("mg/L", self.concentration_unit)

    def internal(self, name: str, quantity: Quantity) -> float:
        """Value of a parameter in its internal unit; molar numbers need the molar mass."""
        unit = parameter_unit(name)
        if self.molar_mass is None:
            return quantity.to(unit)
        return convert_molar(quantity.value, quantity.unit, unit, self.molar_mass.to("g/mol"))

    def at_cycle(self, effect: CycleEffect, cycle: NDArray[np.int64]) -> NDArray[np.float64]:
        """Value of a parameter that changes with the cycle, in its internal unit, shape of it."""
        first = self.internal(effect.on, self.parameter[effect.on])
        factors = np.array([effect.factor(k) for k in range(1, cycle.max(initial=0) + 1)])
        return first * factors[cycle - 1] if cycle.size else np.empty(0)

    def lag_day(self) -> float:
        """Lag of extravascular doses, the same for all patients."""
        lag = self.parameter.get("tlag")
        return 0.0 if lag is None else lag.to("day")

    def needed_covariates(self) -> tuple[str, ...]:
        """Characteristics that the model asks of a patient."""
        names = [c.covariate for c in self.covariate] + [s.covariate for s in self.switch]
        return tuple(dict.fromkeys(names))


def parameter_unit(name: str) -> str:
    """Internal unit of a parameter."""
    return DOSING_PARAMETERS[name] if name in DOSING_PARAMETERS else SYMBOLS[name].unit


def _structure_faults(pk: PkModel) -> Iterator[str]:
    if pk.structure not in STRUCTURES:
        yield f"unknown structure {pk.structure!r}" + did_you_mean(pk.structure, STRUCTURES)
        return
    needed = set(pk.structural.model.parameters)
    given = set(pk.parameter) - set(DOSING_PARAMETERS)
    yield from (f"parameter {n} is missing" for n in sorted(needed - given))
    yield from (
        f"structure {pk.structure} has no parameter {n!r}" + did_you_mean(n, needed)
        for n in sorted(given - needed)
    )


def _relation_faults(pk: PkModel) -> Iterator[str]:
    changed = [(f"covariate relation on {c.on}", c.on) for c in pk.covariate]
    changed += [(f"switch on {s.on}", s.on) for s in pk.switch]
    changed += [(f"variability of {n}", n) for n in pk.variability.names()]
    changed += [(f"variability of {n}", n) for n in pk.variability.shared]
    for place, name in changed:
        if name not in pk.parameter:
            yield f"{place}: no such parameter" + did_you_mean(name, pk.parameter)
    for name, quantity in pk.parameter.items():
        try:
            pk.internal(name, quantity)
        except ValueError as error:
            yield f"parameter {name}: {error}"
        if quantity.value <= 0:
            yield f"parameter {name} must be above zero"
    fixed = {name for _, name in changed}
    for effect in pk.cycle_effect:
        if effect.on not in pk.parameter or effect.on in fixed:
            yield f"cycle effect on {effect.on!r}: needs a parameter that does not vary"
    if any(name == "tlag" for _, name in changed):
        yield "tlag is the same for all patients; it cannot vary or depend on a characteristic"
    vary = pk.variability.names()
    joined = [n for c in pk.variability.covariance for n in c.between]
    joined += [n for c in pk.variability.correlation for n in c.between]
    joined += list(pk.variability.shared.values())
    yield from (f"joint variability of {n!r}, which does not vary" for n in joined if n not in vary)
    missing = [n for n in pk.needed_covariates() if n not in pk.reference_patient]
    yield from (f"reference_patient has no {n}" for n in missing)


def typical_parameters(pk: PkModel, covariates: Any, n: int) -> dict[str, NDArray[np.float64]]:
    """Parameters of patients without random effects, in internal units.

    Parameters
    ----------
    pk : the model
    covariates : function from a name of the register to an array of shape (n,)
    n : number of patients

    Returns
    -------
    dict of arrays of shape (n,), dosing parameters included
    """
    values = {
        name: np.full(n, pk.internal(name, quantity)) for name, quantity in pk.parameter.items()
    }
    for switch in pk.switch:
        kinds = covariates(switch.covariate)
        for kind, quantity in switch.values().items():
            values[switch.on][kinds == kind] = pk.internal(switch.on, quantity)
    for relation in pk.covariate:
        values[relation.on] = values[relation.on] * relation.factor(covariates(relation.covariate))
    return values


def reference_covariates(pk: PkModel, changes: Mapping[str, float | str] | None = None) -> Any:
    """Covariate function of one patient: the model's reference patient, with changes."""
    values: dict[str, float | str] = {**pk.reference_patient, **(changes or {})}

    def covariate(name: str) -> NDArray[Any]:
        if name not in values:
            raise UnknownNameError(f"the reference patient of {pk.name} has no {name}")
        return np.array([values[name]])

    return covariate
