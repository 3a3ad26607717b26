"""Early breast cancer: what differs from metastatic disease, and the spread that nobody sees.

The lesion is that of metastatic disease in absolute numbers of cells: a primary tumour, nodes that
follow it, and occult spread elsewhere. Untreated disease grows and dies by other numbers; they are
calibrated to trials of early disease, and a drug acts by the numbers of metastatic disease times
factors.

Source
------
Norton 1988, Cancer Res 48:7067-7071 (Gompertz growth with a log-normal rate between patients);
Gregory et al. 2016, Breast Cancer Res Treat (log-normal residual disease and doubling time).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from her2sim.arrays import Array, Mask, Positions
from her2sim.biology.ensemble import member_value, patient_value
from her2sim.biology.tumour_profile import tumour_facts
from her2sim.biology.virtual_cohort import VirtualCohort
from her2sim.facts import NumberFile, read_fact_file
from her2sim.random import Purpose

OWNER = "early"
CLONES = ("s", "l", "m")
FEWEST_MM, MOST_MM = 1.0, 200.0
FOUR_OR_MORE = 4
STANDARD_MM = 20.0


@cache
def early_facts() -> NumberFile:
    """The numbers that come with her2sim."""
    return read_fact_file(files("her2sim.biology").joinpath("early.toml"), NumberFile)


def early_number(name: str) -> float:
    """One of the numbers that neither members nor patients differ in."""
    return early_facts().parameter[name].value


@dataclass(frozen=True, eq=False)
class EarlyTumours:
    """Early disease of each patient of a cohort, shape (n,) each.

    ``growth_per_day`` is the rate of growth of a small tumour, ``kill_factor`` what multiplies all
    kill as fast tumours die fast, ``signal_kill`` the factor on death by loss of signal and on
    immune kill, ``sensitivity`` that on all cytotoxic drugs, ``own_growth_odds`` that on the odds
    of growth that needs no HER2. ``shares`` are those of the clones, (3, n); ``log_primary`` and
    ``log_occult`` logarithms of cells (minus infinity: no spread); ``has_nodes`` and
    ``nodes_differ`` tell of nodes; ``endocrine`` is the growth that endocrine therapy leaves.
    """

    people: VirtualCohort
    growth_per_day: Array
    kill_factor: Array
    signal_kill: Array
    sensitivity: Array
    own_growth_odds: Array
    shares: Array
    log_primary: Array
    log_occult: Array
    has_nodes: Mask
    nodes_differ: Array
    endocrine: Array

    def value(self, name: str) -> Array:
        """A number of the member of each patient."""
        return _member(name, self.people)

    def of_drug(self, tag: str) -> Array:
        """How a drug differs from the common factor on kill of its kind; one if nothing tells."""
        name = f"kill_{tag}"
        told = name in early_facts().parameter
        return self.value(name) if told else np.ones(self.growth_per_day.size)

    def uniform(self, name: str) -> Array:
        """A draw of each patient from 0 to 1."""
        return self.people.cohort.stream(Purpose.HAZARDS).uniform(f"{OWNER}:{name}")


def draw_early_tumours(people: VirtualCohort) -> EarlyTumours:
    """Early disease of a cohort; size and nodes are those of the cohort, or drawn.

    Parameters
    ----------
    people : patients with their tumours
    """
    tumours, members = people.tumours, people.members
    positive = tumours.traits["is_er_positive"]

    def if_er(name: str) -> Array:
        return np.where(positive, _member(name, people), 1.0)

    facts = tumour_facts().parameter
    typical = member_value("tumour:growth", facts["growth"], members)
    differs = tumours.parameters["growth"] / typical
    pace = differs ** _member("growth_differs", people) * if_er("growth_er_positive")
    growth = typical * _member("growth_over_metastatic", people) * pace
    kill_factor = pace ** _member("kill_with_growth", people)
    resistant = _patient("share_m", people)
    low = tumours.start["cells_l"]
    shares = np.array([(1 - low) * (1 - resistant), low, (1 - low) * resistant])
    size_mm, nodes = size_and_nodes(people)
    return EarlyTumours(
        people,
        np.minimum(growth, facts["growth_fastest"].value),
        kill_factor,
        _patient("signal_kill", people),
        _patient("chemo_sensitivity", people) * if_er("chemo_er_positive"),
        if_er("own_growth_er_positive"),
        shares,
        np.log(early_number("cells_per_ml") * np.pi / 6 * (size_mm / 10) ** 3),
        _log_occult(people, size_mm, node_class(nodes)),
        nodes > 0,
        np.log(_patient("nodes_differ", people)),
        if_er("growth_endocrine"),
    )


def size_and_nodes(people: VirtualCohort) -> tuple[Array, Array]:
    """Size of the primary tumour in mm and number of positive nodes of each patient, (n,) each."""
    told = people.cohort.covariates
    size = told["tumour_mm"] if "tumour_mm" in told else _patient("tumour_mm", people)
    nodes = told.get("positive_nodes", np.zeros(people.cohort.n_patients))
    return np.clip(size, FEWEST_MM, MOST_MM), np.asarray(nodes, dtype=np.float64)


def node_class(positive_nodes: Array) -> Positions:
    """Class of nodes: 0 (none), 1 (one to three), 2 (four and more)."""
    found: Positions = (positive_nodes > 0).astype(np.int64) + (positive_nodes >= FOUR_OR_MORE)
    return found


def _log_occult(people: VirtualCohort, size_mm: Array, nodes: Positions) -> Array:
    """Logarithm of the cells of occult spread of each patient; minus infinity without any."""
    larger = np.log(size_mm / STANDARD_MM)
    told = people.cohort.covariates
    advanced = told.get("locally_advanced", np.zeros(nodes.size))
    log_odds = (
        np.log(_member("occult_odds", people))
        + nodes * np.log(_member("occult_by_nodes", people))
        + larger * _member("occult_by_size", people)
        + advanced * np.log(_member("occult_locally_advanced", people))
    )
    chance = expit(log_odds)
    drawn = people.cohort.stream(Purpose.BIOLOGY).uniform(f"{OWNER}:occult")
    rank = np.maximum(1 - drawn / chance, 0.0)
    limit = early_number("log_detected_cells") - 1.0
    most = np.clip(
        early_number("occult_largest") + 3 * larger, early_number("occult_smallest"), limit
    )
    with np.errstate(divide="ignore"):
        logs = most * rank ** _member("occult_shape", people)
    found: Array = np.where(rank > 0, logs, -np.inf)
    return found


def _member(name: str, people: VirtualCohort) -> Array:
    quantity = early_facts().parameter[name]
    return member_value(f"{OWNER}:{name}", quantity, people.members)


def _patient(name: str, people: VirtualCohort) -> Array:
    quantity = early_facts().parameter[name]
    return patient_value(f"{OWNER}:{name}", quantity, people.cohort, people.members)


def lesion_parameters(
    values: Mapping[str, Array], early: EarlyTumours, cytotoxic: Mapping[str, Array], kill: Array
) -> dict[str, Array]:
    """Numbers of the lesion model that early disease changes, by name.

    Parameters
    ----------
    values : those of metastatic disease, shape (n,) each
    early : the tumours
    cytotoxic : kill by each cytotoxic drug (by its tag) in metastatic disease, 1/day, without the
        differences between patients
    kill : factor on all kill at the site, shape (n,)
    """
    tumours = early.people.tumours
    faster = early.kill_factor / tumours.kill_factor * kill
    fastest = tumour_facts().parameter["kill_fastest"].value
    detected = np.full(kill.size, early_number("log_largest_cells") - LOG_UNIT)
    found = {"growth": early.growth_per_day, "log_largest": detected}
    by_signal = values["regression"] * faster * early.signal_kill
    found["regression"] = np.minimum(by_signal, fastest)
    found["adcc_max"] = values.get("adcc_max", np.zeros(kill.size)) * kill * early.signal_kill
    found["adcc_max"] = np.minimum(found["adcc_max"] * early.kill_factor, fastest)
    for clone in ("s", "l"):
        own = values[f"own_growth_{clone}"]
        odds = own / np.maximum(1 - own, 1e-9) * early.own_growth_odds
        found[f"own_growth_{clone}"] = odds / (1 + odds)
    potency = early.value("kinase_potency")
    for name in values:
        if name.startswith(("ic50_", "ki_")):
            found[name] = values[name] / potency
    for tag, metastatic in cytotoxic.items():
        factor = early.value("chemo_kill") * early.of_drug(tag) * early.sensitivity
        factor = factor * early.kill_factor * kill
        found[f"chemo_kill_{tag}"] = np.minimum(metastatic * factor, fastest)
    for name in (name for name in values if name.startswith("kmax_")):
        factor = early.value("payload_kill") * early.of_drug(name.removeprefix("kmax_"))
        found[name] = np.minimum(values[name] * faster * factor, fastest)
    return {name: value for name, value in found.items() if name in values}


LOG_UNIT = 24.0
"""Logarithm of the cells for which the lesion model writes one: with a largest volume of e^5 times
that, growth is that of metastatic disease."""


def log_clones(log_cells: Array, shares: NDArray[np.float64]) -> Array:
    """Logarithms of the cells of each clone, shape (3, n), by their shares of all cells."""
    with np.errstate(divide="ignore"):
        found: Array = log_cells + np.log(np.maximum(shares, 1e-300))
    return found
