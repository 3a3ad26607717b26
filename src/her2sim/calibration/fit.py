"""Fitting what the bench cannot tell to the anchors, as an ensemble of sets that fit alike.

An iterative ensemble smoother (multiple data assimilation): each member begins around the start of
each parameter with a draw of everything that stays unknown, simulates all anchor arms with some of
the patients of a pool, and moves towards the published figures, which are perturbed by their error
for each member. A parameter moves with the anchors of its mechanism only. Doses of the pool are
found once; what is fitted does not change them.

Source
------
Emerick and Reynolds 2013, doi 10.1016/j.cageo.2012.03.011.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import logit, ndtri

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members, from_scale, onto_scale
from her2sim.biology.tumour import tumour_facts
from her2sim.drugs.mechanism import load_mechanism
from her2sim.engine.trajectories import Tolerance
from her2sim.errors import DataError
from her2sim.facts import FactFile, FactModel, Quantity, UncertainQuantity, read_fact_file
from her2sim.store.workers import in_threads
from her2sim.trials.arm import ArmPatients
from her2sim.trials.efficacy import ArmDoses, arm_doses, run_efficacy
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.library import load_trial, trial_names
from her2sim.trials.member_estimates import outcome_estimates, ratio_estimates, target_estimates
from her2sim.trials.trial import Comparison, Outcome, Trial
from her2sim.units import DAY_PER_MONTH, DAY_PER_WEEK

Note = Callable[[str], None]
SEED = 20260101
MIDDLE_90 = float(ndtri(0.95))
ALL_ARMS = "all"
STEPS = 8
POOL, DRAWS = 512, 128
"""Patients of an arm whose doses are found, and the draws of what is not known among them."""
TOLERANCE = Tolerance(relative=1e-3, absolute=1e-5)
"""Of the solver: scans are read with an error of several per cent, and figures are of few patients.
"""
WIDTH = 0.5
"""Share of the width of the prior with which the members begin."""
FINAL_TIMES = 2
"""Patients by whom members are judged over those of a step."""
_EDGE = 0.3


class Prior(FactModel):
    """A parameter (``OWNER:NAME``) and the middle 90 % of what it may be before any trial.

    ``start`` is where the fit begins (a wide fit without starts ended there).
    """

    name: str
    low: float
    high: float
    start: float


class Tie(FactModel):
    """A parameter that is another one times a factor."""

    name: str
    to: str
    factor: float = Field(gt=0)
    reason: str


class MechanismFit(FactModel):
    """A mechanism: its parameters and the arms (``TRIAL/ARM``) that may move them."""

    name: str
    anchors: tuple[str, ...] = Field(min_length=1)
    parameter: tuple[Prior, ...] = Field(min_length=1)
    tied: tuple[Tie, ...] = ()
    only: str = ""

    def takes(self, datum: Datum) -> bool:
        """Whether a figure may move its parameters."""
        return datum.place in self.anchors and self.only in datum.text


class CalibrationPlan(FactFile):
    """What is calibrated on what."""

    mechanism: tuple[MechanismFit, ...]
    number: dict[str, Quantity]

    def priors(self) -> tuple[Prior, ...]:
        """All parameters."""
        return tuple(prior for m in self.mechanism for prior in m.parameter)

    def arms(self) -> dict[str, tuple[str, ...]]:
        """Arms that are simulated, by the id of their trial."""
        found: dict[str, list[str]] = {}
        for place in dict.fromkeys(place for m in self.mechanism for place in m.anchors):
            if place == ALL_ARMS:
                continue
            trial, _, arm = place.partition("/")
            found.setdefault(trial, []).append(arm)
        return {trial: tuple(arms) for trial, arms in found.items()}


@cache
def calibration_plan() -> CalibrationPlan:
    """The plan that comes with her2sim."""
    path = files("her2sim.calibration").joinpath("plan.toml")
    return read_fact_file(path, CalibrationPlan)


def _number(name: str) -> float:
    """One of the numbers of the plan."""
    return calibration_plan().number[name].value


def quantity_of(name: str) -> UncertainQuantity:
    """The number behind ``OWNER:NAME``, or its spread between patients (``OWNER:NAME.spread``)."""
    owner, _, of = name.partition(":")
    of, _, part = of.partition(".")
    mechanism = load_mechanism(owner) if owner != "tumour" else None
    known = tumour_facts().parameter if mechanism is None else mechanism.parameter
    if of not in known:
        raise DataError(f"{name!r} is no number of a tumour or of how a drug acts")
    quantity = known[of]
    if not part:
        return quantity
    assert quantity.spread is not None
    changed = {"value": quantity.spread, "low": None, "high": None, "spread": None, "unit": "1"}
    return quantity.model_copy(update={**changed, "drawn_on": "log", "members": ()})


@dataclass(frozen=True, eq=False)
class Datum:
    """A published figure on the scale on which it is compared, its error, and where it is from."""

    place: str
    text: str
    value: float
    sd: float
    predict: Callable[[Mapping[str, ArmOutcomes]], Array] | None = None


def anchor_data(trial: Trial, arms: Sequence[str]) -> Iterator[Datum]:
    """Figures of some arms of a trial that are anchors."""
    for row in trial.outcome:
        if row.role == "anchor" and row.arm in arms and row.endpoint != "OS" and row.value:
            yield _of_outcome(trial, row)
    for ratio in trial.comparison:
        is_simulated = ratio.arm in arms and ratio.versus in arms
        if ratio.role == "anchor" and is_simulated and ratio.endpoint != "OS":
            yield _of_ratio(trial, ratio)
    for curve in trial.landmarks:
        if curve.role != "anchor" or curve.arm not in arms or curve.endpoint == "OS":
            continue
        for month, survival in zip(curve.months, curve.survival, strict=True):
            if month in _CURVE_MONTHS:
                row = Outcome(
                    arm=curve.arm, endpoint=curve.endpoint, measure="rate_percent",
                    value=100 * survival, at_month=month, source=curve.source,
                )  # fmt: skip
                yield _of_outcome(trial, row)


_CURVE_MONTHS = (6.0, 12.0, 24.0, 36.0)


def _of_outcome(trial: Trial, row: Outcome) -> Datum:
    assert row.value is not None
    n = _patients_behind(trial, row)
    text = " ".join(
        [row.endpoint, row.measure, *([f"{row.at_month:g}"] if row.at_month else []),
         *([row.subgroup] if row.subgroup else [])]
    )  # fmt: skip
    place = f"{trial.id}/{row.arm}"
    if row.measure == "median_month":
        sd = 1.2 / np.sqrt(n)
        if row.low and row.high:
            sd = (np.log(row.high) - np.log(row.low)) / 3.92
        sd = float(
            np.hypot(
                max(sd, _number("least_error_log")),
                _scan_gap_month(trial, row.value) / 12**0.5 / row.value,
            )
        )
        latest = trial.end_month  # what is not reached counts as that

        def months(arms: Mapping[str, ArmOutcomes]) -> Array:
            return np.log(np.clip(outcome_estimates(arms, row), 0.5, latest))

        return Datum(place, text, float(np.log(row.value)), sd, months)
    share = row.value / 100
    sd = float(np.sqrt(1 / (n * share * (1 - share))))

    def shares(arms: Mapping[str, ArmOutcomes]) -> Array:
        return np.asarray(logit(np.clip(outcome_estimates(arms, row) / 100, 0.003, 0.997)))

    return Datum(place, text, float(logit(share)), max(sd, _number("least_error_logit")), shares)


def _patients_behind(trial: Trial, row: Outcome) -> float:
    """Patients whom a figure is about: a subgroup is a quarter, and only responders have a DoR."""
    n = float(trial.arm_of(row.arm).n or _number("usual_patients"))
    if row.subgroup is not None:
        n /= 4
    if row.endpoint == "DoR":
        rates = [r.value for r in trial.outcome if r.arm == row.arm and r.endpoint == "ORR"]
        percent = rates[0] if rates and rates[0] else 100 * _number("usual_response")
        n *= percent / 100
    return n


def _scan_gap_month(trial: Trial, month: float) -> float:
    """Time between scans around a month: a median is known no better than to that step."""
    week = month * DAY_PER_MONTH / DAY_PER_WEEK
    pace = next(p for p in trial.scans if p.until_week is None or week <= p.until_week)
    return pace.every_week * DAY_PER_WEEK / DAY_PER_MONTH


def _of_ratio(trial: Trial, row: Comparison) -> Datum:
    assert row.hazard_ratio is not None
    sd = 0.15
    if row.low and row.high:
        sd = (np.log(row.high) - np.log(row.low)) / 3.92
    text = f"{row.endpoint} hazard ratio over {row.versus}{' ' + (row.subgroup or '')}".strip()

    def ratios(arms: Mapping[str, ArmOutcomes]) -> Array:
        return np.log(np.clip(ratio_estimates(arms, row), 0.02, 50.0))

    place = f"{trial.id}/{row.arm}"
    return Datum(
        place, text, float(np.log(row.hazard_ratio)), max(sd, _number("least_error_log")), ratios
    )


@dataclass(frozen=True, eq=False)
class _Task:
    """An arm with the patients of all members."""

    trial: Trial
    arm: str
    patients: ArmPatients
    doses: ArmDoses


def _run(task: _Task) -> tuple[str, str, dict[str, NDArray[np.generic]]]:
    frame = run_efficacy(
        task.trial, task.trial.arm_of(task.arm), task.patients, task.doses, SEED,
        tolerance=TOLERANCE, threads=1,
    )  # fmt: skip
    return task.trial.id, task.arm, {name: frame[name].to_numpy() for name in frame.columns}


def _doses(place: tuple[Trial, str]) -> ArmDoses:
    """Doses of the patients of an arm, each with a draw of its own of what is not known."""
    trial, arm = place
    draws = 1 + np.arange(POOL) % DRAWS
    patients = ArmPatients(np.arange(POOL), Members(draws, draws=draws))
    return arm_doses(trial, trial.arm_of(arm), patients, SEED, threads=1)


def _trials() -> dict[str, Trial]:
    return {trial.id: trial for trial in map(load_trial, trial_names())}


@dataclass(eq=False)
class Fit:
    """A calibration while it runs: members on the scale of each parameter, (n_parameters, n)."""

    plan: CalibrationPlan
    n_members: int
    workers: int
    members: Array = field(init=False)
    centre: Array = field(init=False)
    width: Array = field(init=False)

    def __post_init__(self) -> None:
        priors = self.plan.priors()
        self.quantities = [quantity_of(prior.name) for prior in priors]
        edges = np.array(
            [
                onto_scale(q, np.array([prior.low, prior.high]))
                for q, prior in zip(self.quantities, priors, strict=True)
            ]
        )
        self.centre, self.width = edges.mean(axis=1), np.diff(edges, axis=1)[:, 0]
        self.random = np.random.default_rng(SEED)
        starts = [
            onto_scale(q, np.array(prior.start))
            for q, prior in zip(self.quantities, priors, strict=True)
        ]
        sd = WIDTH * self.width / (2 * MIDDLE_90)
        draws = np.clip(self.random.standard_normal((sd.size, self.n_members)), -2, 2)
        self.members = np.array(starts)[:, None] + sd[:, None] * draws

    def values(self) -> dict[str, Array]:
        """Values of all parameters of each member, shape (n_members,), those tied included."""
        found = {
            prior.name: from_scale(q, row)
            for prior, q, row in zip(self.plan.priors(), self.quantities, self.members, strict=True)
        }
        for tie in (tie for m in self.plan.mechanism for tie in m.tied):
            found[tie.name] = found[tie.to] * tie.factor
        return found

    @cached_property
    def doses(self) -> dict[tuple[str, str], ArmDoses]:
        """Doses of all anchor arms, found once: no number that is fitted changes them."""
        places = [
            (_trials()[trial], arm) for trial, arms in self.plan.arms().items() for arm in arms
        ]
        found = in_threads(_doses, places, self.workers)
        return {(trial.id, arm): doses for (trial, arm), doses in zip(places, found, strict=True)}

    def simulate(self, n_patients: int) -> dict[str, dict[str, ArmOutcomes]]:
        """Outcomes of all anchor arms; members have patients one after the other of a pool."""
        number = np.arange(self.n_members * n_patients)
        member = number // n_patients
        values = {name: row[member] for name, row in self.values().items()}
        patients = ArmPatients(number % POOL, Members(member + 1, {}, values, member + 1))
        trials = _trials()
        tasks = [
            _Task(trials[trial], arm, patients, doses) for (trial, arm), doses in self.doses.items()
        ]
        found: dict[str, dict[str, ArmOutcomes]] = {}
        for trial, arm, columns in in_threads(_run, tasks, self.workers):
            outcomes = ArmOutcomes(trials[trial], columns.__getitem__, frozenset(columns))
            found.setdefault(trial, {})[arm] = outcomes
        return found

    def predict(self, n_patients: int) -> tuple[list[Datum], Array]:
        """Anchors, and what each member predicts of them, shape (n_data, n_members)."""
        outcomes = self.simulate(n_patients)
        data, rows, by_target = list[Datum](), list[Array](), list[Array]()
        for arms in outcomes.values():
            trial = next(iter(arms.values())).trial
            for datum in anchor_data(trial, tuple(arms)):
                data.append(datum)
                assert datum.predict is not None
                rows.append(datum.predict(arms))
            by_target += [target_estimates(arm) for arm in arms.values()]
        text = "progressions by target lesions"
        data.append(Datum(ALL_ARMS, text, _number("by_target"), _number("by_target_sd")))
        rows.append(np.nanmean(by_target, axis=0) / 100)
        return data, np.array([_filled(row, d) for row, d in zip(rows, data, strict=True)])

    def step(self, n_patients: int, inflation: float) -> float:
        """Move all members once; returns the mean squared distance of data in their errors."""
        data, predicted = self.predict(n_patients)
        wanted, sd = (np.array([getattr(d, name) for d in data]) for name in ("value", "sd"))
        distance = (predicted - wanted[:, None]) / sd[:, None]
        moved = self.members.copy()
        first = 0
        for mechanism in self.plan.mechanism:
            rows = np.arange(first, first + len(mechanism.parameter))
            first += len(mechanism.parameter)
            own = np.flatnonzero([mechanism.takes(datum) for datum in data])
            moved[rows] += self._move(rows, predicted[own], wanted[own], sd[own], inflation)
        most = (0.5 + _EDGE) * self.width[:, None]
        self.members = self.centre[:, None] + np.clip(moved - self.centre[:, None], -most, most)
        return float(np.mean(np.median(distance, axis=1) ** 2))

    def _move(
        self, rows: NDArray[np.int64], predicted: Array, wanted: Array, sd: Array, inflation: float
    ) -> Array:
        """How the parameters of a mechanism move with the anchors of it."""
        theta = self.members[rows]
        of_theta = theta - theta.mean(axis=1, keepdims=True)
        of_data = (predicted - predicted.mean(axis=1, keepdims=True)) / sd[:, None]
        n = self.n_members - 1
        cross = of_theta @ of_data.T / n
        inner = of_data @ of_data.T / n + inflation * np.eye(sd.size)
        noise = np.sqrt(inflation) * self.random.standard_normal(predicted.shape)
        gap = (wanted[:, None] - predicted) / sd[:, None] + noise
        found: Array = cross @ np.linalg.solve(inner, gap)
        return found


def _filled(row: Array, datum: Datum) -> Array:
    """A figure of which some members have too few patients: they say what the others say."""
    known = np.isfinite(row)
    return np.where(known, row, np.mean(row[known]) if known.any() else datum.value)


def calibrate(
    n_members: int, n_patients: int, workers: int, note: Note = lambda text: None
) -> tuple[Fit, list[Datum], Array]:
    """Fit the plan that comes with her2sim.

    Parameters
    ----------
    n_members, n_patients : members of the ensemble, and patients of each in each arm
    workers : cores
    note : told how far it is

    Returns
    -------
    the fit, the anchors, and what each member predicts of them with :data:`FINAL_TIMES` as many
    patients
    """
    fit = Fit(calibration_plan(), n_members, workers)
    for number in range(STEPS):
        distance = fit.step(n_patients, float(STEPS))
        note(f"step {number + 1} of {STEPS}: mean squared distance {distance:.2f}")
    data, predicted = fit.predict(FINAL_TIMES * n_patients)
    return fit, data, predicted
