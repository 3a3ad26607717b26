"""What kind of treatment an arm is, in which line, and which trials tell about its drugs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Literal, get_args

from her2sim.drugs.mechanism import load_mechanism
from her2sim.pk.combination import load_combination
from her2sim.trials.trial import Arm, Trial

DrugClass = Literal[
    "conjugate", "kinase inhibitor", "pertuzumab", "immunotherapy", "antibody", "endocrine",
    "chemotherapy",
]  # fmt: skip
CLASSES: tuple[DrugClass, ...] = get_args(DrugClass)
HALF = 0.5
ERA = 2015
"""Year of the first patient that parts trials of other tumours into earlier and later ones."""
LineOf = Literal[
    "first line",
    "later line",
    "no amplification",
    "before surgery",
    "after surgery",
    "residual disease",
]
Evidence = Literal["randomised", "not randomised", "none"]
_OF_KIND: dict[str, DrugClass] = {
    "conjugate": "conjugate", "reversible": "kinase inhibitor", "covalent": "kinase inhibitor",
    "antibody": "antibody", "endocrine": "endocrine", "cytotoxic": "chemotherapy",
    "checkpoint": "immunotherapy",
}  # fmt: skip


YEARS_3_TO_5: Literal["3 to 5 years"] = "3 to 5 years"
YEARS_7_TO_10: Literal["7 to 10 years"] = "7 to 10 years"


def horizon_of(at_month: float) -> str:
    """In which years a point of a curve lies."""
    if at_month < 36:
        return "first years"
    return YEARS_3_TO_5 if at_month <= 60 else YEARS_7_TO_10


def drugs_of(arm: Arm) -> frozenset[str]:
    """Substances of all regimens of an arm."""
    return frozenset(
        treatment.drug.substance or treatment.drug.id
        for given in arm.regimen
        for treatment in load_combination(given.name).treatments
    )


def drug_class(arm: Arm) -> DrugClass:
    """The class of an arm: that of its most specific drug."""
    found = {"pertuzumab" if drug == "pertuzumab" else _class_of(drug) for drug in drugs_of(arm)}
    return next((name for name in CLASSES if name in found), "chemotherapy")


def _class_of(drug: str) -> DrugClass:
    mechanism = load_mechanism(drug)
    return "chemotherapy" if mechanism is None else _OF_KIND[mechanism.kind]


def line_of(trial: Trial, arm: Arm) -> LineOf:
    """First line or later, by the mean number of lines before; or mostly without amplification.

    In early disease: before or after surgery, or with residual disease.
    """
    if trial.setting == "early":
        design = trial.early
        if design is None or design.surgery_week is None:
            return "after surgery"
        return "before surgery" if design.takes == "all" else "residual disease"
    her2 = arm.her2 or trial.enrolled.her2
    if her2.amplified_share() < HALF:
        return "no amplification"
    lines = arm.earlier_lines or trial.enrolled.earlier_lines
    if lines is None:
        return "first line"
    mean = sum(int(number) * share for number, share in lines.shares.items())
    return "first line" if mean < HALF else "later line"


def alike_groups(trial: Trial, arm: Arm) -> tuple[str, str]:
    """What an arm is alike to, the smaller group first.

    In breast cancer arms of a class of drugs and a line, then of the class; in other tumours, of
    which there are few trials, arms of a line and an era, then of the line.
    """
    line = line_of(trial, arm)
    if trial.tumour_type == "breast":
        return f"{drug_class(arm)}, {line}", drug_class(arm)
    began = trial.design.began_year
    era = (
        "at an unknown time" if began is None else f"{'since' if began >= ERA else 'before'} {ERA}"
    )
    return f"{line}, {era}", line


def evidence_for(trial: Trial, arm: Arm, others: Iterable[Trial]) -> Evidence:
    """What other trials tell of the drugs of an arm: the least that is known of any.

    ``randomised``: each drug was compared with its absence in the same kind of disease.
    """
    found = drug_evidence(trial, arm, others)
    return least_known(found.values()) if found else "randomised"


def drug_evidence(trial: Trial, arm: Arm, others: Iterable[Trial]) -> dict[str, Evidence]:
    """What other trials tell of each drug of an arm."""
    told = [*others]
    low = line_of(trial, arm) == "no amplification"
    compared = [own ^ other for one in told for own, other, of in _comparisons(one) if of == low]
    given = {drug for one in told for other in one.arm for drug in drugs_of(other)}
    found: dict[str, Evidence] = {}
    for drug in sorted(drugs_of(arm)):
        if any(drug in pair for pair in compared):
            found[drug] = "randomised"
        else:
            found[drug] = "not randomised" if drug in given else "none"
    return found


def least_known(levels: Iterable[Evidence]) -> Evidence:
    """The least of some levels of evidence."""
    return max(levels, key=get_args(Evidence).index)


def _comparisons(trial: Trial) -> Iterator[tuple[frozenset[str], frozenset[str], bool]]:
    """Drugs of both arms of each hazard ratio of progression, and whether HER2 is low.

    In early disease: of each pair of arms that tell of response or relapse; in tumours other than
    breast cancer of overall survival, too.
    """
    if trial.setting == "early":
        told = [arm for arm in trial.arm if any(row.arm == arm.id for row in trial.outcome)]
        for arm, other in combinations(told, 2):
            yield drugs_of(arm), drugs_of(other), False
        return
    judged = ("PFS", "TTP", *(() if trial.tumour_type == "breast" else ("OS",)))
    for row in trial.comparison:
        if row.endpoint in judged and row.subgroup is None:
            arms = trial.arm_of(row.arm), trial.arm_of(row.versus)
            low = line_of(trial, arms[0]) == "no amplification"
            yield drugs_of(arms[0]), drugs_of(arms[1]), low
