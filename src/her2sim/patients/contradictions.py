"""Contradictions: what cannot be told together of one patient, whatever else is true."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

SETTING_OF = {
    "untreated_metastatic": "metastatic",
    "prior_systemic": "metastatic",
    "prior_endocrine_metastatic": "metastatic",
    "prior_chemotherapy_metastatic": "metastatic",
    "two_chemotherapies_metastatic": "metastatic",
    "recurrence_within_6_months_of_adjuvant_chemotherapy": "metastatic",
    "recurrence_within_6_months_of_adjuvant_anti_her2": "metastatic",
    "early_not_operated": "early",
}
"""Facts of the history that are told of one setting only."""

BODY_OF = {
    "tumour_mm": "early",
    "positive_nodes": "early",
    "locally_advanced": "early",
    "liver_metastases": "metastatic",
}
"""Characteristics of one setting only; zero is told of any."""


def body_contradictions(setting: str, body: Mapping[str, float]) -> Iterator[str]:
    """Characteristics that belong to the other setting, in words."""
    for name, value in body.items():
        if value and BODY_OF.get(name, setting) != setting:
            yield f"body: {name} is of {BODY_OF[name]} disease, the setting is {setting}"


APART = tuple(
    frozenset(pair)
    for pair in (
        ("residual_disease", "early_not_operated"),
        ("adjuvant_trastuzumab_done", "early_not_operated"),
        ("adjuvant_trastuzumab_within_a_year", "early_not_operated"),
        ("hormone_receptor_positive", "hormone_receptor_negative"),
        ("untreated_metastatic", "prior_chemotherapy_metastatic"),
        ("untreated_metastatic", "two_chemotherapies_metastatic"),
    )
)
"""Facts of the history that exclude each other: what is left is seen at the operation, and what is
adjuvant comes after it."""


def contradictions(
    setting: str, history: Collection[str], n_regimens_metastatic: int, is_female: bool | None
) -> Iterator[str]:
    """Each contradiction in words, with what to do.

    Only what is beyond doubt: a patient with metastatic disease may have had residual disease
    once, and endocrine therapy or early relapse go with no treatment yet for metastatic disease.

    Parameters
    ----------
    setting : early or metastatic
    history : facts that are told
    n_regimens_metastatic : anti-HER2 regimens so far for metastatic disease
    is_female : whether the patient is a woman; None if it is not told
    """
    told = sorted(set(history))
    for name in told:
        if SETTING_OF.get(name, setting) != setting:
            yield f"history: {name} is of {SETTING_OF[name]} disease, setting is {setting}; {_KEEP}"
    for pair in combinations(told, 2):
        if frozenset(pair) in APART:
            yield f"history: {' and '.join(pair)} exclude each other; {_KEEP}"
    count = f"anti_her2_regimens_metastatic is {n_regimens_metastatic}"
    if n_regimens_metastatic and "untreated_metastatic" in told:
        yield f"history: untreated_metastatic is told, {count}; {_KEEP}"
    if n_regimens_metastatic and setting == "early":
        yield f"{count}, setting is early; {_KEEP}"
    if is_female is False and "postmenopausal" in told:
        yield f"history: postmenopausal is told, body: female is 0; {_KEEP}"


_KEEP = "keep the one that is true"
