"""The page of a trial."""

from __future__ import annotations

from dataclasses import replace

from her2sim.notice import NOTICE
from her2sim.report.trial_page import page_text
from tests.pages import HOSTILE, read_page


def test_texts_are_escaped_and_all_is_there(reported) -> None:
    report = reported(2)
    trial = report.trial.model_copy(update={"title": f"A trial {HOSTILE}"})
    run = replace(report.run, trial=trial)
    page = read_page(page_text([replace(report, run=run, notes=(f"Note {HOSTILE}",))], HOSTILE))
    page.require_sound()
    text = page.text
    assert text.count(HOSTILE) >= 4  # title, heading, title of the trial, note
    assert NOTICE in text
    assert "-, needs 10 members; 2 here" in text
    (picture,) = (attributes for tag, attributes in page.tags if tag == "img")
    assert picture["alt"] == "Kaplan-Meier curves of SOPHIA, predicted and published"
    for title in ("Arms", "Endpoints", "Hazard ratios", "Adverse events, % of patients"):
        assert f"SOPHIA: {title}" in text
