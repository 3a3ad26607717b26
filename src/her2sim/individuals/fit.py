"""The fit of one model to what was measured of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from her2sim.arrays import Array, Mask
from her2sim.individuals.expected import Expected, expected
from her2sim.individuals.map_estimates import (
    FitStatus,
    MapEstimates,
    Measurements,
    Objective,
    map_estimates,
    uniform_points,
)
from her2sim.individuals.of_drug import FittedModel, KnownOverTime, Levels, subjects_of
from her2sim.individuals.posterior import Posterior, posterior
from her2sim.individuals.subjects import Subjects
from her2sim.regimens.dose_rows import Doses

N_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Fit:
    """Patients under one model: what is known of them, and their random effects.

    ``posterior`` is there for a single patient; of several the normal distribution at the mode is
    taken.
    """

    model: FittedModel
    known: KnownOverTime
    doses: Doses
    levels: Levels
    subjects: Subjects
    measured: Measurements
    expected: Expected | None
    estimates: MapEstimates
    posterior: Posterior | None

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters with random effects of their own."""
        return tuple(effect.name for effect in self.subjects.effects)

    @property
    def omega(self) -> Array:
        """Covariance of the random effects in the population."""
        return self.model.omega

    @property
    def sd(self) -> Array:
        """SD of the random effects of each patient, shape (n_effects, n_patients)."""
        if self.posterior is not None:
            told = np.isin(np.arange(self.known.n_patients), self.levels.patient)
            population = np.sqrt(np.diag(self.omega))[:, None]
            return np.where(told, self.posterior.sd, population)
        return np.asarray(np.sqrt(np.einsum("nii->in", self.estimates.covariance)))

    @property
    def shrinkage(self) -> Array:
        """Share of the variance of the population that is left, shape of ``sd``.

        One: nothing is known beyond the population; zero: the measurements tell everything.
        """
        return np.asarray(np.minimum(self.sd**2 / np.diag(self.omega)[:, None], 1.0))

    def predictions(self) -> Array:
        """Predictions at the mode of what was measured."""
        everyone = np.arange(self.measured.n_subjects)
        return self.subjects.levels(self.estimates.effects, everyone)

    def residuals(self) -> Array:
        """How far measurements lie from these, in SDs of the residual error; NaN below a limit."""
        scatter, predicted = self.measured.scatter, self.predictions()
        gap = scatter.scaled(self.measured.value) - scatter.scaled(predicted)
        found = gap / np.sqrt(scatter.variance(predicted)[0])
        return np.where(self.measured.is_below, np.nan, found)

    def far_off(self) -> Array:
        """How far the fit lies beyond each measurement, in SDs of the residual error.

        Of a level below the limit of quantification: how far above the limit, if it is.
        """
        scatter, predicted = self.measured.scatter, self.predictions()
        gap = scatter.scaled(self.measured.value) - scatter.scaled(predicted)
        found = gap / np.sqrt(scatter.variance(predicted)[0])
        return np.where(self.measured.is_below, np.maximum(-found, 0.0), np.abs(found))

    def prior_draws(self, n_draws: int = N_DRAWS, seed: int = 1) -> Array:
        """Random effects of the population, shape (n_effects, n_draws)."""
        scores = ndtri(uniform_points(n_draws, self.omega.shape[0], seed))
        return np.asarray(np.linalg.cholesky(self.omega) @ scores.T)


def fitted(
    model: FittedModel,
    known: KnownOverTime,
    doses: Doses,
    levels: Levels,
    *,
    prior_weight: float = 1.0,
    seed: int = 1,
    is_sampled: bool = True,
    is_compared: bool = True,
) -> Fit:
    """Fit a model to what was measured of patients.

    Parameters
    ----------
    model : of the drug's levels, perhaps with blood and heart
    known, doses, levels : patients, what they were given (mg) and what was measured
    prior_weight : less than one trusts the population less (a flattened prior)
    seed : of draws
    is_sampled : whether the posterior of the patients is drawn from
    is_compared : whether the measurements are compared with the population first
    """
    subjects, measured = subjects_of(model, known, doses, levels)
    before = expected(subjects, measured, model.omega, seed) if is_compared else None
    asked = Objective(subjects, measured, model.omega, prior_weight)
    estimates = map_estimates(asked)
    drawn = posterior(asked, estimates, N_DRAWS, seed=seed) if is_sampled else None
    return Fit(model, known, doses, levels, subjects, measured, before, estimates, drawn)


def model_weights(fits: list[Fit]) -> Array:
    """How likely each model makes what was measured of the patients, as shares.

    Weights are those of the objective with the random effects integrated out, and of how many
    patients are of each class.
    """
    marginal = np.array(
        [fit.estimates.marginal.sum() - 2 * np.log(fit.model.share) for fit in fits]
    )
    weight = np.exp(-0.5 * (marginal - marginal.min()))
    return np.asarray(weight / weight.sum())


def without_fit(fit: Fit) -> Mask:
    """Patients whose fit did not end."""
    return np.asarray(fit.estimates.status == FitStatus.NOT_ENDED)
