"""Contradictions: what cannot be told together of one patient, whatever else is true."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

SETTING_OF = {
    "untreated_metastatic": "metastatic",
    "prior_endocrine_metastatic": "metastatic",
    "early_not_operated": "early",
}
"""Facts of the history that are told of one setting only."""

APART = (frozenset({"residual_disease", "early_not_operated"}),)
"""Facts of the history that exclude each other: what is left is seen at the operation."""


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
