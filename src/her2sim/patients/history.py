"""What labels ask of a patient's history, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable

HISTORY = {
    "prior_trastuzumab": "trastuzumab was given before",
    "prior_taxane": "a taxane was given before",
    "prior_anthracycline": "an anthracycline was given before",
    "prior_systemic": "systemic treatment was given before in the advanced setting",
    "prior_platinum": "platinum chemotherapy was given before",
    "early_chemotherapy": "chemotherapy was given for early disease",
    "prior_chemotherapy_metastatic": "chemotherapy was given for metastatic disease",
    "two_chemotherapies_metastatic": "at least two chemotherapy regimens were given for metastatic "
    "disease",
    "recurrence_within_6_months_of_adjuvant_chemotherapy": "the cancer came back during adjuvant "
    "chemotherapy or within 6 months of its end",
    "recurrence_within_6_months_of_adjuvant_anti_her2": "the cancer came back during anti-HER2 "
    "treatment before or after surgery, or within 6 months of its end",
    "prior_endocrine_metastatic": "endocrine therapy failed in the metastatic setting",
    "untreated_metastatic": "no anti-HER2 therapy or chemotherapy yet for metastatic disease",
    "endocrine_not_suitable": "endocrine therapy is not suitable as the next treatment",
    "anthracycline_not_suitable": "an anthracycline is not suitable",
    "chemotherapy_not_intended": "chemotherapy is not intended now",
    "no_satisfactory_option": "no satisfactory alternative treatment is left",
    "residual_disease": "invasive disease was left after neoadjuvant therapy",
    "early_not_operated": "before surgery",
    "stage_2_or_3": "stage II or III",
    "tumour_over_2_cm": "the tumour measures more than 2 cm",
    "node_positive": "lymph nodes are positive",
    "locally_advanced": "the tumour is locally advanced or inflammatory",
    "high_risk": "high risk of recurrence, as the label defines it",
    "adjuvant_trastuzumab_done": "adjuvant trastuzumab was completed",
    "adjuvant_trastuzumab_within_a_year": "adjuvant trastuzumab was completed less than a year ago",
    "hormone_receptor_positive": "hormone receptors are positive",
    "hormone_receptor_negative": "hormone receptors are negative",
    "postmenopausal": "after the menopause",
    "ras_wild_type": "RAS is wild-type",
    "pd_l1_positive": "PD-L1 has a combined positive score of 1 or more",
    "fluoropyrimidine_oxaliplatin_irinotecan": "fluoropyrimidine, oxaliplatin and irinotecan were "
    "given before",
}
"""What labels ask of a patient's history, in words."""

FOLLOWS = {
    "two_chemotherapies_metastatic": "prior_chemotherapy_metastatic",
    "prior_chemotherapy_metastatic": "prior_systemic",
    "prior_endocrine_metastatic": "prior_systemic",
    "recurrence_within_6_months_of_adjuvant_chemotherapy": "early_chemotherapy",
    "adjuvant_trastuzumab_within_a_year": "adjuvant_trastuzumab_done",
    "adjuvant_trastuzumab_done": "prior_trastuzumab",
}
"""What is true whenever something else is told."""

EARLY_ANTI_HER2 = frozenset(
    {"adjuvant_trastuzumab_done", "recurrence_within_6_months_of_adjuvant_anti_her2"}
)
"""Facts that tell of an anti-HER2 regimen for early disease."""


def with_what_follows(told: Iterable[str]) -> frozenset[str]:
    """Facts that are told, and all that follow from them.

    >>> sorted(with_what_follows(["prior_endocrine_metastatic"]))
    ['prior_endocrine_metastatic', 'prior_systemic']
    """
    found, left = set[str](), list(told)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [FOLLOWS[name]] if name in FOLLOWS else []
    return frozenset(found)
