"""What of a trial is unlike the trials that were fitted: lines of treatment, doses, intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from her2sim.patients.covariates import Setting, TumourTypeId
from her2sim.pk.combination import load_combination
from her2sim.regimens.library import load_regimen
from her2sim.trials.library import trials_of
from her2sim.trials.trial import Arm, Trial


@dataclass(frozen=True)
class Told:
    """What the anchors of the calibration tell of a drug: in which lines, in which trials."""

    lines: frozenset[int]
    trials: tuple[str, ...]


def unlike_fitted(trial: Trial) -> tuple[str, ...]:
    """What of a trial no anchor tells of, each once, beside drugs without any anchor."""
    return tuple(dict.fromkeys(text for arm in trial.arm for text in _of_arm(trial, arm)))


def _of_arm(trial: Trial, arm: Arm) -> Iterator[str]:
    known = _told(trial.setting, trial.tumour_type)
    lines = _lines(trial, arm)
    for given in arm.regimen:
        for treatment in load_combination(given.name).treatments:
            drug = treatment.drug.substance or treatment.drug.id
            if "anti-HER2" not in treatment.drug.groups:
                continue
            if trial.setting != "metastatic" or drug not in known:
                continue
            if not lines & known[drug].lines:
                yield (
                    f"trials that were fitted have {drug} after {_listed(known[drug].lines)} "
                    f"earlier lines ({', '.join(known[drug].trials)}), this one after "
                    f"{_listed(lines)}"
                )
        for part in load_regimen(given.name).part:
            if part.dose_percent != 100 or part.every_day is not None:
                yield f"{part.drug} has a dose or an interval that is not the label's"


def _lines(trial: Trial, arm: Arm) -> frozenset[int]:
    """Earlier lines that some patients of an arm have."""
    told = arm.earlier_lines or trial.enrolled.earlier_lines
    return frozenset() if told is None else frozenset(int(k) for k, v in told.shares.items() if v)


def _listed(numbers: frozenset[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers)) or "no known number of"


@cache
def _told(setting: Setting, tumour_type: TumourTypeId) -> dict[str, Told]:
    """What anchors of a setting of a tumour type tell, by substance."""
    found: dict[str, Told] = {}
    for trial in trials_of(setting, tumour_type):
        anchored = {row.arm for row in trial.outcome if row.role == "anchor"}
        anchored |= {row.arm for row in trial.comparison if row.role == "anchor"}
        anchored |= {row.versus for row in trial.comparison if row.role == "anchor"}
        for arm in (arm for arm in trial.arm if arm.id in anchored):
            for given in arm.regimen:
                for treatment in load_combination(given.name).treatments:
                    drug = treatment.drug.substance or treatment.drug.id
                    before = found.get(drug, Told(frozenset(), ()))
                    names = tuple(dict.fromkeys((*before.trials, trial.id)))
                    found[drug] = Told(before.lines | _lines(trial, arm), names)
    return found
