"""Doses of a record as they are meant: which substance and product, and by which labelled regimen.

A substance has one clock, whatever its brand or form. Rows of one day add up. A stretch of doses is
read by the labelled regimen that fits it best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from her2sim.drug_names import Meaning, drug_names, find_meaning
from her2sim.drugs.drug import Drug, LabelledRegimen, load_drug
from her2sim.protocol.record import Entry

EARLY_DAYS = 3
"""A dose may come this much before its time (a visit is moved for a weekend)."""
OFF_BY = 0.10
"""Share by which an amount may be off: vials are rounded, and doses banded."""
LATE_DAYS = 7
"""Beyond this a dose is late, which speaks a little against a regimen of that interval."""

Amount = Callable[["RecordedDose", LabelledRegimen, bool], float | None]
"""What a labelled regimen would be for a dose, in mg: its loading dose or a later one."""
LevelShares = Callable[[LabelledRegimen], Sequence[float]]
"""Dose levels of a labelled regimen as shares of its full dose."""


@dataclass(frozen=True, eq=False)
class RecordedDose:
    """A dose of one substance on one day, or all of that day; ``mg`` is the sum of its rows.

    ``regimens`` are the labelled ones of its product by its route; there are none by a wrong route.
    ``told`` is the one that the name told.
    """

    entry: Entry
    substance: str
    drug: Drug
    mg: float | None
    regimens: tuple[str, ...]
    told: str | None = None
    n_rows: int = 1

    @property
    def day(self) -> int:
        """When it was given."""
        return self.entry.day


def given_doses(
    entry: Entry, known: Mapping[str, Sequence[RecordedDose]] = MappingProxyType({})
) -> tuple[RecordedDose, ...] | None:
    """What a line of a dose means: one dose, or those of a fixed combination; None if unknown.

    ``known`` are doses that the patient had before, by substance.
    """
    meaning = find_meaning(entry.drug or "")
    if meaning is None:
        return None
    if len(meaning.drugs) > 1:
        return tuple(_parts(entry, meaning, known.get(meaning.drugs[0], ())))
    is_generic = meaning.is_any_form
    return (_one(entry, meaning.drugs[0], None, entry.dose_mg, is_generic=is_generic),)


def _one(
    entry: Entry, drug_id: str, regimen: str | None, mg: float | None, *, is_generic: bool
) -> RecordedDose:
    drug = load_drug(drug_id)
    if is_generic and entry.route and drug.substance is None:
        for other in _forms(drug_id):
            if _route_of(other) == entry.route:
                drug = other
                break
    names = [regimen] if regimen else [n for n, r in drug.regimen.items() if not r.is_once]
    own = drug.regimen[names[0]].route
    wanted = entry.route or own
    is_other = not is_generic and wanted != own
    fitting = [] if is_other else [n for n in names if drug.regimen[n].route == wanted]
    return RecordedDose(entry, drug.substance or drug.id, drug, mg, tuple(fitting), regimen)


@cache
def _forms(substance: str) -> tuple[Drug, ...]:
    """A drug and its other forms."""
    drugs = [load_drug(name) for name in drug_names()]
    return tuple(drug for drug in drugs if substance in (drug.id, drug.substance))


def _route_of(drug: Drug) -> str:
    return next(iter(drug.regimen.values())).route


def _parts(
    entry: Entry, meaning: Meaning, earlier: Sequence[RecordedDose]
) -> Iterator[RecordedDose]:
    """Both drugs of a fixed combination: the amount of a line is that of the first, or of both.

    Which of the two it is does not change within a patient.
    """
    pairs = list(zip(meaning.drugs, meaning.regimens, strict=True))
    doses = [_one(entry, drug, regimen, None, is_generic=False) for drug, regimen in pairs]
    if entry.dose_mg is None or not all(dose.regimens for dose in doses):
        yield from doses
        return
    labelled = [dose.drug.regimen[dose.regimens[0]] for dose in doses]
    later = [regimen.maintenance.amount for regimen in labelled]
    first = [(r.loading or r.maintenance).amount for r in labelled]
    is_of_both = _is_of_both(meaning, earlier)
    for amounts in (later, first) if earlier else (first, later):
        as_first, as_both = is_near(entry.dose_mg, amounts[0]), is_near(entry.dose_mg, sum(amounts))
        if (as_first and is_of_both is not True) or (as_both and is_of_both is not False):
            yield from (replace(d, mg=mg) for d, mg in zip(doses, amounts, strict=True))
            return
    yield replace(doses[0], mg=entry.dose_mg)
    yield from doses[1:]


def _is_of_both(meaning: Meaning, earlier: Sequence[RecordedDose]) -> bool | None:
    """Whether the patient's record tells the amount of both drugs together; None if none did."""
    for dose in earlier:
        own = find_meaning(dose.entry.drug or "")
        if own is not None and own.drugs == meaning.drugs and dose.mg and dose.entry.dose_mg:
            return not is_near(dose.entry.dose_mg, dose.mg)
    return None


def added_up(doses: Sequence[RecordedDose]) -> list[RecordedDose]:
    """Doses of one substance in order of their days; those of one day and product add up."""
    found: list[RecordedDose] = []
    for dose in sorted(doses, key=lambda d: (d.day, d.entry.row)):
        last = found[-1] if found else None
        is_same = last is not None and (last.day, last.drug.id) == (dose.day, dose.drug.id)
        if last is not None and is_same and last.regimens == dose.regimens:
            known = None if last.mg is None or dose.mg is None else last.mg + dose.mg
            found[-1] = replace(last, mg=known, n_rows=last.n_rows + 1)
        else:
            found.append(dose)
    return found


@dataclass(frozen=True)
class _Path:
    """A reading of the doses so far: what it leaves unexplained, and how the last one is read.

    ``level`` is the dose level of the last dose, ``is_kept`` whether the interval of its regimen
    was kept once since the regimen began, ``is_other`` whether that of another was.
    """

    cost: float
    regimen: str
    before: _Path | None = None
    level: int = 0
    is_kept: bool = False
    is_other: bool = False

    def regimens(self) -> list[str]:
        """The regimen of each dose, the first one first."""
        found, path = list[str](), self
        while path.before is not None:
            found.append(path.regimen)
            path = path.before
        return [*reversed([*found, path.regimen])]


NO_LOADING, SWITCH, LATE, ORDER = 0.4, 0.5, 0.2, 1e-3
"""What counts against a reading beside a dose or an interval that does not fit (1 each).

The order of the regimens decides where all else is equal, once and not with each dose."""
NEVER_KEPT = 3.0
"""Loaded again and again at the interval of another regimen, never kept: as three such doses."""
OTHER_AMOUNT = 1.2
"""Another regimen of the same interval: once more than one dose that does not fit."""
BEGUN_LOWERED, RAISED, RELOADED = 0.6, 0.8, 0.9
"""A regimen begun at a lowered level; a level that rises again; a loading dose in time."""


@dataclass(frozen=True)
class _Fit:
    """How a dose fits a regimen: its loading dose, one of its levels, neither, or not known."""

    is_known: bool
    has_loading: bool
    is_start: bool
    level: int | None

    def cost(self, level: int | None, *, is_first: bool, is_late: bool) -> float:
        """What counts against it; ``level`` is that of the last dose of the regimen, if any."""
        if not self.is_known or (self.is_start and (is_first or is_late)):
            return 0.0
        if self.level is None:
            return RELOADED if self.is_start else 1.0
        if is_first:
            return BEGUN_LOWERED if self.level > 0 else NO_LOADING * self.has_loading
        if level is None:
            return BEGUN_LOWERED if self.level > 0 else 0.0
        return RAISED if self.level < level else 0.0


def best_regimens(doses: Sequence[RecordedDose], amount: Amount, levels: LevelShares) -> list[str]:
    """The labelled regimen of each dose of a substance, so that least is left unexplained.

    Parameters
    ----------
    doses : of one substance, in order; those without a regimen are passed over
    amount : what a regimen would be
    levels : dose levels of a regimen
    """
    paths: dict[str, _Path] = {}
    for position, dose in enumerate(doses):
        before, found = doses[position - 1] if position else None, dict[str, _Path]()
        for place, name in enumerate(dose.regimens):
            fit, order = _fit(dose, name, amount, levels), ORDER * place
            if before is None or not paths:
                cost = fit.cost(None, is_first=True, is_late=False) + order
                found[name] = _Path(cost, name, None, fit.level or 0)
                continue
            options = [_further(path, before, dose, name, fit, order) for path in paths.values()]
            found[name] = min(options, key=lambda path: path.cost)
        if not found:  # given by a wrong route: no regimen, and the readings before stand
            best = min(paths.values(), key=lambda path: path.cost, default=None)
            found[""] = _Path(0.0 if best is None else best.cost, "", best)
        paths = found
    return min(paths.values(), key=lambda path: path.cost).regimens()


def _further(
    path: _Path, before: RecordedDose, dose: RecordedDose, name: str, fit: _Fit, order: float
) -> _Path:
    """A reading with one dose more."""
    is_same = path.regimen == name
    gap, interval = dose.day - before.day, 0.0
    if path.regimen:
        interval = before.drug.regimen[path.regimen].interval_day
    is_late = bool(interval) and gap > interval + LATE_DAYS
    own = fit.cost(path.level if is_same else None, is_first=False, is_late=is_late)
    is_other = is_late and is_same and not path.is_kept and _is_interval(dose.drug, gap)
    is_other &= fit.level is None  # a loading dose each time
    late = NEVER_KEPT if is_other and path.is_other else LATE if is_late else 0.0
    early = 1.0 if gap < interval - EARLY_DAYS else 0.0
    is_kept = is_same and (path.is_kept or not (late or early))
    level = path.level if fit.level is None and is_same else fit.level or 0
    switch = 0.0
    if not is_same and before.drug.id == dose.drug.id:
        switch = OTHER_AMOUNT if interval == dose.drug.regimen[name].interval_day else SWITCH
    cost = path.cost + own + late + early + switch + order * (not is_same)
    return _Path(cost, name, path, level, is_kept, is_other)


def _is_interval(drug: Drug, days: float) -> bool:
    """Whether some labelled regimen of a drug has an interval of so many days."""
    return any(abs(r.interval_day - days) <= EARLY_DAYS for r in drug.regimen.values())


def _fit(dose: RecordedDose, name: str, amount: Amount, levels: LevelShares) -> _Fit:
    regimen = dose.drug.regimen[name]
    full, start = amount(dose, regimen, False), amount(dose, regimen, True)
    if full is None or start is None or dose.mg is None:
        return _Fit(False, False, False, None)
    singles = single_doses(dose, regimen)
    has_loading = not is_near(start, full)
    is_start = has_loading and any(is_near(mg, start) for mg in singles)
    for level, share in enumerate(levels(regimen)):
        if any(is_near(mg, full * share) for mg in singles):
            return _Fit(True, has_loading, is_start, level)
    return _Fit(True, has_loading, is_start, None)


def doses_per_day(regimen: LabelledRegimen) -> int:
    """How many doses of a regimen are taken on a day: 1, or 2 of what is taken twice daily."""
    return max(1, round(1 / regimen.interval_day))


def single_doses(dose: RecordedDose, regimen: LabelledRegimen) -> tuple[float, ...]:
    """What one dose may have been, in mg.

    Rows of a day are all doses of that day; a single row is one of them, or all together.
    """
    if dose.mg is None:
        return ()
    one = dose.mg / doses_per_day(regimen)
    return (one,) if dose.n_rows > 1 or one == dose.mg else (dose.mg, one)


def is_near(found: float, expected: float) -> bool:
    """Whether an amount is within a tenth of another."""
    return abs(found / expected - 1) <= OFF_BY
