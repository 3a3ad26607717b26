"""From files to a patient's numbers: what is read, fitted and shown, and what is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import minimize

import her2sim as h2
from her2sim.drugs.drug import load_pk
from her2sim.errors import DataError, Her2SimError
from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"
PATIENT = EXAMPLES / "patient_mbc.toml"
LEVELS, DOSES = EXAMPLES / "levels_trastuzumab.csv", EXAMPLES / "doses_trastuzumab.csv"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def levels(path: Path, *rows: str) -> Path:
    return written(path / "levels.csv", "\n".join(["day,test,value,unit", *rows]) + "\n")


@pytest.fixture(scope="module")
def example() -> h2.Individual:
    return h2.individual(LEVELS, "trastuzumab", PATIENT, doses=DOSES, target="cmin>=20")


def test_a_linear_drug_against_a_matrix_exponential(tmp_path: Path) -> None:
    """Pertuzumab, two levels: the mode and its objective by a general optimiser of our own."""
    path = levels(tmp_path, "21,pertuzumab,45,ug/mL", "42,pertuzumab,52,ug/mL")
    found = h2.individual(path, "pertuzumab", PATIENT, typical=True)
    rows = {row.parameter: row for row in found.report.parameters}
    pk = load_pk("pertuzumab")
    names, omega, sd = pk.variability.names(), pk.variability.omega(), pk.residual.log_sd.value
    typical = {name: rows[name].typical for name in names}
    fixed = {name: pk.internal(name, pk.parameter[name]) for name in ("q", "vp", "vc", "cl")}

    def predicted(effects: np.ndarray) -> np.ndarray:
        own = fixed | {n: typical[n] * np.exp(e) for n, e in zip(names, effects, strict=True)}
        k10, k12, k21 = own["cl"] / own["vc"], own["q"] / own["vc"], own["q"] / own["vp"]
        rates = np.array([[-k10 - k12, k21], [k12, -k21]])
        at = []
        for day in (21.0, 42.0):
            amount = np.zeros(2)
            for start, mg, minutes in ((0, 840, 60), (21, 420, 30)):
                lasts = minutes / 1440
                if start < day:  # an infusion: the integral of the propagator over its length
                    inside = np.linalg.solve(rates, expm(rates * lasts) - np.eye(2))
                    amount += expm(rates * (day - start - lasts)) @ inside @ [mg / lasts, 0]
            at.append(amount[0] / own["vc"])
        return np.array(at)

    def objective(effects: np.ndarray) -> float:
        gap = np.log([45.0, 52.0]) - np.log(predicted(effects))
        terms = 2 * np.log(sd**2) + (gap**2).sum() / sd**2
        return float(terms + effects @ np.linalg.solve(omega, effects))

    options = {"xatol": 1e-8, "fatol": 1e-11, "maxiter": 8000}
    best = minimize(objective, np.zeros(len(names)), method="Nelder-Mead", options=options)
    assert found.report.fits[0].objective == pytest.approx(best.fun, abs=1e-4)
    for name, effect in zip(names, best.x, strict=True):
        assert rows[name].value == pytest.approx(typical[name] * np.exp(effect), rel=1e-3)


def test_days_dates_records_and_event_tables_are_one(tmp_path: Path, example) -> None:
    """The same doses and levels in four forms of a file give the same numbers."""
    wanted = [row.value for row in example.report.parameters]
    dated = written(
        tmp_path / "dated.csv",
        "date,value,unit\n2026-01-22,14.1,ug/mL\n2026-02-12 00:00,20.3,ug/mL\n",
    )
    doses = written(
        tmp_path / "doses.csv",
        "date,dose_mg,duration_min\n2026-01-01,560,90\n2026-01-22,420,30\n2026-02-12,420,30\n",
    )
    found = h2.individual(dated, "trastuzumab", PATIENT, doses=doses)
    assert [row.value for row in found.report.parameters] == pytest.approx(wanted, rel=1e-6)
    table = written(
        tmp_path / "events.csv",
        "ID,TIME,AMT,DUR,EVID,DV,WEIGHT_KG,ALBUMIN_G_PER_L,AST_U_PER_L,LIVER_METASTASES\n"
        "7,0,560,0.0625,1,.,68,41,24,0\n7,21,.,.,0,14.1,68,41,24,0\n"
        "7,21,420,0.0208333333,1,.,68,41,24,0\n7,42,.,.,0,20.3,68,41,24,0\n"
        "7,42,420,0.0208333333,1,.,68,41,24,0\n",
    )
    found = h2.individual(table, "trastuzumab", covariates=["tumour_type=breast"], time_unit="day")
    assert [row.value for row in found.report.parameters] == pytest.approx(wanted, rel=1e-4)
    assert found.report.next_day == example.report.next_day
    record = written(
        tmp_path / "record.csv",
        "patient,date,type,drug,dose_mg,test,value,unit\n"
        "A,2026-01-01,dose,Herceptin,560,,,\nA,2026-01-22,dose,trastuzumab,420,,,\n"
        "A,2026-02-12,dose,trastuzumab,420,,,\n",
    )
    found = h2.individual(dated, "trastuzumab", PATIENT, doses=record)
    own = [row.value for row in found.report.parameters]  # its first infusion takes 30 minutes
    assert own == pytest.approx(wanted, rel=5e-3)


def test_weights_of_a_record_act_from_their_day(tmp_path: Path) -> None:
    """A heavier patient clears more; later weights leave earlier levels alone."""
    head = "patient,date,type,drug,dose_mg,test,value,unit\nA,2026-01-01,dose,pertuzumab,840,,,\n"
    plain = written(tmp_path / "plain.csv", head)
    later = written(tmp_path / "later.csv", f"{head}A,2026-03-01,lab,,,weight,110,kg\n")
    first = written(tmp_path / "first.csv", f"{head}A,2026-01-01,lab,,,weight,110,kg\n")
    known = written(tmp_path / "levels.csv", "date,value,unit\n2026-01-22,30,ug/mL\n")

    def fitted(record: Path) -> list[float]:
        found = h2.individual(known, "pertuzumab", PATIENT, doses=record, typical=True)
        return [found.report.levels[0].expected or 0.0, found.report.parameters[0].typical]

    usual, after, heavy = fitted(plain), fitted(later), fitted(first)
    assert after[0] == pytest.approx(usual[0], rel=1e-6)
    assert after[1] == pytest.approx(heavy[1])  # of the time to come
    assert heavy[0] != pytest.approx(usual[0], rel=1e-3)


def test_no_level_gives_the_population(tmp_path: Path) -> None:
    found = h2.individual(levels(tmp_path), "trastuzumab", PATIENT)
    for row in found.report.parameters:
        assert row.value == pytest.approx(row.typical)
        assert row.shrinkage == 1
    assert found.report.fits[0].status == "nothing measured"
    assert any("what is shown is the population" in note for note in found.notes)
    assert found.report.data_percent < 10
    assert found.report.next_day == 21  # the dose of day 0 is given
    assert found.report.chances[0].next_trough[1] > 25


def test_a_level_below_the_limit_counts_as_that(tmp_path: Path) -> None:
    """It draws the fit down, less than the limit as a level does, and has no residual."""
    below = h2.individual(levels(tmp_path, "21,trastuzumab,<8,ug/mL"), "trastuzumab", PATIENT)
    exact = h2.individual(levels(tmp_path, "21,trastuzumab,3,ug/mL"), "trastuzumab", PATIENT)
    none = h2.individual(levels(tmp_path), "trastuzumab", PATIENT)
    clearance = [one.report.parameters[0].value for one in (none, below, exact)]
    assert clearance == sorted(clearance)
    assert below.report.levels[0].residual is None
    assert below.levels()["is_below"].to_list() == [True]


@pytest.mark.parametrize(
    ("value", "unit", "times"), [("14100", "ug/mL", "1000"), ("14.1", "ng/mL", "0.001")]
)
def test_units_that_are_off_are_told(tmp_path: Path, value: str, unit: str, times: str) -> None:
    found = h2.individual(
        levels(tmp_path, f"21,trastuzumab,{value},{unit}"), "trastuzumab", PATIENT
    )
    assert any(f"about {times} times what is expected" in note for note in found.notes)


def test_a_flattened_prior_follows_the_levels(example) -> None:
    flat = h2.individual(LEVELS, "trastuzumab", PATIENT, doses=DOSES, prior_weight=0.1)
    gap = [np.mean([abs(row.residual) for row in one.report.levels]) for one in (example, flat)]
    assert gap[1] < gap[0]


def test_models_are_weighed(tmp_path: Path) -> None:
    path = levels(tmp_path, "21,pertuzumab,40,ug/mL", "42,pertuzumab,48,ug/mL")
    found = h2.individual(path, "pertuzumab", PATIENT, typical=True, average=True)
    assert found.sources().height > 0
    weights = {row.model: row.weight for row in found.report.fits}
    assert len(weights) == 2
    assert sum(weights.values()) == pytest.approx(1)
    alone = {
        name: h2.individual(path, name, PATIENT, typical=True).report.chances[0].next_trough[1]
        for name in weights
    }
    joined = found.report.chances[0].next_trough[1]
    assert min(alone.values()) <= joined <= max(alone.values())


def test_counts_and_the_heart_are_fitted_with_the_levels() -> None:
    path = EXAMPLES / "levels_tdm1.csv"
    found = h2.individual(path, "t-dm1", PATIENT, typical=True, target="platelets>=50")
    names = {row.parameter for row in found.report.parameters}
    assert {"cl", "base_platelets", "platelets_slope"} <= names
    assert len({row.model for row in found.report.fits}) == 2  # a count that drifts down, or not
    assert {"blood", "heart", "trastuzumab-emtansine toxicity"} <= set(found.sources()["facts"])
    full, lower = found.report.chances[0].lowest[0], found.report.chances[1].lowest[0]
    assert full.test == "platelets"
    assert full.lowest[1] < lower.lowest[1]  # the lower dose spares them
    assert full.below_percent >= lower.below_percent
    assert found.report.chances[0].last_percent == pytest.approx(100 - full.below_percent, abs=15)
    assert "largest dose with platelets>=50" in found.report.chances[-1].label
    assert found.report.chances[-1].last_percent == pytest.approx(90, abs=2)


def test_an_lvef_moves_the_heart(tmp_path: Path) -> None:
    low = levels(tmp_path, "0,lvef,52,%", "84,lvef,44,%")
    found = h2.individual(low, "trastuzumab", PATIENT)
    start = next(row for row in found.report.parameters if row.parameter == "lvef_start")
    assert start.value < start.typical
    assert found.report.chances[0].lowest[0].limit == 50


def test_ways_to_go_on(example) -> None:
    """More is more; the dose that is searched for just reaches the target."""
    ways = {one.name: one for one in example.report.chances}
    wanted = example.report.chances[-1]
    assert "least dose with cmin>=20" in wanted.label
    assert wanted.last_percent == pytest.approx(90, abs=2)
    assert wanted.last_trough[1] > ways["q3w"].last_trough[1]
    more = h2.individual(
        LEVELS, "trastuzumab", PATIENT, doses=DOSES, candidates=["q3w%150", "q3w~28"]
    )
    troughs = {one.name: one.last_trough[1] for one in more.report.chances}
    assert troughs["q3w%150"] > troughs["q3w"] > troughs["q3w~28"]


def test_a_target_that_is_out_of_reach_is_told() -> None:
    for target, says in (("cmin>=900", "No dose between"), ("cmin>=0.1", "Any dose between")):
        found = h2.individual(LEVELS, "trastuzumab", PATIENT, doses=DOSES, target=target)
        assert any(says in note for note in found.notes)


def test_several_patients_come_with_a_table(tmp_path: Path) -> None:
    table = written(
        tmp_path / "who.csv",
        "patient,weight_kg,albumin_g_per_l,ast_u_per_l,liver_metastases,tumour_type\n"
        "3,60,40,24,0,breast\n5,90,38,30,1,breast\n",
    )
    path = written(
        tmp_path / "levels.csv",
        "patient,day,value,unit\n5,21,20,ug/mL\n3,21,35,ug/mL\n3,42,44,ug/mL\n",
    )
    found = h2.individual(path, "trastuzumab", table)
    assert found.fits()["n_levels"].to_list() == [2, 1]
    assert set(found.frame()["patient"]) == {"3", "5"}
    assert found.report.chances == ()
    with pytest.raises(DataError, match="are of one patient"):
        found.plot()
    alone = written(tmp_path / "alone.csv", "patient,day,value,unit\n5,21,20,ug/mL\n")
    again = h2.individual(alone, "trastuzumab", table).frame().filter(patient="5")
    assert again["value"].to_list() == found.frame().filter(patient="5")["value"].to_list()


def test_the_page_has_all_of_it(example) -> None:
    page = example.html()
    for text in ("never advice", "q3w", "14.1", "Research and education only", "<svg"):
        assert text in page
    assert example.candidates().height == len(example.report.chances)
    assert example.sources().height > 0


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["21,trastuzumab,14,ug/mL", "21,trastuzumab,15,ug/mL"], "two measurements of one kind"),
        (["21,pertuzumab,14,ug/mL"], "is no level of trastuzumab"),
        (["21,trastuzumab,0,ug/mL"], "nothing measured is zero"),
        (["21,trastuzumab,14,mmHg"], "is none of a level of trastuzumab; use ug/mL"),
        (["0,trastuzumab,14,ug/mL"], "is not after the first dose"),
        (["21,lvef,0.6,%"], "did you mean 60 %"),
        (["-1,trastuzumab,14,ug/mL"], "day 0 is that of the first dose"),
        (["x,trastuzumab,14,ug/mL", "21,trastuzumab,y,ug/mL"], "2 faults"),
        (["21,platelets,200,1/nL"], "does to platelets is not modelled"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, rows: list[str], says: str) -> None:
    with pytest.raises(DataError, match=says):
        h2.individual(levels(tmp_path, *rows), "trastuzumab", PATIENT)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["0,560", "0,420"], "two doses of trastuzumab on day 0"),
        (["30,560"], "not after the first dose of trastuzumab"),
        (["0,-5"], "must be above zero"),
        (["0,99999"], "not above 20000"),
    ],
)
def test_doses_that_contradict_are_refused(tmp_path: Path, rows: list[str], says: str) -> None:
    doses = written(tmp_path / "doses.csv", "\n".join(["day,dose_mg", *rows]) + "\n")
    with pytest.raises(DataError, match=says):
        h2.individual(LEVELS, "trastuzumab", PATIENT, doses=doses)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"drug": "anastrozole"}, "no level of anastrozole"),
        ({"drug": "trastuzumab", "target": "cmin"}, "write cmin>=20"),
        ({"drug": "trastuzumab", "target": "cmim>=20"}, "did you mean 'cmin'"),
        ({"drug": "trastuzumab", "target": "platelets>=50"}, "no platelets was measured"),
        ({"drug": "trastuzumab", "average": True}, "has one model"),
        ({"drug": "trastuzumab", "candidates": ["q3w%100"]}, "is there already"),
        ({"drug": "trastuzumab", "candidates": ["q3w%0"]}, "way to go on 'q3w%0': %0: use 5"),
        ({"drug": "trastuzumab", "target": "cmin>=0"}, "above zero"),
        ({"drug": "trastuzumab", "prior_weight": 0.01}, "prior_weight"),
        ({"drug": "trastuzumab", "candidates": ["q4w"]}, "no regimen 'q4w'"),
        ({"drug": "trastuzumab", "candidates": ["q3w@21"]}, "write a regimen"),
        ({"drug": "trastuzumab:quartino2019", "average": True}, "names one model"),
        ({"drug": "trastuzumab", "time_unit": "day"}, "time_unit: nothing of it is used"),
        ({"drug": "trastuzumab", "patient": None}, "patient is missing"),
    ],
)
def test_what_is_asked_in_vain_is_refused(asked: dict, says: str) -> None:
    with pytest.raises(Her2SimError, match=says):
        h2.individual(**({"levels": LEVELS, "patient": PATIENT} | asked))


def test_another_form_is_not_dropped(tmp_path: Path) -> None:
    """In a list of doses as in a record."""
    doses = written(
        tmp_path / "d.csv", "day,drug,dose_mg\n0,trastuzumab,560\n21,Herceptin SC,600\n"
    )
    with pytest.raises(DataError, match="another form than trastuzumab"):
        h2.individual(LEVELS, "trastuzumab", PATIENT, doses=doses)


def test_a_time_on_the_day_of_an_untimed_dose_is_asked_for(tmp_path: Path) -> None:
    doses = written(tmp_path / "d.csv", "date,dose_mg\n2026-01-01,560\n2026-01-22,420\n")
    timed = written(tmp_path / "l.csv", "date,value,unit\n2026-01-22 08:00,14,ug/mL\n")
    with pytest.raises(DataError, match="whose time is not told"):
        h2.individual(timed, "trastuzumab", PATIENT, doses=doses)
    zone = written(tmp_path / "z.csv", "date,value,unit\n2026-01-22T08:00+02:00,14,ug/mL\n")
    with pytest.raises(DataError, match="has a time zone"):
        h2.individual(zone, "trastuzumab", PATIENT, doses=doses)


def test_levels_below_the_limit_are_compared_too(tmp_path: Path) -> None:
    """Nobody of this model is below 0.5 before the second and the third dose."""
    path = levels(tmp_path, "21,trastuzumab,<0.5,ug/mL", "42,trastuzumab,<0.5,ug/mL")
    found = h2.individual(path, "trastuzumab", PATIENT)
    assert found.report.fits[0].usual_percent < 1
    assert any("outside what 99 %" in note for note in found.notes)


def test_nothing_to_come_is_shown_where_the_model_does_not_fit(tmp_path: Path) -> None:
    """A unit that is off by 1000, or a level that no patient can have."""
    for value in ("14100", "1e9"):
        path = levels(tmp_path, f"21,trastuzumab,{value},ug/mL")
        found = h2.individual(path, "trastuzumab", PATIENT)
        assert found.report.chances == ()
        assert any("No way to go on" in note for note in found.notes)
        if found.report.bands is not None:
            assert "never advice" in found.html()


def test_doses_at_another_interval_are_told(tmp_path: Path) -> None:
    found = h2.individual(LEVELS, "trastuzumab", PATIENT, doses=DOSES, regimen="qw")
    assert any("21 days apart, and qw has 7" in note for note in found.notes)


def test_what_several_patients_cannot_use_is_refused(tmp_path: Path) -> None:
    table = written(
        tmp_path / "who.csv",
        "weight_kg,albumin_g_per_l,ast_u_per_l,liver_metastases,tumour_type\n"
        "60,40,24,0,breast\n90,38,30,1,breast\n",
    )
    path = written(tmp_path / "levels.csv", "patient,day,value,unit\n1,21,20,ug/mL\n")
    with pytest.raises(DataError, match="target, cycles: nothing of it is used"):
        h2.individual(path, "trastuzumab", table, target="cmin>=20", cycles=3)
    doses = written(tmp_path / "doses.csv", "patient,day,dose_mg\n1,0,480\n")
    with pytest.raises(DataError, match="no dose of trastuzumab for patient 2"):
        h2.individual(path, "trastuzumab", table, doses=doses)


def test_an_event_table_keeps_its_times(tmp_path: Path) -> None:
    """After the long past of a steady state, days are those of the file."""
    head = "ID,TIME,AMT,DUR,II,SS,EVID,DV,WEIGHT_KG,ALBUMIN_G_PER_L,AST_U_PER_L,LIVER_METASTASES\n"
    table = written(
        tmp_path / "events.csv",
        f"{head}1,0,420,0.02,21,1,1,.,68,41,24,0\n1,20,.,.,.,.,0,22,68,41,24,0\n",
    )
    found = h2.individual(table, "trastuzumab", covariates=["tumour_type=breast"], time_unit="day")
    assert found.report.levels[0].day == pytest.approx(20)
    assert found.report.next_day == pytest.approx(21)
    assert found.report.bands.day[0] == pytest.approx(0)


def test_the_tumour_follows_the_levels(example) -> None:
    """Low levels shrink it less; without a file of the patient, or a model, it is refused."""
    found = h2.individual(LEVELS, "trastuzumab", PATIENT, doses=DOSES, tumour=True)
    population, own = found.report.bands.tests["tumour"]
    assert population[0] == pytest.approx([100, 100, 100])
    assert own[-1, 0] > population[-1, 0]  # those who would respond, respond less
    assert found.report.bands.patient == pytest.approx(example.report.bands.patient)
    assert found.plot()._repr_png_().startswith(b"\x89PNG")
    observed = EXAMPLES / "trastuzumab_observed.csv"
    asked = {"covariates": ["tumour_type=breast"], "time_unit": "day"}
    with pytest.raises(DataError, match="needs one patient as a file"):
        h2.individual(observed, "trastuzumab", tumour=True, **asked)


@pytest.mark.parametrize(
    ("drug", "unit", "says"),
    [
        ("docetaxel", "ng/mL", "follows the doses, not the levels"),
        ("ramucirumab", "ug/mL", "is not modelled"),
    ],
)
def test_a_tumour_without_a_model_is_refused(
    tmp_path: Path, drug: str, unit: str, says: str
) -> None:
    path = levels(tmp_path, f"0.5,{drug},40,{unit}")
    with pytest.raises(DataError, match=says):
        h2.individual(path, drug, PATIENT, typical=True, tumour=True, residual_cv=30)
