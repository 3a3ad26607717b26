"""The page of the labels: every row stands in it, in words, and it is up to date."""

from __future__ import annotations

import pytest

from her2sim.drug_names import drug_names
from her2sim.protocol.conditions import parse_condition
from her2sim.protocol.label import REGIONS, load_label
from her2sim.report.label_page import ADDRESS, label_page
from her2sim.report.rule_words import condition_text
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


def test_addresses_are_found_as_they_were_written_down() -> None:
    text = (
        "drugs.com; ch.oddb.org:443/de/gcc/fachinfo/reg/1/chapter/usage (read); a blog, 120ty.net"
    )
    assert ADDRESS.findall(text) == [
        "drugs.com", "ch.oddb.org:443/de/gcc/fachinfo/reg/1/chapter/usage", "120ty.net",
    ]  # fmt: skip
