"""Hearts of patients: LVEF at the start, sensitivity, and troponin after an anthracycline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from scipy.special import ndtr, ndtri

from her2sim.arrays import Array, Mask
from her2sim.biology.ensemble import Members, member_value
from her2sim.errors import DataError
from her2sim.facts import NumberFile, read_fact_file
from her2sim.patients.cohort import Cohort
from her2sim.random import Purpose

OWNER = "heart"


@cache
def heart_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("heart.toml"), NumberFile)


def heart_number(name: str) -> float:
    """One of the numbers."""
    return heart_facts().parameter[name].value


@dataclass(frozen=True)
class CardiacProfile:
    """What is known of the hearts; what is not (None) is drawn.

    ``lvef_median_percent`` replaces the median of the LVEF, ``lvef_least_percent`` is the lowest
    with which a patient is taken. ``after_anthracycline`` may be told of each, shape (n,).
    """

    after_anthracycline: bool | Mask = False
    troponin_ng_per_l: float | None = None
    lvef_percent: float | None = None
    lvef_median_percent: float | None = None
    lvef_least_percent: float | None = None

    def __post_init__(self) -> None:
        if self.lvef_percent is not None and not 5 <= self.lvef_percent <= 90:
            raise DataError(f"LVEF {self.lvef_percent:g} %: use 5 to 90")
        if self.lvef_least_percent is not None and not 5 <= self.lvef_least_percent <= 60:
            raise DataError(f"least LVEF {self.lvef_least_percent:g} %: use 5 to 60")
        if self.troponin_ng_per_l is not None and not 0 < self.troponin_ng_per_l < 1e5:
            raise DataError(f"troponin T {self.troponin_ng_per_l:g} ng/L: use a number above zero")


@dataclass(frozen=True, eq=False)
class Hearts:
    """Parameters of the heart model of each patient, by name, shape (n,).

    ``troponin_slope`` is how steeply troponin T follows doxorubicin.
    """

    parameters: Mapping[str, Array]
    troponin_slope: Array


def draw_hearts(
    cohort: Cohort, known: CardiacProfile | None = None, members: Members | None = None
) -> Hearts:
    """Hearts of a cohort; ``members`` are those of the ensemble (member 0 if not given)."""
    known = known or CardiacProfile()
    members = members or Members(np.zeros(cohort.n_patients, dtype=np.int64))
    facts, n = heart_facts().parameter, cohort.n_patients

    stream = cohort.stream(Purpose.BIOLOGY)

    def score(name: str) -> Array:
        return stream.normal(f"{OWNER}:{name}")

    def typical(name: str) -> Array:
        return member_value(f"{OWNER}:{name}", facts[name], members)

    def drawn(name: str, z: Array) -> Array:
        found: Array = typical(name) * np.exp((facts[name].spread or 0.0) * z)
        return found

    rho = facts["correlation"].value
    z = score("lvef")
    after = np.broadcast_to(known.after_anthracycline, n)
    with_it, without = facts["lvef_after_anthracycline"], facts["lvef_before"]
    usual = np.where(after, with_it.value, without.value)
    middle = np.full(n, known.lvef_median_percent) if known.lvef_median_percent else usual
    spread = np.where(after, with_it.spread or 0.0, without.spread or 0.0)
    if known.lvef_least_percent is not None:
        z = _from(z, np.log(known.lvef_least_percent / middle) / spread)
    start = middle * np.exp(spread * z)
    if known.lvef_percent is not None:
        start = np.full(n, known.lvef_percent)
    above = np.log(start / with_it.value) / (with_it.spread or 1.0)
    half = drawn("heart_half", rho * above + np.sqrt(1 - rho**2) * score("heart_half"))
    if known.troponin_ng_per_l is not None:
        troponin = np.full(n, known.troponin_ng_per_l)
    else:
        wide = facts["troponin_spread"].value
        raised = facts["troponin_reference"].value * np.exp(wide * score("troponin"))
        troponin = np.where(after, raised, drawn("troponin_start", score("troponin")))
    plain = ("heart_recovery", "troponin_reference", "troponin_power", "failure_base",
             "failure_hazard")  # fmt: skip
    parameters = {name: typical(name) for name in plain}
    parameters |= {"lvef_start": start, "heart_half": half, "troponin": troponin}
    return Hearts(parameters, drawn("troponin_slope", score("troponin_slope")))


def _from(score: Array, least: Array) -> Array:
    """Normal scores of those above some scores, in the same order."""
    below = ndtr(least)
    found: Array = ndtri(below + ndtr(score) * (1 - below))
    return found
