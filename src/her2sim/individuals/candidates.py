"""Ways to go on with a drug, and how likely each reaches a target."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.biology.blood import CTCAE_LIMITS
from her2sim.drugs.drug import Drug
from her2sim.errors import DataError, Her2SimError, did_you_mean
from her2sim.individuals.of_drug import TESTS
from her2sim.individuals.outlook import LevelsAhead
from her2sim.protocol.label import load_label
from her2sim.protocol.ladder import level_shares
from her2sim.regimens.changes import as_planned
from her2sim.regimens.library import load_regimen, otherwise_labelled
from her2sim.regimens.regimen import Regimen, labelled_regimen

METRICS = {
    "cmin": "trough", "cmax": "peak", "auc": "AUC of a cycle", "time_above": "% of a cycle above",
}  # fmt: skip
_TARGET = re.compile(
    r"(?P<metric>[a-z_]+)(:(?P<level>\d+(\.\d+)?))?(?P<sign>>=|<=|>|<)"
    r"(?P<value>\d+(\.\d+)?(e\+?\d+)?)"
)
GRAMMAR = "cmin>=20, cmax<=100, auc>=1000, time_above:20>=90 or platelets>=50"
WANTED = 0.90
"""Probability with which a dose that is searched for reaches the target."""
LEAST_PERCENT, MOST_PERCENT, NEAREST_PERCENT = 20, 300, 2


@dataclass(frozen=True)
class Target:
    """What is wanted of each cycle: a metric, and on which side of a value.

    Of blood and heart it is the lowest reading of the cycle. ``level`` is that of ``time_above``,
    whose ``value`` is in per cent of the cycle. Others are in the unit of the drug.
    """

    metric: str
    is_least: bool
    value: float
    level: float | None = None
    cycle_day: float | None = None

    def text(self) -> str:
        """The target as it is written."""
        at = "" if self.level is None else f":{self.level:g}"
        return f"{self.metric}{at}{'>=' if self.is_least else '<='}{self.value:g}"

    def reached(self, ahead: LevelsAhead) -> Mask:
        """Whether each cycle of each draw reaches it, shape (n_draws, n_cycles).

        An AUC is that of as many days as a cycle of the regimen at hand has.
        """
        is_test = self.metric in TESTS
        values = ahead.lowest(self.metric) if is_test else ahead.metric(self.metric)
        length = np.diff(ahead.ends_day, prepend=0.0)
        length[0] = length[0] or 1.0  # the past, if it has begun at all
        if self.metric == "time_above":
            values = 100 * values / length
        elif self.metric == "auc" and self.cycle_day is not None:
            values = values * self.cycle_day / length
        return np.asarray(values >= self.value if self.is_least else values <= self.value)


def parse_target(text: str) -> Target:
    """Read a target such as ``cmin>=20``.

    Raises
    ------
    DataError
        If it is none.
    """
    found = _TARGET.fullmatch(text.replace(" ", "").lower())
    if found is None:
        raise DataError(f"target {text!r}: write {GRAMMAR}")
    metric, level, value = found["metric"], found["level"], float(found["value"])
    if metric not in (*METRICS, *TESTS):
        known = (*METRICS, *TESTS)
        raise DataError(f"target {text!r}: unknown {metric!r}{did_you_mean(metric, known)}")
    if (metric == "time_above") != (level is not None):
        raise DataError(f"target {text!r}: time_above (and nothing else) has a level: {GRAMMAR}")
    if not value > 0:
        raise DataError(f"target {text!r}: the value must be above zero")
    if metric == "time_above" and value > 100:
        raise DataError(f"target {text!r}: time above is in per cent of the cycle, up to 100")
    is_least = found["sign"].startswith(">")
    return Target(metric, is_least, value, None if level is None else float(level))


@dataclass(frozen=True)
class WayToGoOn:
    """A way to go on: how it is written, the regimen, and what the label says of it."""

    name: str
    regimen: Regimen
    label: str

    @property
    def dose(self) -> tuple[float, str, float]:
        """Amount, unit and minutes between doses of what goes on."""
        (phase,) = self.regimen.phases
        return round(phase.maintenance.amount, 6), phase.maintenance.unit, phase.interval_min

    @property
    def dose_text(self) -> str:
        """The dose in words."""
        (phase,) = self.regimen.phases
        dose, every = phase.maintenance, phase.interval_min / 1440
        days = f"{every:g} days" if every != 1 else "day"
        return f"{dose.amount:.4g} {dose.unit} every {days}"


def candidates_of(
    drug: Drug, regimen: str, written: Sequence[str], tumour: str | None = None
) -> tuple[WayToGoOn, ...]:
    """Ways to go on: the regimen at hand, its lower levels, other labelled ones, and free ones.

    Parameters
    ----------
    drug : the drug
    regimen : name of the labelled regimen at hand
    written : others, as in ``q3w%120`` or ``q3w~14``
    tumour : of the patient; regimens that labels name for other tumours only are left out

    Raises
    ------
    DataError
        If one is no regimen of the drug.
    """
    at_hand = labelled_regimen(drug, regimen)
    made = [WayToGoOn(regimen, at_hand, f"at hand: {at_hand.title}")]
    (phase,) = at_hand.phases
    label = load_label(drug.id, "us") or load_label(drug.id, "eu")
    ladders = () if label is None else label.ladder
    shares = level_shares(ladders, phase.maintenance.amount, phase.maintenance.unit)
    for step, share in enumerate(shares[1:], start=1):
        own = candidate(drug, f"{regimen}%{100 * share:.4g}")
        made.append(replace(own, label=f"dose level -{step} of the label, after toxicity"))
    for one in _labelled(drug):
        is_other = tumour is not None and any(otherwise_labelled(drug.id, one.name, [tumour]))
        same_route = one.regimen.phases[0].route == phase.route
        if one.name != regimen and same_route and not is_other:
            made.append(one)
    known = {one.dose for one in made}
    for name in dict.fromkeys(written):
        own = candidate(drug, name)
        if own.dose in known:
            raise DataError(f"way to go on {name!r}: is there already ({own.dose_text})")
        made.append(own)
        known.add(own.dose)
    return tuple(made)


def candidate(drug: Drug, name: str) -> WayToGoOn:
    """A way that is written out, as in ``q3w%120~14``.

    Raises
    ------
    DataError
        If it is no regimen of the drug with its dose and interval.
    """
    try:
        parts = load_regimen(f"{drug.id}/{name}").part
        plain = labelled_regimen(drug, parts[0].regimen)
        regimen = as_planned(plain, parts[0])
    except Her2SimError as error:
        text = str(error).rsplit("': ", 1)[-1]
        raise DataError(f"way to go on {name!r}: {text}") from None
    if len(parts) != 1 or parts[0].missed or parts[0].doses or parts[0].start_day:
        raise DataError(
            f"way to go on {name!r}: write a regimen, its dose and its interval, as in q3w%120~14"
        )
    if parts[0].every_day is not None:
        regimen = replace(regimen, cycle_min=regimen.phases[0].interval_min)
    made = WayToGoOn(name, regimen, "not a dose of the label")
    same = [one for one in _labelled(drug) if one.dose == made.dose]
    return replace(made, label=same[0].label) if same else made


def _labelled(drug: Drug) -> list[WayToGoOn]:
    """Regimens that come with a drug."""
    return [
        WayToGoOn(name, labelled_regimen(drug, name), one.title)
        for name, one in drug.regimen.items()
        if not one.is_once
    ]


LIMITS = {**{line: limits[3] for line, limits in CTCAE_LIMITS.items()}, "lvef": 50.0}
"""Readings that are looked at: grade 3 of a count (CTCAE, 1e9 a litre), and an LVEF of 50 %."""


@dataclass(frozen=True)
class Lowest:
    """Lowest reading to come of a test, percentiles, and the chance of one below a limit."""

    test: str
    lowest: tuple[float, float, float]
    limit: float
    below_percent: float


@dataclass(frozen=True)
class WayOutcome:
    """What one way brings: percentiles 5, 50 and 95 of the patient's levels, and chances in %.

    ``next_`` is the first cycle to come, ``last_`` the last of those asked for. Troughs are in the
    unit of the drug. ``exposed_percent`` is the chance of an AUC a day above that of 95 % of
    patients on the regimen at hand.
    """

    name: str
    dose: str
    label: str
    next_trough: tuple[float, float, float]
    last_trough: tuple[float, float, float]
    last_auc_per_day: tuple[float, float, float]
    next_percent: float | None
    last_percent: float | None
    exposed_percent: float
    lowest: tuple[Lowest, ...] = ()


def percentiles(values: Array) -> tuple[float, float, float]:
    """Percentiles 5, 50 and 95."""
    low, middle, high = np.percentile(values, (5, 50, 95))
    return float(low), float(middle), float(high)


def auc_per_day(ahead: LevelsAhead) -> Array:
    """AUC of the last cycle a day, which compares intervals, shape (n_draws,)."""
    return np.asarray(ahead.metric("auc")[:, -1] / (ahead.ends_day[-1] - ahead.ends_day[-2]))


def chance_of(
    one: WayToGoOn, ahead: LevelsAhead, target: Target | None, high_auc_per_day: float
) -> WayOutcome:
    """What a way brings, from the levels that follow it; the first cycle is the past."""
    trough, auc = ahead.metric("cmin"), auc_per_day(ahead)
    reached = None if target is None else target.reached(ahead)
    return WayOutcome(
        one.name, one.dose_text, one.label, percentiles(trough[:, 1]), percentiles(trough[:, -1]),
        percentiles(auc),
        None if reached is None else 100 * float(reached[:, 1].mean()),
        None if reached is None else 100 * float(reached[:, -1].mean()),
        100 * float((auc > high_auc_per_day).mean()), tuple(_lowest(ahead)),
    )  # fmt: skip


def _lowest(ahead: LevelsAhead) -> Iterator[Lowest]:
    """Lowest readings over all cycles to come."""
    for test in ahead.tests:
        values = ahead.lowest(test)[:, 1:].min(axis=1)
        limit = LIMITS[test]
        yield Lowest(test, percentiles(values), limit, 100 * float((values < limit).mean()))


def searched(
    drug: Drug, regimen: str, target: Target, ahead_of: Callable[[WayToGoOn], LevelsAhead]
) -> WayToGoOn | str:
    """The dose of a regimen that just reaches a target in 90 % of the draws.

    The least one if more brings it about, the largest one if less does; or why there is none.
    """

    def does(percent: int) -> bool:
        ahead = ahead_of(candidate(drug, f"{regimen}%{percent}"))
        return float(target.reached(ahead)[:, -1].mean()) >= WANTED

    low, high = does(LEAST_PERCENT), does(MOST_PERCENT)
    of = f"{LEAST_PERCENT} and {MOST_PERCENT} % of the dose of {regimen}"
    share = f"{target.text()} in {100 * WANTED:.0f} % of the draws"
    if low and high:
        return f"Any dose between {of} reaches {share}."
    if not low and not high:
        return f"No dose between {of} reaches {share}."
    enough, not_enough = (LEAST_PERCENT, MOST_PERCENT) if low else (MOST_PERCENT, LEAST_PERCENT)
    while abs(enough - not_enough) > NEAREST_PERCENT:
        between = (enough + not_enough) // 2
        if does(between):
            enough = between
        else:
            not_enough = between
    word = "largest" if low else "least"
    found = candidate(drug, f"{regimen}%{enough}")
    return replace(found, label=f"{word} dose with {share}; {found.label}")
