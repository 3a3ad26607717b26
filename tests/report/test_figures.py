"""Figures: what they show is what was worked out, nothing covers data, all can be told apart."""

from __future__ import annotations

import itertools
import math

import numpy as np
import polars as pl
import pytest

import her2sim as h2
from her2sim.errors import DataError
from her2sim.report import canvas
from her2sim.report.patients_figures import KINDS
from her2sim.studies.trial.report import AT_RISK_MONTH


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str = "#ffffff") -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*canvas.COLOURS, canvas.LINE, canvas.PRINTED, canvas.FAINT])
def test_lines_and_letters_can_be_read_on_white(colour: str) -> None:
    """4.5 to 1 for letters (WCAG 2.2, 1.4.3)."""
    assert contrast(colour) >= 4.5


def test_arms_are_told_apart_without_colour() -> None:
    assert len(set(map(str, canvas.STYLES))) >= 8
    assert len(set(canvas.MARKERS)) >= 8
    looks = [(round(luminance(colour), 1), hatch) for colour, hatch in KINDS.values()]
    assert len(set(looks)) == len(looks)  # in grey, by shade or by hatching


@pytest.fixture(scope="module")
def emilia():
    return h2.run_trial("emilia", 300, 1)


def test_curves_carry_the_band_of_what_may_be_seen(emilia) -> None:
    """From 150 patients an arm on; the band of chance only if it is asked for."""
    assert "90 % band of what may be seen" in emilia.plot_km()._suptitle.get_text()
    alone = h2.run_trial("emilia", 60, 1, members=1)
    assert "95 % band of chance alone" in alone.plot_km()._suptitle.get_text()


def test_the_time_axis_is_the_same_above_and_below(emilia) -> None:
    figure = emilia.plot_km()
    limits = {axes.get_xlim() for axes in figure.axes}
    assert len(limits) == 1
    figure.canvas.draw()
    places = {round(axes.get_position().x0, 3) for axes in figure.axes}
    assert len(places) == 1


def test_counts_below_are_those_of_the_patients(emilia) -> None:
    """At risk, events and censored add up to all; the numbers stand in the figure."""
    figure = emilia.plot_km()
    shown = {text.get_text() for axes in figure.axes for text in axes.texts}
    for arm in emilia.report.arms:
        table = emilia.patients(arm.id)
        until = np.minimum(table["cut_day"], table["lost_day"]).to_numpy()
        event = np.minimum(table["progressed_day"], table["death_day"]).to_numpy()
        month = np.minimum(until, event) * 12 / 365.25
        for k, at in enumerate(AT_RISK_MONTH):
            had = int(((event <= until) & (month < at)).sum())
            at_risk = int((month >= at).sum())
            assert arm.at_risk["PFS"][k] == at_risk
            assert arm.events["PFS"][k] == had
            assert at_risk + had + arm.censored("PFS")[k] == arm.n
        assert str(arm.at_risk["PFS"][1]) in shown
        assert f"{arm.events['PFS'][1]} ({arm.censored('PFS')[1]})" in shown


def test_an_own_trial_does_not_speak_of_published_figures() -> None:
    own = h2.run_trial("examples/trial_own.toml", 40, 1)
    figure = own.plot_km()
    words = [figure._suptitle.get_text()]
    words += [t.get_text() for axes in figure.axes if (legend := axes.get_legend())
              for t in legend.get_texts()]  # fmt: skip
    assert not any("published" in text for text in words)


def test_a_curve_that_rests_on_next_to_nothing_says_so() -> None:
    small = h2.run_trial("examples/trial_own.toml", 30, 1, members=2)
    thin = [note for note in small.notes if "next to chance" in note]
    for arm in small.report.arms:
        table = small.patients(arm.id).filter(pl.col("member") == 0)
        seen = pl.min_horizontal("cut_day", "lost_day")
        deaths = table.filter(pl.col("death_day") <= seen).height
        assert deaths < 10
        words = f"OS of {arm.id}: the curve and its median rest on few events ({deaths} in"
        assert any(note.startswith(words) for note in thin)


def boxes(figure) -> list:
    """Each legend with its panel, in pixels, after the figure was laid out."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    return [
        (legend.get_window_extent(renderer), axes.get_window_extent(renderer))
        for axes in figure.axes
        if (legend := axes.get_legend()) is not None
    ]


def test_departures_stand_on_the_timeline(tmp_path) -> None:
    """A mark for each at its day, with its row; those with most departures where not all fit."""
    found = h2.check("examples/record_departures.csv")
    (axes,) = found.plot().axes
    told = {text.get_text(): text.xy[0] for text in axes.texts}
    first = {}
    for entry in found.entries:
        first.setdefault(entry.patient, entry.day)
    days = {entry.row: (entry.day - first[entry.patient]) / 7 for entry in found.entries}
    assert told == {str(d.row): days[d.row] for d in found.report.departures}
    n = 60
    lines = ["patient,date,type,drug,route,dose_mg,test,value,unit,grade"]
    for k in range(n):
        lines += [f"N{k},2026-01-02,lab,,,,weight,70,kg,", f"N{k},2026-01-02,lab,,,,lvef,62,%,",
                  f"N{k},2026-01-05,dose,trastuzumab,iv,{560 if k else 280},,,,"]  # fmt: skip
    path = tmp_path / "many.csv"
    path.write_text("\n".join(lines))
    many = h2.check(path).plot()
    names = [label.get_text() for label in many.axes[0].get_yticklabels()]
    assert len(names) == 40
    assert "N0" in names
    assert f"40 of {n} patients" in " ".join(many._suptitle.get_text().split())


def test_legends_cover_no_data(emilia) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    delay = h2.delay("trastuzumab", "mbc", 40, 1)
    course = h2.course("examples/patient_mbc.toml", "thp", 24, seed=1)
    shortage = h2.shortage("trastuzumab", "mbc", 40, 1, weeks=(12, 18))
    figures = [
        emilia.plot_km(), emilia.plot_waterfall(20), emilia.plot_spider(20),
        emilia.plot_swimmer(20), emilia.plot_forest(), delay.plot(), shortage.plot(),
        course.plot(), h2.exposure("trastuzumab", "mbc", 40, 1).plot(),
        h2.check("examples/record_departures.csv").plot(),
    ]  # fmt: skip
    for figure in figures:
        FigureCanvasAgg(figure)
        for legend, panel in boxes(figure):
            inside = (
                min(legend.y1, panel.y1) - max(legend.y0, panel.y0) > 1
                and min(legend.x1, panel.x1) - max(legend.x0, panel.x0) > 1
            )
            assert not inside, figure._suptitle and figure._suptitle.get_text()


def test_single_patients_are_those_of_the_run(emilia) -> None:
    """Scans, progression and death of the same numbers, as stored; changes as RECIST counts."""
    for arm in emilia.courses(30):
        table = emilia.patients(arm.id)
        for row, patient in zip(table.head(30).iter_rows(named=True), arm.patients, strict=True):
            assert row["patient"] == patient.number
            if math.isfinite(patient.progressed_month):
                day = patient.progressed_month * 365.25 / 12
                assert day == pytest.approx(row["progressed_day"])
            assert patient.scan_month[0] == patient.change_percent[0] == 0
            if patient.response in ("partial", "complete"):
                assert patient.best_percent <= -30
            assert (np.diff(patient.scan_month) > 0).all()
            if patient.scan_month.size > 1 and row["best"] < 1:
                seen = patient.change_percent[1:].min() / 100 + 1
                assert seen <= row["best"] + 1e-9 or row["scanned_day"] > min(
                    row["cut_day"], row["lost_day"], row["death_day"]
                )


def test_a_waterfall_has_a_bar_for_each_patient_that_was_scanned(emilia) -> None:
    figure = emilia.plot_waterfall(25)
    for axes, arm in zip(figure.axes, emilia.courses(25), strict=True):
        heights = [bar.get_height() for bar in axes.patches]
        best = sorted((p.best_percent for p in arm.patients if p.scan_month.size > 1), reverse=True)
        assert heights == pytest.approx(np.minimum(best, 100))


def test_figures_that_a_trial_cannot_have_are_refused_before_the_run(her2sim) -> None:
    done = her2sim("trial", "run", "apt", "--seed", "1", "--forest", "a.png", "--spider",
                   "b.png")  # fmt: skip
    assert done.returncode == 2
    assert "2 faults" in done.stderr
    assert "spider: needs lesions that are scanned" in done.stderr
    assert "forest: needs a hazard ratio of two arms" in done.stderr


def test_the_figures_of_a_trial_are_written(her2sim, tmp_path) -> None:
    kinds = ("figure", "forest", "waterfall", "spider", "swimmer")
    names = list(itertools.chain(*((f"--{kind}", f"{kind}.svg") for kind in kinds)))
    done = her2sim("trial", "run", "emilia", "--per-arm", "30", "--seed", "1", *names)
    assert done.returncode == 0, done.stderr
    for kind in kinds:
        assert f"wrote {kind}.svg" in done.stdout
        assert "<svg" in (tmp_path / f"{kind}.svg").read_text(encoding="utf-8")


def test_a_covariate_moves_exposure_as_the_model_says() -> None:
    """AUC of a linear model goes with dose over clearance: weight acts on both."""
    found = h2.covariates("pertuzumab", "ebc", 500, 1)
    rows = found.report.rows
    pk = found.report.treatment.pk
    albumin = next(r for r in pk.covariate if r.covariate == "albumin_g_per_l" and r.on == "cl")
    for row in rows:
        if row.covariate == "albumin_g_per_l":
            factor = albumin.factor(np.array([row.value]))[0]
            assert row.auc_ratio == pytest.approx(1 / factor, rel=0.01)  # 1 %: the last half-life
    spread = [row.auc_ratio for row in rows if row.reference is None]
    assert spread[0] < 1 < spread[1]
    assert found.plot().axes
    with pytest.raises(DataError, match="depends on no characteristic"):
        h2.covariates("tucatinib", "mbc", 50, 1)


def test_the_tornado_shows_means_of_the_outcome() -> None:
    """A number that moves an outcome up is higher at its high end; means lie inside the range."""
    found = h2.sensitivity("thp", "mbc", 5, 1, samples=32, weeks=12)
    for row in found.report.rows:
        if row.outcome == "objective response":
            assert 0 <= row.at_low <= 1
            assert 0 <= row.at_high <= 1
    assert len(found.plot().axes) >= 2
