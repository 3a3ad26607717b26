"""The chain of a patient: its stages say what the course says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from her2sim.timeline.result import progressed_day
from her2sim.trials.death import alive_share, days_of, draw_levels, medians_after, own_median
from her2sim.web.chain import chain, followed
from her2sim.web.charts import Chart, ChartCurve, chart_svg, lanes_svg, number, ticks
from her2sim.web.lessons import icon_arrays, lessons
from her2sim.web.patient_question import PatientQuestion
from her2sim.web.questions import question_of
from her2sim.web.rules_shown import RulesView
from her2sim.web.stage_numbers import numbers_behind

HELD = PatientQuestion()


def rules(question: PatientQuestion) -> RulesView:
    """What rules did."""
    found = chain(question, has_band=True).rules
    assert found is not None
    return found


def test_stages_stand_in_their_order() -> None:
    """From the test to survival, each with a headline."""
    keys = [stage.key for stage in chain(HELD).stages]
    assert keys == ["test", "receptors", "levels", "occupancy", "payload", "signal", "tumour",
                    "heart", "counts", "rule", "next", "outcome", "survival"]  # fmt: skip
    assert all(stage.value and stage.detail for stage in chain(HELD).stages)


def test_the_tumour_is_that_of_the_course() -> None:
    """The headline is the last value of the simulated patient."""
    course = followed(HELD)
    (band,) = (band for band in course.body if band.test == "progression")
    assert chain(HELD).stage("tumour").value == number(float(band.own[-1]))


def test_the_band_changes_nothing_of_the_patient() -> None:
    """Patients like this one stand beside it: its own line is the same to the bit."""
    alone, beside = followed(HELD), followed(HELD).with_twins(20)
    for one, other in zip(
        (*alone.body, *alone.stages), (*beside.body, *beside.stages), strict=True
    ):
        assert (one.own == other.own).all()
        assert one.p5.size == 0
        assert other.p5.size == other.own.size


def test_the_levels_have_the_unit_of_the_drug() -> None:
    """Tucatinib is told in ng/mL, antibodies in ug/mL; a peak is above its trough."""
    course = followed(PatientQuestion(regimen="HER2CLIMB"))
    levels = {band.test: band for band in course.stages if band.test.startswith("conc_")}
    assert levels["conc_tucatinib"].unit == "ng/mL"
    assert 50 < np.max(levels["conc_tucatinib"].own) < 2000  # Cmax of some 450 in the label
    trastuzumab = levels["conc_trastuzumab"].own
    assert 100 < np.max(trastuzumab) < 400
    assert np.max(trastuzumab) > 2 * trastuzumab[-1]


def test_the_rules_are_visible() -> None:
    """The lung is inflamed, the drug held and resumed at less: each with its row and source."""
    rows = rules(HELD).rows
    assert [row[3] for row in rows] == ["hold", "resume", "reduce"]
    assert all("ild" in row[5] and row[7] for row in rows)
    (lane,) = rules(HELD).lanes
    ((begun, over),) = lane.holds
    assert 0 < begun < over < HELD.weeks
    assert not [week for week, _, _ in lane.doses if begun < week < over]
    assert lane.doses[-1][1] < lane.doses[0][1]
    assert rows[0][4] == "grade of lung disease 1"
    assert rows[2][4] == "days on hold 63"
    assert rows[2][6] == "days on hold > 28"
    assert "without them" in rules(HELD).difference


def test_the_difference_is_told_from_both_sides() -> None:
    """Rules on or off, the same sentence; off, there is no decision but progression."""
    off = rules(HELD.model_copy(update={"rules": False}))
    assert off.difference == rules(HELD).difference
    assert {row[3] for row in off.rows} <= {"end", "stop"}
    on, without = (followed(HELD.model_copy(update={"rules": r})).drugs[0] for r in (True, False))
    assert f"{number(on.given_mg)} mg of {on.drug} against {number(without.given_mg)}" in (
        off.difference
    )
    assert not rules(PatientQuestion(regimen="trastuzumab", weeks=12, rules=False)).difference
    tumour = chain(HELD, has_band=True).stage("tumour").charts[0]
    assert [curve.kind for curve in tumour.curves] == ["own", "other"]


@pytest.mark.parametrize(
    ("fields", "value", "text"),
    [
        ({"weeks": 30}, "on hold", "on hold since week 27, grade of lung disease 1"),
        ({"weeks": 6, "missed": 3}, "week 9", "mg, 2 given so far"),
        ({"regimen": "trastuzumab", "missed": 4, "weeks": 10}, "week 12", "(reload)"),
        (
            {"regimen": "tch", "weeks": 60},
            "week 60",
            "docetaxel: none is planned any more, 6 given so far",
        ),
        (
            {"seed": 37, "weeks": 8},
            "none",
            "planned for week 9, but it ends in week 9, progression",
        ),
        ({"regimen": "tch", "missed": 3, "weeks": 60}, "week 60", "5 given so far, 1 missed"),
        (
            {"regimen": "HER2CLIMB", "weeks": 52},
            "week 52",
            "capecitabine: ended in week 29, no lower dose level is left",
        ),
    ],
)
def test_the_next_dose_is_that_of_the_longer_course(
    fields: dict[str, object], value: str, text: str
) -> None:
    """What is told at a week is what the same patient gets when it is followed further."""
    question = PatientQuestion.model_validate(fields)
    stage = chain(question, has_band=True).stage("next")
    assert stage.value == value
    assert text in stage.detail
    longer = followed(question.model_copy(update={"weeks": question.weeks + 20}))
    for drug, later in zip(followed(question).drugs, longer.drugs, strict=True):
        n = len(drug.doses)
        assert later.doses[:n] == drug.doses
        if later.doses[n:]:
            assert f"{number(later.doses[n].dose_mg)} mg" in stage.detail


def test_rules_read_the_dots() -> None:
    """What was measured is drawn: the reading of a decision is one of the dots."""
    question = PatientQuestion(regimen="trastuzumab", lvef_percent=52, seed=5)
    heart = chain(question).stage("heart")
    (dots,) = heart.charts[0].points
    (held,) = (d for d in followed(question).decisions if d.decision == "hold")
    at_hold = float(dots.y[np.argmin(np.abs(dots.x - held.day / 7))])
    assert held.reading == pytest.approx(float(dots.y[0]) - at_hold)
    assert f"lowest measured {np.min(dots.y):.0f} %" in heart.detail
    assert heart.is_marked


def test_a_scan_on_the_last_day_is_not_done_yet() -> None:
    """Weeks are told as those before: until the first scan nothing is said of progression."""
    for weeks, value, detail in ((9, "–", "no scan yet"), (10, "week 9", "seen by a scan")):
        asked = PatientQuestion(regimen="trastuzumab-deruxtecan-alone", seed=37, weeks=weeks)
        stage = chain(asked).stage("outcome")
        assert (stage.value, stage.detail) == (value, detail)


def test_survival_falls_from_progression_on() -> None:
    """The share alive is that of drawn deaths; half of those who progress die in the median."""
    question = PatientQuestion(regimen="trastuzumab-emtansine", seed=3, weeks=52)
    course = followed(question)
    seen = progressed_day(course.readings)
    assert np.isfinite(seen)
    people = course.modelled.one
    median = own_median(medians_after(people), people.tumours.traits["earlier_lines"])
    n = 40_000
    levels = draw_levels(1, np.arange(n))
    lines = np.repeat(people.tumours.traits["earlier_lines"], n)
    died = days_of(*levels, np.full(n, seen), lines, np.repeat(medians_after(people), n, axis=1))
    days = np.array([100.0, 500.0, 1000.0, 2000.0])
    expected = (died[:, None] > days).mean(axis=0)
    # four standard errors of a share of 40,000
    assert alive_share(days, seen, float(median[0])) == pytest.approx(expected, abs=0.01)
    assert chain(question).stage("survival").value != chain(HELD).stage("survival").value


def test_a_missed_dose_is_loaded_again() -> None:
    """The label of trastuzumab asks for the loading dose after a miss."""
    question = PatientQuestion(regimen="trastuzumab", missed=4, lines_before=0, seed=3)
    (lane,) = rules(question).lanes
    assert [mark.kind for mark in lane.marks if mark.kind == "reload"] == ["reload"]
    weeks = [round(week) for week, _, _ in lane.doses]
    assert weeks[:4] == [0, 3, 6, 12]


@pytest.mark.parametrize("regimen", ["CLEOPATRA", "HER2CLIMB", "trastuzumab-emtansine", "PHOEBE"])
def test_charts_are_whole_and_say_what_they_show(regimen: str) -> None:
    """Each is sound SVG with a title, a text and no number that is none."""
    for stage in chain(PatientQuestion(regimen=regimen), has_band=True).stages:
        for chart in stage.charts:
            text = chart_svg(chart)
            root = ET.fromstring(text)
            assert root.attrib["role"] == "img"
            assert chart.title in root.attrib["aria-label"]
            assert not re.search(r"\bnan\b|\binf\b", text)


def test_charts_escape_what_they_are_told() -> None:
    """A title is no markup."""
    shown = chart_svg(
        Chart("<script>", "<b>", "x", "y", (ChartCurve("&", np.arange(3.0), np.ones(3)),))
    )
    assert "<script>" not in shown
    assert ET.fromstring(shown).attrib["aria-label"].startswith("<script>")
    assert (
        ET.fromstring(lanes_svg(rules(HELD).lanes, 52.0).split("</svg>")[0] + "</svg>") is not None
    )


def test_flat_and_empty_charts() -> None:
    """One value, or none, is no fault."""
    for x, y in ((np.arange(2.0), np.zeros(2)), (np.empty(0), np.empty(0))):
        assert chart_svg(Chart("t", "d", "x", "y", (ChartCurve("c", x, y),))).startswith("<svg")
    assert ticks(0.0, 52.0, 7)[-1] <= 52


@pytest.mark.parametrize(
    "stage",
    ["receptors", "levels", "occupancy", "payload", "tumour", "heart", "next", "survival"],
)
def test_numbers_behind_a_stage_have_a_source(stage: str) -> None:
    """Value, unit, status, and whence."""
    rows = numbers_behind(stage, HELD)
    assert rows
    assert all(row.value and row.unit and row.source for row in rows)
    assert {row.status for row in rows} <= {
        "published", "calibrated", "assumed", "label-derived surrogate",
    }  # fmt: skip


def test_lessons_open_what_they_say() -> None:
    """Each has an answer among its choices, and its link is a question of the page."""
    for lesson in lessons():
        assert 0 <= lesson.answer < len(lesson.choices)
        path, _, query = lesson.link.partition("?")
        from urllib.parse import parse_qsl

        assert question_of(path.strip("/"), dict(parse_qsl(query)))


def test_each_stage_has_a_lesson() -> None:
    """In the order of the chain; the kinase is told with the signal."""
    assert [lesson.stage for lesson in lessons()] == [stage.key for stage in chain(HELD).stages]


def test_what_lessons_say_is_so() -> None:
    """Neutrophils are lowest a week after docetaxel; the dose stays down after its step."""
    asked = PatientQuestion(regimen="CLEOPATRA", lines_before=0, seed=1)
    (counts,) = (band for band in followed(asked).body if band.test == "neutrophils")
    first = counts.time_day < 21
    assert 6 <= counts.time_day[first][np.nanargmin(counts.own[first])] <= 10
    (lane,) = rules(HELD).lanes
    shares = [share for _, share, _ in lane.doses]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < shares[0]


def test_icon_arrays_are_published_shares() -> None:
    """Of 100 people so many, with the source; DESTINY-Breast03 at a year: 76 and 34."""
    arrays = icon_arrays("destiny-breast03")
    assert [array.count for array in arrays[:2]] == [76, 34]
    assert all(array.source for array in arrays)
    assert "DESTINY-Breast03, breast cancer that has spread" in arrays[0].title
    assert any("10 years" in array.text for array in icon_arrays("hera"))
