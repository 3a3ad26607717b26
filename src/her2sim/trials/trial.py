"""A trial as data: whom it takes, how it treats them, when it looks, and what it published."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails

from her2sim.biology.lesion_model import evidence_text
from her2sim.biology.tumour_type import described_types
from her2sim.drugs.supportive import require_known
from her2sim.errors import DataError
from her2sim.facts import Claim, FactFile, Quantity
from her2sim.patients.covariates import Setting, TumourTypeId
from her2sim.patients.population import Share, load_population
from her2sim.pk.combination import load_combination
from her2sim.trials.consistency import fit_faults
from her2sim.trials.design import Design, Pace
from her2sim.trials.early_design import EarlyDesign, Given, Next
from her2sim.trials.enrolled import EarlierDrugs, Enrolled, Her2Shares, Lines
from her2sim.trials.faults import again, fault_at, own_faults
from her2sim.trials.measures import CURVES
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK

Role = Literal["anchor", "prediction"]


class Arm(Claim):
    """An arm. ``n`` is how many were randomised, ``allocation`` its weight.

    Without a regimen it is observed only. ``stands_for`` says what was really given where the
    regimen is not all of it. ``her2``, ``earlier_lines``, ``earlier_drugs`` and ``heterogeneous``
    replace those of the trial, for strata and cohorts. In early disease, ``next`` is what follows
    surgery.
    """

    id: str = Field(
        pattern=r"^[a-z0-9_]+$", title="short name", description="small letters, digits and _"
    )
    title: str = Field(min_length=1, title="name")
    n: int | None = Field(default=None, ge=1, title="patients, as published")
    allocation: float = Field(
        default=1.0, gt=0, title="weight in randomisation", description="2 and 1 for 2:1"
    )
    regimen: tuple[Given, ...] = Field(
        default=(), title="regimen", description="nothing: observed only"
    )
    next: tuple[Next, ...] = Field(default=(), title="after surgery", description="early disease")
    stands_for: str = Field(
        default="", title="stands for", description="what was really given, if it is not all of it"
    )
    given_with: tuple[str, ...] = Field(
        default=(), title="given with", description="measures against side effects"
    )
    her2: Her2Shares | None = Field(default=None, title="HER2 scores of this arm")
    earlier_lines: Lines | None = Field(default=None, title="earlier lines of this arm")
    earlier_drugs: EarlierDrugs | None = Field(default=None, title="earlier drugs of this arm")
    heterogeneous: Share | None = Field(default=None, title="heterogeneous in this arm")

    @model_validator(mode="after")
    def _measures_are_known(self) -> Arm:
        treatments = [t for given in self.regimen for t in load_combination(given.name).treatments]
        try:
            require_known(self.given_with, [treatment.drug.id for treatment in treatments])
        except DataError as error:
            raise ValueError(f"given_with: {error}") from None
        return self

    @model_validator(mode="after")
    def _shares_add_up(self) -> Arm:
        if self.regimen and abs(sum(part.share for part in self.regimen) - 1) > 1e-6:
            raise ValueError("the shares of the regimens must add up to 1")
        return self


class Published(Claim):
    """What a published figure is for: an anchor of the calibration, or a prediction."""

    role: Role = "prediction"


class Outcome(Published):
    """A published figure of an endpoint in an arm; ``at_month`` for a rate of a curve.

    ``n`` is how many patients it is of, where that is not the arm.
    """

    arm: str
    endpoint: str
    measure: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    at_month: float | None = Field(default=None, gt=0)
    subgroup: str | None = None
    n: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Outcome:
        if self.measure == "rate_percent" and self.endpoint in CURVES and self.at_month is None:
            raise ValueError(f"a rate of {self.endpoint} needs at_month")
        return self


class Comparison(Published):
    """A published hazard ratio of an arm over another; below 1 favours ``arm``.

    ``follow_up`` is the time from the last patient to the data cut of this figure, where that was
    earlier than the one of the design.
    """

    arm: str = Field(title="arm", description="short name")
    versus: str = Field(title="against arm", description="short name")
    endpoint: str = Field(title="endpoint")
    hazard_ratio: float | None = Field(default=None, gt=0, title="published hazard ratio")
    low: float | None = Field(default=None, gt=0, title="published, low")
    high: float | None = Field(default=None, gt=0, title="published, high")
    subgroup: str | None = Field(default=None, title="group of patients")
    follow_up: Quantity | None = Field(
        default=None, title="follow-up of this figure", description="where it was cut earlier"
    )

    @property
    def follow_up_month(self) -> float | None:
        """Months from the last patient to the data cut of this figure, if it has its own."""
        return None if self.follow_up is None else self.follow_up.to("month")


class Prognosis(Published):
    """A published hazard ratio of a group of patients over another, all arms together."""

    subgroup: str
    versus: str
    endpoint: str
    hazard_ratio: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)


class Safety(Published):
    """A published share of patients with an adverse event, in per cent.

    ``grade`` is the least one; ``until_month`` the follow-up of the figure, where it is not that of
    the trial.
    """

    arm: str
    event: str
    grade: str = "any"
    until_month: float | None = Field(default=None, gt=0)
    value: float | None = Field(default=None, ge=0, le=100)
    n: int | None = Field(default=None, ge=1)


class Landmarks(Published):
    """Published points of a survival curve of an arm."""

    arm: str
    endpoint: str
    months: tuple[float, ...] = Field(min_length=1)
    survival: tuple[float, ...]

    @model_validator(mode="after")
    def _go_together(self) -> Landmarks:
        if len(self.months) != len(self.survival):
            raise ValueError(f"{len(self.months)} months and {len(self.survival)} survivals")
        return self


class Crossover(Claim):
    """Patients of an arm who got the drugs of another after progression, in per cent.

    In early disease: who got them without relapse, from ``at_month`` after randomisation on;
    ``regimen`` is what they got, where it was not the whole regimen of the other arm.
    """

    arm: str
    to: str
    value: float = Field(ge=0, le=100)
    at_month: float | None = Field(default=None, gt=0)
    regimen: tuple[Given, ...] = ()


class Trial(FactFile):
    """A trial, and what it published.

    ``endpoints`` are those that are worked out; ``response`` says whether a response has to be
    confirmed by a second scan. Without ``scans`` nothing of a tumour can be known, without
    ``lvef_tests`` the LVEF only where a label asks for it.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.+-]{0,63}$", title="name of the trial")
    title: str = Field(min_length=1, title="title")
    nct: str | None = Field(default=None, title="NCT number")
    aliases: tuple[str, ...] = ()
    setting: Setting = Field(title="setting")
    region: Literal["us", "eu"] = Field(default="us", title="label of")
    enrolled: Enrolled = Field(title="patients")
    design: Design = Field(title="times")
    early: EarlyDesign | None = Field(default=None, title="early disease")
    scans: tuple[Pace, ...] = Field(default=(), title="pace of scans")
    lvef_tests: tuple[Pace, ...] = Field(default=(), title="pace of LVEF tests")
    lvef_method: Literal["echo", "muga"] = Field(default="echo", title="LVEF by")
    response: Literal["confirmed", "best"] = Field(
        default="confirmed", title="a response counts if", description="confirmed: by a second scan"
    )
    endpoints: tuple[str, ...] = Field(
        min_length=1, title="endpoints", description="PFS, OS, ORR, DoR ... with commas"
    )
    arm: tuple[Arm, ...] = Field(min_length=1, title="arm")
    outcome: tuple[Outcome, ...] = ()
    comparison: tuple[Comparison, ...] = Field(default=(), title="comparison")
    prognosis: tuple[Prognosis, ...] = ()
    safety: tuple[Safety, ...] = ()
    landmarks: tuple[Landmarks, ...] = ()
    crossover: tuple[Crossover, ...] = ()
    notes: tuple[str, ...] = Field(default=(), title="notes")

    @model_validator(mode="wrap")
    @classmethod
    def _fits_together(cls, data: Any, handler: ModelWrapValidatorHandler[Trial]) -> Trial:
        """Faults of fields and of what does not fit together, all at once."""
        found: list[InitErrorDetails] = []
        trial: Trial | None = None
        try:
            trial = handler(data)
        except ValidationError as error:
            found = [again(fault) for fault in own_faults(error)]
        if isinstance(data, dict):
            found += [fault_at(place, text, data) for place, text in fit_faults(data)]
        if trial is None or found:
            raise ValidationError.from_exception_data(cls.__name__, found)
        return trial

    def arm_of(self, arm_id: str) -> Arm:
        """An arm by its id."""
        return next(arm for arm in self.arm if arm.id == arm_id)

    @model_validator(mode="after")
    def _cuts_are_in_time(self) -> Trial:
        last = self.design.follow_up.to("month")
        late = [c for c in self.comparison if not 0 <= (c.follow_up_month or 0.0) <= last]
        if late:
            names = ", ".join(f"{c.endpoint} of {c.arm} over {c.versus}" for c in late)
            raise ValueError(f"follow_up of {names}: use 0 to {last:g} months, that of the design")
        return self

    @model_validator(mode="after")
    def _nothing_is_unused(self) -> Trial:
        one = described_types().get(self.tumour_type)
        known = {} if one is None else one.parameter
        who, began = self.enrolled, self.design.began_year
        told = {
            "enrolled.retested": (who.retested, "lost_after_trastuzumab"),
            "enrolled.pd_l1_positive": (who.pd_l1_positive, "pd_l1_positive"),
            "design.began": (began if self.tumour_type == "breast" else None, "after_per_decade"),
        }
        unused = [
            name for name, (value, of) in told.items() if value is not None and of not in known
        ]
        if unused:
            raise ValueError(
                f"{', '.join(unused)}: nothing depends on it in {self.tumour_type} cancer; leave "
                "it out"
            )
        return self

    @model_validator(mode="after")
    def _early_is_in_time(self) -> Trial:
        end_week = self.end_month * DAY_PER_MONTH / DAY_PER_WEEK
        times = {"surgery_week": self.early.surgery_week} if self.early is not None else {}
        times |= {f"next of {a.id}": one.week for a in self.arm for one in a.next}
        times |= {
            f"crossover of {row.arm}": row.at_month * DAY_PER_MONTH / DAY_PER_WEEK
            for row in self.crossover
            if row.at_month is not None
        }
        late = [name for name, week in times.items() if week is not None and week >= end_week]
        if late:
            raise ValueError(
                f"{', '.join(late)}: after the end of the trial ({end_week:.0f} weeks)"
            )
        return self

    @property
    def tumour_type(self) -> TumourTypeId:
        """The tumour type of the population that is enrolled."""
        return load_population(self.enrolled.base).tumour_type

    @property
    def evidence(self) -> str:
        """What predictions of its tumour type rest on; empty for breast cancer."""
        return evidence_text(self.tumour_type, self.setting)

    @property
    def end_month(self) -> float:
        """Months from the first patient to the data cut."""
        return self.design.accrual.to("month") + self.design.follow_up.to("month")
