"""Every dose-modification row of the collected label facts has a rule, or a reason for none."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from her2sim.protocol.label import Label, load_label
from tests.conftest import ROOT

FACTS = ROOT.parent / "shared" / "facts" / "rules"

TD, TE = "trastuzumab-deruxtecan", "trastuzumab-emtansine"
NO_LABEL = "no region of her2sim has this label"
NO_DOSE_RULE = "the row changes no dose: a schedule, a definition, premedication or an exclusion"
BY_PARTS = "pertuzumab-us and trastuzumab-us, whose rules act on the parts of Phesgo"

MAPPED: dict[str, dict[str, str]] = {
    "lapatinib": {
        "lvef": "us-lvef",
        "diarrhoea_g3_or_complicated": "us-diarrhoea-g3",
        "diarrhoea_g4": "us-diarrhoea-g4",
        "hepatotoxicity_definition": NO_DOSE_RULE,
        "liver_severe": "liver_severe",
        "lft_schedule": NO_DOSE_RULE,
        "lvef_baseline": NO_DOSE_RULE,
    },
    "margetuximab": {
        "lvef_withhold": "us-lvef",
        "irr_mild_moderate": "irr_mild_moderate",
        "irr_dyspnoea": "irr_dyspnoea",
        "irr_severe": "us-infusion-severe",
    },
    "neratinib": {
        "general_g3": "us-other-g3",
        "general_g4": "us-other-g4",
        "stop_rules": "stop_rules",
        "diarrhoea_mild": "diarrhoea_mild",
        "diarrhoea_hold": "us-diarrhoea",
        "diarrhoea_g3_prolonged": "us-diarrhoea-prolonged",
        "liver_g3": "us-liver-g3",
        "liver_g4": "us-liver-g4",
        "lft_schedule": NO_DOSE_RULE,
        "hepatic_contraindication": NO_DOSE_RULE,
    },
    "pertuzumab": {
        "lvef_early": "us-lvef-early",
        "lvef_metastatic": "us-lvef-metastatic",
        "lvef_not_recovered": "us-lvef-metastatic",
        "irr_significant": "irr_significant",
        "hypersensitivity_serious": "us-infusion-serious",
        "link_to_trastuzumab": "partner trastuzumab",
    },
    "phesgo": {
        "lvef_early": BY_PARTS,
        "lvef_metastatic": BY_PARTS,
        "injection_reaction_significant": BY_PARTS,
        "hypersensitivity_serious": BY_PARTS,
        "not_studied": NO_DOSE_RULE,
    },
    "pyrotinib": {
        "persistent_g2_or_more": NO_LABEL,
        "trial_diarrhoea": NO_LABEL,
        "trial_diarrhoea_g4": NO_LABEL,
        "trial_lvef": NO_LABEL,
        "trial_haematologic_g3": NO_LABEL,
    },
    TD: {
        "ild_g1_short": "us-ild-g1",
        "ild_g1_long": "us-ild-g1",
        "ild_g2plus": "us-ild-g2",
        "ild_g1": "us-ild-g1",
        "ild_g2": "us-ild-g2",
        "neutropenia_g3": "us-neutrophils-g3",
        "neutropenia_g4": "us-neutrophils-g4",
        "febrile_neutropenia": "us-febrile-neutropenia",
        "plt_g3": "us-platelets-g3",
        "thrombocytopenia_g3": "us-platelets-g3",
        "thrombocytopenia_g4_condition": "us-platelets-g4",
        "lvef_over_45_fall_10_20": "lvef_over_45_fall_10_20",
        "lvef_40_45_fall_lt10": "lvef_40_45_fall_lt10",
        "lvef_40_45_fall_10_20": "us-lvef-40-45",
        "lvef_below_40_or_fall_over_20": "us-lvef-below-40",
        "chf": "us-heart-failure",
        "infusion_symptoms": "infusion_symptoms",
        "missed_dose": NO_DOSE_RULE,
        "premedication": NO_DOSE_RULE,
    },
    TE: {
        "mbc_ast_alt_g2": "mbc_ast_alt_g2",
        "mbc_ast_alt_g3": "us-transaminase-g3",
        "mbc_ast_alt_g4": "us-transaminase-g4",
        "mbc_bili_g2": "us-bilirubin-g2",
        "mbc_bili_g3": "us-bilirubin-g3",
        "mbc_bili_g4": "us-bilirubin-g4",
        "hys_law": "us-hy",
        "nrh": "nrh",
        "mbc_lvef_over_45": "mbc_lvef_over_45",
        "mbc_lvef_40_45_small_fall": "mbc_lvef_40_45_small_fall",
        "lvef_40_45_small_fall": "mbc_lvef_40_45_small_fall",
        "mbc_lvef_40_45_large_fall": "us-lvef-40-45",
        "mbc_lvef_below_40": "us-lvef-below-40",
        "mbc_chf": "us-heart-failure",
        "mbc_plt_g3": "us-platelets-g3",
        "mbc_plt_g4": "us-platelets-g4",
        "ebc_alt_g2_3": "us-early-alt-g2-3",
        "ebc_alt_g4": "us-early-alt-g4",
        "ebc_ast_g2": "us-early-ast-g2",
        "ebc_ast_g3": "us-early-ast-g3",
        "ebc_ast_g4": "us-early-ast-g4",
        "ebc_bili_1_2": "us-early-bilirubin",
        "ebc_bili_over_2": "us-early-bilirubin-over-2",
        "ebc_plt_25_75": "us-early-platelets",
        "ebc_plt_below_25": "us-early-platelets-g4",
        "ebc_lvef_below_45": "us-early-lvef-below-45",
        "ild": "us-ild",
        "radiation_pneumonitis": "radiation_pneumonitis",
        "neuropathy_g3_4": "us-neuropathy",
        "irr": "irr",
        "irr_severe": "irr_severe",
        "irr_life_threatening": "us-infusion-life-threatening",
    },
    "trastuzumab": {
        "us_lvef_withhold": "us-lvef",
        "eu_lvef_suspend": "eu-lvef",
        "irr_dyspnoea_hypotension": "irr_dyspnoea_hypotension",
        "irr_severe": "us-infusion-severe",
        "pulmonary": "us-pulmonary",
        "myelosuppression": "myelosuppression",
    },
    "tucatinib": {
        "diarrhoea_g1_2": "diarrhoea_g1_2",
        "diarrhoea_g3_no_antidiarrhoeal": "us-diarrhoea-g3",
        "diarrhoea_g3_on_antidiarrhoeal": "us-diarrhoea-g3-treated",
        "diarrhoea_g4": "us-diarrhoea-g4",
        "bili_g1": "bili_g1",
        "bili_g2": "us-bilirubin-g2",
        "liver_g3": "us-liver-g3",
        "liver_g4_or_hy": "us-liver-g4",
    },
    "zanidatamab": {
        "lvef_withhold": "us-lvef",
        "chf": "us-heart-failure",
        "irr": "irr_grade_rows",
        "irr_grade_rows_exist": "irr_grade_rows",
        "diarrhoea": "diarrhoea",
        "dose_floor": "dose_floor",
    },
}
"""Fact row -> end of the id of a rule, row of ``not_encoded``, or a reason why neither is there."""

NO_DRUG = "her2sim has no such drug"
NEW_ROWS: dict[str, dict[str, str]] = {
    "docetaxel": {
        "docetaxel-start-neutrophils": "us-neutrophils",
        "docetaxel-lower": "eu-febrile-neutropenia",
        "docetaxel-neuropathy-us-lung": "lung_alone",
        "docetaxel-liver-us": "us-liver-enzymes",
        "docetaxel-liver-eu-reduce": "liver_moderate",
        "docetaxel-liver-eu-not": "eu-liver-enzymes",
    },
    "paclitaxel": {
        "paclitaxel-start": "us-neutrophils",
        "paclitaxel-neutropenia": "neutropenia_7_days",
        "paclitaxel-neuropathy": "neuropathy_severe",
        "paclitaxel-liver-label": "liver",
    },
    "capecitabine": {
        "capecitabine-g2": "us-diarrhoea-g2",
        "capecitabine-g3": "us-diarrhoea-g3",
        "capecitabine-g4": "us-diarrhoea-g4",
        "capecitabine-start": "eu-neutrophils",
        "capecitabine-renal": "renal",
    },
    "doxorubicin": {
        "doxorubicin-liver": "liver",
        "doxorubicin-cumulative": "us-cumulative",
        "doxorubicin-counts": "us-neutrophils",
    },
    "carboplatin": {
        "carboplatin-start": "us-neutrophils",
        "carboplatin-nadir": "us-nadir-neutrophils",
        "carboplatin-renal": "renal",
    },
    "cisplatin": {
        "cisplatin-repeat": "repeat",
        "cisplatin-renal": "renal",
        "cisplatin-counts": "counts",
    },
    "lapatinib": {
        "lapatinib-eu-lvef": "eu-lvef",
        "lapatinib-eu-lung": "eu-lung-g3",
        "lapatinib-eu-diarrhoea": "eu-diarrhoea-g3",
    },
    TD: {"trastuzumab-deruxtecan-eu-table": "eu-neutrophils-g4"},
    TE: {"trastuzumab-emtansine-eu-early": "eu-early-alt-g2-3"},
    "tucatinib": {"tucatinib-eu-table": "eu-liver-g3", "tucatinib-hy": "hy"},
    "zanidatamab": {"zanidatamab-us-2026": "section_2_of_2026"},
}
"""The same of rows that were found missing."""

SAME_LABEL = {
    "trastuzumab_iv": "trastuzumab",
    "trastuzumab_sc": "trastuzumab",
    "pertuzumab_+_trastuzumab_sc": "phesgo",
}


def drug_of(name: str) -> str:
    key = name.lower().replace(" ", "_")
    return SAME_LABEL.get(key, key.replace("_", "-"))


def fact_rows(folder: Path) -> set[tuple[str, str]]:
    found = {
        (drug_of(path.stem), row["id"])
        for path in (folder / "labels").glob("*.toml")
        for row in tomllib.loads(path.read_text(encoding="utf-8")).get("dose_mod", [])
    }
    more = tomllib.loads((folder / "label_rows.toml").read_text(encoding="utf-8"))
    return found | {(drug_of(row["drug"]), row["id"]) for row in more["row"]}


def labels_of(drug: str) -> list[Label]:
    found = (load_label(drug, region) for region in ("us", "eu"))
    return [label for label in found if label is not None]


def test_every_row_of_the_facts_is_in_the_table() -> None:
    if not FACTS.is_dir():
        pytest.skip("../shared/facts/rules is not here")
    rows = fact_rows(FACTS)
    assert len(rows) > 80
    assert rows == {(drug, row) for drug, own in MAPPED.items() for row in own}


def test_every_new_row_of_the_facts_is_in_the_table() -> None:
    if not FACTS.is_dir():
        pytest.skip("../shared/facts/rules is not here")
    text = (FACTS / "label_new_rows.toml").read_text(encoding="utf-8")
    rows = {(row["drug"], row["id"]) for row in tomllib.loads(text)["dose_mod"]}
    assert rows == {(drug, row) for drug, own in NEW_ROWS.items() for row in own}


@pytest.mark.parametrize(
    "drug", sorted((MAPPED.keys() | NEW_ROWS.keys()) - {"phesgo", "pyrotinib", "cisplatin"})
)
def test_every_entry_leads_to_a_rule_or_to_a_reason(drug: str) -> None:
    labels = labels_of(drug)
    rules = {rule.id for label in labels for rule in label.rule}
    reasons = {row.row for label in labels for row in label.not_encoded if row.why}
    partners = {f"partner {p.drug}" for label in labels for p in label.partner}
    known = rules | reasons | partners
    for row, target in (*MAPPED.get(drug, {}).items(), *NEW_ROWS.get(drug, {}).items()):
        assert target == NO_DOSE_RULE or {target, f"{drug}-{target}"} & known, (row, target)


def test_nothing_is_said_of_labels_that_are_not_there() -> None:
    assert labels_of("pyrotinib") == []
    assert {label.region for label in labels_of("trastuzumab-sc")} == {"us", "eu"}
