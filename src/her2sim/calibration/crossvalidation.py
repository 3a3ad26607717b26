"""Cross-validation of the calibration: trials left out, everything refitted, the trials predicted.

Each fit begins where a fit to everything ended, shrunk towards the priors and shaken, so that what
the trials that are left out told is not kept; parameters that only they tell begin at their priors.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.calibration.anchors import Anchor
from her2sim.calibration.evidence import Evidence
from her2sim.calibration.map_fit import Note, fit_map, slopes_at
from her2sim.calibration.members import KEPT_CORRECTIONS, draw_members

KEPT, SHAKEN = 0.6, 0.3
"""What is kept of the distance from the prior, and the SD of the shake in SDs of the prior."""
FOLD_RENEWALS, FOLD_STEPS = 1, 8
FOLD_MEMBERS = 24
TOLD_PATIENTS = 1000
"""Patients of an arm by whom a trial that is left out is predicted."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Trials that are left out, and what was predicted of their figures.

    ``best`` is what the best fit to the others predicts, (n,), ``members`` what members do,
    (n, n_members): logarithms of months and of ratios, logits of shares and rates.
    """

    trials: tuple[str, ...]
    anchors: tuple[Anchor, ...]
    best: Array
    members: Array
    at: Array


@dataclass(eq=False)
class CrossValidation:
    """Refits without some trials each."""

    evidence: Evidence
    note: Note = lambda text: None

    @cached_property
    def shipped(self) -> tuple[Array, Array]:
        """The fit to everything, (n_parameters,), and slopes of the predictions there."""
        at = self.evidence.parameters.shipped()
        return at, slopes_at(self.evidence, at, np.ones(at.size, dtype=bool))[0]

    def fold(self, trials: tuple[str, ...], seed: int) -> Fold:
        """Everything refitted without some trials, and these predicted."""
        evidence = self.evidence
        used = np.array([anchor.trial not in trials for anchor in evidence.anchors])
        start = self._start(trials, seed)
        fit = fit_map(
            evidence, start, used=used, slopes=self.shipped[1], renewals=FOLD_RENEWALS,
            most_steps=FOLD_STEPS, note=self.note,
        )  # fmt: skip
        corrections = KEPT_CORRECTIONS if evidence.plan.keeps_members else 0
        members = draw_members(evidence, fit, FOLD_MEMBERS, seed, used, corrections)
        fresh = Evidence(
            TOLD_PATIENTS, evidence.workers, trials, evidence.plan, evidence.seed + 1, evidence.hold
        )
        sets, draws = np.column_stack([fit.at, members.sets]), np.append(0, members.draws)
        predicted = fresh.predict(sets, draws=draws, months=True)
        own = [k for k, anchor in enumerate(fresh.anchors) if anchor.trial in trials]
        return Fold(
            trials, tuple(fresh.anchors[k] for k in own), predicted[own, 0], predicted[own, 1:],
            fit.at,
        )  # fmt: skip

    def _start(self, trials: tuple[str, ...], seed: int) -> Array:
        """Where a fit begins: shrunk and shaken, and at the prior where only these trials tell."""
        random = np.random.default_rng(seed)
        start = KEPT * self.shipped[0]
        start = start + SHAKEN * np.clip(random.standard_normal(start.size), -2, 2)
        return np.where(self._only_of(trials), 0.0, start)

    def _only_of(self, trials: tuple[str, ...]) -> Mask:
        """Parameters that no patient of another trial feels."""
        others = [one.feels for one in self.evidence.arms.values() if one.trial.id not in trials]
        found: Mask = ~np.any(others, axis=0)
        return found


def six_groups(evidence: Evidence) -> tuple[tuple[str, ...], ...]:
    """Six groups of trials, in turn through their names in order."""
    names = [trials[0] for trials in whole_trials(evidence)]
    return tuple(tuple(names[k::6]) for k in range(6) if names[k::6])


def whole_trials(evidence: Evidence) -> tuple[tuple[str, ...], ...]:
    """Each trial left out alone."""
    return tuple((name,) for name in dict.fromkeys(a.trial.id for a in evidence.arms.values()))
