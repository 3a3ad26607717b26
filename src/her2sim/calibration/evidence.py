"""The anchors, and what any set of numbers predicts of them.

Patients and their doses are drawn once; every set of numbers is tried on the same ones. An arm is
simulated only for sets that differ in a number which its patients feel.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.ensemble import Members
from her2sim.calibration.anchors import Anchor, contrast_anchors, target_anchor, trial_anchors
from her2sim.calibration.contrasts import (
    Side,
    SideRun,
    contrast_patients,
    side_model,
    side_people,
)
from her2sim.calibration.early_felt import felt_in_early
from her2sim.calibration.plan import CalibrationPlan, Parameters, calibration_plan
from her2sim.calibration.sample import even_sample
from her2sim.engine.trajectories import Tolerance
from her2sim.store.workers import in_threads
from her2sim.trials.arm import ArmPatients, regimen_groups
from her2sim.trials.death import medians_after, own_median
from her2sim.trials.early_arm import early_drugs
from her2sim.trials.efficacy import ArmDoses, arm_doses, run_efficacy
from her2sim.trials.endpoints import ArmOutcomes
from her2sim.trials.enrolment import enrol
from her2sim.trials.library import load_trial, trials_of
from her2sim.trials.survival_of_sets import log_hazard_ratio, log_median, survival_at
from her2sim.trials.trial import Arm, Trial
from her2sim.virtual_patient.cohort_state import hazard_levels
from her2sim.virtual_patient.composition import virtual_patient

T = TypeVar("T", bound=np.generic)
SEED = 20260101
TOLERANCE = Tolerance(relative=1e-3, absolute=1e-5)
"""Of the solver: scans are read with an error of several per cent, and figures are of few patients.
"""
POOL = 1500
"""Patients of whom those of a fit are an even sample."""
ALIKE = 0.98
"""Correlation of ranks from which two characteristics count as one."""
AROUND_MONTH = np.linspace(-0.7, 0.7, 9)
"""Months around a published median over which the predicted survival is averaged."""
LEAST, MOST = 0.004, 0.996
"""Shares beyond which nothing is told apart by a few hundred patients."""
_PROBED = 48
APART = 100_000
"""Samples of patients among which each trial has its own."""
_STEP = 1.0


@dataclass(frozen=True, eq=False)
class ArmEvidence:
    """An arm with its patients: their doses, and which parameters they feel, (n_parameters,)."""

    trial: Trial
    arm: Arm
    numbers: Positions
    doses: ArmDoses
    feels: Mask


@dataclass(frozen=True, eq=False)
class ArmRun:
    """Outcomes of an arm under some sets; ``row`` says where each set is, shape (n_sets,)."""

    outcomes: ArmOutcomes
    n_patients: int
    row: Positions

    def table(self, values: NDArray[T]) -> NDArray[T]:
        """Values of patients as a table, shape (n_rows, n_patients)."""
        return values.reshape(-1, self.n_patients)

    def times(self, anchor: Anchor) -> tuple[Array, Mask, Mask]:
        """Months, events, and who counts, each of shape (n_rows, n_patients)."""
        month = None if np.isnan(anchor.month) or anchor.kind != "ratio" else anchor.month
        times = self.outcomes.times(anchor.endpoint, month)
        chosen = self.outcomes.group(anchor.subgroup) & np.isfinite(times.month)
        return (
            self.table(np.nan_to_num(times.month)), self.table(times.event), self.table(chosen)
        )  # fmt: skip


@dataclass(eq=False)
class Evidence:
    """Anchors of some trials with the patients of their arms; of all of the plan by default."""

    n_patients: int
    workers: int = 1
    trials: Sequence[str] = ()
    plan: CalibrationPlan = field(default_factory=calibration_plan)
    seed: int = SEED
    hold: Sequence[str] = ()

    @property
    def is_early(self) -> bool:
        """Whether the trials are of early disease, by the plan."""
        return self.plan.setting == "early"

    @cached_property
    def parameters(self) -> Parameters:
        """What is calibrated."""
        return Parameters(self.plan, self.hold)

    @cached_property
    def arms(self) -> dict[tuple[str, str], ArmEvidence]:
        """All arms, by the id of the trial and of the arm."""
        plan = self.plan
        asked = list(map(load_trial, self.trials)) or [*trials_of(plan.setting, plan.tumour_type)]
        numbers = in_threads(self._numbers, asked, self.workers)
        places = [
            (trial, arm, own)
            for trial, own in zip(asked, numbers, strict=True)
            for arm in trial.arm
        ]
        found = in_threads(self._arm, places, self.workers)
        return {(one.trial.id, one.arm.id): one for one in found}

    def _numbers(self, trial: Trial) -> Positions:
        """Patients of a trial, an even sample of more, or all of them where many are asked for.

        Each trial has its own: chance of one sample must not bend all trials alike.
        """
        pool = self.n_patients if self.is_early else max(self.n_patients, POOL)
        numbers = zlib.crc32(trial.id.encode()) % APART * pool + np.arange(pool)
        if self.n_patients == pool:
            return numbers
        middle = self._patients(np.zeros((self.parameters.n, 1)), np.zeros(1, dtype=int), numbers)
        features = np.concatenate([_features(trial, arm, middle, self.seed) for arm in trial.arm])
        return numbers[even_sample(features, self.n_patients)]

    def _arm(self, place: tuple[Trial, Arm, Positions]) -> ArmEvidence:
        trial, arm, numbers = place
        patients = ArmPatients(numbers, Members(np.zeros_like(numbers)))
        doses = arm_doses(trial, arm, patients, self.seed, threads=1)
        return ArmEvidence(trial, arm, numbers, doses, self._feels(trial, arm, numbers))

    def _feels(self, trial: Trial, arm: Arm, numbers: Positions) -> Mask:
        """Parameters that change a number of some patient of an arm, or the state at the start."""
        if self.is_early:
            return felt_in_early(self.parameters.names, early_drugs(trial, arm))
        n, patients = self.parameters.n, self._probe(numbers[:_PROBED])
        people = enrol(trial, arm, patients.numbers, self.seed, patients.members)
        felt = np.zeros(n, dtype=bool)
        for given in regimen_groups(arm, patients.numbers, self.seed):
            whole, some = virtual_patient(given.drugs), people.take(given.rows)
            felt |= _felt(n, np.concatenate([whole.parameters(some), whole.start(some)]))
        medians = medians_after(people, trial.design.began_year)
        return felt | _felt(n, own_median(medians, people.tumours.traits["earlier_lines"])[None])

    def _probe(self, numbers: Positions) -> ArmPatients:
        """Patients with each parameter moved in turn, and with none moved."""
        n = self.parameters.n
        sets = np.concatenate([_STEP * np.eye(n), np.zeros((n, 1))], axis=1)
        return self._patients(sets, np.zeros(n + 1, dtype=np.int64), numbers)

    def _patients(self, sets: Array, draws: Positions, numbers: Positions) -> ArmPatients:
        """All patients once for each set, one set after the other."""
        n_sets = sets.shape[1]
        values = {
            name: np.repeat(row, numbers.size) for name, row in self.parameters.values(sets).items()
        }
        drawn = np.repeat(draws, numbers.size)
        if self.plan.keeps_members:
            return ArmPatients(np.tile(numbers, n_sets), Members(drawn, {}, values))
        members = Members(np.minimum(drawn, 1), {}, values, drawn)
        return ArmPatients(np.tile(numbers, n_sets), members)

    @cached_property
    def anchors(self) -> tuple[Anchor, ...]:
        """All figures, and the share of progressions by target lesions."""
        trials = {trial: one.trial for (trial, _), one in self.arms.items()}
        found = [a for trial in trials.values() for a in trial_anchors(trial)]
        if self.plan.keeps_members:
            return tuple(found)
        return (*found, target_anchor(), *contrast_anchors(self.plan.contrast))

    def predict(
        self, sets: Array, *, draws: Positions | None = None, months: bool = False
    ) -> Array:
        """What sets predict of the anchors, shape (n_anchors, n_sets).

        Parameters
        ----------
        sets : on the common scale, shape (n_parameters, n_sets)
        draws : the draw of what is not calibrated of each set; 0 takes it from the fact files
        months : medians as logarithms of months, not as the survival at the published month
        """
        drawn = np.zeros(sets.shape[1], dtype=np.int64) if draws is None else draws
        found = in_threads(partial(self._run, sets, drawn), [*self.arms.values()], self.workers)
        runs = dict(zip(self.arms, found, strict=True))
        contrasts = iter(self._contrasts(sets, drawn))
        return np.array(
            [
                next(contrasts) if anchor.kind == "contrast" else _figure(anchor, runs, months)
                for anchor in self.anchors
            ]
        )

    def _contrasts(self, sets: Array, draws: Positions) -> Array:
        """Logarithms of the contrasts in each set, one row each."""
        if not self.plan.contrast:
            return np.empty((0, sets.shape[1]))
        sides = in_threads(partial(self._side, sets, draws), self._sides, self.workers)
        logs = np.log(np.maximum([*sides], 1e-3))
        found: Array = logs[::2] - logs[1::2]
        return found

    @cached_property
    def _sides(self) -> list[tuple[SideRun, Mask]]:
        """Both sides of each contrast, one after the other, and the parameters that each feels."""
        sides = [(side, row.what) for row in self.plan.contrast for side in (row.side, row.over)]
        return [(SideRun(side, what, TOLERANCE), self._side_feels(side)) for side, what in sides]

    def _side_feels(self, side: Side) -> Mask:
        """Parameters that change a number of some patient of a side."""
        n = self.parameters.n
        members = self._probe(contrast_patients()).members
        whole, people = side_model(side), side_people(side, members)
        return _felt(n, np.concatenate([whole.parameters(people), whole.start(people)]))

    def _side(self, sets: Array, draws: Positions, told: tuple[SideRun, Mask]) -> Array:
        """One side of a contrast in each set."""
        run, feels = told
        first, row = _distinct(sets[feels], draws)
        patients = self._patients(sets[:, first], draws[first], contrast_patients())
        return run.figure(patients.members)[row]

    def _run(self, sets: Array, draws: Positions, of: ArmEvidence) -> ArmRun:
        first, row = _distinct(sets[of.feels], draws)
        patients = self._patients(sets[:, first], draws[first], of.numbers)
        frame = run_efficacy(
            of.trial, of.arm, patients, of.doses, self.seed, tolerance=TOLERANCE, threads=1
        )
        columns = {name: frame[name].to_numpy() for name in frame.columns}
        outcomes = ArmOutcomes(of.trial, columns.__getitem__, frozenset(columns))
        return ArmRun(outcomes, of.numbers.size, row)


def _felt(n: int, numbers: Array) -> Mask:
    """Which of n moves of parameters, one after the other and none at last, changed a number.

    A group of patients may be a part of all: those who are there for one move are there for all.
    """
    numbers = numbers.reshape(numbers.shape[0], n + 1, -1)
    found: Mask = (numbers[:, :n] != numbers[:, n:]).any(axis=(0, 2))
    return found


def _distinct(felt: Array, draws: Positions) -> tuple[Positions, Positions]:
    """Sets that differ in what is felt: the first of each kind, and the kind of each set."""
    both = np.concatenate([felt, draws[None]])
    _, first, row = np.unique(both, axis=1, return_index=True, return_inverse=True)
    return first, row.ravel()


def _figure(anchor: Anchor, runs: dict[tuple[str, str], ArmRun], months: bool) -> Array:
    """An anchor on its scale in each set."""
    if anchor.kind == "target":
        found: Array = np.nanmean([by_target(run) for run in runs.values()], axis=0)
        return found
    own = runs[anchor.trial, anchor.arm]
    if anchor.kind != "ratio":
        return _of_arm(anchor, own, months)[own.row]
    other = runs[anchor.trial, anchor.versus]
    pairs, place = np.unique(np.stack([own.row, other.row]), axis=1, return_inverse=True)
    sides = zip(own.times(anchor), other.times(anchor), strict=True)
    month, event, chosen = ((a[pairs[0]], b[pairs[1]]) for a, b in sides)
    return log_hazard_ratio(month, event, chosen)[place.ravel()]


def _features(trial: Trial, arm: Arm, patients: ArmPatients, seed: int) -> Array:
    """What tells patients of an arm apart, one row a characteristic; rows alike are left out."""
    people = enrol(trial, arm, patients.numbers, seed, patients.members)
    tumours, n = people.tumours, patients.numbers.size
    rows = {**tumours.parameters, **tumours.start}
    rows |= {k: v.astype(np.float64) for k, v in tumours.traits.items() if v.dtype.kind in "bi"}
    rows["regimen"] = np.zeros(n)
    for position, given in enumerate(regimen_groups(arm, patients.numbers, seed)):
        whole, some = virtual_patient(given.drugs), people.take(given.rows)
        rows["regimen"][given.rows] = position
        own = dict(zip(whole.model.parameters, whole.parameters(some), strict=True))
        own["elsewhere"] = hazard_levels(whole, some)[0]
        for name in own.keys() - tumours.parameters.keys():
            everyone = rows.setdefault(name, np.full(n, np.median(own[name])))
            everyone[given.rows] = own[name]
    found = np.array([rows[name] for name in sorted(rows) if np.ptp(rows[name]) > 0])
    ranks = np.argsort(np.argsort(found, axis=1), axis=1)
    alike = np.tril(np.abs(np.corrcoef(ranks)) > ALIKE, -1).any(axis=1)
    return found[~alike]


def by_target(run: ArmRun) -> Array:
    """Share of progressions that target lesions showed, in each set."""
    progressed = run.table(np.isfinite(run.outcomes.patients.scanned("progressed_day")))
    target = run.table(run.outcomes.patients.scanned("by_target"))
    with np.errstate(invalid="ignore"):
        found: Array = np.where(progressed, target, 0.0).sum(1) / progressed.sum(1)
    return found[run.row]


def _of_arm(anchor: Anchor, run: ArmRun, months: bool) -> Array:
    """A figure of one arm on its scale, in each row of a run."""
    if anchor.kind == "share":
        group = run.table(run.outcomes.group(anchor.subgroup))
        responded = run.table(run.outcomes.responded(anchor.endpoint))
        share = (responded & group).sum(axis=1) / np.maximum(group.sum(axis=1), 1)
        return np.asarray(logit(np.clip(share, LEAST, MOST)))
    if anchor.kind == "median" and months:
        return log_median(*run.times(anchor), run.outcomes.trial.end_month)
    at = anchor.month + (AROUND_MONTH if anchor.kind == "median" else np.zeros(1))
    share = survival_at(*run.times(anchor), at).mean(axis=1)
    return np.asarray(logit(np.clip(share, LEAST, MOST)))
