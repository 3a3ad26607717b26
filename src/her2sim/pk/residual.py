"""Residual error: the scatter of measured concentrations around a model.

It belongs to simulated observations only; predicted exposures never carry it.
"""

from __future__ import annotations

import numpy as np

from her2sim.arrays import Array, Positions
from her2sim.drugs.pk import PkModel, Residual
from her2sim.errors import DataError
from her2sim.random import Purpose, Stream


def simulated_observations(
    pk: PkModel, concentration: Array, subject: Positions, seed: int, replicate: int = 0
) -> Array:
    """Concentrations as they would be measured, in the unit of the drug's interfaces.

    The published error is added: F (1 + e1) + e2, with independent normal e1 (proportional) and e2
    (additive), or F exp(e) where it was published on the logarithm; what falls below zero is zero.
    The k-th observation of a subject has random numbers of its own, whoever else is in the table.

    Parameters
    ----------
    concentration : individual predictions F, shape (n,)
    subject : position of the subject of each, shape (n,)
    seed, replicate : decide the errors

    Raises
    ------
    DataError
        If no residual error of the model is known.
    """
    stream, turn = Stream(seed, replicate, subject + 1, Purpose.RESIDUALS), _turn_within(subject)
    error, found = pk.residual, concentration.copy()
    if error.log_sd is not None:
        found *= np.exp(error.log_sd.value * _scores(stream, turn, "log"))
    if error.proportional_sd is not None:
        found *= 1 + error.proportional_sd.value * _scores(stream, turn, "proportional")
    if error.additive_sd is not None:
        sd = error.additive_sd.to(pk.concentration_unit)
        found += sd * _scores(stream, turn, "additive")
    if error == Residual():
        raise DataError(f"{pk.name}: no residual error is known, so no observation is simulated")
    return np.clip(found, 0.0, None)


def _scores(stream: Stream, turn: Positions, name: str) -> Array:
    """One standard normal number for each observation, by its turn within the subject."""
    found = np.empty(turn.size)
    for k in range(int(turn.max(initial=-1)) + 1):
        rows = np.flatnonzero(turn == k)
        found[rows] = stream.of(rows).normal(f"{name}:{k}")
    return found


def _turn_within(subject: Positions) -> Positions:
    """How many observations of the same subject came before each."""
    order = np.argsort(subject, kind="stable")
    ordered = subject[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    lengths = np.diff([*begins, ordered.size])
    found = np.empty_like(order)
    found[order] = np.arange(ordered.size) - np.repeat(begins, lengths)
    return found
