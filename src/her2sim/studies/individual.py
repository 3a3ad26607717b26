"""One patient backwards: from measured levels to this patient's numbers, and what is to come.

Nothing of it is advice: candidates say what would happen under the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from her2sim import __version__
from her2sim.errors import DataError
from her2sim.individuals.candidates import Target, WayOutcome, candidates_of
from her2sim.individuals.fit import Fit, fitted, model_weights
from her2sim.individuals.history import History
from her2sim.individuals.of_drug import FittedModel, model_of_levels
from her2sim.individuals.to_come import LevelBands, WhatIsToCome
from her2sim.models.symbols import SYMBOLS
from her2sim.notice import NOTICE
from her2sim.patients.patient import Patient
from her2sim.pk.treatment import Treatment
from her2sim.studies.individual_notes import day_shown, notes_of, withheld


@dataclass(frozen=True)
class ParameterOf:
    """A parameter of one patient: typical of such a patient, the most likely one, and what it may
    be: median and 90 % range of the posterior.

    ``shrinkage`` is the share of the population's variance that is left (1: nothing is known).
    """

    patient: str
    model: str
    parameter: str
    meaning: str
    unit: str
    typical: float
    value: float
    median: float
    low: float
    high: float
    shrinkage: float


@dataclass(frozen=True)
class LevelOf:
    """A measured level beside what was expected of such a patient (90 %), and what was fitted.

    ``percent_below`` is the share of what was expected that is lower; ``residual`` is in SDs of the
    residual error, None below the limit of quantification.
    """

    patient: str
    day: float
    analyte: str
    measured: float
    is_below: bool
    unit: str
    expected_low: float | None
    expected: float | None
    expected_high: float | None
    percent_below: float | None
    fitted: float
    residual: float | None


@dataclass(frozen=True)
class StatusOf:
    """How a fit ended: objective, the share of such patients with levels at least as unusual, and
    how many independent draws those of the posterior are worth (None where none were drawn).
    """

    patient: str
    model: str
    weight: float
    n_levels: int
    status: str
    objective: float
    usual_percent: float | None
    effective_draws: float | None


@dataclass(frozen=True, eq=False)
class IndividualReport:
    """What measured levels tell of patients; of a single one, what is to come too."""

    treatment: Treatment
    history: History
    parameters: tuple[ParameterOf, ...]
    levels: tuple[LevelOf, ...]
    fits: tuple[StatusOf, ...]
    target: Target | None
    next_day: float
    chances: tuple[WayOutcome, ...]
    bands: LevelBands | None
    data_percent: float | None
    """How much of what is to come is the patient's data, and not the population."""
    seed: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data, for JSON."""
        bands = self.bands
        return {
            "her2sim": __version__,
            **self.treatment.as_dict(),
            "seed": self.seed,
            "fits": [asdict(one) for one in self.fits],
            "parameters": [asdict(one) for one in self.parameters],
            "levels": [asdict(one) for one in self.levels],
            "target": None if self.target is None else self.target.text(),
            "next_day": self.next_day,
            "data_percent": self.data_percent,
            "candidates": [asdict(one) for one in self.chances],
            "bands": None
            if bands is None
            else {
                "day": bands.day.tolist(), "population": bands.population.tolist(),
                "patient": bands.patient.tolist(),
                "ahead": {name: values.tolist() for name, values in bands.ahead.items()},
                "tests": {
                    name: {"population": p.tolist(), "patient": own.tolist()}
                    for name, (p, own) in bands.tests.items()
                },
            },
            "notes": list(self.notes),
            "notice": NOTICE,
        }  # fmt: skip


def individual_report(
    treatments: Sequence[Treatment],
    history: History,
    target: Target | None,
    written: Sequence[str] = (),
    cycles: int = 6,
    *,
    residual_cv: float | None = None,
    prior_weight: float = 1.0,
    after_anthracycline: bool = False,
    tumour_of: Patient | None = None,
    seed: int = 1,
) -> IndividualReport:
    """Fit models of a drug to the levels of patients, and look ahead for a single one.

    Parameters
    ----------
    treatments : the drug by each model that is taken; with several they are weighed
    history : patients, doses and levels
    target : what is wanted of each cycle, if anything
    written : further ways to go on, as in ``q3w%120``
    cycles : cycles ahead
    residual_cv : share that a measured level lies off, in place of the published error
    prior_weight : less than one trusts the population less
    after_anthracycline : whether the patients had one, which the heart depends on
    tumour_of : patient whose tumour to come is shown
    seed : of draws
    """
    is_single = history.known.n_patients == 1
    tumours = set(history.known.cohort.covariates.get("tumour_type", ()))
    tumour = str(next(iter(tumours))) if len(tumours) == 1 else None
    ways = candidates_of(treatments[0].drug, treatments[0].regimen.name, written, tumour)
    fits = [
        fitted(
            model, history.known, history.doses, history.levels, prior_weight=prior_weight,
            seed=seed, is_sampled=is_single,
        )
        for treatment in treatments
        for model in _models(treatment, history, residual_cv, after_anthracycline)
    ]  # fmt: skip
    weight = model_weights(fits)
    statuses = tuple(
        s for fit, w in zip(fits, weight, strict=True) for s in _statuses(fit, w, history)
    )
    parameters = tuple(p for fit in fits for p in _parameters(fit, history))
    likely = fits[int(np.argmax(weight))]
    notes = [*history.notes, *notes_of(fits, weight, history)]
    chances: tuple[WayOutcome, ...] = ()
    bands, share, next_day = None, None, float("nan")
    if is_single:
        ahead = WhatIsToCome(fits, weight, history, cycles, target)
        next_day = history.shown_day(ahead.next_day)
        if (why := withheld(likely)) is None:
            ways, of_ways = ahead.with_searched(ways)
            chances = tuple(ahead.chance(way) for way in ways)
            notes += of_ways
            bands, share = ahead.bands(ways, tumour_of), ahead.data_percent(ways[0])
            if tumour_of is not None:
                notes.append(
                    "The tumour is that of patients like this one, over the members of the "
                    "ensemble; only the levels that reach it are this patient's. No scan, hold or "
                    "other drug is in it."
                )
        else:
            notes.append(why)
            with suppress(DataError):  # its draws may be beyond any solver
                bands = ahead.bands(ways[:1])
    else:
        notes.append(
            "Ranges are those of the normal distribution at the mode; with a single patient they "
            "are drawn, and levels to come are shown."
        )
    return IndividualReport(
        treatments[0], history, parameters, tuple(_levels(likely, history)), statuses, target,
        next_day, chances, bands, share, seed, tuple(notes),
    )  # fmt: skip


def _models(
    treatment: Treatment, history: History, residual_cv: float | None, after_anthracycline: bool
) -> tuple[FittedModel, ...]:
    """Models of what was measured: of levels alone, or with blood and heart."""
    if not history.tests:
        return (model_of_levels(treatment, residual_cv),)
    from her2sim.individuals.of_body import models_with

    if not (history.levels.kind == 0).any():
        residual_cv = residual_cv or 1.0  # no level is there that an error could act on
    return models_with(treatment, history.tests, residual_cv, after_anthracycline)


def _statuses(fit: Fit, weight: float, history: History) -> Iterator[StatusOf]:
    status = ("found", "not ended", "nothing measured")
    counts = np.bincount(fit.levels.patient, minlength=len(history.names))
    for k, name in enumerate(history.names):
        share = (
            None if fit.expected is None or not counts[k] else 100 * float(fit.expected.share[k])
        )
        yield StatusOf(
            name, fit.model.name, float(weight), int(counts[k]),
            status[int(fit.estimates.status[k])], float(fit.estimates.objective[k]), share,
            None if fit.posterior is None else float(fit.posterior.effective[k]),
        )  # fmt: skip


def _parameters(fit: Fit, history: History) -> Iterator[ParameterOf]:
    """Each parameter with a random effect of its own, of each patient."""
    values = fit.model.typical(fit.known.cohort.covariate, fit.known.cohort.n_patients)
    last = np.append(fit.known.first[1:], fit.known.from_day.size) - 1
    shrinkage = fit.shrinkage
    for j, effect in enumerate(fit.subjects.effects):
        symbol = effect.acts_on[0] if effect.acts_on else f"f{fit.model.suffix}"
        known = fit.model.model.symbols
        told = known.get(symbol) or SYMBOLS.get(effect.name)
        unit, meaning = (told.unit, told.meaning) if told else ("1", "share that is absorbed")
        tag, name = fit.model.suffix.removeprefix("_"), effect.name.removesuffix(fit.model.suffix)
        if tag:
            meaning = meaning.removesuffix(f", {tag}").replace(tag, "the drug")
        for k, patient in enumerate(history.names):
            typical, moved = float(values[symbol][last[k]]), float(fit.estimates.effects[j, k])
            if fit.posterior is not None:
                low, middle, high = np.percentile(fit.posterior.draws[j, k], (5, 50, 95))
            else:
                half = 1.645 * float(fit.sd[j, k])
                low, middle, high = moved - half, moved, moved + half
            yield ParameterOf(
                patient, fit.model.name, name, meaning, unit, typical,
                typical * float(np.exp(moved)), typical * float(np.exp(middle)),
                typical * float(np.exp(low)), typical * float(np.exp(high)),
                float(shrinkage[j, k]),
            )  # fmt: skip


def _levels(fit: Fit, history: History) -> Iterator[LevelOf]:
    known, before = fit.levels, fit.expected
    predicted, residuals = fit.predictions(), fit.residuals()
    for i, k in enumerate(known.patient):
        kind = fit.model.kinds[int(known.kind[i])]
        low = middle = high = lower = None
        if before is not None:
            low, middle = float(before.low[i]), float(before.median[i])
            high, lower = float(before.high[i]), float(before.percent_below[i])
        below = bool(known.is_below[i])
        yield LevelOf(
            history.names[k], day_shown(history, i),
            kind.name, float(known.value[i]), below, kind.unit, low, middle, high, lower,
            float(predicted[i]), None if below else float(residuals[i]),
        )  # fmt: skip
