"""What trials saw of the traits in which two patients differ."""

from __future__ import annotations

from pathlib import Path

import pytest

import her2sim as h2

PATIENT = Path(__file__).parents[2] / "examples" / "patient_mbc.toml"
TOLD = {"pik3ca": "false", "fcgr3a": '"VV"', "her2_heterogeneous": "false"}


def pair(folder: Path, **apart: str) -> tuple[Path, Path]:
    """Two patient files that differ as told in what was tested, and in nothing else of it."""
    text = PATIENT.read_text(encoding="utf-8")
    found = []
    for name, told in (("first", TOLD), ("second", TOLD | apart)):
        lines = "\n".join(f"{key} = {value}" for key, value in told.items())
        path = folder / f"{name}.toml"
        path.write_text(f"{text}\n[biology]\n{lines}\n", encoding="utf-8")
        found.append(path)
    return found[0], found[1]


def test_trials_of_the_regimen_come_first(tmp_path: Path) -> None:
    first, second = pair(tmp_path, pik3ca="true")
    report = h2.explain(first, "thp", second, seed=4).report
    assert "PIK3CA" in report.traits_apart
    rows = [row for row in report.seen if row.trait == "PIK3CA"]
    assert rows[0].trial == "CLEOPATRA"
    assert {row.trial for row in rows} == {"CLEOPATRA", "EMILIA", "NALA"}


@pytest.mark.parametrize(
    ("apart", "trait", "words"),
    [
        ({"pik3ca": "true"}, "PIK3CA", "supported"),
        ({"fcgr3a": '"FF"'}, "FcgRIIIa genotype", "SOPHIA"),
        ({"her2_heterogeneous": "true"}, "heterogeneity", "no trial here tells"),
    ],
)
def test_the_table_says_what_trials_saw(
    tmp_path: Path, apart: dict[str, str], trait: str, words: str
) -> None:
    first, second = pair(tmp_path, **apart)
    found = h2.explain(first, "thp", second, seed=4)
    table = found.tables()[-1]
    assert table.title == "What trials saw of these traits"
    cells = [[str(c) for c in column.cells] for column in table.columns]
    rows = [row for row in zip(*cells, strict=True) if row[0] == trait]
    assert rows
    assert any(words in cell for row in rows for cell in row)
    kept = found.as_dict()["seen"]
    assert all(row["verdict"] in ("supported", "not seen", "contradicted") for row in kept)
