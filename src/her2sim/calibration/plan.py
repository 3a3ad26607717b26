"""What is calibrated: parameters with their priors, and how exactly a published figure counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from pydantic import Field
from scipy.special import ndtri

from her2sim.arrays import Array
from her2sim.biology.early_disease import early_facts
from her2sim.biology.ensemble import from_scale, onto_scale
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.biology.tumour_type import described_types, tumour_type_file
from her2sim.calibration.contrasts import Contrast
from her2sim.drugs.mechanism import load_mechanism
from her2sim.errors import DataError, UnknownNameError, did_you_mean
from her2sim.facts import FactFile, FactModel, Quantity, UncertainQuantity, read_fact_file
from her2sim.patients.covariates import Setting, TumourTypeId

MIDDLE_90 = 2 * float(ndtri(0.95))
"""Width of the middle 90 % of a normal distribution, in its standard deviations."""
FARTHEST = 2.5
"""Standard deviations of its prior that a parameter may move away from the middle of it."""


class Prior(FactModel):
    """A parameter (``OWNER:NAME``) and the middle 90 % of what it may be before any trial.

    ``start`` is where a fit begins; ``reason`` tells why it came out where it was not expected.
    """

    name: str
    low: float
    high: float
    start: float
    reason: str = ""


class Tie(FactModel):
    """A parameter that is another one times a factor."""

    name: str
    to: str
    factor: float = Field(gt=0)
    reason: str


class ModelPart(FactModel):
    """A part of the model that can be held where it does nothing, to see what it is worth.

    ``neutral`` has the values at which its parameters do nothing.
    """

    name: str
    title: str
    neutral: dict[str, float] = Field(min_length=1)


class CalibrationPlan(FactFile):
    """What is calibrated on trials of which setting and tumour; ``number`` has errors of figures.

    Plans other than that of metastatic breast cancer keep its members, and calibrate what differs.
    """

    setting: Setting = "metastatic"
    tumour_type: TumourTypeId = "breast"
    parameter: tuple[Prior, ...]
    part: tuple[ModelPart, ...] = ()
    contrast: tuple[Contrast, ...] = ()
    tied: tuple[Tie, ...] = ()
    number: dict[str, Quantity]

    @property
    def keeps_members(self) -> bool:
        """Whether each member has the numbers of that member for metastatic breast cancer."""
        return self.setting == "early" or self.tumour_type != "breast"

    def error(self, name: str) -> float:
        """One of the numbers."""
        return self.number[name].value


@cache
def calibration_plan(
    setting: Setting = "metastatic", tumour_type: TumourTypeId = "breast"
) -> CalibrationPlan:
    """The plan that comes with her2sim for the trials of a setting and a tumour type.

    Raises
    ------
    DataError
        If there is none.
    """
    if tumour_type == "breast":
        path = files("her2sim.calibration").joinpath(_PLANS[setting])
        return read_fact_file(path, CalibrationPlan)
    path = tumour_type_file(tumour_type, "plan.toml")
    if setting != "metastatic" or not path.is_file():
        raise DataError(f"nothing is calibrated for {setting} disease of type {tumour_type!r}")
    return read_fact_file(path, CalibrationPlan)


_PLANS: dict[Setting, str] = {"metastatic": "plan.toml", "early": "early_plan.toml"}


def quantity_of(name: str) -> UncertainQuantity:
    """The number behind ``OWNER:NAME``, or its spread between patients (``OWNER:NAME.spread``)."""
    owner, _, of = name.partition(":")
    of, _, part = of.partition(".")
    shared = {"tumour": tumour_facts(), "early": early_facts(), **described_types()}
    facts = shared[owner] if owner in shared else load_mechanism(owner)
    known = {} if facts is None else facts.parameter
    if of not in known:
        raise DataError(f"{name!r} is no number of a tumour or of how a drug acts")
    quantity = known[of]
    if not part:
        return quantity
    if quantity.spread is None:
        raise DataError(f"{name!r}: it has no spread between patients")
    changed = {"value": quantity.spread, "low": None, "high": None, "spread": None, "unit": "1"}
    return quantity.model_copy(update={**changed, "drawn_on": "log", "members": ()})


class Parameters:
    """The parameters of a plan on a common scale: 0 is the middle of a prior, 1 its SD.

    Priors are widened (``prior_widening``): the middle 90 % by judgement is too narrow. ``hold``
    names parts of the model that are held where they do nothing.
    """

    def __init__(self, plan: CalibrationPlan, hold: Sequence[str] = ()) -> None:
        self.plan = plan
        parts = {part.name: part.neutral for part in plan.part}
        for name in hold:
            if name not in parts:
                hint = did_you_mean(name, parts)
                raise UnknownNameError(f"unknown part of the model {name!r}{hint}")
        self.held = {key: value for name in hold for key, value in parts[name].items()}
        self.names = [prior.name for prior in plan.parameter]
        self.quantities = [quantity_of(name) for name in self.names]
        edges = np.array(
            [
                onto_scale(q, np.array([prior.low, prior.high]))
                for q, prior in zip(self.quantities, plan.parameter, strict=True)
            ]
        )
        self.centre = edges.mean(axis=1)
        self.sd = plan.error("prior_widening") * np.diff(edges, axis=1)[:, 0] / MIDDLE_90

    @property
    def n(self) -> int:
        """How many."""
        return len(self.names)

    def values(self, sets: Array) -> dict[str, Array]:
        """Values of all parameters of some sets (n, n_sets), those that are tied included."""
        found = {
            name: from_scale(q, c + s * row)
            for name, q, c, s, row in zip(
                self.names, self.quantities, self.centre, self.sd, sets, strict=True
            )
        }
        for tie in self.plan.tied:
            found[tie.name] = found[tie.to] * tie.factor
        held = {name: np.full(sets.shape[1], value) for name, value in self.held.items()}
        return found | held

    def start(self) -> Array:
        """Where a fit begins, shape (n,)."""
        return self._at([prior.start for prior in self.plan.parameter])

    def shipped(self) -> Array:
        """The set of the fact files, shape (n,)."""
        return self._at([q.value for q in self.quantities])

    def _at(self, values: Sequence[float]) -> Array:
        """Values of all parameters on the common scale, shape (n,)."""
        pairs = zip(self.quantities, values, strict=True)
        at = np.array([float(onto_scale(q, np.array(value))) for q, value in pairs])
        found: Array = np.clip((at - self.centre) / self.sd, -FARTHEST, FARTHEST)
        return found
