"""Several drugs in one patient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from her2sim.drugs.drug import load_drug
from her2sim.drugs.interactions import interactions_together
from her2sim.errors import DataError, Her2SimError
from her2sim.patients.population import load_population
from her2sim.pk.combination import load_combination, simulate_together
from her2sim.pk.exposure_run import cohort_chunks, simulate
from her2sim.pk.treatment import load_treatment
from her2sim.regimens.library import named_regimens
from her2sim.studies.regimen_exposure import exposure_together


def cohort(n: int = 200):
    return next(cohort_chunks(load_population("mbc"), n, 1, n))


def test_each_drug_is_as_it_is_alone() -> None:
    together = load_combination("pertuzumab + trastuzumab + docetaxel*6")
    for course in simulate_together(together, cohort(), 8):
        name = course.treatment.drug.id
        alone = simulate(load_treatment(name, "q3w"), cohort(), 8).cycles
        n_given = 6 if name == "docetaxel" else 8
        assert course.cycles[:, :n_given].tobytes() == alone[:, :n_given].tobytes()


def test_a_later_start_moves_the_whole_course() -> None:
    late, first = (
        next(iter(simulate_together(load_combination(text), cohort(), n)))
        for text, n in (("T-DXd@42 + pertuzumab", 5), ("T-DXd + pertuzumab", 3))
    )
    assert np.all(late.cycles[:, :2, :, :3] == 0)
    assert late.cycles[:, 2:, :, :3] == pytest.approx(first.cycles[..., :3], rel=1e-6, abs=1e-9)


def test_lapatinib_acts_on_paclitaxel_by_itself() -> None:
    with_it, without = (
        exposure_together(load_combination(text), load_population("mbc"), 300, 1, 2)
        for text in ("lapatinib/qd-1500 + paclitaxel", "trastuzumab + paclitaxel")
    )
    medians = [
        next(r for r in report.exposures if r.drug == "paclitaxel" and r.metric == "auc")
        for report in (with_it, without)
    ]
    fold = medians[0].statistics.median / medians[1].statistics.median
    assert fold == pytest.approx(1.23, rel=0.1)  # saturable: the maximum rate carries the fold
    assert any("SOURCE NOT CONFIRMED" in note for note in with_it.notes)
    assert any("lapatinib:label is a label-derived surrogate" in note for note in with_it.notes)


def test_a_class_stands_in_where_a_drug_is_not_named() -> None:
    rows, notes = interactions_together(load_drug("docetaxel"), [load_drug("tucatinib")])
    assert [row.name for row in rows] == ["ketoconazole"]
    assert "as a strong CYP3A4 inhibitor, measured with ketoconazole" in notes[0]
    rows, notes = interactions_together(load_drug("T-DM1"), [load_drug("tucatinib")])
    assert rows == ()  # the two were studied together: no change
    assert "tucatinib on trastuzumab-emtansine: no change" in notes[0]


def test_what_the_facts_refuse_is_refused_and_what_they_do_not_know_is_said() -> None:
    strong = load_drug("lapatinib").model_copy(update={"acts_as": ("strong CYP3A4 inhibitor",)})
    with pytest.raises(DataError, match="not carried out; DM1 is cleared by CYP3A4"):
        interactions_together(load_drug("T-DM1"), [strong])
    _, notes = interactions_together(load_drug("margetuximab"), [load_drug("paclitaxel")])
    assert notes == (
        "paclitaxel on margetuximab: no data on an interaction are known; none is simulated.",
    )


@pytest.mark.parametrize("name", named_regimens())
def test_every_named_regimen_runs(name: str) -> None:
    combination = load_combination(name)
    report = exposure_together(combination, load_population("mbc"), 20, 1, 6)
    drugs = {row.drug for row in report.exposures}
    assert drugs == {t.drug.id for t in combination.treatments}
    for row in report.shown():
        assert row.statistics.median >= 0
        assert row.metric != "auc" or row.statistics.median > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trastuzumab + trastuzumab-sc", "trastuzumab is in the regimen twice"),
        ("docetaxel*1 + docetaxel@84", "docetaxel is in the regimen twice"),
        ("trastuzumab + T-DM1", r"twice \(trastuzumab, trastuzumab-emtansine\)"),
        ("trastuzumab-sc + T-DXd", "trastuzumab is in the regimen twice"),
        ("T-DM1 + T-DXd", "trastuzumab is in the regimen twice"),
        ("cleopatr", "did you mean 'CLEOPATRA'"),
        ("trastuzumab + pertuzumba", "did you mean 'pertuzumab'"),
        ("trastuzumab + pertuzumab*0", "the number of doses must be above zero"),
        ("trastuzumab + pertuzumab@x", "write DRUG"),
        ("trastuzumab + pertuzumab/q9w", "no regimen 'q9w'"),
    ],
)
def test_impossible_regimens_are_refused(text: str, message: str) -> None:
    with pytest.raises(Her2SimError, match=message):
        load_combination(text)


def test_all_faults_of_an_expression_are_told_at_once() -> None:
    with pytest.raises(DataError, match="2 faults") as error:
        load_combination("foo + trastuzumab*0 + pertuzumab")
    assert "unknown drug 'foo'" in str(error.value)
    with pytest.raises(DataError, match="2 faults") as error:
        load_combination("trastuzumab + T-DM1 + docetaxel + docetaxel@84")
    for name in ("trastuzumab", "docetaxel"):
        assert f"{name} is in the regimen twice" in str(error.value)


def test_a_conjugate_goes_with_another_antibody() -> None:
    treatments = load_combination("T-DM1 + pertuzumab").treatments
    assert [t.drug.id for t in treatments] == ["trastuzumab-emtansine", "pertuzumab"]
    assert {load_drug(name).antibody for name in ("T-DM1", "T-DXd")} == {"trastuzumab"}


def test_chunks_resume_and_the_table_is_the_same(tmp_path: Path) -> None:
    regimen, people = load_combination("HER2CLIMB"), load_population("mbc")
    path = tmp_path / "all.parquet"
    whole = exposure_together(regimen, people, 60, 1, 2, output=path)
    frame = pl.read_parquet(path)
    assert frame.height == 3 * 60 * 2
    assert set(frame["drug"].unique()) == {"tucatinib", "trastuzumab", "capecitabine"}

    def broken(done: int, _total: int) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    again = tmp_path / "again.parquet"
    with pytest.raises(KeyboardInterrupt):
        exposure_together(regimen, people, 60, 1, 2, output=again, progress=broken, chunk=20)
    report = exposure_together(regimen, people, 60, 1, 2, output=again, chunk=20)
    assert report.exposures == whole.exposures
    assert pl.read_parquet(again).equals(frame)
