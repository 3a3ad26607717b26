"""The fit of one model to what was measured of patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.individual.expected import Expected, expected
from her2sim.individual.map_estimates import MapEstimates, Measurements, Objective, map_estimates
from her2sim.individual.of_drug import (
    KnownOverTime,
    Levels,
    residual_error,
    subjects_of_drug,
)
from her2sim.individual.posterior import Posterior, posterior
from her2sim.individual.subjects import Subjects
from her2sim.pk.treatment import Treatment
from her2sim.regimens.dose_rows import Doses

N_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Fit:
    """Patients under one model: what is known of them, and their random effects.

    ``posterior`` is there for a single patient; of several the normal distribution at the mode is
    taken. ``omega`` is the covariance in the population.
    """

    treatment: Treatment
    known: KnownOverTime
    doses: Doses
    levels: Levels
    subjects: Subjects
    measured: Measurements
    omega: Array
    expected: Expected | None
    estimates: MapEstimates
    posterior: Posterior | None

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters with random effects of their own."""
        return tuple(effect.name for effect in self.subjects.effects)

    @property
    def sd(self) -> Array:
        """SD of the random effects of each patient, shape (n_effects, n_patients)."""
        if self.posterior is not None:
            return self.posterior.sd
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

    def prior_draws(self, n_draws: int = N_DRAWS, seed: int = 1) -> Array:
        """Random effects of the population, shape (n_effects, n_draws)."""
        from scipy.special import ndtri

        from her2sim.individual.map_estimates import uniform_points

        scores = ndtri(uniform_points(n_draws, self.omega.shape[0], seed))
        return np.asarray(np.linalg.cholesky(self.omega) @ scores.T)


def fitted(
    treatment: Treatment,
    known: KnownOverTime,
    doses: Doses,
    levels: Levels,
    *,
    residual_cv: float | None = None,
    prior_weight: float = 1.0,
    seed: int = 1,
    is_sampled: bool = True,
    is_compared: bool = True,
) -> Fit:
    """Fit a drug's model to the levels of patients.

    Parameters
    ----------
    treatment : model of the drug
    known, doses, levels : patients, what they were given (mg) and what was measured
    residual_cv : share of a level that a measurement lies off, in place of the published error
    prior_weight : less than one trusts the population less (a flattened prior)
    seed : of draws
    is_sampled : whether the posterior of the patients is drawn from
    is_compared : whether the measurements are compared with the population first

    Raises
    ------
    DataError
        If how patients differ, or how far measurements scatter, is not published.
    """
    error = residual_error(treatment.pk, residual_cv)
    subjects, measured = subjects_of_drug(treatment, known, doses, levels, error)
    omega = treatment.pk.variability.omega()
    before = expected(subjects, measured, omega, seed) if is_compared else None
    asked = Objective(subjects, measured, omega, prior_weight)
    estimates = map_estimates(asked)
    drawn = posterior(asked, estimates, N_DRAWS, seed=seed) if is_sampled else None
    return Fit(treatment, known, doses, levels, subjects, measured, omega, before, estimates, drawn)


def model_weights(fits: list[Fit]) -> Array:
    """How likely each model makes what was measured of the patients, as shares.

    Weights are those of the objective with the random effects integrated out.
    """
    marginal = np.array([fit.estimates.marginal.sum() for fit in fits])
    weight = np.exp(-0.5 * (marginal - marginal.min()))
    return np.asarray(weight / weight.sum())


def without_fit(fit: Fit) -> Mask:
    """Patients whose fit did not end."""
    from her2sim.individual.map_estimates import FitStatus

    return np.asarray(fit.estimates.status == FitStatus.NOT_ENDED)
