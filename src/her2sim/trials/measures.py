"""Words of trials: endpoints, how they are measured, adverse events, and groups of patients."""

from __future__ import annotations

from typing import Literal

SCANNED_CURVES = ("PFS", "TTP", "DoR")
"""Endpoints that are times to an event which scans show (metastatic disease)."""
EARLY_CURVES = ("DFS", "iDFS", "EFS", "RFS", "DRFS", "BCFI", "RFI")
"""Endpoints of early disease that are times to an event (STEEP)."""
CURVES = (*SCANNED_CURVES, *EARLY_CURVES, "OS")
"""Endpoints that are times to an event."""
SCANNED_RATES = ("ORR", "CR")
"""Endpoints that are shares of patients with a response on scans (metastatic disease)."""
EARLY_RATES = ("bpCR", "tpCR")
"""Pathological complete response in the breast, and in breast and nodes."""
RATES = (*SCANNED_RATES, *EARLY_RATES)
"""Endpoints that are shares of patients."""
WITHOUT_MODEL = ("CNS_PFS",)
GRADES = ("any", "2", "3", "4", "5")

SAFETY: dict[str, str] = {
    "lvef_below_50": "LVEF measured below 50 %",
    "lvef_drop": "LVEF measured below 50 % and 10 points down",
    "lvef_drop_16": "LVEF measured below 50 % and 16 points down",
    "lvef_drop_confirmed": "LVEF below 50 % and 10 points down, twice in a row",
    "lvef_points_10_to_20": "LVEF measured 10 to 20 points down",
    "lvef_points_20": "LVEF measured 20 points down or more",
    "heart_failure": "symptomatic heart failure",
    "neutropenia": "neutrophils, weekly tests",
    "thrombocytopenia": "platelets, weekly tests",
    "febrile_neutropenia": "febrile neutropenia",
    "ild": "interstitial lung disease",
    "diarrhoea": "diarrhoea",
    "neuropathy": "peripheral neuropathy",
    "transaminase": "ALT or AST",
    "infusion_reaction": "infusion reaction",
    "nausea": "nausea",
    "discontinuation": "a drug stopped for an adverse event",
}
"""Adverse events that are worked out."""

UNGRADED = ("heart_failure", "febrile_neutropenia", *(name for name in SAFETY if "lvef" in name))
"""Adverse events that are there or not."""
DATED = ("ild", *UNGRADED)
"""Adverse events whose day is known, so that they can be counted until a month."""

SUBGROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pik3ca_wildtype": ("pik3ca", ("False",)),
    "pik3ca_mutated": ("pik3ca", ("True",)),
    "fcgr3a_f_carriers": ("genotype", ("VF", "FF")),
    "fcgr3a_vv": ("genotype", ("VV",)),
    "er_positive": ("is_er_positive", ("True",)),
    "er_negative": ("is_er_positive", ("False",)),
    "heterogeneous": ("is_heterogeneous", ("True",)),
    "homogeneous": ("is_heterogeneous", ("False",)),
    "her2_below_median": ("receptors_s", ("below",)),
    "her2_above_median": ("receptors_s", ("above",)),
    "node_negative": ("has_nodes", ("False",)),
    "node_positive": ("has_nodes", ("True",)),
    "pd_l1_positive": ("is_pd_l1_positive", ("True",)),
    "pd_l1_negative": ("is_pd_l1_positive", ("False",)),
    "ihc_1": ("ihc", ("1+",)),
    "ihc_2": ("ihc", ("2+",)),
    "ihc_3": ("ihc", ("3+",)),
}
"""Groups of patients: a trait of the tumour, and which of its values; of receptors, on which side
of the median of the arm."""

PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "PIK3CA": (("pik3ca_mutated", "pik3ca_wildtype"),),
    "FcgRIIIa genotype": (("fcgr3a_f_carriers", "fcgr3a_vv"),),
    "HER2 level": (
        ("her2_above_median", "her2_below_median"), ("ihc_3", "ihc_2"), ("ihc_2", "ihc_1"),
    ),
    "hormone receptors": (("er_positive", "er_negative"),),
    "heterogeneity": (("heterogeneous", "homogeneous"),),
}  # fmt: skip
"""Traits by which treatment could be chosen: pairs of groups that differ in one."""

Measure = Literal["median_month", "rate_percent"]


def measures_of(endpoint: str) -> tuple[Measure, ...]:
    """How an endpoint is measured."""
    if endpoint in CURVES:
        return ("median_month", "rate_percent")
    return ("rate_percent",) if endpoint in RATES else ()
