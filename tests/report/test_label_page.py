"""The page of the labels: every row stands in it, in words, and it is up to date."""

from __future__ import annotations

import pytest

from her2sim.drug_names import drug_names
from her2sim.protocol.conditions import parse_condition
from her2sim.protocol.label import REGIONS, load_label
from her2sim.report.label_page import ADDRESS, label_page
from her2sim.report.rule_words import condition_text, in_words, reading_text
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def page() -> str:
    return label_page()


def test_the_page_is_up_to_date(page: str) -> None:
    assert (ROOT / "docs" / "labels.md").read_text(encoding="utf-8") == page, "make labels"


def test_every_row_and_source_stands_in_it(page: str) -> None:
    for drug in drug_names():
        for region in REGIONS:
            label = load_label(drug, region)
            if label is None or label.drug != drug:
                continue
            (own,) = (part for part in page.split("\n## ")[1:]
                      if part.startswith(f"{drug} {region.upper()}\n"))  # fmt: skip
            table = [line for line in own.splitlines() if line.startswith("| ")][1:]
            assert len(table) == len(list(label.rows())) + len(label.not_encoded)
            assert all(f"`{rule.id}`" in own for rule in label.rule)
            assert all(f"- `{key}`: {source.citation}" in own
                       for key, source in label.sources.items())  # fmt: skip
            assert own.count("| *no* |") == sum(not row.is_confirmed for row in label.rows())


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("lvef < lln and lvef_drop >= 10",
         "LVEF < its lower limit of normal and fall of the LVEF ≥ 10 percentage points"),
        ("alt > 3 or fever >= 1", "ALT > 3 times the ULN, or fever"),
        ("heart_failure < 1", "no symptoms of heart failure"),
        ("neutrophils <= 1.5", "neutrophils ≤ 1.5 1/nL"),
    ],
)  # fmt: skip
def test_conditions_in_words(condition: str, words: str) -> None:
    assert condition_text(parse_condition(condition)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alt > 3 or fever >= 1", "ALT > 3 times the ULN, or fever"),
        ("none until lvef >= lln and lvef_drop <= 15, after 28 days",
         "none until LVEF ≥ its lower limit of normal and fall of the LVEF ≤ 15, after 28 days"),
        ("no lower dose level is left", "no lower dose level is left"),
        ("unknown drug 'trastuzmab'", "unknown drug 'trastuzmab'"),
    ],
)  # fmt: skip
def test_other_texts_in_words(text: str, words: str) -> None:
    """A condition is read; of any other text only variables and signs change."""
    assert in_words(text) == words


@pytest.mark.parametrize(
    ("variable", "reading", "words"),
    [
        ("lvef_drop", 13.22, "fall of the LVEF 13.22 percentage points"),
        ("ild_grade", 1.0, "grade of lung disease 1"),
        ("fever", 1.0, "fever"),
        ("heart_failure", 0.0, "no symptoms of heart failure"),
        ("ast", 4.0, "AST 4 times the ULN"),
        ("lvef", None, ""),
        ("of no rule", 2.0, "of no rule 2"),
    ],
)
def test_readings_in_words(variable: str, reading: float | None, words: str) -> None:
    """Name, value and unit; a sign that is there or not in its own words."""
    assert reading_text(variable, reading) == words


def test_addresses_are_found_as_they_were_written_down() -> None:
    text = (
        "drugs.com; ch.oddb.org:443/de/gcc/fachinfo/reg/1/chapter/usage (read); a blog, 120ty.net"
    )
    assert ADDRESS.findall(text) == [
        "drugs.com", "ch.oddb.org:443/de/gcc/fachinfo/reg/1/chapter/usage", "120ty.net",
    ]  # fmt: skip
