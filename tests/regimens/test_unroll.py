"""Event tables against a closed form: one compartment, doses added up by hand.

The same semantics as NONMEM's reference cases, which are not shipped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from her2sim.errors import DataError, DoseError
from her2sim.studies.dataset import run_events

CL, V, KA = 1.1, 20.0, 1.5
KE = CL / V
TIMES = [0.5, 3.0, 7.0, 11.0, 12.0, 13.0, 19.5, 24.0, 25.0, 36.5, 48.0, 60.0]
WISHES = {
    "drug": None,
    "structure": "one_compartment_oral",
    "typical": False,
    "constants": (),
    "settings": (f"cl={CL}", f"v={V}", f"ka={KA}"),
    "ignore": (),
    "time_unit": "h",
    "carry": "nocb",
    "acts_on": "central",
    "seed": 1,
    "lag_column": None,
    "f_column": None,
    "rate_column": None,
    "duration_column": None,
}
PAST = 400  # doses of a past long enough for a steady state


def infusion(t, start: float, rate: float, duration: float):
    """Concentration of an infusion into the central compartment, ng/mL."""
    on = np.clip(np.asarray(t) - start, 0, duration)
    after = np.clip(np.asarray(t) - start - duration, 0, None)
    return 1000 * rate / CL * (1 - np.exp(-KE * on)) * np.exp(-KE * after)


def bolus(t, start: float, amount: float):
    """Concentration after a bolus; additional doses come before the readings of their time."""
    since = np.asarray(t) - start
    return np.where(since >= 0, 1000 * amount / V * np.exp(-KE * np.clip(since, 0, None)), 0.0)


def oral(t, start: float, amount: float):
    since = np.clip(np.asarray(t) - start, 0, None)
    return 1000 * amount * KA / V / (KA - KE) * (np.exp(-KE * since) - np.exp(-KA * since))


def predict(folder: Path, doses: list[str], header: str = "", **options: object) -> np.ndarray:
    """Predictions at TIMES after dose records ``time,evid,amt,cmt,rate,ii,addl,ss``."""
    extra = ",0" * header.count(",")
    records = [(float(d.split(",")[0]), 1, f"1,{d}") for d in doses]
    records += [(t, 0, f"1,{t},0,0,1,0,0,0,0{extra}") for t in TIMES]
    lines = [text for *_, text in sorted(records, key=lambda r: r[:2])]
    path = folder / "events.csv"
    path.write_text("\n".join([f"ID,TIME,EVID,AMT,CMT,RATE,II,ADDL,SS{header}", *lines]))
    return run_events(path, **WISHES | options)[1].individual_prediction


T = np.array(TIMES)
past = range(PAST, 0, -1)
CASES = {
    "bolus with additional doses": (
        ["0,1,100,2,0,12,3,0"],
        sum(bolus(T, 12 * k, 100) for k in range(4)),
    ),
    "oral": (["0,1,100,1,0,0,0,0"], oral(T, 0, 100)),
    "infusion with additional doses": (
        ["0,1,100,2,10,24,2,0"],
        sum(infusion(T, 24 * k, 10, 10) for k in range(3)),
    ),
    "infusion longer than the interval": (
        ["0,1,100,2,5,12,3,0"],
        sum(infusion(T, 12 * k, 5, 20) for k in range(4)),
    ),
    "doses every 4.5 h": (["0,1,50,2,0,4.5,9,0"], sum(bolus(T, 4.5 * k, 50) for k in range(10))),
    "steady state of boluses": (
        ["0,1,100,2,0,12,0,1"],
        bolus(T, 0, 100) + sum(bolus(T, -12 * k, 100) for k in past),
    ),
    "steady state of infusions longer than the interval": (
        ["0,1,100,2,8,6,0,1"],
        infusion(T, 0, 8, 12.5) + sum(infusion(T, -6 * k, 8, 12.5) for k in past),
    ),
    "steady state of a constant infusion": (
        ["0,1,0,2,100,0,0,1"],
        1000 * 100 / CL * np.exp(-KE * T),
    ),
    "steady state forgets what was before": (
        ["0,1,700,2,10,5,9,0", "10,1,100,2,0,12,0,1"],
        np.where(
            T < 10,
            sum(infusion(T, 5 * k, 10, 70) for k in range(2)),
            bolus(T, 10, 100) + sum(bolus(T, 10 - 12 * k, 100) for k in past),
        ),
    ),
    "a second steady state is added": (
        ["0,1,100,2,10,0,0,0", "6,1,50,2,0,12,0,2"],
        infusion(T, 0, 10, 10)
        + np.where(T < 6, 0, bolus(T, 6, 50) + sum(bolus(T, 6 - 12 * k, 50) for k in past)),
    ),
    "a reset stops everything": (
        ["0,1,240,2,10,12,5,0", "13.5,3,0,1,0,0,0,0"],
        np.where(T < 13.5, sum(infusion(T, 12 * k, 10, 24) for k in range(2)), 0.0),
    ),
    "reset and dose": (
        ["0,1,240,2,10,12,5,0", "13.5,4,120,2,0,0,0,0"],
        np.where(T < 13.5, sum(infusion(T, 12 * k, 10, 24) for k in range(2)), bolus(T, 13.5, 120)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_closed_form(tmp_path: Path, name: str) -> None:
    doses, exact = CASES[name]
    # Default tolerance 1e-7, summed over up to 400 doses of a steady state.
    assert predict(tmp_path, doses) == pytest.approx(exact, rel=5e-6, abs=1e-4)


def test_lag_and_bioavailability_columns(tmp_path: Path) -> None:
    header, options = ",LAG,BIO", {"lag_column": "LAG", "f_column": "BIO"}
    found = predict(tmp_path, ["0,1,100,2,10,24,1,0,3.25,0.4"], header, **options)
    exact = sum(infusion(T, 24 * k + 3.25, 10, 4) for k in range(2))  # F shortens the infusion
    assert found == pytest.approx(exact, rel=1e-6, abs=1e-6)


def test_rates_and_durations_from_columns(tmp_path: Path) -> None:
    header = ",RAT2,DUR2,BIO"
    options = {"rate_column": "RAT2", "duration_column": "DUR2", "f_column": "BIO"}
    by_rate = predict(tmp_path, ["0,1,100,2,-1,0,0,0,10,0,0.5"], header, **options)
    assert by_rate == pytest.approx(infusion(T, 0, 10, 5), rel=1e-6, abs=1e-6)
    by_duration = predict(tmp_path, ["0,1,100,2,-2,0,0,0,0,8,0.5"], header, **options)
    assert by_duration == pytest.approx(infusion(T, 0, 50 / 8, 8), rel=1e-6, abs=1e-6)


def test_a_modelled_rate_needs_its_column(tmp_path: Path) -> None:
    with pytest.raises(DoseError, match=r"row 2 \(ID 1, TIME 0\): RATE is -1, .* --rate-column"):
        predict(tmp_path, ["0,1,100,2,-1,0,0,0"])


def test_order_of_records_decides_at_one_time(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "ID,TIME,EVID,AMT,CMT,RATE\n1,0,1,100,2,0\n1,6,0,0,2,0\n1,6,1,100,2,0\n1,6,0,.,2,0\n"
    )
    before, after = run_events(path, **WISHES)[1].individual_prediction
    assert after - before == pytest.approx(1000 * 100 / V, rel=1e-9)


def test_the_flat_dose_list_says_what_is_given(tmp_path: Path) -> None:
    columns = {"lag_column": "LAG", "f_column": "BIO"}
    predict(tmp_path, ["0,1,100,2,10,24,1,0,3.25,0.4"], ",LAG,BIO", **columns)
    first, second = run_events(tmp_path / "events.csv", **WISHES | columns)[1].doses
    assert (first.kind, first.compartment, first.amount_mg) == ("dose", "central", 40.0)
    assert first.start_day == pytest.approx(3.25 / 24)
    assert first.end_day == pytest.approx(7.25 / 24)
    assert first.rate_mg_per_day == pytest.approx(240)
    assert second.kind == "additional 1"
    assert second.start_day == pytest.approx(27.25 / 24)


def test_no_steady_state_without_elimination(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="parameter cl must be above zero"):
        predict(tmp_path, ["0,1,100,2,0,12,0,1"], settings=("cl=0", "v=20", "ka=1"))
