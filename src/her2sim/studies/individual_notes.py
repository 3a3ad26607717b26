"""What must be said of individual fits: who is unusual, what does not fit, weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from her2sim.arrays import Array
from her2sim.individuals.fit import Fit, without_fit
from her2sim.individuals.history import History

TOO_FAR_OFF = 5.0
"""SDs of the residual error beyond which nothing to come is worked out."""
FAR_OFF = 3.0
"""SDs of the residual error beyond which a level is told not to fit."""
LITTLE = 0.5
"""Share of the population's variance above which the patient's data tell little."""


def withheld(fit: Fit) -> str | None:
    """Why nothing to come is shown: the model and what was measured do not belong together."""
    is_slip = fit.expected is not None and bool((fit.expected.slip != 1).any())
    worst = float(np.max(fit.far_off(), initial=0.0))
    if not is_slip and worst <= TOO_FAR_OFF and not without_fit(fit).any():
        return None
    return (
        "No way to go on is worked out: what was measured does not belong to this model, these "
        "doses, times and units. Check them first."
    )


def notes_of(fits: Sequence[Fit], weight: Array, history: History) -> Iterator[str]:
    """What a reader must know of the fits."""
    first, unit = fits[0], fits[0].model.treatment.pk.concentration_unit
    for fit in fits:
        pk = fit.model.treatment.pk
        if pk.status != "published":
            yield f"{pk.name} is a {pk.status}."
        ended = [history.names[k] for k in np.flatnonzero(without_fit(fit))]
        if ended:
            yield f"{fit.model.name}: the fit did not end for {_few(ended) or 'the patient'}."
    if first.expected is not None:
        unusual = np.flatnonzero(first.expected.is_unusual)
        slips = [k for k in unusual if first.expected.slip[k] != 1]
        for k in slips[:3]:
            yield (
                f"{_who(history, int(k))}: the levels are about {1 / first.expected.slip[k]:g} "
                f"times what is expected; are they in another unit than {unit}?"
            )
        others = [history.names[k] for k in unusual if k not in slips]
        if others:
            yield (
                f"{_few(others) or 'The patient'}: levels outside what 99 % of such patients would "
                "show; check doses, times and units before believing the fit."
            )
    if not history.levels.day.size:
        yield "No level is told: what is shown is the population."
    likely = fits[int(np.argmax(weight))]
    residuals = likely.far_off()
    far = np.flatnonzero(residuals > FAR_OFF)
    for i in far[:3]:
        yield (
            f"{_who(history, int(history.levels.patient[i]))}: what was measured on day "
            f"{day_shown(history, i):g} lies {residuals[i]:.1f} SDs of the residual error "
            "from the fit; no patient of this model has such levels."
        )
    if first.posterior is not None and not all(
        f.posterior.is_settled.all() for f in fits if f.posterior
    ):
        yield "The draws of the posterior have not settled: take its ranges with care."
    yield from _off_range(likely)
    tests = ", ".join(history.tests)
    if tests:
        yield (
            f"The model of {tests} under {first.model.treatment.drug.id} is partly calibrated or "
            "assumed (her2sim drug says which numbers); other drugs that were given do not act."
        )
    if len(fits) > 1:
        parts = ", ".join(
            f"{fit.model.name} {100 * w:.0f} %" for fit, w in zip(fits, weight, strict=True)
        )
        yield f"Models are weighed by how likely they make the levels: {parts}."


def day_shown(history: History, i: int) -> float:
    """Day of a measurement as the file counts it."""
    return history.shown_day(float(history.levels.day[i]), int(history.levels.patient[i]))


def _off_range(fit: Fit) -> Iterator[str]:
    """Parameters of a single patient whose mode lies outside the 90 % range."""
    if fit.posterior is None:
        return
    low, high = np.percentile(fit.posterior.draws[:, 0], (5, 95), axis=1)
    mode = fit.estimates.effects[:, 0]
    names = [name for name, out in zip(fit.names, (mode < low) | (mode > high), strict=True) if out]
    if names:
        yield (
            f"The most likely value of {', '.join(names)} lies outside the 90 % range: the "
            "posterior is bent or has several peaks. Go by the range."
        )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(name for name in names[:5] if name)
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _who(history: History, k: int) -> str:
    name = history.names[k]
    return f"patient {name}" if name else "the patient"
