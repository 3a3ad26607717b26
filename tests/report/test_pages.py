"""Pages in HTML: the course of a patient and the comparison with what was published."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import jinja2
import pytest

from her2sim.notice import NOTICE
from her2sim.patients.patient import load_patient
from her2sim.report import timeline_page, validation_page
from her2sim.report.html import render
from her2sim.report.tables import number_text
from her2sim.studies.validation import ValidationRow
from her2sim.timeline.run import TimelinePlan, patient_timeline
from tests.conftest import ROOT
from tests.pages import HOSTILE, read_page


@pytest.fixture(scope="module")
def course():
    """A short simulated course."""
    patient = load_patient(ROOT / "examples" / "patient_mbc.toml")
    return patient_timeline(patient, TimelinePlan(("thp",), (0.0,), 12 * 7.0, "us"), None, 3)


def test_the_page_of_a_course_escapes_texts(course) -> None:
    lines = (replace(course.lines[0], title=f"THP {HOSTILE}"),)
    drugs = tuple(replace(drug, title=HOSTILE) for drug in course.drugs)
    bad = replace(course, lines=lines, drugs=drugs, notes=(f"Note {HOSTILE}",))
    text = timeline_page.html_page(bad)
    assert "<script" not in text
    page = read_page(text)
    page.require_sound()
    assert page.text.count(HOSTILE) >= 4  # title, heading, line, note
    pictures = [given for _, given in page.tags if given.get("role") == "img"]
    assert len(pictures) == 2  # for a screen, and for a telephone
    assert all(HOSTILE in (picture["aria-label"] or "") for picture in pictures)


def test_the_page_of_a_course_has_all_of_it(course) -> None:
    text = read_page(timeline_page.html_page(course)).text
    wanted = [NOTICE, *course.notes, *timeline_page.line_texts(course)]
    for row in (*timeline_page.drug_cells(course), *timeline_page.decision_cells(course)):
        wanted += row
    wanted += [run.text() for d in course.drugs for run in timeline_page.dose_runs(d.doses)]
    for part in wanted:
        assert " ".join(part.split()) in text
    still = read_page(timeline_page.html_page(replace(course, decisions=(), notes=())))
    assert "No rule had to act." in still.text


def row(**changed: object) -> ValidationRow:
    """A compared row."""
    given = {
        "id": "a", "use": "counted", "drug": "trastuzumab", "model": "m", "model_status": "ok",
        "region": None, "regimen": "q3w", "population": "mbc", "analyte": "trastuzumab",
        "cycle": "1", "metric": "cmin", "statistic": "median", "unit": "ug/mL", "published": 20.0,
        "predicted": 30.0, "ratio": 1.5, "tolerance": 0.15, "tolerance_class": "iv",
        "inside": False, "reason": f"why {HOSTILE}", "source": f"Paper {HOSTILE}",
    }  # fmt: skip
    return ValidationRow(**(given | changed))  # type: ignore[arg-type]


def test_the_page_of_published_exposures_escapes_texts_and_marks_misses() -> None:
    rows = [row(), row(inside=True), row(use="not_comparable", predicted=None, ratio=None)]
    page = read_page(validation_page.html_page(rows, 100, 1))
    page.require_sound()
    assert page.text.count(HOSTILE) == 4  # two sources, a reason each of a miss and of a listed row
    assert [g.get("class") for tag, g in page.tags if tag == "tr"] == [None, "marked", None]
    assert validation_page.heading_text(rows, 100, 1) in page.text
    assert NOTICE in page.text


def test_a_template_refuses_a_missing_value() -> None:
    with pytest.raises(jinja2.UndefinedError, match="paragraphs"):
        render("validation", drugs=[])


def test_templates_are_read_only_for_a_page() -> None:
    code = (
        "import sys, her2sim, her2sim.cli, her2sim.report.timeline_page, her2sim.report.trial_page,"
        "her2sim.report.validation_page; assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("mg", "text"),
    [(616270.4, "616,000"), (420.4, "420"), (3.6123, "3.61"), (0.0421, "0.0421"), (0.0, "0")],
)
def test_amounts_have_three_digits_and_no_power_of_ten(mg: float, text: str) -> None:
    assert number_text(mg) == text
